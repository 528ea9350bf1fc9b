"""Which hits no overlapping hit beats: the rule of ``queries/collapse.sql`` over arrays."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.integer[Any] | np.floating[Any]]
_Indices = NDArray[np.intp]

_MILLION: Final = 1_000_000
_RULE: Final = (
    ("hit_similarity", True),
    ("hit_coefficient", True),
    ("start", False),
    ("name_rank", False),
    ("hit_coefficient_global", True),
    ("end", False),
    ("peak_id", False),
    ("start_untrimmed", False),
    ("row", False),
)
"""What decides between two hits, in this order; and whether the larger wins or the smaller."""


@dataclass(frozen=True, slots=True)
class RivalHits:
    """Hits that may overlap, as one array a column, all of one length.

    Attributes
    ----------
    place
        Number of what two hits must share to overlap at all: a chromosome, or a region where
        there is none.
    start, end
        int64, bases, 0-based and half-open. No hit is longer than 2**31 bases.
    name_rank
        Place of motif name and strand among all, by their bytes.
    row
        A number that tells apart hits which agree in all else.
    """

    place: Column
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    start_untrimmed: Column
    name_rank: Column
    hit_similarity: Column
    hit_coefficient: Column
    hit_coefficient_global: Column
    peak_id: Column
    row: Column

    def ordered(self) -> tuple[Self, _Indices | None]:
        """Return the hits by place and start, and where each stood; None where they stood so."""
        same = self.place[1:] == self.place[:-1]
        ahead = self.place[1:] > self.place[:-1]
        if np.all(ahead | (same & (self.start[1:] >= self.start[:-1]))):
            return self, None
        order = np.lexsort((self.start, self.place))
        columns = {name: getattr(self, name)[order] for name in self.__slots__}
        return type(self)(**columns), order

    def beats(self, first: _Indices, second: _Indices) -> NDArray[np.bool_]:
        """Return whether each hit ``first[i]`` beats ``second[i]``."""
        wins = np.zeros(len(first), np.bool_)
        open_ = np.arange(len(first))
        for name, larger_wins in _RULE:
            column = getattr(self, name)
            one, other = column[first[open_]], column[second[open_]]
            wins[open_] = one > other if larger_wins else one < other
            open_ = open_[one == other]
            if not len(open_):
                break
        return wins


def overlap_ppm(overlap: float) -> int:
    """Return a share as whole millionths, so that overlaps compare as integers."""
    return round(Fraction(repr(overlap)) * _MILLION)


def beaten_hits(hits: RivalHits, overlap: float) -> NDArray[np.bool_]:
    """Return whether each hit is beaten by one that it overlaps.

    Two hits overlap when they share at least one base, and the share ``overlap`` of the mean of
    their lengths, compared in integers of millionths. Hits in order of their starts are compared
    with the next, the one after it, and so on, each until one starts at or after its end: one
    step for every pair that shares a base, and arrays no longer than the hits.

    Returns
    -------
    (hits,) bool, in the order given.
    """
    hits, order = hits.ordered()
    ppm = overlap_ppm(overlap)
    beaten = np.zeros(len(hits.start), np.bool_)
    first = np.arange(len(beaten))
    for distance in count(1):
        first = first[: np.searchsorted(first, len(beaten) - distance)]
        second = first + distance
        shares = (hits.place[first] == hits.place[second]) & (hits.start[second] < hits.end[first])
        first, second = first[shares], second[shares]
        if not len(first):
            break
        overlaps = _overlap(hits, first, second, ppm)
        one, other = first[overlaps], second[overlaps]
        wins = hits.beats(one, other)
        beaten[other[wins]] = True
        beaten[one[~wins]] = True
    if order is not None:
        beaten[order] = beaten.copy()
    return beaten


def _overlap(hits: RivalHits, first: _Indices, second: _Indices, ppm: int) -> NDArray[np.bool_]:
    """Return whether hits that share a base share enough; ``second`` starts no earlier."""
    start, end = hits.start[second], hits.end[first]
    shared = np.minimum(end, hits.end[second]) - start
    lengths = end - hits.start[first] + hits.end[second] - start
    enough: NDArray[np.bool_] = 2 * _MILLION * shared >= ppm * lengths
    return enough
