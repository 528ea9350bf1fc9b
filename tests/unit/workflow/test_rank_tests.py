"""The rank-sum test against SciPy, and false discovery rates."""

import numpy as np
import pytest

from finemo_dist.workflow.rank_tests import adjusted, rank_sum, smallest_p


@pytest.fixture
def mannwhitneyu():
    """SciPy's; its statistics take a second to load."""
    from scipy.stats import mannwhitneyu

    return mannwhitneyu


@pytest.mark.parametrize(("n_first", "n_second"), [(2, 2), (3, 4), (6, 6)])
def test_exact_p_values_are_those_of_scipy(rng, mannwhitneyu, n_first, n_second):
    values = rng.normal(size=(30, n_first + n_second))
    is_first = np.arange(n_first + n_second) < n_first
    expected = mannwhitneyu(values[:, is_first], values[:, ~is_first], axis=1, method="exact")

    np.testing.assert_allclose(rank_sum(values, is_first), expected.pvalue, rtol=1e-12)


def test_many_samples_have_the_normal_approximation(rng, mannwhitneyu):
    values = np.round(rng.normal(size=(20, 60)), 1)
    is_first = np.arange(60) < 25
    expected = mannwhitneyu(values[:, is_first], values[:, ~is_first], axis=1, method="asymptotic")

    np.testing.assert_allclose(rank_sum(values, is_first), expected.pvalue, rtol=1e-9)


def test_ties_are_counted_and_what_cannot_be_tested_is_not_a_number():
    rows = np.array([[1, 1, 1, 1], [1, 2, np.nan, 3], [1, 1, 2, 2]], float)
    is_first = np.array([True, True, False, False])

    p = rank_sum(rows, is_first)

    assert np.isnan(p[:2]).all()
    assert p[2] == pytest.approx(1 / 3)
    assert smallest_p(2, 2) == pytest.approx(1 / 3)


def test_rates_of_false_discovery_leave_out_what_was_not_tested():
    q = adjusted(np.array([0.01, np.nan, 0.04, 0.03]))

    np.testing.assert_allclose(q, [0.03, np.nan, 0.04, 0.04])
