"""Decoys are scrambled copies that resemble no motif, the same for one seed."""

from dataclasses import replace

import numpy as np
import pytest

from finemo_dist.core.config import MotifConfig
from finemo_dist.core.records import Mode
from finemo_dist.core.similarity import families, similarities, trimmed_cwms
from finemo_dist.motifs.build import build_motif_set, trim_window
from finemo_dist.motifs.decoys import TrimSource, draw_decoys, with_decoys
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.testing.motifs import random_motifs


def motif_set(n=6, seed=1, mode=Mode.PP):
    made = random_motifs(np.random.default_rng(seed), n)
    patterns = [
        Pattern(name, cwm, hypothetical)
        for name, cwm, hypothetical in zip(made.name, made.cwm, made.hypothetical, strict=True)
    ]
    motifs = build_motif_set(patterns, MotifConfig(), mode)
    return motifs, TrimSource(made.cwm, [0.3] * n)


def cosine_by_loop(one, other):
    """The highest cosine at any shift on either strand, one product at a time."""
    best = -1.0
    norm = np.sqrt((one**2).sum() * (other**2).sum())
    for strand in (other, other[::-1, ::-1]):
        for shift in range(1 - strand.shape[1], one.shape[1]):
            first, last = max(0, shift), min(one.shape[1], shift + strand.shape[1])
            product = one[:, first:last] * strand[:, first - shift : last - shift]
            best = max(best, product.sum() / norm)
    return best


@pytest.mark.parametrize("mode", [Mode.PP, Mode.HP])
def test_a_decoy_has_the_columns_of_its_motif(mode):
    motifs, trims = motif_set(mode=mode)

    decoys = draw_decoys(motifs, trims, seed=3, number=1).motifs

    for row in range(0, len(motifs), 2):
        inside = slice(motifs.start[row], motifs.end[row])
        outside = np.r_[0 : motifs.start[row], motifs.end[row] : motifs.width]
        assert np.array_equal(decoys.cwm[row][:, outside], motifs.cwm[row][:, outside])
        ours, theirs = decoys.cwm[row][:, inside].T, motifs.cwm[row][:, inside].T
        assert sorted(map(tuple, ours)) == sorted(map(tuple, theirs))
        assert not np.array_equal(ours, theirs)
        assert np.array_equal(decoys.cwm[row + 1], decoys.cwm[row][::-1, ::-1])
        assert decoys.start[row + 1] == motifs.width - decoys.end[row]
    assert np.array_equal(decoys.penalty, motifs.penalty)


def test_a_decoy_is_trimmed_by_the_rule_of_its_motif():
    motifs, trims = motif_set()

    decoys = draw_decoys(motifs, trims, seed=3, number=1).motifs

    for row in range(0, len(motifs), 2):
        window = trim_window(decoys.cwm[row].astype(float), 0.3)
        assert window == (decoys.start[row], decoys.end[row])


def test_windows_that_were_given_stay():
    motifs, trims = motif_set()

    decoys = draw_decoys(motifs, TrimSource(trims.contributions, [None] * 6), seed=3, number=1)

    assert np.array_equal(decoys.motifs.start, motifs.start)
    assert np.array_equal(decoys.motifs.end, motifs.end)


def test_no_decoy_resembles_a_motif():
    motifs, trims = motif_set(12)

    found = draw_decoys(motifs, trims, seed=3, number=1)

    for decoy, similarity, name in zip(
        trimmed_cwms(found.motifs), found.similarity, found.similar_to, strict=True
    ):
        cosines = [cosine_by_loop(decoy, motif) for motif in trimmed_cwms(motifs)]
        assert similarity == pytest.approx(max(cosines))
        assert motifs.name[2 * int(np.argmax(cosines))] == name
    assert found.n_alike == (found.similarity > 0.7).sum() == 0


def test_a_motif_that_has_no_other_order_keeps_the_least_similar_draw():
    cwm = np.zeros((4, 10))
    cwm[0, 2:8] = 1.0
    motifs = build_motif_set([Pattern("same", cwm, cwm)], MotifConfig(), Mode.PP)

    found = draw_decoys(motifs, TrimSource(cwm[None], [0.3]), seed=0, number=1)

    assert found.n_draws.tolist() == [200]
    assert found.n_alike == 1


def test_decoys_follow_from_seed_name_and_round():
    motifs, trims = motif_set()
    drawn = [
        draw_decoys(motifs, trims, seed=seed, number=number).motifs.cwm
        for seed, number in [(3, 1), (3, 1), (4, 1), (3, 2)]
    ]

    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[3])


def test_names_of_decoys_are_free():
    motifs, trims = motif_set(2)

    first, other = motifs.name[0], motifs.name[2]
    taken = f"decoy-1:{first}"
    motifs = replace(motifs, name=(first, first, taken, taken))
    decoys = draw_decoys(motifs, trims, seed=0, number=1).motifs
    joined = with_decoys(motifs, decoys)

    assert other not in joined.name
    assert joined.name[::2] == (first, taken, f"{taken}'", f"decoy-1:{taken}")
    assert len(joined) == 8
    assert np.array_equal(joined.cwm[:4], motifs.cwm)


def test_families_are_chains_of_similar_motifs():
    motifs, _ = motif_set(5)
    cwm = motifs.cwm.copy()
    # The fourth is the first from the other strand.
    cwm[6], cwm[7] = cwm[1], cwm[0]
    start, end = motifs.start.copy(), motifs.end.copy()
    start[6], start[7], end[6], end[7] = start[1], start[0], end[1], end[0]
    alike = type(motifs)(
        motifs.name, motifs.name_orig, motifs.strand, cwm, start, end, motifs.scale, motifs.penalty
    )

    found = families(alike)

    assert found[0].number == found[3].number == 0
    assert found[0].similar_to == motifs.name[6]
    assert found[0].similarity == pytest.approx(1.0)
    assert found[0].n_motifs >= 2
    assert np.allclose(similarities(alike), similarities(alike).T)
