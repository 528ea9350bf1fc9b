"""Some regions of a store, drawn by a seed, as a store of their own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.config import digest_of
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import RegionBatch, RegionTable, ScoreKind

_READ_REGIONS = 256
"""Read at once where only some of them are wanted."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which share of the regions of a store is drawn."""

    fraction: float
    """Above 0, at most 1."""
    seed: int

    def rows(self, store: RegionReader) -> NDArray[np.int64]:
        """Return the rows that are drawn, in order; the same for the same store and seed."""
        n_drawn = min(store.n_regions, max(1, round(self.fraction * store.n_regions)))
        key = [self.seed, *np.frombuffer(store.digest.encode(), np.uint8).tolist()]
        order = np.random.default_rng(key).permutation(store.n_regions)
        return np.sort(order[:n_drawn]).astype(np.int64)


class SelectedRegions:
    """Some rows of a store; satisfies ``RegionReader``. Shards are as large as the store's.

    Parameters
    ----------
    store
        The regions.
    rows
        (n,) rows of it, in order.
    key
        What the rows were chosen by: goes into the digest.
    """

    def __init__(self, store: RegionReader, rows: NDArray[np.int64], key: object) -> None:
        self._store = store
        self._rows = rows
        self._shard_regions = max(1, len(store.shard_rows(0))) if store.n_shards else 1
        self._digest = digest_of([store.digest, key])

    @property
    def path(self) -> str:
        """The folder of the store."""
        return self._store.path

    @property
    def digest(self) -> str:
        """Of the store and the choice of rows."""
        return self._digest

    @property
    def score_kind(self) -> ScoreKind:
        """What the contributions are."""
        return self._store.score_kind

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        return self._store.region_width

    @property
    def n_regions(self) -> int:
        """Regions that are selected."""
        return len(self._rows)

    @property
    def n_shards(self) -> int:
        """Shards, all of the same size but the last."""
        return -(-len(self._rows) // self._shard_regions)

    def shard_rows(self, shard: int) -> range:
        """Return the rows of a shard."""
        first = shard * self._shard_regions
        return range(first, min(first + self._shard_regions, len(self._rows)))

    def table(self, start: int, stop: int) -> RegionTable:
        """Return the coordinates of rows ``start`` to ``stop``."""
        wanted = self._rows[start:stop]
        if not len(wanted):
            return self._store.table(0, 0)
        first = int(wanted[0])
        return self._store.table(first, int(wanted[-1]) + 1)[wanted - first]

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return sequences and float32 contributions of rows ``start`` to ``stop``."""
        wanted = self._rows[start:stop]
        if not len(wanted):
            return self._store.read(0, 0)
        parts = []
        for block in np.unique(wanted // _READ_REGIONS):
            own = wanted[wanted // _READ_REGIONS == block]
            first = int(own[0])
            batch = self._store.read(first, int(own[-1]) + 1)
            parts.append((batch.sequence[own - first], batch.contributions[own - first]))
        return RegionBatch(
            np.concatenate([sequence for sequence, _ in parts]),
            np.concatenate([contributions for _, contributions in parts]),
        )


def sampled(store: RegionReader, share: Share | None) -> RegionReader:
    """Return the share of a store that is asked for; the store itself for all of it."""
    if share is None or share.fraction >= 1:
        return store
    return SelectedRegions(store, share.rows(store), [share.fraction, share.seed])
