"""The likely cause where a sample has no hit."""

import pytest

from finemo_dist.core.records import InputCounts
from finemo_dist.workflow.no_hits import _cause


@pytest.mark.parametrize(
    ("n_zero", "penalty", "said"),
    [
        (6, 0.95, "6 of them have no contribution: check that scores and peaks belong to the same"),
        (5, 0.95, "Lambda is at least 0.95, which few sites reach: try a lower value (-l)"),
        (5, 0.9, "Nothing in them resembles the motifs: check that scores and motifs come from"),
    ],
)
def test_the_first_cause_that_fits_is_named(n_zero, penalty, said):
    assert _cause(InputCounts(n_regions=10, n_zero=n_zero), penalty).startswith(said)
