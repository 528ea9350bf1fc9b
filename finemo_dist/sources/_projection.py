"""The score of the base that is there, taken from scores of all four bases."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from finemo_dist.sources._batch import clean_scores

_FAST = (np.dtype(np.float16), np.dtype(np.float32))
_INFINITY = {2: 0x7C00, 4: 0x7F800000}
"""Bits of infinity by size: those of a NaN are more, and those of any number fewer."""
_ALL_BUT_SIGN = {2: np.uint16(0x7FFF), 4: np.uint32(0x7FFFFFFF)}


class Projection:
    """Projects scores (R, 4, L) of any number of folds on the same sequences.

    A score is picked by a mask of bits, which is exact for every type and needs no float16
    arithmetic. The score of an unknown base is 0.

    Parameters
    ----------
    sequence
        (R, L) codes.
    """

    def __init__(self, sequence: NDArray[np.uint8]) -> None:
        self._sequence = sequence
        self._masks: dict[int, list[NDArray[np.unsignedinteger]]] = {}

    def of(
        self, scores: NDArray[np.generic], path: str, describe: Callable[[int], str]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return float32 scores (R, L), NaN replaced by zero, and which rows (R,) had any NaN.

        NaN counts and infinity is refused wherever it is, as if all scores were kept.

        Raises
        ------
        InputError
            A score is infinite, or beyond the range of float32.
        """
        has_nan = np.zeros(len(scores), dtype=np.bool_)
        if scores.dtype not in _FAST or not _is_finite(scores):
            scores, has_nan = clean_scores(scores, path, describe)
        bits = scores.view(f"u{scores.itemsize}")
        masks = self._masks_of(scores.itemsize)
        projected = bits[:, 0] & masks[0]
        for base in (1, 2, 3):
            projected |= bits[:, base] & masks[base]
        return projected.view(scores.dtype).astype(np.float32, copy=False), has_nan

    def _masks_of(self, n_bytes: int) -> list[NDArray[np.unsignedinteger]]:
        """Return an array (R, L) for each base: all bits set where it is, and none elsewhere."""
        if n_bytes not in self._masks:
            # True is -1 once its sign is turned, and -1 has every bit.
            self._masks[n_bytes] = [
                np.negative((self._sequence == base).view(np.int8), dtype=f"i{n_bytes}").view(
                    f"u{n_bytes}"
                )
                for base in range(4)
            ]
        return self._masks[n_bytes]


def _is_finite(scores: NDArray[np.generic]) -> bool:
    """Return whether no score is infinite or NaN, from exponents alone."""
    infinity = _INFINITY[scores.itemsize]
    without_sign = scores.view(f"u{scores.itemsize}") & _ALL_BUT_SIGN[scores.itemsize]
    return int(without_sign.max(initial=0)) < infinity
