"""Simulated regions as a source: any number of them, made when they are read."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import InputCounts, InputFile, RegionBatch, RegionTable, ScoreKind
from finemo_dist.testing.motifs import SimulatedMotifs
from finemo_dist.testing.regions import (
    SimulatedSample,
    SimulationSettings,
    simulate,
    simulate_sites,
)
from finemo_dist.testing.sites import PlantedSites

_REGIONS_PER_CHROM = 100_000


class SimulatedSource:
    """A source whose regions come from a seed and their row, whatever the order of reading.

    Regions are made in blocks of ``block_regions``; the last block made is kept, so that reading
    a block in pieces makes it once. Regions lie ``stride`` bases apart on chromosomes ``chr1``,
    ``chr2``, ...: the same for every seed, so that samples share their peaks.

    Raises
    ------
    UsageError
        The number of regions, the block or the stride is not positive.
    """

    def __init__(
        self,
        motifs: SimulatedMotifs,
        n_regions: int,
        *,
        seed: int = 0,
        score_kind: ScoreKind = ScoreKind.PROJECTED,
        settings: SimulationSettings | None = None,
        block_regions: int = 1024,
        stride: int = 1200,
    ) -> None:
        if n_regions < 0 or block_regions < 1 or stride < 1:
            raise UsageError(
                f"simulated source: {n_regions} regions in blocks of {block_regions}, {stride} "
                "bases apart; expected no negative number of regions, and at least one region a "
                "block and one base between starts. Correct the arguments."
            )
        self._motifs = motifs
        self._n_regions = n_regions
        self._seed = seed
        self._score_kind = score_kind
        self._settings = settings or SimulationSettings()
        self._block_regions = block_regions
        self._regions = _spaced_regions(n_regions, stride)
        self._last: tuple[int, SimulatedSample] | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_last": None}

    @property
    def score_kind(self) -> ScoreKind:
        """What ``read`` yields."""
        return self._score_kind

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        return self._settings.width

    @property
    def regions(self) -> RegionTable:
        """Where all regions lie, in the order in which ``read`` counts them."""
        return self._regions

    @property
    def inputs(self) -> Sequence[InputFile]:
        """Nothing: no file is read."""
        return ()

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return regions ``start`` to ``stop`` (half-open)."""
        sequences = [np.empty((0, self.region_width), np.uint8)]
        contributions = [self._scores(_empty_sample(self.region_width))]
        for block, rows in self._pieces(start, stop):
            sample = self._sample(block)
            sequences.append(sample.sequence[rows])
            contributions.append(self._scores(sample)[rows])
        sequence = np.concatenate(sequences)
        counts = InputCounts(n_regions=len(sequence))
        return RegionBatch(sequence, np.concatenate(contributions), counts)

    def sites(self, start: int, stop: int) -> PlantedSites:
        """Return what is planted in regions ``start`` to ``stop``; ``region`` counts from 0.

        Sequences and scores are not made for it.
        """
        parts = []
        for block, rows in self._pieces(start, stop):
            sites = simulate_sites(
                self._rng(block),
                self._motifs,
                n_regions=self._n_in(block),
                settings=self._settings,
            )
            inside = sites[(sites.region >= rows.start) & (sites.region < rows.stop)]
            parts.append((inside, block * self._block_regions))
        return _joined(parts)

    def _pieces(self, start: int, stop: int) -> list[tuple[int, slice]]:
        """Return the blocks that cover the range, each with the rows wanted of it."""
        size = self._block_regions
        stop = min(stop, self._n_regions)
        return [
            (block, slice(max(start - block * size, 0), min(stop - block * size, size)))
            for block in range(start // size, -(-stop // size))
        ]

    def _n_in(self, block: int) -> int:
        return min(self._block_regions, self._n_regions - block * self._block_regions)

    def _rng(self, block: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, block])

    def _sample(self, block: int) -> SimulatedSample:
        if self._last is None or self._last[0] != block:
            sample = simulate(
                self._rng(block),
                self._motifs,
                n_regions=self._n_in(block),
                settings=self._settings,
            )
            self._last = (block, sample)
        return self._last[1]

    def _scores(self, sample: SimulatedSample) -> NDArray[np.float32]:
        is_projected = self._score_kind is ScoreKind.PROJECTED
        return sample.projected if is_projected else sample.hypothetical


def _spaced_regions(n_regions: int, stride: int) -> RegionTable:
    row = np.arange(n_regions)
    n_chroms = -(-n_regions // _REGIONS_PER_CHROM)
    return RegionTable(
        chrom_names=tuple(f"chr{i + 1}" for i in range(max(n_chroms, 1))),
        chrom_id=(row // _REGIONS_PER_CHROM).astype(np.int32),
        start=(row % _REGIONS_PER_CHROM) * stride + stride,
        peak_id=row.astype(np.uint32),
        peak_name=np.array([f"peak_{i}" for i in row], dtype=object),
    )


def _empty_sample(width: int) -> SimulatedSample:
    return SimulatedSample(
        np.empty((0, width), np.uint8), np.empty((0, 4, width), np.float32), _joined([])
    )


def _joined(parts: list[tuple[PlantedSites, int]]) -> PlantedSites:
    """Join sites of blocks; each comes with the row of its block's first region."""
    none = np.empty(0, np.int64)
    return PlantedSites(
        region=np.concatenate([none, *(p.region + row for p, row in parts)]),
        motif=np.concatenate([none, *(p.motif for p, _ in parts)]),
        is_reverse=np.concatenate([none.astype(bool), *(p.is_reverse for p, _ in parts)]),
        position=np.concatenate([none, *(p.position for p, _ in parts)]),
        strength=np.concatenate([none.astype(float), *(p.strength for p, _ in parts)]),
    )
