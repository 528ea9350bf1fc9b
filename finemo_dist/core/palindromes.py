"""Which motifs read the same on both strands."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import MotifSet

PALINDROME_SIMILARITY: Final = 0.9
"""Share of its squared norm that a trimmed CWM must have in common with its reverse complement."""

NO_PALINDROME: Final = np.iinfo(np.int64).min
"""Stands for the offset of a motif that is none."""


def palindrome_offsets(motifs: MotifSet) -> NDArray[np.int64]:
    """Return of each motif where its reverse complement lies on it, if it is a palindrome.

    A trimmed CWM ``t`` is a palindrome when ``<t, shift_d(rc(t))> >= 0.9 |t|^2`` at some shift
    ``d``. The two strands then explain the same bases and share one coefficient.

    Returns
    -------
    (M,) the best ``d``: how many bases after the trim window of the motif that of its other strand
    begins at the same site; ``NO_PALINDROME`` where there is none.
    """
    offsets = np.full(len(motifs), NO_PALINDROME, dtype=np.int64)
    for forward in range(0, len(motifs), 2):
        cwm = motifs.cwm[forward, :, motifs.start[forward] : motifs.end[forward]]
        offset = _offset(cwm.astype(np.float64))
        if offset is not None:
            offsets[forward], offsets[motifs.reverse_of(forward)] = offset, -offset
    return offsets


def _offset(cwm: NDArray[np.float64]) -> int | None:
    width = cwm.shape[1]
    other = cwm[::-1, ::-1]
    # The nearest shift first, so that it wins among equals.
    shifts = sorted(range(-(width // 2), width // 2 + 1), key=lambda d: (abs(d), d))
    common = [
        float(
            (cwm[:, max(0, d) : width + min(0, d)] * other[:, max(0, -d) : width - max(0, d)]).sum()
        )
        for d in shifts
    ]
    best = int(np.argmax(common))
    return shifts[best] if common[best] >= PALINDROME_SIMILARITY * np.square(cwm).sum() else None
