"""Which units of a run are committed: both parts exist, are readable and belong together."""

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.core.system_errors import fault
from finemo_dist.hits.digest import rows_digest
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import (
    TableName,
    part_path,
    sample_directory,
    shard_of,
)
from finemo_dist.hits.seal import check_seal
from finemo_dist.storage.locations import readable
from finemo_dist.storage.objects import ObjectPath

logger = logging.getLogger(__name__)

# Footers are small and a shared file system answers slowly, so that waiting dominates.
_N_READERS: Final = 16


@dataclass(frozen=True, slots=True)
class SampleParts:
    """What one sample has committed."""

    sample: str
    units: dict[int, PartFooter]
    """Shard to the footer of its hits, of every committed unit."""
    damaged: tuple[str, ...]
    """What is wrong with parts that do not count, each naming its file."""


def survey(run: str | Path, sample: str, *, check_bytes: bool = False) -> SampleParts:
    """Return the committed units of a sample and what is wrong with the rest.

    Temporary and foreign files are passed over; a damaged part leaves its unit uncommitted.

    Parameters
    ----------
    check_bytes
        Whether every byte is read against its checksum; otherwise only footers are looked at.
    """
    return survey_run(run, [sample], check_bytes=check_bytes)[sample]


def survey_run(
    run: str | Path, samples: Iterable[str], *, check_bytes: bool = False
) -> dict[str, SampleParts]:
    """Return what each sample has committed, by its name; see ``survey``."""
    names = list(samples)
    with ThreadPoolExecutor(_N_READERS) as pool:
        shards = pool.map(lambda name: sorted(standing_shards(run, name)), names)
        units = [Unit(name, i) for name, some in zip(names, shards, strict=True) for i in some]
        answers = list(pool.map(lambda unit: _look(run, unit, check_bytes=check_bytes), units))
    footers: dict[str, dict[int, PartFooter]] = {name: {} for name in names}
    damaged: dict[str, list[str]] = {name: [] for name in names}
    for unit, answer in zip(units, answers, strict=True):
        if isinstance(answer, PartFooter):
            footers[unit.sample][unit.shard] = answer
        else:
            damaged[unit.sample].append(answer)
    return {name: SampleParts(name, footers[name], tuple(damaged[name])) for name in names}


def _look(run: str | Path, unit: Unit, *, check_bytes: bool) -> PartFooter | str:
    """Return the footer of a unit, or what is wrong with its parts."""
    try:
        footer = _unit_footer(run, unit)
        if check_bytes:
            check_seal(part_path(run, "hits", unit))
            check_seal(part_path(run, "peaks_qc", unit))
    except RunError as error:
        return str(error)
    return footer


def standing_shards(run: str | Path, sample: str) -> set[int]:
    """Return the shards of which both parts stand, by their names; no part is opened."""
    return _shards(run, "hits", sample) & _shards(run, "peaks_qc", sample)


def parts_bytes(run: str | Path, samples: Iterable[str]) -> int:
    """Return how large the parts of some samples are together, hits and quality control."""
    directories = (
        sample_directory(run, table, sample) for sample in samples for table in get_args(TableName)
    )
    return sum(
        size
        for directory in directories
        for name, size in _sizes(directory)
        if shard_of(name) is not None
    )


def verify_part(path: Path) -> PartFooter:
    """Read every page of a part, compare its rows with their digest, and return the footer.

    Raises
    ------
    RunError
        The part is damaged.
    """
    footer = _read_footer(path)
    check_seal(path)
    try:
        with readable(path) as source:
            table = pq.read_table(source, page_checksum_verification=True, partitioning=None)
        found = rows_digest(table)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if found != footer.rows_digest:
        raise RunError(
            f"{path}: its rows have changed since they were written (digest {found}, footer "
            f"{footer.rows_digest}). Remove the file and rerun the same command."
        )
    return footer


def _listing(directory: Path) -> set[str]:
    try:
        return {entry.name for entry in directory.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _sizes(directory: Path) -> Iterator[tuple[str, int]]:
    if isinstance(directory, ObjectPath):
        # One request tells all.
        yield from directory.sizes().items()
        return
    for name in _listing(directory):
        if shard_of(name) is not None:
            yield name, (directory / name).stat().st_size


def _shards(run: str | Path, table: TableName, sample: str) -> set[int]:
    names = _listing(sample_directory(run, table, sample))
    return {shard for name in names if (shard := shard_of(name)) is not None}


def _unit_footer(run: str | Path, unit: Unit) -> PartFooter:
    path = part_path(run, "hits", unit)
    footer = _read_footer(path)
    qc = _read_footer(part_path(run, "peaks_qc", unit))
    if footer.unit != unit or footer.table != "hits" or qc.table != "peaks_qc":
        raise RunError(
            f"{path}: holds {footer.table} of unit {footer.unit}, its name says {unit}. "
            "Rerun the same command to make it again."
        )
    if not footer.belongs_with(qc):
        raise RunError(
            f"{path}: and its part in peaks_qc come from different runs of the unit. "
            "Rerun the same command to make both again."
        )
    return footer


def _read_footer(path: Path) -> PartFooter:
    try:
        with readable(path) as source:
            metadata = pq.read_metadata(source)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    footer = PartFooter.from_metadata(metadata.metadata, path)
    if metadata.num_rows != footer.n_rows:
        raise RunError(
            f"{path}: holds {metadata.num_rows:,} rows, its footer says {footer.n_rows:,}. "
            "Rerun the same command to make it again."
        )
    return footer


def _damaged(path: Path, error: Exception) -> RunError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    what = (
        f"{path}: is not a complete Parquet file ({reason}). Rerun the same command to make it "
        "again."
    )
    return fault(path, error, otherwise=what, kind=RunError)
