"""The order of rows is that of Python's tuples, however many columns fit in a number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.intersect.row_order import row_order

KINDS = {
    "small": (np.int32, st.integers(-2, 2)),
    "signed": (np.int64, st.sampled_from([-(1 << 62), -1, 0, 1 << 62])),
    "hash": (np.uint64, st.sampled_from([0, 1, (1 << 64) - 1])),
    "score": (np.float32, st.sampled_from([-1.5, 0.0, 2.0])),
}


@st.composite
def columns(draw):
    n_rows = draw(st.integers(0, 12))
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    return [
        np.array(draw(st.lists(values, min_size=n_rows, max_size=n_rows)), dtype)
        for dtype, values in (KINDS[kind] for kind in kinds)
    ]


@given(given_columns=columns())
def test_rows_come_in_the_order_of_tuples_and_equal_ones_as_they_were(given_columns):
    rows = list(zip(*(column.tolist() for column in given_columns), strict=True))

    order, is_new = row_order(given_columns)

    assert order.tolist() == sorted(range(len(rows)), key=rows.__getitem__)
    found = [rows[i] for i in order]
    assert is_new.tolist() == [i == 0 or found[i] != found[i - 1] for i in range(len(found))]
