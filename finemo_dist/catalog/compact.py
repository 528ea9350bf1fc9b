"""A run's hits as one sorted file a sample and chromosome, with what unique and collapse say."""

import logging
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import chromosome_chunks
from finemo_dist.catalog.compaction import CompactFile, Compaction, parts_digest
from finemo_dist.hits.layout import compact_directory
from finemo_dist.storage.files import committed, describe_input

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompactSummary:
    """What was done for one sample, or for all together."""

    sample: str | None
    """None for all."""
    is_new: bool
    """False where the compaction that stood was current."""
    n_hits: int
    n_files: int
    n_shards_missing: int
    """Committing one of these makes the compaction stale."""


def compact_sample(catalog: Catalog, sample: str) -> CompactSummary:
    """Write the compacted files of a sample, unless those that stand are current.

    Chromosome by chromosome, so that memory does not grow with the sample. The manifest is
    committed last; until then, and whenever a part changes, the parts are read.

    Raises
    ------
    UsageError
        There is no such sample.
    RunError
        The run is damaged, or the disk is full.
    """
    record, units = catalog.sample(sample), catalog.units(sample)
    n_missing = record.n_shards - len(units)
    is_new = sample not in catalog.compacted
    digest = parts_digest(units.values())
    directory = compact_directory(catalog.run_dir, sample)
    if is_new:
        with catalog.as_called(sample) as single:
            files = _write_files(single, sample, directory, digest)
        Compaction(directory, digest, files).save()
        remove_others(directory, {file.name for file in files})
    loaded = Compaction.load(catalog.run_dir, sample)
    assert loaded is not None
    n_hits = sum(file.n_rows for file in loaded.files)
    return CompactSummary(sample, is_new, n_hits, len(loaded.files), n_missing)


def _write_files(
    catalog: Catalog, sample: str, directory: Path, digest: str
) -> tuple[CompactFile, ...]:
    files = []
    for first, last in chromosome_chunks(catalog, sample):
        catalog.run("make_piece", {"sample": sample, "first": first, "last": last})
        catalog.run("make_flagged")
        for name, chrom, n_rows in catalog.run("piece_chromosomes"):
            path = directory / f"{digest[:12]}-{max(chrom, 0):05d}.parquet"
            with committed(path) as temporary:
                catalog.run("copy_compact", {"chr_id": chrom, "path": str(temporary)})
            found = describe_input(path)
            files.append(
                CompactFile(path.name, name, chrom, n_rows, found.size_bytes, found.digest)
            )
    return tuple(files)


def remove_others(directory: Path, kept: set[str]) -> None:
    """Remove the Parquet files of a folder but those of some names."""
    for path in directory.glob("*.parquet"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def damaged_files(run_dir: Path, sample: str) -> list[str]:
    """Return what is wrong with the compacted files of a sample, reading every byte.

    A stale compaction is passed over: nothing reads it.
    """
    compaction = Compaction.load(run_dir, sample)
    return compaction.problems() if compaction else []
