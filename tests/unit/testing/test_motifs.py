"""Random motifs look like a model's, and the file holds them as modisco does."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.errors import UsageError
from finemo_dist.testing import motifs as motifs_module
from finemo_dist.testing.modisco import Seqlets, write_modisco_h5
from finemo_dist.testing.motifs import (
    TRIM_THRESHOLD,
    random_motifs,
    reverse_complement,
)


def make_motifs(seed=0, n_motifs=12, **options):
    return random_motifs(np.random.default_rng(seed), n_motifs, **options)


@given(
    seed=st.integers(0, 2**32),
    n_motifs=st.integers(3, 8),
    width=st.integers(24, 40),
)
def test_motifs_are_consistent_whatever_the_seed(seed, n_motifs, width):
    motifs = make_motifs(seed, n_motifs, width=width, n_negative=1, n_palindromes=1)
    start, end = motifs.core

    assert motifs.cwm.shape == (n_motifs, 4, width)
    np.testing.assert_allclose(motifs.frequencies.sum(axis=1), 1)
    np.testing.assert_allclose(motifs.cwm, motifs.hypothetical * motifs.frequencies)
    assert np.all(start > 0)
    assert np.all(end < width)
    assert np.all((end - start >= 6) & (end - start <= 15))


def test_flanks_are_near_zero_and_cores_are_not():
    motifs = make_motifs()
    weight = np.abs(motifs.cwm).sum(axis=1)
    start, end = motifs.core
    column = np.arange(motifs.width)
    in_core = (column >= start[:, None]) & (column < end[:, None])

    strongest = weight.max(axis=1)
    assert np.all(np.where(in_core, 0, weight).max(axis=1) < TRIM_THRESHOLD / 3 * strongest)
    assert np.all(weight[np.arange(12), start] >= TRIM_THRESHOLD * strongest)


def test_motifs_differ_from_each_other_at_any_shift_on_either_strand():
    motifs = make_motifs(n_motifs=12)
    unit = motifs.cwm / np.linalg.norm(motifs.cwm, axis=(1, 2), keepdims=True)

    for i, one in enumerate(unit):
        padded = np.pad(one, ((0, 0), (12, 12)))
        for shift in range(25):
            window = padded[:, shift : shift + motifs.width]
            assert np.max((unit[:i] * window).sum(axis=(1, 2)), initial=0) <= 0.75
            assert np.max((reverse_complement(unit)[: i + 1] * window).sum(axis=(1, 2))) <= 0.75


def test_motifs_that_resemble_earlier_ones_are_drawn_again():
    motifs = make_motifs(n_motifs=40, core_widths=(6,))
    unit = motifs.cwm / np.linalg.norm(motifs.cwm, axis=(1, 2), keepdims=True)
    cosine = unit.reshape(40, -1) @ unit.reshape(40, -1).T

    assert np.max(cosine - np.eye(40)) <= 0.75


def test_no_motif_is_half_a_palindrome_by_accident():
    motifs = make_motifs(n_motifs=40, core_widths=(6,))
    unit = motifs.cwm / np.linalg.norm(motifs.cwm, axis=(1, 2), keepdims=True)
    padded = np.pad(unit, ((0, 0), (0, 0), (12, 12)))
    cosines = [
        (reverse_complement(unit) * padded[..., s : s + motifs.width]).sum(axis=(1, 2))
        for s in range(25)
    ]

    assert np.max(cosines) <= 0.75


def test_where_no_motif_is_unlike_the_others_the_one_least_like_them_is_taken(monkeypatch):
    """Cores of two bases: there are few."""
    seen = []

    def similarity(cwm, others, asked=motifs_module._max_similarity):
        seen.append((asked(cwm, others), cwm))
        return seen[-1][0]

    monkeypatch.setattr(motifs_module, "_max_similarity", similarity)
    monkeypatch.setattr(motifs_module, "_MAX_SIMILARITY", -1.0)
    motifs = make_motifs(n_motifs=2, core_widths=(2,))

    assert len(seen) == 2 * motifs_module._MAX_TRIES
    for i, tries in enumerate((seen[:20], seen[20:])):
        _, cwm = min(tries, key=lambda each: each[0])
        np.testing.assert_array_equal(motifs.cwm[i], cwm)


def test_the_first_motif_may_be_a_palindrome():
    """There is nothing that it could resemble, and its other strand is itself."""
    motifs = make_motifs(n_motifs=1, n_palindromes=1)

    assert motifs.palindromes == ("pos_patterns.pattern_0",)


def test_only_the_palindromes_asked_for_are_palindromes():
    motifs = make_motifs(n_negative=2, n_palindromes=1)

    assert motifs.palindromes == ("pos_patterns.pattern_9",)
    np.testing.assert_allclose(motifs.cwm[9], reverse_complement(motifs.cwm[9]))


def test_negative_motifs_have_negative_contributions_and_names():
    motifs = make_motifs(n_negative=2)

    assert motifs.name[-3:] == (
        "pos_patterns.pattern_9",
        "neg_patterns.pattern_0",
        "neg_patterns.pattern_1",
    )
    assert np.all(motifs.cwm.sum(axis=(1, 2))[:10] > 0)
    assert np.all(motifs.cwm.sum(axis=(1, 2))[10:] < 0)


@pytest.mark.parametrize(
    ("n_motifs", "options", "message"),
    [
        (0, {}, "at least one motif"),
        (2, {"n_negative": 2, "n_palindromes": 1}, "no more special ones"),
        (2, {"width": 12}, "Widen the CWMs"),
        (2, {"core_widths": ()}, "expected 2 to 24"),
    ],
)
def test_impossible_motifs_are_refused(n_motifs, options, message):
    with pytest.raises(UsageError, match=message):
        make_motifs(n_motifs=n_motifs, **options)


def test_a_motif_file_without_seqlets_holds_patterns_only(tmp_path):
    motifs = make_motifs(n_motifs=3, n_negative=1)
    write_modisco_h5(tmp_path / "modisco.h5", motifs)

    with h5py.File(tmp_path / "modisco.h5") as file:
        assert sorted(file) == ["neg_patterns", "pos_patterns"]
        pattern = file["neg_patterns/pattern_0"]
        np.testing.assert_array_equal(pattern["contrib_scores"][:], motifs.cwm[2].T)
        np.testing.assert_array_equal(pattern["hypothetical_contribs"][:], motifs.hypothetical[2].T)
        np.testing.assert_array_equal(pattern["sequence"][:], motifs.frequencies[2].T)
        assert list(pattern["seqlets"]) == ["n_seqlets"]


def test_seqlets_are_as_wide_as_the_motif(tmp_path):
    motifs = make_motifs(n_motifs=1)
    seqlets = Seqlets(np.array([3, 5]), np.array([10, 360]), np.array([False, True]))
    write_modisco_h5(tmp_path / "modisco.h5", motifs, seqlets=[seqlets], window=400)

    with h5py.File(tmp_path / "modisco.h5") as file:
        group = file["pos_patterns/pattern_0/seqlets"]
        assert file.attrs["window_size"] == 400
        assert group["n_seqlets"][:].tolist() == [2]
        assert group["example_idx"][:].tolist() == [3, 5]
        assert group["end"][:].tolist() == [40, 390]
        assert group["is_revcomp"][:].tolist() == [False, True]


def test_a_motif_file_is_laid_out_like_modisco_s_own(tmp_path, yeast_slice):
    def layout(path):
        found = {}
        with h5py.File(path) as file:
            for name, item in file["pos_patterns/pattern_0"].items():
                if name != "seqlets":
                    found[name] = item.dtype, item.ndim
                else:
                    found |= {f"{name}/{k}": (v.dtype, v.ndim) for k, v in item.items()}
        return found

    seqlets = Seqlets(np.array([3]), np.array([10]), np.array([False]))
    write_modisco_h5(tmp_path / "modisco.h5", make_motifs(n_motifs=1), seqlets=[seqlets])

    assert layout(tmp_path / "modisco.h5") == layout(yeast_slice / "modisco_results.h5")
