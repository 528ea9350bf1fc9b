"""How alike motifs are: the cosine of trimmed CWMs at the best shift, on either strand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import MotifSet

FAMILY_SIMILARITY: Final = 0.75
"""From this cosine on two motifs are of one family: hits of one may be sites of the other."""


@dataclass(frozen=True, slots=True)
class Family:
    """What a motif resembles."""

    number: int
    """Of its family, from 0, in the order of the first motifs."""
    n_motifs: int
    similar_to: str | None
    """The most similar other motif; None where there is no other."""
    similarity: float
    """Cosine with it; -1 where there is no other."""


class SimilarityBank:
    """Motifs ready to be compared with others.

    Parameters
    ----------
    trimmed
        Trimmed CWMs (4, w) of any widths, forward strands only.
    """

    def __init__(self, trimmed: Sequence[NDArray[np.floating]]) -> None:
        self._n = len(trimmed)
        self._width = max(cwm.shape[1] for cwm in trimmed)
        both = [cwm for one in trimmed for cwm in (one, one[::-1, ::-1])]
        self._flat = np.stack([self._unit(cwm) for cwm in both]).reshape(2 * self._n, -1)

    def cosines(self, trimmed: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the highest cosine of a trimmed CWM (4, w) with each motif, (n,)."""
        width = max(self._width, trimmed.shape[1])
        whole = np.zeros((4, width))
        norm = np.sqrt(np.square(trimmed.astype(np.float64)).sum())
        whole[:, : trimmed.shape[1]] = trimmed / norm
        # Every window of the width of the bank, at every shift at which both share a column.
        padded = np.pad(whole, ((0, 0), (self._width - 1, self._width - 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, self._width, axis=1)
        shifted = windows.transpose(1, 0, 2).reshape(windows.shape[1], -1)
        best: NDArray[np.float64] = (self._flat @ shifted.T).reshape(self._n, -1).max(axis=1)
        return best

    def _unit(self, cwm: NDArray[np.floating]) -> NDArray[np.float64]:
        whole = np.zeros((4, self._width))
        norm = np.sqrt(np.square(cwm.astype(np.float64)).sum())
        whole[:, : cwm.shape[1]] = cwm / norm
        return whole


def trimmed_cwms(motifs: MotifSet) -> list[NDArray[np.float64]]:
    """Return the trimmed CWM (4, w) of each motif on its forward strand."""
    return [
        motifs.cwm[row, :, motifs.start[row] : motifs.end[row]].astype(np.float64)
        for row in range(0, len(motifs), 2)
    ]


def similarities(motifs: MotifSet) -> NDArray[np.float64]:
    """Return the cosine of each pair of motifs at the best shift on either strand, (n, n)."""
    trimmed = trimmed_cwms(motifs)
    bank = SimilarityBank(trimmed)
    found = np.stack([bank.cosines(cwm) for cwm in trimmed])
    # Windows of different widths leave the last bit of the two triangles free.
    return np.maximum(found, found.T)


def families(motifs: MotifSet, *, least: float = FAMILY_SIMILARITY) -> list[Family]:
    """Return the family of each motif: motifs that a chain of similar ones connects.

    Parameters
    ----------
    motifs
        Both strands of each motif.
    least
        Cosine from which on two motifs are neighbours.
    """
    cosine = similarities(motifs)
    n = len(cosine)
    number = np.full(n, -1)
    for first in range(n):
        if number[first] >= 0:
            continue
        number[first] = number.max() + 1
        waiting = [first]
        while waiting:
            near = np.flatnonzero((cosine[waiting.pop()] >= least) & (number < 0))
            number[near] = number[first]
            waiting += near.tolist()
    sizes = np.bincount(number, minlength=1)
    np.fill_diagonal(cosine, -1.0)
    nearest = cosine.argmax(axis=1)
    names = motifs.name[::2]
    return [
        Family(
            number=int(number[i]),
            n_motifs=int(sizes[number[i]]),
            similar_to=names[nearest[i]] if n > 1 else None,
            similarity=float(cosine[i, nearest[i]]),
        )
        for i in range(n)
    ]
