"""Tiny modisco files."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

FIELDS = ("contrib_scores", "hypothetical_contribs")


def cwm(width: int = 5) -> NDArray[np.float32]:
    """(width, 4), as modisco-lite lays it out; every entry differs."""
    return np.arange(1, 4 * width + 1, dtype=np.float32).reshape(width, 4)


def write_h5(path: Path, datasets: Mapping[str, object]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
    return path


def pattern(name: str, *, width: int = 5, **fields: object) -> dict[str, object]:
    """Return the datasets of one pattern; a field given as None is left out."""
    values = dict.fromkeys(FIELDS, cwm(width)) | fields
    return {f"{name}/{key}": value for key, value in values.items() if value is not None}
