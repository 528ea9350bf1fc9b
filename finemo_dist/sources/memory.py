"""Arrays in memory as a source, such as those given to ``find_hits``."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import RegionTable
from finemo_dist.sources._places import Places, WhereArraysLie
from finemo_dist.sources._rows import ArraySource


class MemoryRows:
    """An array by rows, with a name for messages."""

    def __init__(self, array: NDArray[Any], name: str) -> None:
        self.path = name
        self.shape: tuple[int, ...] = array.shape
        self._array = array

    def read(self, start: int, stop: int, columns: slice) -> NDArray[Any]:
        """Return rows ``start`` to ``stop`` at ``columns`` of the last axis."""
        return self._array[start:stop][..., columns]


class MemorySource(ArraySource):
    """One-hot sequences and contributions in memory; neither array is copied or changed.

    Parameters
    ----------
    sequences : (N, 4, L)
    contributions : (N, 4, L) or (N, L)
        Hypothetical or projected.
    places
        A peaks file, a table of N regions, or None where regions have no coordinates.

    Raises
    ------
    InputError
        The peaks cannot be read, or are not N.
    UsageError
        Regions of a peaks file are of an odd width.
    """

    def __init__(
        self,
        sequences: NDArray[Any],
        contributions: NDArray[Any],
        places: str | Path | RegionTable | None = None,
    ) -> None:
        n_regions, _, width = sequences.shape
        super().__init__(
            [MemoryRows(sequences, "sequences")],
            [MemoryRows(contributions, "contributions")],
            columns=slice(0, width),
            places=_places(places, n_regions, width),
            inputs=[],
        )


def _places(given: str | Path | RegionTable | None, n_regions: int, width: int) -> Places:
    if isinstance(given, RegionTable):
        if len(given) != n_regions:
            raise InputError(
                f"peaks: found {len(given):,} rows beside {n_regions:,} regions, expected one row "
                "for each region, in the same order."
            )
        return Places.from_table(width, given, "peaks")
    return WhereArraysLie(peaks=given).places(n_regions, "sequences", region_width=width)
