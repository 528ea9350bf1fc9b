"""Target-decoy competition: what share of hits a scrambled motif would have had.

Counts of hits of motifs and of their decoys above a score, and nothing else, decide; see
``docs/explanation/trust.md`` for what the result says and what it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

N_ROUNDS: Final = 3
LEAST_HITS: Final = 100
"""Below this number of hits in all there is no q."""
LEAST_DECOY_HITS: Final = 10
"""Below this number of hits of decoys, of all rounds, there is no q."""
LEAST_MOTIF_HITS: Final = 10
"""Below this number of its hits a motif has the pooled q only."""
MOST_POOLED_MOTIFS: Final = 100
"""Above this number of motifs there is no pooled q: it would be uselessly strict."""
LEVELS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Largest q at which kept hits are counted."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Steps:
    """q as a function of the score: that of the last step whose score is not above the hit's."""

    score: Scores
    """(k,) rising; the first is 0."""
    q: NDArray[np.float64]
    """(k,) falling; at a step it is the estimated false share of hits with at least its score."""

    def cut(self, largest: float) -> int | None:
        """Return the first step with at most this q; None where there is none."""
        found = np.flatnonzero(self.q <= largest)
        return int(found[0]) if len(found) else None

    def of(self, scores: Scores) -> NDArray[np.float64]:
        """Return the q of scores."""
        at = np.searchsorted(self.score, scores, side="right") - 1
        return self.q[np.maximum(at, 0)]


@dataclass(frozen=True, slots=True)
class Competition:
    """What a sample's hits are worth."""

    by_motif: tuple[Steps | None, ...]
    """None for a motif with too few hits."""
    pooled: Steps | None
    """None where there are too many motifs."""
    false_share: NDArray[np.float64]
    """(n,) estimated false share of all hits of each motif; NaN where it has no q of its own."""


def refusal(n_hits: int, n_decoy_hits: int) -> str | None:
    """Return why there can be no q, or None."""
    if n_hits < LEAST_HITS:
        return f"it has {n_hits:,} hits, and q needs {LEAST_HITS} to count"
    if n_decoy_hits < LEAST_DECOY_HITS:
        return (
            f"its decoys have {n_decoy_hits:,} hits in all rounds, and q needs {LEAST_DECOY_HITS} "
            "to count"
        )
    return None


def compete(
    targets: Sequence[Scores], decoys: Sequence[Scores], *, fraction: float, n_rounds: int
) -> Competition:
    """Return q of each motif and of all together.

    With K rounds times the fraction of the regions, M motifs, and D(s), T(s) the hits of decoys
    and motifs with a score of at least s: e = (D + 1) / (M K) is what a mean motif has;
    false_m = (D_m + 1) / (K + 1 / e) shrinks the count of a motif towards it (gamma-Poisson); the
    rate is min(1, false_m / T_m), and q its running minimum from the lowest score upwards. Pooled,
    false is D / K + 1.

    Parameters
    ----------
    targets, decoys
        Scores of the hits of each motif, and of its decoys in all rounds; one hit a place.
    fraction
        Of the regions in which decoys were called.
    n_rounds
        Of decoys.
    """
    n_motifs, k = len(targets), n_rounds * fraction
    every_decoy = np.sort(np.concatenate(list(decoys)))
    by_motif: list[Steps | None] = []
    false_share = np.full(n_motifs, np.nan)
    for i, (own, own_decoys) in enumerate(zip(targets, decoys, strict=True)):
        if len(own) < LEAST_MOTIF_HITS:
            by_motif.append(None)
            continue
        scores, n_targets = _levels(own)
        e = (_at_least(every_decoy, scores) + 1) / (n_motifs * k)
        false = (_at_least(np.sort(own_decoys), scores) + 1) / (k + 1 / e)
        steps = _steps(scores, false / n_targets)
        by_motif.append(steps)
        false_share[i] = steps.q[0]
    pooled = None
    if n_motifs <= MOST_POOLED_MOTIFS:
        scores, n_targets = _levels(np.concatenate(list(targets)))
        pooled = _steps(scores, (_at_least(every_decoy, scores) / k + 1) / n_targets)
    return Competition(tuple(by_motif), pooled, false_share)


def _levels(scores: Scores) -> tuple[Scores, NDArray[np.int64]]:
    """Return the different scores, rising, and how many hits have at least each."""
    values, counts = np.unique(scores, return_counts=True)
    return values, counts[::-1].cumsum()[::-1]


def _at_least(ordered: Scores, scores: Scores) -> NDArray[np.int64]:
    return len(ordered) - np.searchsorted(ordered, scores, side="left")


def _steps(scores: Scores, rate: NDArray[np.float64]) -> Steps:
    rate = np.minimum(1.0, rate)
    q = np.minimum.accumulate(rate)
    first = np.flatnonzero(np.diff(q, prepend=np.inf))
    score = scores[first]
    # A hit below all that were counted, the copy of one in another region, has the worst q.
    score[:1] = 0.0
    return Steps(score, q[first])
