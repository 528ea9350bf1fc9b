"""What is intersected: tables of hits and samples of runs, each read piece by piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.intersect.pieces import Piece, Window

Texts = list[pa.Array]
"""Cells of lines, one entry a line; several are put side by side."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer takes from an input.

    Attributes
    ----------
    columns
        In the order in which they are written.
    is_relaxed
        Whether hits are placed by their untrimmed starts.
    """

    columns: Sequence[str]
    is_relaxed: bool


class PieceHits(Protocol):
    """Hits of an input in a piece."""

    @property
    def records(self) -> NDArray[Any]:
        """(hits,) of ``INTERSECT_RECORD``."""
        ...

    def texts(self, rows: NDArray[np.intp]) -> Texts:
        """Return what the answer takes from some of the hits, by their numbers."""
        ...


class Input(Protocol):
    """An input whose hits can be had by their place."""

    @property
    def counts(self) -> Mapping[Window, int]:
        """Window to its number of hits."""
        ...

    def hits(self, piece: Piece) -> PieceHits:
        """Return the hits in a piece."""
        ...
