"""Many small runs and many columns, as few arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.integer[Any] | np.floating[Any]]

_MOST: Final = 1 << 63


def numbered(counts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return of things that come in groups the group of each, and its number within.

    Parameters
    ----------
    counts
        (groups,) things of each group.
    """
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)


@dataclass(frozen=True, slots=True)
class Packed:
    """The leading columns of some rows as one number a row that orders as they do.

    Attributes
    ----------
    key
        (rows,).
    least, n_values
        Of each column packed, its smallest value, and how many values there are from there on.
    """

    key: NDArray[np.int64]
    least: tuple[int, ...]
    n_values: tuple[int, ...]

    @property
    def n_columns(self) -> int:
        """How many columns are packed."""
        return len(self.least)

    def unpacked(self, key: NDArray[np.int64]) -> list[NDArray[np.intp]]:
        """Return what the packed columns are in rows of some numbers."""
        found = np.unravel_index(key, self.n_values)
        return [column + low for column, low in zip(found, self.least, strict=True)]


def packed(columns: Sequence[Column]) -> Packed:
    """Pack the leading columns, as many as 63 bits hold; one of floating point ends them.

    Parameters
    ----------
    columns
        (rows,) each, one at least.
    """
    key = np.zeros(len(columns[0]), np.int64)
    least: list[int] = []
    ranges: list[int] = []
    used = 1
    for column in columns:
        low = column.min() if len(column) else column.dtype.type(0)
        high = column.max() if len(column) else low
        n_values = int(high) - int(low) + 1 if column.dtype.kind in "iu" else _MOST
        if used * n_values >= _MOST:
            break
        key *= n_values
        key += (column - low).astype(np.int64, copy=False)
        least.append(int(low))
        ranges.append(n_values)
        used *= n_values
    return Packed(key, tuple(least), tuple(ranges))
