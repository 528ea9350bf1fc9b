"""Places at which a sample has a motif more than once, because its peaks overlap."""

from math import prod

import numpy as np
from numpy.typing import NDArray

_Whole = NDArray[np.integer]


def repeated_places(chr_id: _Whole, start: _Whole, motif_id: _Whole) -> dict[str, _Whole]:
    """Return the places that occur more than once, each one time, as the three columns given.

    Parameters
    ----------
    chr_id, start, motif_id
        (hits,) whole numbers.
    """
    columns = (chr_id, start, motif_id)
    least = [int(column.min(initial=0)) for column in columns]
    ranges = [
        int(column.max(initial=0)) - low + 1 for column, low in zip(columns, least, strict=True)
    ]
    if prod(ranges) < 1 << 63:
        # One number a row is all there is to sort.
        repeated = np.unravel_index(_repeated(_packed(columns, least, ranges)), ranges)
        found = [column + low for column, low in zip(repeated, least, strict=True)]
    else:
        rows, counts = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
        found = list(rows[counts > 1].T)
    return dict(zip(("chr_id", "start", "motif_id"), found, strict=True))


def _packed(columns: tuple[_Whole, ...], least: list[int], ranges: list[int]) -> NDArray[np.int64]:
    key = np.zeros(len(columns[0]), np.int64)
    for column, low, n_values in zip(columns, least, ranges, strict=True):
        key *= n_values
        key += column - low
    return key


def _repeated(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers that occur more than once; sorts them in place."""
    key.sort()
    same = key[1:] == key[:-1]
    # Where a run of equal numbers begins.
    first: NDArray[np.int64] = key[:-1][same & ~np.concatenate(([False], same))[:-1]]
    return first
