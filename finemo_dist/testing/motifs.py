"""Made-up motifs that look like those of real models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import UsageError

CORE_WIDTHS = (6, 7, 8, 9, 10, 11, 12, 13, 14)
"""Columns a random motif's core may have."""

TRIM_THRESHOLD = 0.3
"""A column belongs to the core when its summed |CWM| reaches this share of the strongest one's."""

_MAX_SIMILARITY = 0.75
_MAX_TRIES = 20
_PALINDROME_SIMILARITY = 0.98
_FLANK_NOISE = 0.02

_Columns = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SimulatedMotifs:
    """Motifs to be planted, on the forward strand; ``motif`` elsewhere indexes these arrays."""

    name: tuple[str, ...]
    """Names as in the modisco file, ``pos_patterns.pattern_0``."""
    cwm: NDArray[np.float64]
    """(N, 4, W) contribution CWMs: mean contribution of the base that is there."""
    hypothetical: NDArray[np.float64]
    """(N, 4, W) hypothetical CWMs: mean contribution of each base, were it there."""
    frequencies: NDArray[np.float64]
    """(N, 4, W) how often each base is there; columns sum to 1."""

    def __len__(self) -> int:
        return len(self.cwm)

    @property
    def width(self) -> int:
        """Columns of every CWM, W."""
        return int(self.cwm.shape[2])

    @property
    def core(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First column of each core and the column after its last, (N,) each.

        The window that trimming at ``TRIM_THRESHOLD`` leaves.
        """
        weight = np.abs(self.cwm).sum(axis=1)
        inside = weight >= TRIM_THRESHOLD * weight.max(axis=1, keepdims=True)
        return inside.argmax(axis=1), self.width - inside[:, ::-1].argmax(axis=1)

    @property
    def is_palindrome(self) -> NDArray[np.bool_]:
        """(N,) whether a motif is its own reverse complement, so that its strand means nothing."""
        norm = np.square(self.cwm).sum(axis=(1, 2))
        itself = (self.cwm * reverse_complement(self.cwm)).sum(axis=(1, 2))
        return np.asarray(itself >= _PALINDROME_SIMILARITY * norm)

    @property
    def palindromes(self) -> tuple[str, ...]:
        """Names of the palindromic motifs."""
        return tuple(n for n, p in zip(self.name, self.is_palindrome, strict=True) if p)


def reverse_complement(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (..., 4, W) arrays as seen from the other strand."""
    return columns[..., ::-1, ::-1]


def random_motifs(
    rng: np.random.Generator,
    n_motifs: int,
    *,
    width: int = 30,
    core_widths: Sequence[int] = CORE_WIDTHS,
    n_negative: int = 0,
    n_palindromes: int = 0,
) -> SimulatedMotifs:
    """Return motifs with an information-rich core and flanks near zero, not all alike.

    Cores differ in width, strength and in how sharp their columns are; some have a spacer, some
    columns accept two bases. A motif that resembles an earlier one (cosine over 0.75 at any shift,
    on either strand) is drawn again, twenty times at most.

    Parameters
    ----------
    n_negative : motifs with negative contributions, named ``neg_patterns``; the last ones
    n_palindromes : motifs that are their own reverse complement; the last positive ones

    Raises
    ------
    UsageError
        More special motifs than motifs, or cores that do not fit into ``width`` columns.
    """
    _check_motif_request(n_motifs, width, core_widths, n_negative + n_palindromes)
    drawn: list[tuple[_Columns, _Columns]] = []
    n_positive = n_motifs - n_negative
    for i in range(n_motifs):
        is_palindrome = n_positive - n_palindromes <= i < n_positive
        drawn.append(_distinct_motif(rng, width, core_widths, drawn, is_palindrome=is_palindrome))
    sign = np.where(np.arange(n_motifs) < n_positive, 1.0, -1.0)[:, None, None]
    hypothetical = np.stack([h for h, _ in drawn]) * sign
    frequencies = np.stack([f for _, f in drawn])
    names = [f"pos_patterns.pattern_{i}" for i in range(n_positive)]
    names += [f"neg_patterns.pattern_{i}" for i in range(n_negative)]
    return SimulatedMotifs(tuple(names), hypothetical * frequencies, hypothetical, frequencies)


def _check_motif_request(
    n_motifs: int, width: int, core_widths: Sequence[int], n_special: int
) -> None:
    if n_motifs < max(1, n_special):
        raise UsageError(
            f"random motifs: {n_motifs} asked for, {n_special} of them negative or palindromic. "
            "Ask for at least one motif and for no more special ones than motifs."
        )
    if not core_widths or min(core_widths) < 2 or max(core_widths) > width - 6:
        raise UsageError(
            f"random motifs: core widths {tuple(core_widths)} for CWMs of {width} columns; "
            f"expected 2 to {width - 6}, so that flanks remain. Widen the CWMs."
        )


def _distinct_motif(
    rng: np.random.Generator,
    width: int,
    core_widths: Sequence[int],
    earlier: list[tuple[_Columns, _Columns]],
    *,
    is_palindrome: bool,
) -> tuple[_Columns, _Columns]:
    """Draw until a motif resembles no earlier one, nor itself on the other strand."""
    best, best_similarity = None, np.inf
    others = [h * f for h, f in earlier]
    others += [reverse_complement(o) for o in others]
    for _ in range(_MAX_TRIES):
        motif = _random_motif(rng, width, core_widths, is_palindrome=is_palindrome)
        cwm = motif[0] * motif[1]
        rivals = others if is_palindrome else [*others, reverse_complement(cwm)]
        similarity = _max_similarity(cwm, rivals)
        if similarity < best_similarity:
            best, best_similarity = motif, similarity
        if similarity <= _MAX_SIMILARITY:
            break
    assert best is not None
    return best


def _max_similarity(cwm: _Columns, others: list[_Columns]) -> float:
    """Return the highest cosine of ``cwm`` with any other, at any shift."""
    if not others:
        return 0.0
    width = cwm.shape[1]
    padded = np.pad(cwm, ((0, 0), (width - 1, width - 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
    stacked = np.stack(others)
    norms = np.linalg.norm(stacked, axis=(1, 2)) * np.linalg.norm(cwm)
    return float((np.tensordot(stacked, windows, axes=([1, 2], [0, 2])) / norms[:, None]).max())


def _random_motif(
    rng: np.random.Generator, width: int, core_widths: Sequence[int], *, is_palindrome: bool
) -> tuple[_Columns, _Columns]:
    """Return hypothetical CWM and base frequencies, (4, width) each."""
    core = int(rng.choice(core_widths))
    if is_palindrome:
        core = max(core + (width - core) % 2, 8)
        start = (width - core) // 2
    else:
        start = (width - core) // 2 + int(rng.integers(-2, 3))
    weight = _core_weights(rng, core)
    frequencies = rng.dirichlet(np.full(4, 60.0), size=width).T
    hypothetical = rng.normal(0.0, _FLANK_NOISE, size=(4, width))
    for offset, column in enumerate(range(start, start + core)):
        f = _column_frequencies(rng, weight[offset])
        frequencies[:, column] = f
        hypothetical[:, column] = weight[offset] * (f - 0.25) / (f.max() - 0.25)
    if is_palindrome:
        half = width // 2
        frequencies[:, width - half :] = reverse_complement(frequencies)[:, width - half :]
        hypothetical[:, width - half :] = reverse_complement(hypothetical)[:, width - half :]
    return hypothetical * np.exp(rng.normal(0.0, 0.25)), frequencies


def _core_weights(rng: np.random.Generator, core: int) -> NDArray[np.float64]:
    """Return how much each core column matters, at most 1 and strong at both ends."""
    weight = rng.uniform(0.6, 1.0, size=core)
    if core >= 10 and rng.random() < 0.4:
        spacer = int(rng.integers(2, core // 2 - 1))
        first = (core - spacer) // 2
        weight[first : first + spacer] = rng.uniform(0.05, 0.15, size=spacer)
    weight[rng.choice([0, core - 1])] = 1.0
    return weight


def _column_frequencies(rng: np.random.Generator, weight: float) -> NDArray[np.float64]:
    """Return base frequencies of one core column: sharp where the column matters."""
    sharpness = 0.95 * min(1.0, 0.3 + 0.8 * weight)
    order = rng.permutation(4)
    frequencies = np.full(4, (1 - sharpness) / 4)
    if rng.random() < 0.12:
        frequencies[order[:2]] += sharpness * np.array([0.65, 0.35])
    else:
        frequencies[order[0]] += sharpness
    return frequencies
