"""The files for other tools that belong to a run, and whether they are those of its parts.

``RUN/outputs/sample=S/written.json`` is committed after the last file of a sample. It names what
the files were made from, and how large they are. Files are missing where one has gone or has
another size, and outdated where the parts or settings of the sample are no longer those it names.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from finemo_dist.core.config import OutputKind, digest_of
from finemo_dist.core.errors import ServiceError
from finemo_dist.core.records import Stage, Unit
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import folder_name, written_path
from finemo_dist.record.run_record import RunRecord, SampleRecord
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location

_FORMAT: Final = "finemo_dist.outputs"
_FORMAT_VERSION: Final = 1
_N_READERS: Final = 16
"""A shared file system answers slowly, so that waiting dominates."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files of one sample, as they were committed."""

    made_from: str
    """Digest of parts and settings."""
    sizes: Mapping[str, int]
    """Path in the run to bytes, in the order in which they were written."""

    @classmethod
    def of_files(cls, run_dir: Path, files: Iterable[Path], *, made_from: str) -> Self:
        """Return the outputs that some files of a run are."""
        sizes = {file.relative_to(run_dir).as_posix(): file.stat().st_size for file in files}
        return cls(made_from, sizes)

    @classmethod
    def load(cls, run_dir: Path, sample: str) -> Self | None:
        """Return the outputs of a sample, outdated or not; None where they are not all there."""
        try:
            content = json.loads(written_path(run_dir, sample).read_bytes())
            if (content["format"], content["format_version"]) != (_FORMAT, _FORMAT_VERSION):
                return None
            found = cls(str(content["made_from"]), dict(content["sizes"]))
            is_whole = all((run_dir / n).stat().st_size == size for n, size in found.sizes.items())
        except ServiceError:
            raise
        except (OSError, ValueError, KeyError, TypeError):
            # Whatever is wrong with it, the files are written again.
            return None
        return found if is_whole else None

    def save(self, run_dir: Path, sample: str) -> None:
        """Commit that the files are written."""
        content: dict[str, Any] = {
            "format": _FORMAT,
            "format_version": _FORMAT_VERSION,
            "made_from": self.made_from,
            "sizes": dict(self.sizes),
        }
        with committed(written_path(run_dir, sample)) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def made_from(record: RunRecord, sample: SampleRecord, footers: Iterable[PartFooter]) -> str:
    """Return a digest of all that decides the files of a sample whose parts are committed."""
    parts = sorted((f.shard, f.rows_digest, f.config_digest, f.store_digest) for f in footers)
    motif_set = record.set_of(sample)
    return digest_of(
        [
            _FORMAT_VERSION,
            record.outputs,
            record.settings_of(sample),
            [motif_set.digest, motif_set.n_motifs, motif_set.motif_width],
            sorted(record.chrom_lengths_of(sample).items()),
            [sample.n_regions, sample.region_width, sample.has_coordinates],
            outputs_folder(record, sample),
            parts,
        ]
    )


def outputs_folder(record: RunRecord, sample: SampleRecord) -> str:
    """Return the folder of the files of a sample, in the run; that of a lone sample is the run."""
    is_only = len(record.samples) + len(record.refused.keys() - {sample.name}) == 1
    return "" if is_only else f"samples/{folder_name(sample.name)}"


def missing_outputs(
    run_dir: str | Path, record: RunRecord, parts: Mapping[str, Iterable[PartFooter] | None]
) -> tuple[Unit, ...]:
    """Return the units that write the files that are missing or outdated, in the order of samples.

    Parameters
    ----------
    parts
        Footers of the samples whose parts are all committed, by sample; None where the files need
        only exist, and no value where the sample has parts to come.
    """
    if record.outputs in {None, OutputKind.NONE}:
        return ()
    folder = location(run_dir)

    def is_missing(sample: SampleRecord) -> bool:
        if sample.name not in parts:
            return True
        found, footers = Outputs.load(folder, sample.name), parts[sample.name]
        if found is None or footers is None:
            return found is None
        return found.made_from != made_from(record, sample, footers)

    with ThreadPoolExecutor(_N_READERS) as pool:
        answers: Sequence[bool] = list(pool.map(is_missing, record.samples))
    return tuple(
        Unit(sample.name, 0, Stage.OUTPUTS)
        for sample, is_open in zip(record.samples, answers, strict=True)
        if is_open
    )
