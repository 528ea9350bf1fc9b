"""Seqlets of a TF-MoDISco H5 file; a file without them has none, which is no fault."""

from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.seqlets import Seqlets
from finemo_dist.motifs.modisco import CURE, GROUPS
from finemo_dist.storage.h5_file import DAMAGE, h5_fault, open_h5
from finemo_dist.storage.locations import location

_FIELDS: Final = ("example_idx", "start", "end", "is_revcomp")


def read_seqlets(path: str | Path) -> Seqlets:
    """Return the seqlets of all patterns.

    Raises
    ------
    InputError
        The file cannot be read, or a pattern has some of the arrays of seqlets but not all, or of
        different lengths.
    """
    path = location(path)
    try:
        with open_h5(path, cure=CURE) as file:
            window = file.attrs.get("window_size")
            found = [
                (f"{group}.{key}", _arrays(path, f"{group}.{key}", pattern))
                for group in GROUPS
                if isinstance(file.get(group), h5py.Group)
                for key, pattern in file[group].items()
            ]
    except DAMAGE as error:
        raise h5_fault(path, error, CURE) from error
    columns = {
        field: np.concatenate([np.zeros(0, np.int64), *(arrays[field] for _, arrays in found)])
        for field in _FIELDS
    }
    return Seqlets(
        pattern=tuple(name for name, arrays in found for _ in arrays["start"]),
        region=columns["example_idx"],
        start=columns["start"],
        end=columns["end"],
        is_reverse=columns["is_revcomp"].astype(bool),
        window_bp=None if window is None else int(window),
    )


def _arrays(path: Path, name: str, pattern: Any) -> dict[str, NDArray[np.int64]]:  # noqa: ANN401
    seqlets = pattern.get("seqlets") if isinstance(pattern, h5py.Group) else None
    held = [f for f in _FIELDS if isinstance(seqlets, h5py.Group) and f in seqlets]
    if not held:
        return {field: np.zeros(0, np.int64) for field in _FIELDS}
    assert seqlets is not None
    arrays = {field: np.asarray(seqlets[field]) for field in held}
    if len(held) < len(_FIELDS) or len({array.shape for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{field} {array.shape}" for field, array in arrays.items())
        raise InputError(
            f"{path}: the seqlets of {name} hold {shapes}; expected {', '.join(_FIELDS)} of one "
            "length. Write the file again with `modisco motifs`."
        )
    if any(array.ndim != 1 or array.dtype.kind not in "biu" for array in arrays.values()):
        raise InputError(
            f"{path}: the seqlets of {name} are not lists of whole numbers. Write the file again "
            "with `modisco motifs`."
        )
    return {field: array.astype(np.int64) for field, array in arrays.items()}
