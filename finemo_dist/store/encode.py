"""The three steps of writing a region store: init, one partition for each shard, finalise.

Partitions can be written by any processes on any machines that see the same folder: no two write
one file, and a partition written twice replaces itself by the same bytes.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import zarr

from finemo_dist.core.ahead import ahead
from finemo_dist.core.errors import InputError, StoreError, UsageError
from finemo_dist.core.input_report import InputReport, ScoreRange
from finemo_dist.core.protocols import Source
from finemo_dist.core.records import RegionBatch, RegionTable, ScoreKind
from finemo_dist.storage.locations import location
from finemo_dist.store import _arrays, layout
from finemo_dist.store._columns import write_columns
from finemo_dist.store._partitions import (
    EncodedShard,
    Records,
    ShardRecord,
    combine_digests,
    forget_record,
    join_records,
    missing_partitions,
    packed,
    unpacked,
)
from finemo_dist.store.halves import to_stored
from finemo_dist.store.layout import StoreMeta

logger = logging.getLogger(__name__)

_LARGE_SHARE = 0.5
"""Of regions without contributions: more is a sign of inputs that do not belong together."""


def init(path: str | Path, source: Source, *, shard_regions: int | None = None) -> StoreMeta:
    """Make a store without sequences and contributions, and write its coordinates.

    Raises
    ------
    UsageError
        Something exists at ``path``, or ``shard_regions`` is impossible.
    """
    path = location(path)
    if path.exists():
        raise UsageError(f"{path}: already exists. Choose another output, or remove it.")
    table = source.regions
    meta = StoreMeta(
        n_regions=len(table),
        region_width=source.region_width,
        score_kind=source.score_kind,
        shard_regions=_check_shard_regions(shard_regions, len(table)),
        chrom_names=table.chrom_names,
        chrom_lengths=table.chrom_lengths,
        inputs=tuple(source.inputs),
    )
    _arrays.write_table(path, _arrays.create_group(path, meta), meta, table)
    return meta


def encode_partition(path: str | Path, source: Source, shard: int) -> ShardRecord:
    """Write one shard and then the record that says so.

    No more than one chunk of float scores is held at a time, and one shard of stored halves.

    Raises
    ------
    InputError
        The source is damaged, or is not the one the store was made for.
    StoreError
        There is no such store.
    """
    (record,) = encode_partitions(path, source, [shard], reads_ahead=False)
    return record


def encode_partitions(
    path: str | Path, source: Source, shards: Sequence[int], *, reads_ahead: bool = True
) -> Iterator[ShardRecord]:
    """Write shards one after another, and yield the record of each once it is written.

    Parameters
    ----------
    reads_ahead
        Whether a thread reads regions while those before are written. A worker that has one core
        gains nothing by it.

    Raises
    ------
    InputError, StoreError
        As ``encode_partition``.
    """
    path = location(path)
    meta = _arrays.open_group(path)[1]
    batches: Iterator[RegionBatch] = (
        source.read(block.start, block.stop)
        for shard in shards
        for block in _blocks(meta.shard_rows(shard), meta)
    )
    if reads_ahead:
        batches = ahead(batches)
    for shard in shards:
        yield _encode_partition(path, source, shard, batches)


def _blocks(rows: range, meta: StoreMeta) -> Iterator[range]:
    for start in range(0, len(rows), meta.chunk_regions):
        yield rows[start : start + meta.chunk_regions]


def _encode_partition(
    path: Path, source: Source, shard: int, batches: Iterator[RegionBatch]
) -> ShardRecord:
    group, meta = _arrays.open_group(path, mode="r+")
    rows = meta.shard_rows(shard)
    table = source.regions[rows.start : rows.stop]
    _check_source(source, table, meta, _arrays.read_table(path, group, meta, rows), path)
    encoded, report = _read_shard(batches, table, meta, rows)
    # The record goes first, so that none ever stands for a shard that is half written.
    forget_record(path, shard)
    _arrays.remove_shard(path, group, meta, shard)
    for name in meta.arrays:
        _arrays.write_rows(group, name, rows, getattr(encoded, name))
    # Whoever goes on after a crash takes the record's word for it.
    _arrays.flush_shard(path, group, meta, shard)
    scale = packed(encoded.scale) if meta.has_columns else ""
    record = ShardRecord(shard, len(rows), encoded.digest(), report, scale)
    record.write(path)
    return record


def unwritten_partitions(path: str | Path) -> list[int]:
    """Return the shards of a store that have no record, or whose files are not there.

    A writer that was taken for lost may come back and be stopped between the two.

    Raises
    ------
    StoreError
        There is no such store, or it is damaged.
    """
    path = location(path)
    group, meta = _arrays.open_group(path)
    if meta.base is not None:
        return []
    missing = set(missing_partitions(path, meta))
    arrays = _arrays.KeptArrays(group)
    return sorted(missing | _arrays.lost_shards(path, arrays, meta))


def finalise(path: str | Path) -> StoreMeta:
    """Mark a store complete, with its digest and what was counted.

    Raises
    ------
    InputError
        No region has any contribution: scores and peaks have nothing in common.
    StoreError
        A partition has not been written.
    """
    path = location(path)
    group, meta = _arrays.open_group(path, mode="r+")
    if missing := unwritten_partitions(path):
        named = ", ".join(map(str, missing[:10])) + (" and others" if len(missing) > 10 else "")
        raise StoreError(
            f"{path}: {len(missing):,} of {meta.n_shards:,} partitions have not been written "
            f"({named}). Write them and finalise again."
        )
    known = Records(path)
    records = [known.read(shard) for shard in range(meta.n_shards)]
    meta = replace(
        meta,
        report=InputReport.total(record.report for record in records),
        digest=combine_digests(meta, [record.digest for record in records]),
        is_complete=True,
    )
    _check_report(meta)
    if meta.has_columns:
        _write_scales(path, group, meta, records)
    group.attrs.put(meta.to_dict())
    join_records(path, records)
    return meta


def _write_scales(
    path: Path, group: zarr.Group, meta: StoreMeta, records: Sequence[ShardRecord]
) -> None:
    """Write the scales that shards left in their records beside the coordinates."""
    table = _arrays.read_table(path, group, meta, range(meta.n_regions))
    # A shard of a complete store that was not written again has them there.
    scales = [
        unpacked(record.scale)
        if record.scale
        else _arrays.read_rows(path, group, meta, layout.SCALE, meta.shard_rows(record.shard))
        for record in records
    ]
    write_columns(path, table, np.concatenate([np.empty(0, np.float32), *scales]))


def _check_report(meta: StoreMeta) -> None:
    """Refuse scores that are nowhere, and warn of those that are in few regions."""
    n_zero = meta.counts.n_zero
    scores = meta.inputs[-1].path if meta.inputs else "The contributions"
    if meta.n_regions and n_zero == meta.n_regions:
        raise InputError(
            f"{scores}: none of the {meta.n_regions:,} regions has any contribution. Expected "
            "scores at the peaks: check that both belong to the same sample and assembly."
        )
    if n_zero > _LARGE_SHARE * meta.n_regions:
        logger.warning(
            "%s: %s of %s regions have no contribution at all. Check that scores and peaks belong "
            "to the same sample and assembly.", scores, f"{n_zero:,}", f"{meta.n_regions:,}",
        )  # fmt: skip


def _read_shard(
    batches: Iterator[RegionBatch], table: RegionTable, meta: StoreMeta, rows: range
) -> tuple[EncodedShard, InputReport]:
    n_rows = len(rows)
    encoded = EncodedShard(
        sequence=np.empty((n_rows, meta.region_width), dtype=np.uint8),
        contributions=np.empty(
            (n_rows, *meta.shape_of(layout.CONTRIBUTIONS)[1:]), dtype=np.float16
        ),
        scale=np.empty(n_rows, dtype=np.float32),
        table=table,
    )
    report = InputReport()
    for of_rows in _blocks(rows, meta):
        block = slice(of_rows.start - rows.start, of_rows.stop - rows.start)
        batch = next(batches)
        assert len(batch) == len(of_rows)
        encoded.sequence[block] = batch.sequence
        encoded.contributions[block], encoded.scale[block] = to_stored(batch.contributions)
        scores = ScoreRange.of(batch.contributions, encoded.contributions[block])
        report += InputReport(batch.counts, scores)
    return encoded, report


def _check_shard_regions(shard_regions: int | None, n_regions: int) -> int:
    if shard_regions is None:
        return layout.choose_shard_regions(n_regions)
    chunk = min(shard_regions, layout.MAX_CHUNK_REGIONS)
    if shard_regions < 1 or shard_regions % chunk:
        raise UsageError(
            f"Shards of {shard_regions} regions: expected 1 to {layout.MAX_CHUNK_REGIONS}, or a "
            f"multiple of that."
        )
    return shard_regions


def is_made_for(
    path: str | Path,
    source: Source,
    *,
    shard_regions: int | None = None,
    or_more: bool = False,
) -> bool:
    """Whether a store, complete or not, is of the very inputs, regions and width of a source.

    False also where there is no store, or a damaged one, or one of other shards than are asked for.

    Parameters
    ----------
    or_more
        Whether hypothetical scores will do where those of the source are projected.
    """
    path = location(path)
    try:
        group, meta = _arrays.open_group(path)
        stored = _arrays.read_table(path, group, meta, range(meta.n_regions))
    except StoreError:
        return False
    if shard_regions not in (None, meta.shard_regions):
        return False
    kind = ScoreKind(source.score_kind)
    kinds = {kind, meta.score_kind} if or_more and kind is ScoreKind.PROJECTED else {kind}
    return _is_of_source(source, source.regions, meta, stored, kinds)


def _is_of_source(
    source: Source,
    table: RegionTable,
    meta: StoreMeta,
    stored: RegionTable,
    kinds: Collection[ScoreKind],
) -> bool:
    return bool(
        len(source.regions) == meta.n_regions
        and source.region_width == meta.region_width
        and meta.score_kind in kinds
        and table.chrom_names == meta.chrom_names
        and meta.is_made_from(source.inputs)
        and np.array_equal(table.chrom_id, stored.chrom_id)
        and np.array_equal(table.start, stored.start)
        and np.array_equal(table.peak_id, stored.peak_id)
        and np.array_equal(table.peak_name, stored.peak_name)
    )


def _check_source(
    source: Source, table: RegionTable, meta: StoreMeta, stored: RegionTable, path: Path
) -> None:
    if not _is_of_source(source, table, meta, stored, {ScoreKind(source.score_kind)}):
        raise InputError(
            f"{path}: was made for other inputs than those given now (or they have changed since). "
            f"Give the same files and options, or start a new store."
        )
