"""Base frequencies that a TF-MoDISco H5 file holds beside its CWMs."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.storage.locations import local_copy, location


def read_site_frequencies(path: str | Path, names: Sequence[str]) -> list[NDArray[np.float64]]:
    """Return the array ``sequence`` of patterns, (4, W) each.

    Parameters
    ----------
    names
        ``pos_patterns.pattern_0``, as ``read_patterns`` gives them.

    Raises
    ------
    InputError
        A pattern has no such array.
    """
    with h5py.File(local_copy(location(path)), "r") as file:
        return [_frequencies(file, path, name) for name in names]


def _frequencies(file: h5py.File, path: str | Path, name: str) -> NDArray[np.float64]:
    array = file.get(f"{name.replace('.', '/', 1)}/sequence")
    if not isinstance(array, h5py.Dataset) or array.ndim != 2 or array.shape[1] != 4:
        raise InputError(
            f"{path}: {name} has no array sequence of shape (width, 4). Write the file again with "
            "`modisco motifs`, or use motif_type 'cwm'."
        )
    frequencies: NDArray[np.float64] = array[()].T.astype(np.float64)
    return frequencies
