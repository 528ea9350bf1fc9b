"""What was met while regions were read: one value that shards add up to, and stores keep."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import InputCounts

_FLOAT16_LARGEST = float(np.finfo(np.float16).max)
_FLOAT16_SMALLEST = float(np.finfo(np.float16).smallest_normal)


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """How large contributions are, and what storing them as float16 with a scale costs."""

    largest: float = 0.0
    """Of all |contributions|."""
    smallest_peak: float = 0.0
    """Smallest, over regions that have any contribution, of the largest |contribution| in one."""
    n_beyond_float16: int = 0
    """Regions whose largest |contribution| float16 holds only with a scale: over 65,504, or below
    its normal range."""
    n_rounded_to_zero: int = 0
    """Contributions, not regions, too small beside the largest of their region to be kept."""

    def __add__(self, other: Self) -> Self:
        peaks = [r.smallest_peak for r in (self, other) if r.smallest_peak]
        return type(self)(
            largest=max(self.largest, other.largest),
            smallest_peak=min(peaks, default=0.0),
            n_beyond_float16=self.n_beyond_float16 + other.n_beyond_float16,
            n_rounded_to_zero=self.n_rounded_to_zero + other.n_rounded_to_zero,
        )

    @classmethod
    def of(cls, contributions: NDArray[np.floating], stored: NDArray[np.float16]) -> Self:
        """Return the range of contributions (R, ...) that were stored as ``stored``."""
        axes = tuple(range(1, contributions.ndim))
        peaks = np.maximum(
            contributions.max(axis=axes, initial=0), -contributions.min(axis=axes, initial=0)
        )
        peaks = peaks[peaks > 0]
        is_beyond = (peaks > _FLOAT16_LARGEST) | (peaks < _FLOAT16_SMALLEST)
        return cls(
            largest=float(peaks.max(initial=0)),
            smallest_peak=float(peaks.min()) if len(peaks) else 0.0,
            n_beyond_float16=int(is_beyond.sum()),
            # Bits are counted much faster than halves, and there is no -0.0 among them.
            n_rounded_to_zero=int(
                np.count_nonzero(contributions) - np.count_nonzero(stored.view(np.uint16))
            ),
        )


@dataclass(frozen=True, slots=True)
class InputReport:
    """Counts and score range of some regions; reports of parts add up to that of the whole."""

    counts: InputCounts = field(default_factory=InputCounts)
    scores: ScoreRange = field(default_factory=ScoreRange)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.counts + other.counts, self.scores + other.scores)

    @classmethod
    def total(cls, reports: Iterable[Self]) -> Self:
        """Return the report of everything that some reports are about, in any order."""
        return sum(reports, cls())

    @classmethod
    def from_dict(cls, values: Mapping[str, Mapping[str, Any]]) -> Self:
        """Return what ``dataclasses.asdict`` was taken of.

        Raises
        ------
        TypeError, KeyError
            There are other fields.
        """
        return cls(InputCounts(**values["counts"]), ScoreRange(**values["scores"]))
