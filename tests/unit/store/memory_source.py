"""A source of arrays in memory, for tests of the store alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import (
    InputCounts,
    InputFile,
    RegionBatch,
    RegionTable,
    ScoreKind,
)


@dataclass
class MemorySource:
    """A source that counts its reads."""

    sequence: NDArray[np.uint8]
    contributions: NDArray[np.floating]
    regions: RegionTable
    inputs: Sequence[InputFile] = (InputFile("memory", 1, "d"),)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    on_read: Callable[[int], None] = lambda start: None

    @property
    def score_kind(self) -> ScoreKind:
        is_projected = self.contributions.ndim == 2
        return ScoreKind.PROJECTED if is_projected else ScoreKind.HYPOTHETICAL

    @property
    def region_width(self) -> int:
        return self.sequence.shape[1]

    def read(self, start: int, stop: int) -> RegionBatch:
        self.on_read(start)
        self.blocks.append((start, stop))
        counts = InputCounts(n_regions=stop - start, n_clipped=int(start == 0))
        return RegionBatch(self.sequence[start:stop], self.contributions[start:stop], counts)


def table_of(n_regions: int, *, seed: int = 0) -> RegionTable:
    rng = np.random.default_rng(seed)
    return RegionTable(
        ("chrB", "chrA"),
        rng.integers(0, 2, n_regions).astype(np.int32),
        rng.integers(-9, 10**10, n_regions),
        rng.permutation(n_regions).astype(np.uint32),
        np.array([f"péak {i}" if i % 3 else "" for i in range(n_regions)], dtype=object),
    )


def make_source(
    n_regions: int,
    *,
    width: int = 12,
    hypothetical: bool = True,
    magnitude: float = 1,
    seed: int = 0,
) -> MemorySource:
    """Return random regions with unknown bases and coordinates."""
    rng = np.random.default_rng(seed)
    shape = (n_regions, 4, width) if hypothetical else (n_regions, width)
    return MemorySource(
        rng.integers(0, 5, (n_regions, width)).astype(np.uint8),
        (rng.normal(size=shape) * magnitude).astype(np.float32),
        table_of(n_regions, seed=seed),
    )
