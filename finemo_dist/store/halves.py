"""Contributions as a store holds them: float16 under a power of two for each region."""

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError

_STORED_EXPONENT = 15
_MIN_SCALE_EXPONENT = -126
_TOO_LARGE = 2.0**127


def to_stored(
    contributions: NDArray[np.floating],
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Return contributions (R, ...) as float16 and the power of two (R,) they were divided by.

    The largest of a region is stored as 2^14 to 2^15, that of a region of zeros has scale 1: any
    magnitude keeps eleven significant bits, and float16 values below 2^15 are kept exactly.

    Raises
    ------
    InputError
        A contribution is not finite, or beyond 2^127.
    """
    axes = tuple(range(1, contributions.ndim))
    largest = np.maximum(
        contributions.max(axis=axes, initial=0), -contributions.min(axis=axes, initial=0)
    )
    is_fine = largest < _TOO_LARGE
    if not is_fine.all():
        row = int((~is_fine).argmax())
        raise InputError(
            f"Region {row} of a block has a contribution of magnitude {largest[row]:g}. "
            f"Expected finite contributions below 1.7e38."
        )
    _, exponent = np.frexp(largest)
    exponent = np.maximum(exponent - _STORED_EXPONENT, _MIN_SCALE_EXPONENT)
    scale = np.ldexp(np.float32(1), np.where(largest > 0, exponent, 0)).astype(np.float32)
    # The inverse of a power of two is exact.
    stored = contributions * _by_region(np.reciprocal(scale), contributions)
    # Adding zero turns -0.0 into 0.0, so that equal contributions are equal bytes.
    stored += np.float32(0)
    return stored.astype(np.float16), scale


def from_stored(stored: NDArray[np.float16], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the float32 contributions (R, ...) that ``to_stored`` made halves and scales of."""
    contributions = stored.astype(np.float32)
    contributions *= _by_region(scale, stored)
    return contributions


def _by_region(scale: NDArray[np.float32], values: NDArray[np.floating]) -> NDArray[np.float32]:
    return scale.reshape(-1, *[1] * (values.ndim - 1))
