"""Flags of motifs: each for its reason, and no other."""

import numpy as np
import pytest

from finemo_dist.core.config import MotifConfig
from finemo_dist.core.records import Mode
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.reports.flags import (
    FEW,
    MISSED,
    NO_HITS,
    PALINDROME,
    UNLIKE,
    motif_flags,
    palindromic,
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
    assert motif_flags(**numbers) == flags


def test_a_palindrome_is_flagged():
    assert motif_flags(n_hits=10, is_palindrome=True) == (PALINDROME,)


def test_palindromes_are_those_of_the_table_of_motifs():
    profile = np.where(cwm_of("CACGTG") > 0, 1.0, 0.0)
    plain = cwm_of("AACCAA").astype(float)
    motifs = build_motif_set(
        [Pattern("a", profile, profile), Pattern("b", plain, plain)], MotifConfig(), Mode.PP
    )

    assert palindromic(motifs) == {"a"}
