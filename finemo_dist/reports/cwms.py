"""CWMs over hits: the mean contributions under the hits of each motif.

The store is read once, in blocks; what a block adds is a pure function of the block, so that blocks
can be worked on side by side. They are merged in the order of rows, in float64: contributions have
the 11 bits of float16, so that sums of them are exact but for scales that differ by 2^20 and more,
and the same however regions are divided.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.ahead import mapped
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import UNKNOWN_BASE, MotifSet, RegionBatch, ScoreKind

KINDS: Final = ("hits", "hits_restricted_only", "seqlets_only")
"""Every hit; hits inside the shared window that are no seqlet; seqlets that are no hit."""

_BLOCK_REGIONS: Final = 1024
_SITES_AT_ONCE: Final = 16_384


@dataclass(frozen=True, slots=True)
class Sites:
    """Where CWMs lie in a block of regions."""

    row: NDArray[np.intp]
    """(S,) region, counted from the first of the block."""
    offset: NDArray[np.int64]
    """(S,) first base of the untrimmed CWM in its region; may lie outside."""
    is_reverse: NDArray[np.bool_]
    group: NDArray[np.int64]
    """(S,) which sum it belongs to."""


@dataclass(frozen=True, slots=True)
class CwmSums:
    """Contributions summed over the sites of each group, on the strand of the motif."""

    total: NDArray[np.float64]
    """(G, 4, W)."""
    count: NDArray[np.int64]
    """(G,)."""

    @classmethod
    def zero(cls, n_groups: int, width: int) -> "CwmSums":
        """Return the sums over no sites."""
        return cls(np.zeros((n_groups, 4, width)), np.zeros(n_groups, np.int64))

    def __add__(self, other: "CwmSums") -> "CwmSums":
        return CwmSums(self.total + other.total, self.count + other.count)

    def widened(self, width: int) -> "CwmSums":
        """Return the sums as of wider CWMs, with zero columns on the right."""
        n_more = width - self.total.shape[2]
        return CwmSums(np.pad(self.total, ((0, 0), (0, 0), (0, n_more))), self.count)

    @property
    def mean(self) -> NDArray[np.float64]:
        """(G, 4, W); NaN where a group has no site."""
        with np.errstate(invalid="ignore"):
            mean: NDArray[np.float64] = self.total / self.count[:, None, None]
        return mean


def accumulate(batch: RegionBatch, sites: Sites, *, n_groups: int, width: int) -> CwmSums:
    """Return the sums over the sites of one block.

    Bases outside the region, and unknown ones, add nothing.
    """
    scores = projected(batch)
    sums = CwmSums.zero(n_groups, width)
    for start in range(0, len(sites.row), _SITES_AT_ONCE):
        part = slice(start, start + _SITES_AT_ONCE)
        sums.total[...] += _summed(batch.sequence, scores, sites, part, sums.total.shape)
    sums.count[...] = np.bincount(sites.group, minlength=n_groups)
    return sums


def hit_cwms(
    catalog: Catalog,
    readers: Mapping[str, RegionReader],
    motifs: MotifSet,
    *,
    n_threads: int = 1,
) -> dict[str, CwmSums]:
    """Return the sums of each of ``KINDS`` by motif, over all samples shown.

    Needs ``scope.prepare``. Groups are motifs in their order; memory does not grow with regions.
    """
    n_motifs, width = len(motifs) // 2, motifs.width
    n_groups = len(KINDS) * n_motifs

    def work(block: tuple[str, range, Sites]) -> CwmSums:
        sample, rows, sites = block
        batch = readers[sample].read(rows.start, rows.stop)
        own_width = catalog.record.set_of(catalog.sample(sample)).motif_width
        return accumulate(batch, sites, n_groups=n_groups, width=own_width).widened(width)

    total = CwmSums.zero(n_groups, width)
    for sums in mapped(work, _blocks(catalog, readers, n_motifs), n_threads=n_threads):
        total = total + sums
    return {
        kind: CwmSums(
            total.total[i * n_motifs : (i + 1) * n_motifs],
            total.count[i * n_motifs : (i + 1) * n_motifs],
        )
        for i, kind in enumerate(KINDS)
    }


def cosine(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the cosine of two matrices of one shape; NaN where one has no length."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / norm) if norm > 0 else float("nan")


def _blocks(
    catalog: Catalog, readers: Mapping[str, RegionReader], n_motifs: int
) -> Iterator[tuple[str, range, Sites]]:
    for sample, reader in readers.items():
        for shard in range(reader.n_shards):
            rows = reader.shard_rows(shard)
            for start in range(rows.start, rows.stop, _BLOCK_REGIONS):
                block = range(start, min(start + _BLOCK_REGIONS, rows.stop))
                sites = _sites(catalog, sample, reader, block, n_motifs)
                if len(sites.row):
                    yield sample, block, sites


def _sites(
    catalog: Catalog, sample: str, reader: RegionReader, rows: range, n_motifs: int
) -> Sites:
    peaks = reader.table(rows.start, rows.stop).peak_id.astype(np.int64)
    found = catalog.columns(
        "report_sites",
        {
            "sample": sample,
            "peaks": peaks.tolist(),
            "first": int(peaks.min()),
            "last": int(peaks.max()),
        },
    )
    order = np.argsort(peaks, kind="stable")
    row = order[np.searchsorted(peaks[order], found["peak_id"])]
    return Sites(
        row=row,
        offset=found["offset"].astype(np.int64),
        is_reverse=found["is_reverse"].astype(bool),
        group=found["kind"].astype(np.int64) * n_motifs + found["rank"],
    )


def projected(batch: RegionBatch) -> NDArray[np.floating]:
    """Return the (R, L) contributions of the bases that are there, 0 where they are unknown."""
    if batch.score_kind is ScoreKind.PROJECTED:
        return batch.contributions
    is_known = batch.sequence != UNKNOWN_BASE
    base = np.where(is_known, batch.sequence, 0).astype(np.intp)
    found = np.take_along_axis(batch.contributions, base[:, None, :], axis=1)[:, 0]
    return np.where(is_known, found, 0)


def _summed(
    sequence: NDArray[np.uint8],
    scores: NDArray[np.floating],
    sites: Sites,
    part: slice,
    shape: tuple[int, ...],
) -> NDArray[np.float64]:
    _, _, width = shape
    length = sequence.shape[1]
    column = np.arange(width)
    position = sites.offset[part, None] + column
    is_inside = (position >= 0) & (position < length)
    row, position = sites.row[part, None], np.clip(position, 0, length - 1)
    base = sequence[row, position].astype(np.int64)
    is_counted = is_inside & (base != UNKNOWN_BASE)
    is_reverse = sites.is_reverse[part, None]
    base = np.where(is_reverse, 3 - base, base)
    column = np.where(is_reverse, width - 1 - column, column)
    index = (sites.group[part, None] * 4 + base) * width + column
    values = scores[row, position].astype(np.float64)
    total: NDArray[np.float64] = np.bincount(
        index[is_counted], weights=values[is_counted], minlength=int(np.prod(shape))
    ).astype(np.float64, copy=False)
    return total.reshape(shape)
