"""The comparison of two groups as an h5ad."""

import numpy as np
import pyarrow as pa
import pytest

from finemo_dist.catalog.comparison import MotifMatrix
from finemo_dist.exports.comparison_h5ad import export_comparison


def test_columns_of_the_sheet_are_beside_those_of_the_comparison_and_replace_none(tmp_path):
    anndata = pytest.importorskip("anndata")
    values = np.array([[4.0, 8.0, 0.0]])
    matrix = MotifMatrix(
        ("m0",), ("s0", "s1", "s2"), np.array([4, 4, 4]), values, values / 10, values * np.nan
    )
    metadata = {
        "group": {"s0": "of the sheet"}, "n_regions": {"s0": "many"}, "batch": {"s0": "1"},
    }  # fmt: skip

    export_comparison(
        tmp_path / "x.h5ad", matrix, pa.table({"motif": ["m0"], "rank": [1]}), ("a", "b"),
        [0, 1, 1], metadata,
    )  # fmt: skip

    found = anndata.read_h5ad(tmp_path / "x.h5ad")
    assert list(found.obs["group"]) == ["a", "b", "b"]
    assert list(found.obs["n_regions"]) == [4, 4, 4]
    assert list(found.obs["batch"]) == ["1", "", ""]
    assert set(found.layers) == {"n_hits", "score_quantile"}
    np.testing.assert_array_equal(np.asarray(found.X)[:, 0], [1, 2, 0])
