"""Places at which a sample has a motif more than once, because its peaks overlap."""

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.arrays import packed

_Whole = NDArray[np.integer]


def repeated_places(chr_id: _Whole, start: _Whole, motif_id: _Whole) -> dict[str, _Whole]:
    """Return the places that occur more than once, each one time, as the three columns given.

    Parameters
    ----------
    chr_id, start, motif_id
        (hits,) whole numbers.
    """
    columns = (chr_id, start, motif_id)
    one = packed(columns)
    if one.n_columns == len(columns):
        # One number a row is all there is to sort.
        found = one.unpacked(_repeated(one.key))
    else:
        rows, counts = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
        found = list(rows[counts > 1].T)
    return dict(zip(("chr_id", "start", "motif_id"), found, strict=True))


def _repeated(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers that occur more than once; sorts them in place."""
    key.sort()
    same = key[1:] == key[:-1]
    # Where a run of equal numbers begins.
    first: NDArray[np.int64] = key[:-1][same & ~np.concatenate(([False], same))[:-1]]
    return first
