"""Decoys: scrambled copies of motifs that compete with them for hits.

Columns are permuted, not made up, so that a decoy has the width, the strength and the base
composition of its motif. Reversed columns resemble real motifs too often.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import MotifSet
from finemo_dist.core.similarity import SimilarityBank, trimmed_cwms
from finemo_dist.motifs.build import trim_window

HIGHEST_SIMILARITY: Final = 0.7
"""Cosine with any motif above which a decoy is drawn again."""
_MOST_DRAWS: Final = 200


@dataclass(frozen=True, slots=True)
class TrimSource:
    """What the trim windows of motifs come from."""

    contributions: NDArray[np.floating]
    """(n, 4, W) contribution CWMs on the forward strand, in any units."""
    thresholds: Sequence[float | None]
    """One for each motif; None where its window was given by columns."""


@dataclass(frozen=True, slots=True)
class Decoys:
    """One decoy of each motif, in the order of the motifs."""

    motifs: MotifSet
    similarity: NDArray[np.float64]
    """(n,) cosine with the motif that the decoy resembles most."""
    similar_to: tuple[str, ...]
    """That motif."""
    n_draws: NDArray[np.int64]
    """(n,) permutations that were drawn."""

    @property
    def n_alike(self) -> int:
        """Decoys that resemble a motif, because no draw passed."""
        return int((self.similarity > HIGHEST_SIMILARITY).sum())


def draw_decoys(motifs: MotifSet, trims: TrimSource, *, seed: int, number: int) -> Decoys:
    """Return one decoy of each motif.

    The columns inside the trim window are permuted by a generator of seed, motif name and round;
    those outside stay. A decoy is trimmed by the rule of its motif and has its penalty and scale.
    It is drawn again, up to 200 times, while its trimmed cosine with any motif, at any shift on
    either strand, is above 0.7; if no draw passes, the least similar one is taken.

    Parameters
    ----------
    motifs
        Both strands of each motif.
    trims
        What the windows of the motifs come from.
    seed, number
        Of the decoys, and of the round, from 1.
    """
    bank = SimilarityBank(trimmed_cwms(motifs))
    found = [_draw(motifs, trims, bank, row, seed=seed, number=number) for row in range(_n(motifs))]
    taken = set(motifs.name)
    names = [_free_name(f"decoy-{number}:{name}", taken) for name in motifs.name[::2]]
    both = [(d.cwm, d.cwm[::-1, ::-1]) for d in found]
    width = motifs.width
    windows = [(d.window, (width - d.window[1], width - d.window[0])) for d in found]
    decoys = replace(
        motifs,
        name=tuple(name for name in names for _ in "+-"),
        cwm=np.stack([cwm for pair in both for cwm in pair]),
        start=np.array([start for pair in windows for start, _ in pair], np.int64),
        end=np.array([end for pair in windows for _, end in pair], np.int64),
    )
    return Decoys(
        decoys,
        similarity=np.array([d.similarity for d in found]),
        similar_to=tuple(motifs.name[2 * d.similar_to] for d in found),
        n_draws=np.array([d.n_draws for d in found], np.int64),
    )


def with_decoys(motifs: MotifSet, decoys: MotifSet) -> MotifSet:
    """Return motifs and decoys as one set, decoys last."""
    return MotifSet(
        name=motifs.name + decoys.name,
        name_orig=motifs.name_orig + decoys.name,
        strand=motifs.strand + decoys.strand,
        cwm=np.concatenate([motifs.cwm, decoys.cwm]),
        start=np.concatenate([motifs.start, decoys.start]),
        end=np.concatenate([motifs.end, decoys.end]),
        scale=np.concatenate([motifs.scale, decoys.scale]),
        penalty=np.concatenate([motifs.penalty, decoys.penalty]),
        source=motifs.source + decoys.source,
    )


@dataclass(frozen=True, slots=True)
class _Draw:
    cwm: NDArray[np.float16]
    window: tuple[int, int]
    similarity: float
    similar_to: int
    n_draws: int


def _draw(
    motifs: MotifSet, trims: TrimSource, bank: SimilarityBank, row: int, *, seed: int, number: int
) -> _Draw:
    cwm, start, end = motifs.cwm[2 * row], int(motifs.start[2 * row]), int(motifs.end[2 * row])
    rng = np.random.default_rng(_key(seed, motifs.name[2 * row], number))
    best: _Draw | None = None
    for n_draws in range(1, _MOST_DRAWS + 1):
        columns = np.arange(motifs.width)
        columns[start:end] = start + rng.permutation(end - start)
        window = _window(trims, row, columns, (start, end))
        drawn = cwm[:, columns]
        cosines = bank.cosines(drawn[:, window[0] : window[1]].astype(np.float64))
        similar = int(cosines.argmax())
        if best is None or cosines[similar] < best.similarity:
            best = _Draw(drawn, window, float(cosines[similar]), similar, n_draws)
        if best.similarity <= HIGHEST_SIMILARITY:
            break
    assert best is not None
    return replace(best, n_draws=n_draws)


def _window(
    trims: TrimSource, row: int, columns: NDArray[np.int64], given: tuple[int, int]
) -> tuple[int, int]:
    threshold = trims.thresholds[row]
    if threshold is None:
        return given
    return trim_window(trims.contributions[row][:, columns].astype(np.float64), threshold)


def _key(seed: int, name: str, number: int) -> list[int]:
    """Return a key of a generator that depends on nothing else."""
    digest = hashlib.sha256(name.encode()).digest()
    words = np.frombuffer(digest, "<u4").tolist()
    return [seed, number, *words]


def _free_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def _n(motifs: MotifSet) -> int:
    return len(motifs) // 2
