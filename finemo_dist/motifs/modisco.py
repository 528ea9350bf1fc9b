"""Patterns of a TF-MoDISco H5 file, as modisco-lite lays it out.

``pos_patterns`` and ``neg_patterns`` each hold groups, one per pattern, with ``contrib_scores`` and
``hypothetical_contribs`` of shape (W, 4). Seqlets are not read here: a compendium has none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.storage.h5_file import DAMAGE, h5_fault, open_h5
from finemo_dist.storage.locations import location

GROUPS = ("pos_patterns", "neg_patterns")
CURE = "Give the H5 that `modisco motifs` wrote, or write it again."
_TOO_LARGE = 2.0**127
"""As of the contributions of a region: none that a network gives is near it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern of a modisco file."""

    name: str
    """``pos_patterns.pattern_0``."""
    contributions: NDArray[np.float64]
    """(4, W) mean contribution of each base at each column: the CWM."""
    hypothetical: NDArray[np.float64]
    """(4, W) mean hypothetical contribution."""
    source: str = ""
    """The file it comes from."""


def read_patterns(path: str | Path) -> list[Pattern]:
    """Return all patterns, positive ones first, ``pattern_2`` before ``pattern_10``.

    Raises
    ------
    InputError
        Not an H5 file, no patterns in it, the layout of the first modisco, a pattern without one
        of its two arrays, or with one of a wrong shape, without numbers, or with a NaN or infinity.
    """
    path = location(path)
    try:
        with open_h5(path, cure=CURE) as file:
            patterns = list(_iter_patterns(path, file))
    except DAMAGE as error:
        raise h5_fault(path, error, CURE) from error
    if not patterns:
        raise InputError(
            f"{path}: holds no patterns. Expected groups under {' or '.join(GROUPS)}, as "
            "modisco-lite writes them."
        )
    return patterns


def _iter_patterns(path: Path, file: h5py.File) -> Iterator[Pattern]:
    if not any(group in file for group in GROUPS):
        if any(key.startswith("metacluster") for key in file):
            raise InputError(
                f"{path}: is in the layout of the first TF-MoDISco (metacluster_*). Convert it "
                "with `modisco convert`."
            )
        raise InputError(
            f"{path}: holds {sorted(file) or 'nothing'}, expected {' or '.join(GROUPS)}, as "
            "modisco-lite writes them."
        )
    for group in GROUPS:
        patterns = file.get(group, {})
        if not isinstance(patterns, h5py.Group | dict):
            raise InputError(
                f"{path}: {group} is an array, expected a group of patterns, as modisco-lite "
                "writes them."
            )
        for key in sorted(patterns, key=_natural_order):
            name = _checked_name(path, f"{group}.{key}")
            pattern = patterns.get(key)
            contributions = _read_cwm(path, pattern, name, "contrib_scores")
            hypothetical = _read_cwm(path, pattern, name, "hypothetical_contribs")
            if contributions.shape != hypothetical.shape:
                raise InputError(
                    f"{path}: {name} has {contributions.shape[1]} columns in contrib_scores and "
                    f"{hypothetical.shape[1]} in hypothetical_contribs; expected the same number."
                )
            yield Pattern(name, contributions, hypothetical)


def _checked_name(path: Path, name: str) -> str:
    if not name.isprintable():
        raise InputError(
            f"{path}: has a pattern named {name!r}, which would break a table. Expected "
            "printable characters; rename its group."
        )
    return name


def _natural_order(key: str) -> tuple[bool, int, str]:
    """Sort ``pattern_<number>`` by number, before all other names in alphabetical order."""
    match = re.fullmatch(r"pattern_(\d+)", key)
    return (False, int(match[1]), key) if match else (True, 0, key)


def _read_cwm(path: Path, pattern: object, name: str, field: str) -> NDArray[np.float64]:
    array = pattern.get(field) if isinstance(pattern, h5py.Group) else None
    if not isinstance(array, h5py.Dataset):
        raise InputError(
            f"{path}: {name} has no array {field}. Expected a modisco-lite pattern with "
            "contrib_scores and hypothetical_contribs."
        )
    if array.shape is None or array.ndim != 2 or array.shape[1] != 4 or not array.shape[0]:
        raise InputError(
            f"{path}: {name}/{field} has shape {array.shape}, expected (width, 4) with one "
            "column for each of A, C, G, T."
        )
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path}: {name}/{field} is of type {array.dtype}, expected numbers.")
    cwm: NDArray[np.float64] = array[()].T.astype(np.float64)
    if not np.isfinite(cwm).all():
        raise InputError(f"{path}: {name}/{field} holds NaN or infinity; remove the pattern.")
    if (largest := np.abs(cwm).max()) >= _TOO_LARGE:
        raise InputError(
            f"{path}: {name}/{field} holds a value of magnitude {largest:g}, expected less than "
            "1.7e38. The file is damaged; write or fetch it again, or remove the pattern."
        )
    return cwm
