"""Which files hold the parts of a run, and which of them a question needs."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.compaction import Compaction
from finemo_dist.catalog.placed import Placed
from finemo_dist.catalog.scope import Scope, Scopes
from finemo_dist.core.schema import COMPACT_COLUMNS, PLACED_COLUMNS, Column
from finemo_dist.core.words import count
from finemo_dist.hits.columns import plain_array, plain_values
from finemo_dist.hits.layout import TableName, part_name, sample_directory
from finemo_dist.hits.run_parts import RunParts
from finemo_dist.hits.template import write_template
from finemo_dist.hits.write import COLUMNS_OF
from finemo_dist.record.run_record import RunRecord

logger = logging.getLogger(__name__)

PART_VIEWS: Final[Mapping[str, TableName]] = {
    "hit_parts": "hits",
    "compact_parts": "hits",
    "place_parts": "hits",
    "qc_parts": "peaks_qc",
}
"""View, and the variable that lists its files, to the table that they hold."""
_COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = {
    "compact_parts": COMPACT_COLUMNS,
    "place_parts": PLACED_COLUMNS,
}
_MANIFEST_NAMES: Final[Mapping[TableName, str]] = {"hits": "hits", "peaks_qc": "regions"}

Bools = NDArray[np.bool_]


def current_parts(record: RunRecord, parts: RunParts) -> RunParts:
    """Return the parts of samples that their record is about; others are logged."""
    for name in parts.names:
        for problem in parts.damaged.get(name, ()):
            logger.warning("%s", problem)
    found = parts.current(record)
    n_stale = np.diff(parts.offsets) - np.diff(found.offsets)
    for i in np.flatnonzero(n_stale):
        logger.warning(
            "Sample %s: left out %s of another configuration or store.",
            parts.names[i],
            count(int(n_stale[i]), "part"),
        )
    return found


@dataclass(frozen=True, slots=True)
class FileTable:
    """The files of a view as columns, because a large run has too many for more."""

    folders: Sequence[str]
    """By sample."""
    samples: Sequence[str]
    """None where a file has hits of all."""
    sample: NDArray[np.int64]
    """Number of the sample of each file."""
    names: Sequence[str]
    n_rows: NDArray[np.int64]
    first_chr: pa.Array
    """Byte by byte, not in the order of the output; null where it is not known."""
    last_chr: pa.Array
    bounds: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
    """Column, ``start``, ``end`` or ``peak_id``, to its least and greatest value in each file;
    NaN where that is not known."""

    def paths(self, chosen: Iterable[int]) -> list[str]:
        """Return where some files lie."""
        sample = self.sample.tolist()
        return [f"{self.folders[sample[i]]}/{self.names[i]}" for i in chosen]

    def within(self, scope: Scope) -> Bools:
        """Return which files may hold a row that a scope is about."""
        found: Bools = self.n_rows > 0
        if scope.samples is not None and self.samples:
            found &= np.array([name in scope.samples for name in self.samples], bool)[self.sample]
        if scope.chroms is not None:
            is_within = np.zeros_like(found)
            for chrom in scope.chroms:
                is_within |= _each(self.first_chr, None, chrom) & _each(self.last_chr, chrom, None)
            found &= is_within
        for name, value in scope.least.items():
            # No comparison holds for unknown values.
            found &= ~(self.bounds[name][1] < value)
        for name, value in scope.most.items():
            found &= ~(self.bounds[name][0] > value)
        return found


@dataclass(frozen=True, slots=True)
class PartFiles:
    """The files behind the views of parts."""

    files: Mapping[str, FileTable]
    """View to its files, sample by sample."""
    chr_ids: Sequence[tuple[str | None, int]]
    """Name and number of the chromosome of each compacted file."""
    templates: Mapping[str, str]
    """View to a file without rows, which shows the columns."""

    @classmethod
    def of(
        cls,
        run_dir: Path,
        parts: RunParts,
        compactions: Mapping[str, Compaction],
        places: Placed | None,
        widths: Mapping[str, int],
        scratch: Path,
    ) -> "PartFiles":
        """Return those of a run, with templates in a folder ``scratch``.

        Parameters
        ----------
        widths
            Sample to the width of its regions.
        """
        is_read = parts.spread([name not in compactions for name in parts.names]).astype(bool)
        width = parts.spread([widths[name] for name in parts.names])
        files = {
            "hit_parts": _of_parts(run_dir, "hits", parts.where(is_read)),
            "compact_parts": _of_compactions(compactions),
            "place_parts": _of_places(places),
            "qc_parts": _of_parts(run_dir, "peaks_qc", parts, width),
        }
        templates = {}
        for view, table in PART_VIEWS.items():
            columns = _COLUMNS.get(view, COLUMNS_OF[table])
            templates[view] = write_template(scratch / f"{view}.parquet", columns)
        chr_ids = [
            (file.chr, file.chr_id) for found in compactions.values() for file in found.files
        ]
        return cls(files, chr_ids, templates)

    @property
    def is_compacted(self) -> bool:
        """Whether some files are compacted."""
        return any(len(self.files[view].n_rows) for view in _COLUMNS)

    def all_paths(self) -> list[str]:
        """Return every file of the views."""
        return [path for table in self.files.values() for path in table.paths(_all(table))]

    def part_rows(self) -> pa.Table:
        """Return file and sample of all parts."""
        tables = [self.files["hit_parts"], self.files["qc_parts"]]
        return pa.concat_tables(map(_path_and_sample, tables))

    def compact_rows(self) -> pa.Table:
        """Return file, sample and chromosome of all compacted files."""
        found = _path_and_sample(self.files["compact_parts"])
        chroms, numbers = ([row[i] for row in self.chr_ids] for i in range(2))
        found = found.append_column("chr", plain_array(chroms, pa.string()))
        return found.append_column("chr_id", plain_array(numbers, pa.int32()))

    def lists(self, scopes: Scopes | None = None) -> dict[str, list[str]]:
        """Return view to the files it needs, all parts where ``scopes`` is None.

        Each hit is in one of them: hits by place are read for questions that are understood and
        that name no sample, and the files of samples otherwise.

        DuckDB guesses the size of all files by the first: an empty one there would turn joins
        round.
        """
        found: dict[str, list[str]] = {}
        is_by_place = (
            scopes is not None
            and len(self.files["place_parts"].n_rows) > 0
            and any(scope.samples is None for scope in scopes.get("hits", ()))
        )
        for view, table in PART_VIEWS.items():
            files = self.files[view]
            is_read = table != "hits" or (view == "place_parts") == is_by_place
            is_chosen = np.full(len(files.n_rows), is_read and scopes is None)
            for scope in () if scopes is None or not is_read else scopes.get(table, ()):
                is_chosen |= files.within(scope)
            chosen = np.flatnonzero(is_chosen)
            by_size = chosen[np.argsort(-files.n_rows[chosen], kind="stable")]
            found[view] = files.paths(by_size.tolist()) or [self.templates[view]]
        return found


def _all(table: FileTable) -> range:
    return range(len(table.n_rows))


def _path_and_sample(table: FileTable) -> pa.Table:
    samples = [table.samples[i] for i in table.sample.tolist()]
    columns = {"filename": table.paths(_all(table)), "sample": samples}
    return pa.table({name: plain_array(found, pa.string()) for name, found in columns.items()})


def _each(names: pa.Array, least: str | None, most: str | None) -> Bools:
    """Return which names lie within bounds, byte by byte, or are not known."""
    # Loaded only for questions that name a chromosome: it wraps every function of Arrow's.
    import pyarrow.compute as pc

    found: Bools = np.ones(len(names), bool)
    # Arrow's functions load pandas for a value of Python's, where there is one.
    (unknown,) = plain_array([True], pa.bool_())
    for compare, bound in ((pc.greater_equal, least), (pc.less_equal, most)):
        if bound is not None:
            (limit,) = plain_array([bound], pa.string())
            found &= plain_values(pc.fill_null(compare(names, limit), fill_value=unknown))
    return found


def _of_parts(
    run_dir: Path, table: TableName, parts: RunParts, width: NDArray[Any] | None = None
) -> FileTable:
    of = _MANIFEST_NAMES[table]
    first, last = (parts.column(f"{of}_{end}_start") for end in ("first", "last"))
    end = parts.column(f"{of}_last_end") if width is None else last + width
    peaks = (parts.column(f"{of}_first_peak"), parts.column(f"{of}_last_peak"))
    return FileTable(
        folders=[str(sample_directory(run_dir, table, name)) for name in parts.names],
        samples=parts.names,
        sample=parts.spread(range(len(parts.names))).astype(np.int64),
        names=[part_name(shard) for shard in parts.column("shard").tolist()],
        n_rows=parts.column("n_rows" if table == "hits" else "n_regions"),
        first_chr=parts.table.column(f"{of}_first_chr").combine_chunks(),
        last_chr=parts.table.column(f"{of}_last_chr").combine_chunks(),
        bounds={"start": (first, last), "end": (first, end), "peak_id": peaks},
    )


def _of_compactions(compactions: Mapping[str, Compaction]) -> FileTable:
    numbers = {name: i for i, name in enumerate(compactions)}
    files = [(numbers[name], file) for name, c in compactions.items() for file in c.files]
    chroms = plain_array([file.chr for _, file in files], pa.string())
    unknown = np.full(len(files), np.nan)
    return FileTable(
        folders=[str(compaction.directory) for compaction in compactions.values()],
        samples=tuple(compactions),
        sample=np.array([number for number, _ in files], np.int64),
        names=[file.name for _, file in files],
        n_rows=np.array([file.n_rows for _, file in files], np.int64),
        first_chr=chroms,
        last_chr=chroms,
        bounds=dict.fromkeys(("start", "end", "peak_id"), (unknown, unknown)),
    )


def _of_places(places: Placed | None) -> FileTable:
    files = places.files if places else ()
    chroms = plain_array([file.chr for file in files], pa.string())
    ends = ("first_start", "last_start", "last_end")
    first, last, end = (np.array([getattr(f, name) for f in files], float) for name in ends)
    unknown = np.full(len(files), np.nan)
    return FileTable(
        folders=[str(places.directory)] if places else [],
        samples=(),
        sample=np.zeros(len(files), np.int64),
        names=[file.name for file in files],
        n_rows=np.array([file.n_rows for file in files], np.int64),
        first_chr=chroms,
        last_chr=chroms,
        bounds={
            "start": (first, last),
            "end": (first, end),
            "peak_id": (unknown, unknown),
        },
    )
