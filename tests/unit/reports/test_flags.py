"""Flags of motifs: each for its reason, and no other."""

import numpy as np
import pytest

from finemo_dist.reports.flags import (
    FEW,
    MISSED,
    NO_HITS,
    PALINDROME,
    UNLIKE,
    is_palindrome,
    motif_flags,
)


def cwm_of(sequence, flank=0):
    return np.pad(np.eye(4)[["ACGT".index(base) for base in sequence]].T, ((0, 0), (flank, 0)))


@pytest.mark.parametrize(
    ("numbers", "flags"),
    [
        ({"n_hits": 0, "similarity": 0.1}, (NO_HITS,)),
        ({"n_hits": 9, "similarity": 0.1}, (FEW,)),
        ({"n_hits": 10, "similarity": 0.89}, (UNLIKE,)),
        ({"n_hits": 10, "similarity": 0.9}, ()),
        ({"n_hits": 10}, ()),
        ({"n_hits": 10, "recall": 0.49, "n_seqlets": 10}, (MISSED,)),
        ({"n_hits": 10, "recall": 0.49, "n_seqlets": 9}, ()),
        ({"n_hits": 10, "recall": 0.5, "n_seqlets": 10}, ()),
    ],
)
def test_a_flag_has_its_reason(numbers, flags):
    assert motif_flags(cwm_of("AACCAA"), **numbers) == flags


def test_a_palindrome_is_flagged():
    assert motif_flags(cwm_of("CACGTG"), n_hits=10) == (PALINDROME,)


@pytest.mark.parametrize("flank", [0, 1, 2])
def test_a_palindrome_is_known_off_the_middle_of_its_window(flank):
    assert is_palindrome(cwm_of("CACGTG", flank))


def test_nothing_is_no_palindrome():
    assert not is_palindrome(np.zeros((4, 6)))
    assert not is_palindrome(cwm_of("AAAAAA"))
