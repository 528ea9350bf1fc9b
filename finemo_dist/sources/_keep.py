"""Which peaks have arrays: a mask or a list of rows, as tools write that leave peaks out."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.sources._npz import open_array


def read_kept(path: str | Path, n_peaks: int, peaks: str | Path) -> NDArray[np.intp]:
    """Return the rows of a peaks file that have arrays, in the order of the arrays.

    Parameters
    ----------
    path
        npy or npz with a boolean mask (P,) of all peaks, or the rows (N,) of those that are kept.
    n_peaks
        P, lines of peaks in ``peaks``.

    Raises
    ------
    InputError
        It is neither, or a row is not one of the peaks, or one is named twice.
    """
    array = open_array(path)
    if len(array.shape) != 1:
        raise InputError(
            f"{path}: has shape {array.shape}, expected one axis: a mask of all peaks, or the rows "
            "of those that have arrays."
        )
    values = array.read(0, array.shape[0])
    if values.dtype.kind == "b":
        if len(values) != n_peaks:
            raise InputError(
                f"{path}: is a mask of {len(values):,} peaks, and {peaks} has {n_peaks:,}. Give "
                "the peaks file the mask was made for."
            )
        return np.flatnonzero(values)
    if values.dtype.kind not in "iu":
        raise InputError(
            f"{path}: holds values of type {values.dtype}, expected a mask of booleans or whole "
            "numbers, the rows that are kept."
        )
    is_beyond = (values < 0) | (values >= n_peaks)
    if is_beyond.any():
        raise InputError(
            f"{path}: names row {values[is_beyond][0]}, and {peaks} has the rows 0 to "
            f"{n_peaks - 1:,}. Give the peaks file that the rows belong to."
        )
    if len(np.unique(values)) != len(values):
        raise InputError(f"{path}: names a row twice. Expected each peak at most once.")
    return values.astype(np.intp)
