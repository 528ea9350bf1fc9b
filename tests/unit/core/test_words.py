"""Numbers and words that agree."""

import pytest

from finemo_dist.core.words import be, count, have, natural, number, percent


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0, "0%"),
        (0.0009, "<0.1%"),
        (0.001, "0.1%"),
        (0.0949, "9.5%"),
        (0.1, "10%"),
        (0.994, "99%"),
        (0.998, "99.8%"),
        (0.9991, ">99.9%"),
        (1, "100%"),
    ],
)
def test_a_share_is_none_or_all_only_where_it_is(share, expected):
    assert percent(share) == expected


@pytest.mark.parametrize(("n", "expected"), [(0, "0 hits are have"), (1, "1 hit is has"),
                                             (2_000, "2,000 hits are have")])  # fmt: skip
def test_numbers_and_verbs_agree(n, expected):
    assert f"{count(n, 'hit')} {be(n)} {have(n)}" == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.5, "1,234.50"), (None, "\u2013"), (float("nan"), "\u2013"), (0, "0.00")],
)
def test_a_number_that_is_none_is_a_dash(value, expected):
    assert number(value) == expected


def test_numbers_in_names_sort_as_numbers():
    names = ["b", "a10", "a9", "a", "a9b", "a09"]

    assert sorted(names, key=natural) == ["a", "a09", "a9", "a9b", "a10", "b"]
