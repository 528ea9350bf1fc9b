"""Which files hold the parts of a run, and which of them a question needs."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from finemo_dist.catalog.compaction import Compaction
from finemo_dist.catalog.scope import Scope, Scopes
from finemo_dist.core.schema import COMPACT_COLUMNS
from finemo_dist.core.words import count
from finemo_dist.hits.layout import TableName, part_name, sample_directory
from finemo_dist.hits.manifest import Extent
from finemo_dist.hits.read import SampleParts
from finemo_dist.hits.template import write_template
from finemo_dist.hits.write import COLUMNS_OF
from finemo_dist.record.run_record import RunRecord

logger = logging.getLogger(__name__)

PART_VIEWS: Final[Mapping[str, TableName]] = {
    "hit_parts": "hits",
    "compact_parts": "hits",
    "qc_parts": "peaks_qc",
}
"""View, and the variable that lists its files, to the table that they hold."""


def current_parts(record: RunRecord, parts: SampleParts) -> SampleParts:
    """Return the parts of a sample that its record is about; others are logged."""
    for problem in parts.damaged:
        logger.warning("%s", problem)
    sample = record.sample(parts.sample)
    assert sample is not None
    digest = record.config_digest_of(sample)
    units = {
        shard: footer
        for shard, footer in parts.units.items()
        if footer.config_digest == digest
        and footer.store_digest == sample.store_digest
        and shard < sample.n_shards
    }
    if stale := len(parts.units) - len(units):
        logger.warning(
            "Sample %s: left out %s of another configuration or store.",
            parts.sample,
            count(stale, "part"),
        )
    return replace(parts, units=units)


class PartFile(NamedTuple):
    """A file with rows of one sample."""

    path: str
    extent: Extent
    n_rows: int
    chr: str | None = None
    """Of compacted files, as ``chr_id``."""
    chr_id: int = -1


@dataclass(frozen=True, slots=True)
class PartFiles:
    """The files behind the views of parts."""

    files: Mapping[str, Mapping[str, Sequence[PartFile]]]
    """View to sample to its files."""
    templates: Mapping[str, str]
    """View to a file without rows, which shows the columns."""

    @classmethod
    def of(
        cls,
        run_dir: Path,
        parts: Mapping[str, SampleParts],
        compactions: Mapping[str, Compaction],
        widths: Mapping[str, int],
        scratch: Path,
    ) -> "PartFiles":
        """Return those of a run, with templates in a folder ``scratch``.

        Parameters
        ----------
        widths
            Sample to the width of its regions.
        """
        files: dict[str, dict[str, Sequence[PartFile]]] = {
            "hit_parts": {
                name: _parts(run_dir, "hits", found)
                for name, found in parts.items()
                if name not in compactions
            },
            "compact_parts": {name: _compacted(found) for name, found in compactions.items()},
            "qc_parts": {
                name: _parts(run_dir, "peaks_qc", found, widths[name])
                for name, found in parts.items()
            },
        }
        templates = {}
        for view, table in PART_VIEWS.items():
            columns = COMPACT_COLUMNS if view == "compact_parts" else COLUMNS_OF[table]
            templates[view] = write_template(scratch / f"{view}.parquet", columns)
        return cls(files, templates)

    def rows(self, *views: str) -> Iterable[tuple[str, PartFile]]:
        """Yield sample and file of all files of some views."""
        for view in views:
            for sample, files in self.files[view].items():
                for file in files:
                    yield sample, file

    def part_columns(self) -> dict[str, object]:
        """Return the table of parts, as one list a column; nothing where there are none."""
        found = list(self.rows("hit_parts", "qc_parts"))
        columns = {"filename": [f.path for _, f in found], "sample": [s for s, _ in found]}
        return dict(columns) if found else {}

    def compact_columns(self) -> dict[str, object]:
        """Return the table of compacted files, as one list a column; nothing if there are none."""
        found = list(self.rows("compact_parts"))
        columns = {
            "filename": [file.path for _, file in found],
            "sample": [sample for sample, _ in found],
            "chr": [file.chr for _, file in found],
            "chr_id": [file.chr_id for _, file in found],
        }
        return dict(columns) if found else {}

    def lists(self, scopes: Scopes | None = None) -> dict[str, list[str]]:
        """Return view to the files it needs, all where ``scopes`` is None.

        DuckDB guesses the size of all files by the first: an empty one there would turn joins
        round.
        """
        found: dict[str, list[str]] = {}
        for view, table in PART_VIEWS.items():
            samples = self.files[view]
            if scopes is None:
                chosen = [file for files in samples.values() for file in files]
            else:
                chosen = _within(samples, scopes.get(table, ()))
            chosen.sort(key=lambda file: -file.n_rows)
            found[view] = [file.path for file in chosen] or [self.templates[view]]
        return found


def _within(samples: Mapping[str, Sequence[PartFile]], scopes: Sequence[Scope]) -> list[PartFile]:
    """Return each file that may hold a row of some scope, once."""
    found: dict[str, PartFile] = {}
    for scope in scopes:
        names = samples if scope.samples is None else scope.samples & samples.keys()
        for name in names:
            for file in samples[name]:
                if file.n_rows and file.path not in found and scope.admits(file.extent):
                    found[file.path] = file
    return list(found.values())


def _parts(
    run_dir: Path, table: TableName, parts: SampleParts, width: int | None = None
) -> list[PartFile]:
    folder = str(sample_directory(run_dir, table, parts.sample))
    files = []
    for shard, footer in parts.units.items():
        extent = parts.extents[shard][table]
        if width is not None and extent.last_start is not None:
            extent = extent._replace(last_end=extent.last_start + width)
        n_rows = footer.n_rows if table == "hits" else footer.n_regions
        files.append(PartFile(f"{folder}/{part_name(shard)}", extent, n_rows))
    return files


def _compacted(compaction: Compaction) -> list[PartFile]:
    return [
        PartFile(
            str(compaction.path(file)),
            Extent(first_chr=file.chr, last_chr=file.chr),
            file.n_rows,
            file.chr,
            file.chr_id,
        )
        for file in compaction.files
    ]
