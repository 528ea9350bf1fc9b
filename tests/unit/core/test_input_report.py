"""Input reports: those of parts add up to that of the whole, in any order."""

from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.input_report import InputReport, ScoreRange
from finemo_dist.core.records import InputCounts

SCORES = np.array(
    [[0, 0, 0], [0.5, -2, 1e-9], [7e4, 0, 0], [0, -1e-7, 0]], dtype=np.float32
)  # fmt: skip
STORED = np.array([[0, 0, 0], [1, -1, 0], [1, 0, 0], [0, -1, 0]], dtype=np.float16)


def test_a_range_is_of_what_was_read_and_what_storing_lost():
    assert ScoreRange.of(SCORES, STORED) == ScoreRange(
        largest=7e4, smallest_peak=float(np.float32(1e-7)), n_beyond_float16=2, n_rounded_to_zero=1
    )


def test_a_range_of_nothing_is_empty():
    assert ScoreRange.of(SCORES[:1], STORED[:1]) == ScoreRange.of(SCORES[:0], STORED[:0])
    assert ScoreRange() + ScoreRange.of(SCORES, STORED) == ScoreRange.of(SCORES, STORED)


@given(cuts=st.lists(st.integers(0, 4), max_size=4), order=st.randoms(use_true_random=False))
def test_parts_add_up_to_the_whole(cuts, order):
    edges = [0, *sorted(cuts), 4]
    parts = [
        InputReport(InputCounts(n_regions=b - a, n_nan=a), ScoreRange.of(SCORES[a:b], STORED[a:b]))
        for a, b in pairwise(edges)
    ]
    order.shuffle(parts)

    total = InputReport.total(parts)

    assert total.scores == ScoreRange.of(SCORES, STORED)
    assert total.counts == InputCounts(n_regions=4, n_nan=sum(sorted(cuts)) if cuts else 0)


def test_a_report_comes_back_from_json_types():
    report = InputReport(InputCounts(n_regions=3), ScoreRange(largest=2.5))

    assert InputReport.from_dict(asdict(report)) == report


def test_only_what_is_irregular_is_a_warning():
    counts = InputCounts(n_regions=9, n_nan=2, n_from_genome=9, n_compared_with_genome=9)

    assert counts.irregular() == {"nan": 2}
    assert replace(counts, n_nan=0).irregular() == {}
