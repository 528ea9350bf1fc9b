"""The order of rows by many columns, where few of them decide."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.arrays import Column, packed


def row_order(columns: Sequence[Column]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the order of rows by columns, the first before the second, and where it changes.

    Rows that agree in all columns keep their order. The leading columns become one number a row,
    as many as fit; the rest is only sorted where rows that agree in that number differ.

    Parameters
    ----------
    columns
        (rows,) each, one at least; the first of whole numbers.

    Returns
    -------
    order
        (rows,) numbers of the rows.
    is_new
        (rows,) in that order: whether a row differs from the one before it; the first does.
    """
    lead = packed(columns)
    order = np.argsort(lead.key, kind="stable")
    is_new, rest = _changes(lead.key[order]), columns[lead.n_columns :]
    differs = _any_changes(rest, order) & ~is_new
    if np.any(differs):
        _sort_ties(order, np.cumsum(is_new) - 1, rest, differs)
        is_new |= _any_changes(rest, order)
    return order, is_new


def _sort_ties(
    order: NDArray[np.intp],
    run: NDArray[np.intp],
    rest: Sequence[Column],
    differs: NDArray[np.bool_],
) -> None:
    """Sort by the rest, in place, the runs in which a row differs from the one before it."""
    is_mixed = np.zeros(run[-1] + 1, np.bool_)
    is_mixed[run[differs]] = True
    where = np.flatnonzero(is_mixed[run])
    rows = order[where]
    keys = [column[rows] for column in reversed(rest)]
    order[where] = rows[np.lexsort((*keys, run[where]))]


def _any_changes(columns: Sequence[Column], order: NDArray[np.intp]) -> NDArray[np.bool_]:
    is_new = np.zeros(len(order), np.bool_)
    for column in columns:
        is_new |= _changes(column[order])
    return is_new


def _changes(values: Column) -> NDArray[np.bool_]:
    is_new = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=is_new[1:])
    return is_new
