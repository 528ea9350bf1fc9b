"""Flags of motifs: each for its reason, and no other."""

import pytest

from finemo_dist.reports.flags import (
    FEW,
    MISSED,
    NO_HITS,
    PALINDROME,
    UNLIKE,
    motif_flags,
)


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
    assert motif_flags(**numbers) == flags


def test_a_palindrome_is_flagged():
    assert motif_flags(n_hits=10, is_palindrome=True) == (PALINDROME,)
