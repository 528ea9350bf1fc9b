"""The regions of a source as a store would return them, without a store."""

from finemo_dist.core.protocols import Source
from finemo_dist.core.records import InputCounts, RegionBatch, RegionTable, ScoreKind
from finemo_dist.store.halves import from_stored, to_stored


class MemoryRegions:
    """The regions of a source; satisfies ``RegionReader``.

    Parameters
    ----------
    source
        What is read, again each time it is asked for.
    is_rounded
        Whether contributions are rounded as a store rounds them. Then the hits called in them are
        those called in a store made of the same source.
    """

    path = "regions in memory"
    digest = ""
    """None is taken: nothing that is resumed or compared is made of them."""
    n_shards = 1

    def __init__(self, source: Source, *, is_rounded: bool = True) -> None:
        self._source = source
        self._is_rounded = is_rounded

    @property
    def score_kind(self) -> ScoreKind:
        """What the contributions are."""
        return self._source.score_kind

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        return self._source.region_width

    @property
    def n_regions(self) -> int:
        """Regions in all."""
        return len(self._source.regions)

    def shard_rows(self, shard: int) -> range:
        """Return the rows of the only shard."""
        assert shard == 0
        return range(self.n_regions)

    def table(self, start: int, stop: int) -> RegionTable:
        """Return the coordinates of rows ``start`` to ``stop``."""
        return self._source.regions[start:stop]

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return sequences and float32 contributions of rows ``start`` to ``stop``.

        Raises
        ------
        InputError
            A sequence is not one-hot, or a contribution is infinite.
        """
        batch = self._source.read(start, stop)
        contributions = batch.contributions
        if self._is_rounded:
            contributions = from_stored(*to_stored(contributions))
        return RegionBatch(batch.sequence, contributions, InputCounts(n_regions=stop - start))
