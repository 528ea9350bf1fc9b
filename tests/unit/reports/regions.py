"""Regions in memory, and runs of known hits in them."""

from dataclasses import dataclass

import numpy as np

from finemo_dist.core.records import RegionBatch, RegionTable, ScoreKind
from finemo_dist.core.seqlets import Seqlets
from tests.unit.catalog.builder import REGION_WIDTH, STORE_DIGEST


@dataclass(frozen=True)
class Regions:
    """A reader over arrays, in shards of a size to choose."""

    sequence: np.ndarray
    contributions: np.ndarray
    places: RegionTable
    shard_regions: int = 3
    path: str = "memory"
    digest: str = STORE_DIGEST

    @property
    def score_kind(self):
        return ScoreKind.PROJECTED if self.contributions.ndim == 2 else ScoreKind.HYPOTHETICAL

    @property
    def region_width(self):
        return self.sequence.shape[1]

    @property
    def n_regions(self):
        return len(self.sequence)

    @property
    def n_shards(self):
        return -(-self.n_regions // self.shard_regions)

    def shard_rows(self, shard):
        start = shard * self.shard_regions
        return range(start, min(start + self.shard_regions, self.n_regions))

    def table(self, start, stop):
        return self.places[slice(start, stop)]

    def read(self, start, stop):
        return RegionBatch(self.sequence[start:stop], self.contributions[start:stop])


def random_regions(
    rng, n_regions, *, width=REGION_WIDTH, starts=None, peak_ids=None, hypothetical=False, **options
):
    """Regions of random bases, a few of them unknown, on one chromosome."""
    sequence = rng.integers(0, 5, (n_regions, width)).astype(np.uint8)
    shape = (n_regions, 4, width) if hypothetical else (n_regions, width)
    # As a store has them: eleven bits, so that sums in float64 are exact.
    scores = rng.normal(size=shape).astype(np.float16).astype(np.float32)
    if not hypothetical:
        scores[sequence == 4] = 0
    places = RegionTable(
        ("chrA",),
        np.zeros(n_regions, np.int32),
        np.arange(n_regions, dtype=np.int64) * 50 if starts is None else np.asarray(starts),
        np.arange(n_regions, dtype=np.uint32) if peak_ids is None else np.asarray(peak_ids, "u4"),
        np.full(n_regions, "peak", object),
    )
    return Regions(sequence, scores, places, **options)


def seqlets_at(places, *, width=10, window_bp=None):
    """``places``: pattern, region, start in the window, is_reverse."""
    pattern, region, start, is_reverse = zip(*places, strict=True) if places else [()] * 4
    start = np.array(start, np.int64)
    return Seqlets(
        pattern=tuple(pattern),
        region=np.array(region, np.int64),
        start=start,
        end=start + width,
        is_reverse=np.array(is_reverse, bool),
        window_bp=window_bp,
    )
