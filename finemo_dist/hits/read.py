"""Which units of a run are committed: both parts exist, are readable and belong together."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, get_args

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
from finemo_dist.hits.manifest import (
    Extent,
    KnownUnit,
    extent_of,
    load_manifest,
    save_manifest,
)
from finemo_dist.hits.seal import check_seal
from finemo_dist.storage.locations import readable
from finemo_dist.storage.objects import ObjectPath

logger = logging.getLogger(__name__)

# Footers are small and a shared file system answers slowly, so that waiting dominates.
_N_READERS: Final = 16
_TABLES: Final[tuple[TableName, ...]] = get_args(TableName)


_MOST_UNKNOWN: Final = 100
"""Units that may be read anew by everyone; of more the manifest is written."""


@dataclass(frozen=True, slots=True)
class SampleParts:
    """What one sample has committed."""

    sample: str
    units: dict[int, PartFooter]
    """Shard to the footer of its hits, of every committed unit."""
    damaged: tuple[str, ...]
    """What is wrong with parts that do not count, each naming its file."""
    extents: dict[int, dict[TableName, Extent]] = field(default_factory=dict)
    """Shard to where the rows of its parts lie."""


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
    run: str | Path,
    samples: Iterable[str],
    *,
    check_bytes: bool = False,
    most_checked: int | None = None,
) -> dict[str, SampleParts]:
    """Return what each sample has committed, by its name; see ``survey``.

    Parts that are as the manifest of the run has seen them are not opened.

    Parameters
    ----------
    most_checked
        In bytes: no byte is checked where the parts together are larger. No limit when None.
    """
    names = list(samples)
    with ThreadPoolExecutor(_N_READERS) as pool:
        listings = dict(zip(names, pool.map(partial(_listed, run), names), strict=True))
        listed = {Unit(name, i): files for name, some in listings.items() for i, files in some}
        n_bytes = sum(files.n_bytes for files in listed.values())
        check_bytes &= most_checked is None or n_bytes <= most_checked
        known = load_manifest(run, names) if listed else {}
        unknown = [
            (unit, files.stamp)
            for unit, files in listed.items()
            if (found := known.get((unit.sample, unit.shard))) is None
            or found.stamp != files.stamp
            or (check_bytes and not found.is_checked)
        ]
        answers = pool.map(lambda one: _look(run, *one, check_bytes=check_bytes), unknown)
        read = dict(zip((unit for unit, _ in unknown), answers, strict=True))
    if len(read) > _MOST_UNKNOWN:
        _remember(run, read)
    found_parts = {name: SampleParts(name, {}, ()) for name in names}
    damaged: dict[str, list[str]] = {name: [] for name in names}
    for unit in listed:
        answer = read.get(unit) or known[(unit.sample, unit.shard)]
        if isinstance(answer, str):
            damaged[unit.sample].append(answer)
        else:
            parts = found_parts[unit.sample]
            parts.units[unit.shard] = answer.footer
            parts.extents[unit.shard] = {"hits": answer.hits, "peaks_qc": answer.regions}
    return {n: replace(parts, damaged=tuple(damaged[n])) for n, parts in found_parts.items()}


def _look(run: str | Path, unit: Unit, stamp: str, *, check_bytes: bool) -> KnownUnit | str:
    """Return what a unit says of itself, or what is wrong with its parts."""
    try:
        footer, extents = _unit_footer(run, unit)
        if check_bytes:
            check_seal(part_path(run, "hits", unit))
            check_seal(part_path(run, "peaks_qc", unit))
    except RunError as error:
        return str(error)
    return KnownUnit(footer, *extents, stamp, check_bytes)


def _remember(run: str | Path, read: Mapping[Unit, KnownUnit | str]) -> None:
    """Add what was read to the manifest of a run."""
    new = {
        (unit.sample, unit.shard): found
        for unit, found in read.items()
        if isinstance(found, KnownUnit)
    }
    save_manifest(run, load_manifest(run) | new)


def standing_shards(run: str | Path, sample: str) -> set[int]:
    """Return the shards of which both parts stand, by their names; no part is opened."""
    return _shards(run, "hits", sample) & _shards(run, "peaks_qc", sample)


def verify_part(path: Path) -> PartFooter:
    """Read every page of a part, compare its rows with their digest, and return the footer.

    Raises
    ------
    RunError
        The part is damaged.
    """
    footer, _ = _read_footer(path)
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


class _Files(NamedTuple):
    """Both parts of a unit, as a listing shows them."""

    n_bytes: int
    stamp: str


def _listed(run: str | Path, sample: str) -> list[tuple[int, _Files]]:
    """Return the shards of which both parts exist, in order; no part is opened."""
    hits, regions = (_stamps(sample_directory(run, table, sample)) for table in _TABLES)
    return [
        (shard, _Files(hits[shard][0] + regions[shard][0], f"{hits[shard]} {regions[shard]}"))
        for shard in sorted(hits.keys() & regions.keys())
    ]


def _stamps(directory: Path) -> dict[int, tuple[int, str]]:
    """Return size, and time or ETag, of the parts in a directory, by their shards."""
    if isinstance(directory, ObjectPath):
        # One request tells all.
        found = directory.versions().items()
    else:
        found = dict(_local_stamps(directory)).items()
    return {shard: stamp for name, stamp in found if (shard := shard_of(name)) is not None}


def _local_stamps(directory: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if shard_of(entry.name) is not None:
                    status = entry.stat()
                    yield entry.name, (status.st_size, str(status.st_mtime_ns))
    except (FileNotFoundError, NotADirectoryError):
        return


def _listing(directory: Path) -> set[str]:
    try:
        return {entry.name for entry in directory.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _shards(run: str | Path, table: TableName, sample: str) -> set[int]:
    names = _listing(sample_directory(run, table, sample))
    return {shard for name in names if (shard := shard_of(name)) is not None}


def _unit_footer(run: str | Path, unit: Unit) -> tuple[PartFooter, tuple[Extent, Extent]]:
    path = part_path(run, "hits", unit)
    footer, hits = _read_footer(path, "hits")
    qc, regions = _read_footer(part_path(run, "peaks_qc", unit), "peaks_qc")
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
    return footer, (hits, regions)


def _read_footer(path: Path, table: TableName = "hits") -> tuple[PartFooter, Extent]:
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
    return footer, extent_of(metadata, table)


def _damaged(path: Path, error: Exception) -> RunError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    what = (
        f"{path}: is not a complete Parquet file ({reason}). Rerun the same command to make it "
        "again."
    )
    return fault(path, error, otherwise=what, kind=RunError)
