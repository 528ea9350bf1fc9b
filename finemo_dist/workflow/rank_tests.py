"""Two groups of samples, value by value: effects, rank-sum tests, false discovery rates."""

from functools import cache
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.motifs.match import false_discovery_rates

Floats = NDArray[np.float64]

_MOST_EXACT: Final = 20_000
"""Ways to divide the samples; with more the normal approximation is as good."""


def rank_sum(values: Floats, is_first: NDArray[np.bool_]) -> Floats:
    """Return the two-sided p-values of the Wilcoxon rank-sum test, row by row.

    Exact over all ways to divide the samples, ties included (Wilcoxon, Biometrics Bulletin 1945),
    where there are at most 20,000; else by the normal approximation with the correction for ties.
    NaN where a group has fewer than two values, or all values are equal.

    Parameters
    ----------
    values : (M, S)
        A row per motif and a column per sample; NaN where there is no value.
    is_first : (S,)
        The samples of the first group.
    """
    return np.array([_row_test(row, is_first) for row in np.atleast_2d(values)], np.float64)


def adjusted(p: Floats) -> Floats:
    """Return the false discovery rates of p-values (Benjamini and Hochberg 1995); NaN stays."""
    q = np.full(len(p), np.nan)
    known = ~np.isnan(p)
    if known.any():
        q[known] = false_discovery_rates(p[known])
    return q


def smallest_p(n_first: int, n_second: int) -> float:
    """Return the smallest p-value that the test can give with so many samples."""
    return min(1.0, 2 / comb(n_first + n_second, n_first))


def _row_test(row: Floats, is_first: NDArray[np.bool_]) -> float:
    # Loading it takes half a second, which a report without a comparison does not need.
    from scipy.stats import rankdata

    known = ~np.isnan(row)
    values, first = row[known], is_first[known]
    n, n_first = len(values), int(first.sum())
    if min(n_first, n - n_first) < 2 or np.all(values == values[0]):
        return float("nan")
    ranks = rankdata(values)
    expected = n_first * (n + 1) / 2
    away = abs(ranks[first].sum() - expected)
    if comb(n, n_first) <= _MOST_EXACT:
        sums = ranks[_divisions(n, n_first)].sum(axis=1)
        return float(np.mean(np.abs(sums - expected) >= away - 1e-9))
    return _normal(ranks, away, n_first)


def _normal(ranks: Floats, away: float, n_first: int) -> float:
    from scipy.stats import norm

    n = len(ranks)
    _, counts = np.unique(ranks, return_counts=True)
    ties = (counts**3 - counts).sum() / (n * (n - 1))
    deviation = np.sqrt(n_first * (n - n_first) / 12 * (n + 1 - ties))
    return float(min(1.0, 2 * norm.sf(max(away - 0.5, 0) / deviation)))


@cache
def _divisions(n: int, n_first: int) -> NDArray[np.intp]:
    """Return all choices of ``n_first`` of ``n`` samples."""
    return np.array(list(combinations(range(n), n_first)), np.intp)
