"""The order of rows by many columns, where few of them decide."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.integer[Any] | np.floating[Any]]

_MOST: Final = 1 << 63


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
    lead, n_packed = _packed(columns)
    order = np.argsort(lead, kind="stable")
    lead, rest = lead[order], columns[n_packed:]
    is_new = _changes(lead)
    differs = _any_changes(rest, order) & ~is_new
    if np.any(differs):
        _sort_ties(order, lead, rest, differs)
        is_new |= _any_changes(rest, order)
    return order, is_new


def _packed(columns: Sequence[Column]) -> tuple[NDArray[np.int64], int]:
    """Return one number a row that orders as the leading columns do, and how many those are."""
    key = np.zeros(len(columns[0]), np.int64)
    if not len(key):
        return key, len(columns)
    n_packed, used = 0, 1
    for column in columns:
        low, high = column.min(), column.max()
        n_values = int(high) - int(low) + 1 if column.dtype.kind in "iu" else _MOST
        if used * n_values >= _MOST:
            break
        key *= n_values
        key += (column - low).astype(np.int64)
        n_packed, used = n_packed + 1, used * n_values
    return key, n_packed


def _sort_ties(
    order: NDArray[np.intp],
    lead: NDArray[np.int64],
    rest: Sequence[Column],
    differs: NDArray[np.bool_],
) -> None:
    """Sort by the rest, in place, the runs of equal ``lead`` from which on a row differs."""
    run = np.cumsum(_changes(lead)) - 1
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
