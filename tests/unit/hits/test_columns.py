"""Arrays made without pandas hold what Arrow's own would."""

import math

import numpy as np
import pyarrow as pa
import pytest

from finemo_dist.hits.columns import plain_array, plain_values

VALUES = [
    (pa.string(), ["a", None, "", "zwölf", "chr1"]),
    (pa.string(), []),
    (pa.int64(), [3, -(2**62), 0]),
    (pa.int64(), [None, 7, None]),
    (pa.int32(), [1, 2]),
    (pa.float64(), [0.5, math.inf, -0.0]),
    (pa.bool_(), [True, False, True] * 5),
    (pa.bool_(), []),
]


@pytest.mark.parametrize(("kind", "values"), VALUES)
def test_arrays_are_those_of_arrow(kind, values):
    found = plain_array(values, kind)

    found.validate(full=True)
    assert found.equals(pa.array(values, kind))


@pytest.mark.parametrize(("kind", "values"), VALUES)
@pytest.mark.parametrize("first", [0, 1])
def test_values_come_back_from_any_slice(kind, values, first):
    array = pa.array(values, kind).slice(first)
    expected = array.to_numpy(zero_copy_only=False)

    for found in (plain_values(array), plain_values(pa.chunked_array([array[:1], array[1:]]))):
        assert len(found) == len(expected)
        assert all(a == b or (a != a and b != b) for a, b in zip(found, expected, strict=True))


def test_numpy_becomes_arrow():
    values = np.array([True, False, True])

    assert plain_array(values, pa.bool_()).to_pylist() == values.tolist()
    assert plain_array(np.arange(4), pa.int64()).to_pylist() == [0, 1, 2, 3]
