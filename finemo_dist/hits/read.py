"""Which units of a run are committed: both parts exist, are readable and belong together."""

import logging
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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
    read_manifest,
    rows_of,
    save_manifest,
)
from finemo_dist.hits.run_parts import KnownRows, RunParts, SampleParts, without
from finemo_dist.hits.seal import check_seal
from finemo_dist.storage.locations import readable
from finemo_dist.storage.objects import ObjectPath

logger = logging.getLogger(__name__)

# Footers are small and a shared file system answers slowly, so that waiting dominates.
_N_READERS: Final = 16
_TABLES: Final[tuple[TableName, ...]] = get_args(TableName)


_MOST_UNKNOWN: Final = 100
"""Units that may be read anew by everyone; of more the manifest is written."""


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
) -> RunParts:
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
        n_bytes = sum(listing.n_bytes for listing in listings.values())
        check_bytes &= most_checked is None or n_bytes <= most_checked
        is_any = any(listing.shards for listing in listings.values())
        known = KnownRows(read_manifest(run, names) if is_any else rows_of([]))
        chosen: list[int] = []
        unknown: list[tuple[Unit, str]] = []
        for name, listing in listings.items():
            rows, others = known.match(
                name, listing.shards, listing.stamps, must_be_checked=check_bytes
            )
            chosen.extend(rows)
            unknown.extend((Unit(name, shard), stamp) for shard, stamp in others)
        answers = list(pool.map(lambda one: _look(run, *one, check_bytes=check_bytes), unknown))
    new = rows_of([answer for answer in answers if isinstance(answer, KnownUnit)])
    damaged: dict[str, list[str]] = {}
    for (unit, _), answer in zip(unknown, answers, strict=True):
        if isinstance(answer, str):
            damaged.setdefault(unit.sample, []).append(answer)
    if len(unknown) > _MOST_UNKNOWN:
        _remember(run, new)
    found = {name: tuple(problems) for name, problems in damaged.items()}
    return RunParts.of(names, known.taken(chosen, new), found)


def _look(run: str | Path, unit: Unit, stamp: str, *, check_bytes: bool) -> KnownUnit | str:
    """Return what a unit says of itself, or what is wrong with its parts."""
    try:
        footer, extents = _unit_footer(run, unit)
        if check_bytes:
            check_seal(part_path(run, "hits", unit))
            check_seal(part_path(run, "peaks_qc", unit))
    except RunError as error:
        if error.is_condition and not isinstance(error.__cause__, FileNotFoundError):
            # A part that cannot be read now is not damaged, and is not made again.
            raise
        return str(error)
    return KnownUnit(footer, *extents, stamp, check_bytes)


def _remember(run: str | Path, new: pa.Table) -> None:
    """Add rows to the manifest of a run, in the place of those that it has of their units."""
    before = read_manifest(run)
    save_manifest(run, pa.concat_tables([without(before, new), new]))


def standing_shards(run: str | Path, sample: str) -> set[int]:
    """Return the shards whose two parts exist, by name; no part is opened."""
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


class _Listing(NamedTuple):
    """The units of a sample of which both parts exist, as a listing shows them, by shard."""

    shards: list[int]
    stamps: list[str]
    n_bytes: int


def _listed(run: str | Path, sample: str) -> _Listing:
    """Return the units whose two parts exist; no part is opened."""
    hits, regions = (_stamps(sample_directory(run, table, sample)) for table in _TABLES)
    shards = sorted(hits.keys() & regions.keys())
    return _Listing(
        shards,
        [f"{hits[shard]} {regions[shard]}" for shard in shards],
        sum(hits[shard][0] + regions[shard][0] for shard in shards),
    )


def _stamps(directory: Path) -> dict[int, tuple[int, str]]:
    """Return the size, and the time or ETag, of each part in a directory, by shard."""
    if not isinstance(directory, ObjectPath):
        return _local_stamps(directory)
    # One request tells all.
    found = directory.versions().items()
    return {shard: stamp for name, stamp in found if (shard := shard_of(name)) is not None}


def _local_stamps(directory: Path) -> dict[int, tuple[int, str]]:
    found = {}
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if (shard := shard_of(entry.name)) is None:
                    continue
                # A part that goes while others are listed takes none of them with it.
                with suppress(FileNotFoundError):
                    status = entry.stat()
                    found[shard] = (status.st_size, str(status.st_mtime_ns))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return found


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
