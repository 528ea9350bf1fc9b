"""q against the formula, spelt out hit by hit."""

import numpy as np
import pytest

from finemo_dist.core.target_decoy import compete, refusal


def q_by_loop(scores, rate_at):
    """The rate at the worst place of equal scores, then its running minimum from below."""
    found = {}
    best = 1.0
    for score in sorted(set(scores)):
        best = min(best, rate_at(score))
        found[score] = best
    return [found[score] for score in scores]


def drawn(rng, n_motifs=4):
    # Halves, so that scores tie within and between targets and decoys.
    targets = [np.round(2 * rng.gamma(4, 1, 10 + 30 * i)) / 2 for i in range(n_motifs)]
    decoys = [np.round(2 * rng.gamma(1.5, 1, 12 * i)) / 2 for i in range(n_motifs)]
    return targets, decoys


@pytest.mark.parametrize("fraction", [1.0, 0.25])
def test_q_is_that_of_the_formula(rng, fraction):
    targets, decoys = drawn(rng)
    every_target, every_decoy = np.concatenate(targets), np.concatenate(decoys)
    k = 3 * fraction

    found = compete(targets, decoys, fraction=fraction, n_rounds=3)

    for own, own_decoys, steps in zip(targets, decoys, found.by_motif, strict=True):

        def rate(s, own=own, own_decoys=own_decoys):
            e = ((every_decoy >= s).sum() + 1) / (4 * k)
            false = ((own_decoys >= s).sum() + 1) / (k + 1 / e)
            return min(1.0, false / (own >= s).sum())

        assert steps.of(own) == pytest.approx(q_by_loop(own.tolist(), rate))
    assert found.pooled.of(every_target) == pytest.approx(
        q_by_loop(
            every_target.tolist(),
            lambda s: min(1.0, ((every_decoy >= s).sum() / k + 1) / (every_target >= s).sum()),
        )
    )


def test_a_cut_keeps_the_hits_whose_q_is_small_enough(rng):
    targets, decoys = drawn(rng)

    for own, steps in zip(
        targets, compete(targets, decoys, fraction=1, n_rounds=3).by_motif, strict=True
    ):
        cut = steps.cut(0.1)
        kept = own >= steps.score[cut] if cut is not None else np.zeros(len(own), bool)
        assert np.array_equal(kept, steps.of(own) <= 0.1)


def test_a_motif_with_few_hits_has_the_pooled_q_only(rng):
    targets, decoys = drawn(rng)
    targets[0] = targets[0][:9]

    found = compete(targets, decoys, fraction=1, n_rounds=3)

    assert found.by_motif[0] is None
    assert np.isnan(found.false_share[0])
    assert found.pooled is not None


def test_many_motifs_have_no_pooled_q(rng):
    targets = [rng.gamma(4, 1, 12) for _ in range(101)]
    decoys = [rng.gamma(1, 1, 4) for _ in range(101)]

    assert compete(targets, decoys, fraction=1, n_rounds=3).pooled is None
    assert compete(targets[:100], decoys[:100], fraction=1, n_rounds=3).pooled is not None


@pytest.mark.parametrize(
    ("n_hits", "n_decoys", "said"),
    [(99, 50, "it has 99 hits, and q needs 100"), (100, 9, "its decoys have 9 hits"),
     (100, 10, None)],
)  # fmt: skip
def test_too_few_hits_are_refused(n_hits, n_decoys, said):
    reason = refusal(n_hits, n_decoys)

    assert reason is None if said is None else said in reason
