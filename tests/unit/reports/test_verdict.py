"""The verdict: one rule at a time, and the gravest decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.reports.verdict import RULES, Level, verdict
from tests.unit.reports.page_data import summary


def test_a_clean_run_is_good_and_says_why():
    found = verdict(summary())

    assert found.level is Level.GOOD
    assert found.headline == "This run looks good: its hits are ready to use."
    text = " ".join(reason.text for reason in found.reasons)
    assert "4.0 hits per region, and 2.0% of regions have none" in text
    assert "Median seqlet recall is 80%" in text


@pytest.mark.parametrize(
    ("changes", "level", "says"),
    [
        ({"n_shards_done": 15}, Level.BAD, "1 of 16 shards is missing"),
        ({"n_regions": 0, "n_regions_done": 0, "n_hits": 0}, Level.BAD, "no regions"),
        ({"n_not_converged": 10}, Level.LOOK, "10 regions (1.0%) did not converge"),
        ({"n_not_converged": 11}, Level.BAD, "11 regions (1.1%) did not converge"),
        ({"n_hits": 0, "n_without_hit": 1000}, Level.BAD, "No hits were called"),
        ({"n_without_hit": 250}, Level.GOOD, "25% of regions have none"),
        ({"n_without_hit": 251}, Level.LOOK, "25% of regions have none"),
        ({"n_without_hit": 751}, Level.BAD, "75% of regions have none"),
        ({"n_without_hit": 0}, Level.GOOD, "every region has one"),
        ({"median_recall": 0.49}, Level.LOOK, "hits miss many of the seqlets"),
        ({"n_motifs": 10, "n_motifs_without_hit": 3}, Level.LOOK, "3 of 10 motifs have no hits"),
        ({"n_motifs": 10, "n_motifs_without_hit": 2}, Level.GOOD, ""),
        ({"n_clipped": 11}, Level.LOOK, "11 regions (1.1%) reach beyond a chromosome end"),
        ({"n_clipped": 10}, Level.GOOD, ""),
        ({"warnings": {"no_summit": 4}}, Level.LOOK, "4 regions have no summit"),
        ({"warnings": {"nan": 1}}, Level.LOOK, "1 region has NaN"),
        ({"warnings": {"something_new": 1}}, Level.LOOK, "something new (1)"),
        ({"warnings": {"no_summit": 0}}, Level.GOOD, "The inputs had no irregularities"),
    ],
)
def test_a_rule_finds_what_it_says(changes, level, says):
    found = verdict(summary(**changes))

    assert found.level is level
    assert says in " ".join(reason.text for reason in found.reasons)


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        (
            {"n_shards_done": 15, "warnings": {"nan": 1}},
            "Do not use this run yet: run the same command again to finish the run.",
        ),
        ({"warnings": {"nan": 1}}, "Needs review: check the inputs."),
        ({"median_recall": 0.1}, "Needs review: lower lambda to find more of the seqlets."),
    ],
)
def test_the_headline_is_one_sentence_with_what_to_do_first(changes, headline):
    assert verdict(summary(**changes)).headline == headline


def test_whatever_is_wrong_has_a_cure():
    wrong = [
        {"n_shards_done": 15}, {"n_regions": 0, "n_regions_done": 0, "n_hits": 0},
        {"n_not_converged": 10}, {"n_hits": 0, "n_without_hit": 1000}, {"n_without_hit": 251},
        {"median_recall": 0.49}, {"n_motifs": 10, "n_motifs_without_hit": 3}, {"n_clipped": 11},
        {"warnings": {"no_summit": 4}},
    ]  # fmt: skip
    for changes in wrong:
        reasons = verdict(summary(**changes)).reasons
        assert all(bool(reason.cure) == (reason.level > Level.GOOD) for reason in reasons)
        assert str(reasons[0]).endswith(f" {reasons[0].cure}.")


def test_recall_is_not_spoken_of_without_seqlets():
    found = verdict(summary(median_recall=None))

    assert not any("recall" in reason.text for reason in found.reasons)


@given(
    n_done=st.integers(0, 16),
    n_without=st.integers(0, 1000),
    n_not=st.integers(0, 1000),
    n_clipped=st.integers(0, 1000),
)
def test_the_gravest_reason_decides_and_comes_first(n_done, n_without, n_not, n_clipped):
    found = verdict(
        summary(
            n_shards_done=n_done,
            n_without_hit=n_without,
            n_not_converged=n_not,
            n_clipped=n_clipped,
        )
    )

    levels = [reason.level for reason in found.reasons]
    assert levels == sorted(levels, reverse=True)
    assert found.level == levels[0]
    assert len(found.reasons) <= len(RULES)
    assert all(reason.text for reason in found.reasons)
