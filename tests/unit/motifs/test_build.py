"""From patterns to the motifs that are called: strands, widths, trims, penalties, names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from finemo_dist.core.config import MotifConfig
from finemo_dist.core.errors import InputError
from finemo_dist.core.records import Mode
from finemo_dist.motifs.build import build_motif_set, norm, trim_window
from finemo_dist.motifs.modisco import Pattern
from tests.problems import make_patterns

FIRST, SECOND = "pos_patterns.pattern_0", "pos_patterns.pattern_1"
HALF = 2.0**-10
"""Relative: CWMs are kept as float16."""

CWMS = hnp.arrays(
    np.float64,
    st.tuples(st.just(4), st.integers(1, 12)),
    elements=st.integers(-9, 9).map(float),
).filter(lambda cwm: cwm.any())


def peaked(name: str, weights: list[float], hypothetical: list[float] | None = None) -> Pattern:
    """A pattern whose columns weigh what is asked for, all on base A."""

    def columns(values: list[float]) -> np.ndarray:
        return np.array([values, *[[0.0] * len(values)] * 3])

    return Pattern(name, columns(weights), columns(hypothetical or weights))


def windows(patterns: list[Pattern], **config: object) -> list[tuple[int, int]]:
    """Return the trim window of every motif and strand."""
    motifs = build_motif_set(patterns, MotifConfig(**config), Mode.PP)
    return list(zip(motifs.start.tolist(), motifs.end.tolist(), strict=True))


def test_both_strands_of_a_motif_stand_together(rng):
    motifs = build_motif_set(make_patterns(rng, 3, 6), MotifConfig(), Mode.PP)

    assert motifs.strand == ("+", "-") * 3
    assert motifs.name == motifs.name_orig
    assert motifs.name[::2] == motifs.name[1::2]
    assert [motifs.reverse_of(i) for i in range(6)] == [1, 0, 3, 2, 5, 4]
    np.testing.assert_array_equal(motifs.cwm[1::2], motifs.cwm[::2, ::-1, ::-1])
    np.testing.assert_array_equal(motifs.scale[::2], motifs.scale[1::2])


def test_a_cwm_is_divided_by_its_norm_which_is_kept(rng):
    patterns = make_patterns(rng, 4, 8)

    motifs = build_motif_set(patterns, MotifConfig(), Mode.PP)

    norms = np.sqrt(np.square(motifs.cwm.astype(float)).sum((1, 2)))
    np.testing.assert_allclose(norms, 1, rtol=HALF)
    for i, pattern in enumerate(patterns):
        np.testing.assert_allclose(
            motifs.cwm[2 * i].astype(float) * motifs.scale[2 * i],
            pattern.contributions,
            rtol=HALF,
            atol=1e-6,
        )


def test_narrower_cwms_get_zero_columns_on_the_right_of_the_forward_strand(rng):
    narrow, wide = make_patterns(rng, 1, 4)[0], make_patterns(rng, 2, 7)[1]

    motifs = build_motif_set([narrow, wide], MotifConfig(trim_threshold=0), Mode.PP)

    assert motifs.width == 7
    assert motifs.cwm[0, :, :4].any(axis=0).all()
    assert not motifs.cwm[0, :, 4:].any()
    assert not motifs.cwm[1, :, :3].any()
    assert list(zip(motifs.start, motifs.end, strict=True)) == [(0, 4), (3, 7), (0, 7), (0, 7)]


@given(cwm=CWMS, threshold=st.floats(0, 1))
def test_a_trim_window_goes_from_the_first_to_the_last_column_of_weight(cwm, threshold):
    start, end = trim_window(cwm, threshold)

    weight = np.abs(cwm).sum(0)
    assert 0 <= start < end <= cwm.shape[1]
    assert start <= weight.argmax() < end
    assert (np.delete(weight, range(start, end)) < threshold * weight.max()).all()
    assert (weight[[start, end - 1]] >= threshold * weight.max()).all()


@given(cwm=CWMS)
def test_a_threshold_of_zero_keeps_every_column(cwm):
    assert trim_window(cwm, 0) == (0, cwm.shape[1])


@given(cwm=CWMS)
def test_a_threshold_of_one_keeps_the_strongest_columns(cwm):
    weight = np.abs(cwm).sum(0)
    strongest = np.flatnonzero(weight == weight.max())

    assert trim_window(cwm, 1) == (strongest[0], strongest[-1] + 1)


@given(cwm=CWMS, threshold=st.floats(0, 1), n_more=st.integers(0, 4))
def test_the_window_of_the_reverse_strand_mirrors(cwm, threshold, n_more):
    wider = peaked(SECOND, [1.0] * (cwm.shape[1] + n_more))

    motifs = build_motif_set(
        [Pattern(FIRST, cwm, cwm), wider], MotifConfig(trim_threshold=threshold), Mode.PP
    )

    assert (motifs.start[1], motifs.end[1]) == (
        motifs.width - motifs.end[0],
        motifs.width - motifs.start[0],
    )
    forward = motifs.cwm[0, :, motifs.start[0] : motifs.end[0]]
    reverse = motifs.cwm[1, :, motifs.start[1] : motifs.end[1]]
    np.testing.assert_array_equal(reverse, forward[::-1, ::-1])


def test_windows_beat_single_thresholds_beat_the_global_one():
    """-R before -T before -t."""
    weights = [0.1, 0.5, 1.0, 0.5, 0.1]
    patterns = [peaked(f"p{i}", weights) for i in range(3)]

    found = windows(
        patterns,
        trim_threshold=0.9,
        trim_thresholds={"p1": 0.4, "p2": 0.4},
        trim_coords={"p2": (0, 4)},
    )

    assert found[::2] == [(2, 3), (1, 4), (0, 4)]


@pytest.mark.parametrize("mode", Mode)
def test_the_trim_is_that_of_the_contribution_cwm_in_every_mode(mode):
    pattern = peaked(FIRST, [0.0, 1.0, 1.0, 0.0, 0.0], [2.0, 1.0, 1.0, 2.0, 5.0])

    motifs = build_motif_set([pattern], MotifConfig(), mode)

    called = pattern.hypothetical if mode.value[0] == "h" else pattern.contributions
    assert (motifs.start[0], motifs.end[0]) == (1, 3)
    np.testing.assert_allclose(motifs.scale[0] * motifs.cwm[0], called, rtol=HALF, atol=1e-6)


@pytest.mark.parametrize("window", [(-1, 3), (0, 6), (3, 3), (4, 2), (5, 6)])
def test_a_window_outside_the_columns_is_refused(window):
    with pytest.raises(InputError, match=r"pattern_0: trim window .* its 5 columns"):
        windows([peaked(FIRST, [1.0] * 5)], trim_coords={FIRST: window})


def test_a_window_of_zeros_is_refused():
    with pytest.raises(InputError, match=r"zero in trim window 0 to 2"):
        windows([peaked(FIRST, [0.0, 0.0, 1.0])], trim_coords={FIRST: (0, 2)})


def test_a_trimmed_hypothetical_cwm_of_zeros_is_refused():
    with pytest.raises(InputError, match=r"zero in trim window 1 to 2"):
        windows([peaked(FIRST, [0.0, 1.0, 0.0], [1.0, 0.0, 1.0])])


@pytest.mark.parametrize("field", ["contrib_scores", "hypothetical_contribs"])
def test_an_all_zero_cwm_is_refused_by_name_unless_it_is_left_out(field):
    """C8."""
    zero, ones = [0.0, 0.0], [1.0, 1.0]
    values = (zero, ones) if field == "contrib_scores" else (ones, zero)
    bad = Pattern(SECOND, *(np.array([v, *[[0.0, 0.0]] * 3]) for v in values))
    patterns = [peaked(FIRST, ones), bad]

    with pytest.raises(InputError, match=rf"pattern_1: its {field} are all zero"):
        build_motif_set(patterns, MotifConfig(), Mode.PP)
    assert len(build_motif_set(patterns, MotifConfig(include=(FIRST,)), Mode.PP)) == 2


def test_everything_about_a_motif_goes_by_its_modisco_name(rng):
    """S16: also where it is renamed."""
    patterns = make_patterns(rng, 3, 6)
    config = MotifConfig(
        names={FIRST: "CTCF"},
        include=(SECOND, FIRST),
        penalties={FIRST: 0.5},
        trim_coords={FIRST: (1, 4)},
    )

    motifs = build_motif_set(patterns, config, Mode.PP)

    assert motifs.name == ("CTCF", "CTCF", SECOND, SECOND)
    assert motifs.name_orig == (FIRST, FIRST, SECOND, SECOND)
    assert motifs.penalty.tolist() == [0.5, 0.5, 0.7, 0.7]
    assert (motifs.start[0], motifs.end[0]) == (1, 4)


def test_names_may_be_exchanged(rng):
    config = MotifConfig(names={FIRST: SECOND, SECOND: FIRST})

    motifs = build_motif_set(make_patterns(rng, 2, 6), config, Mode.PP)

    assert motifs.name[::2] == (SECOND, FIRST)


@pytest.mark.parametrize(
    "names", [{FIRST: SECOND}, {FIRST: "x", SECOND: "x"}], ids=["with another", "both renamed"]
)
def test_a_name_for_two_motifs_is_refused(rng, names):
    """S17."""
    with pytest.raises(InputError, match=f"several motifs with the name '{names[FIRST]}'"):
        build_motif_set(make_patterns(rng, 2, 6), MotifConfig(names=names), Mode.PP)


@pytest.mark.parametrize(
    ("option", "config"),
    [
        ("--motifs-include", {"include": ("pos_patterns.patern_1",)}),
        ("--motif-names", {"names": {"pos_patterns.patern_1": "x"}}),
        ("--motif-lambdas", {"penalties": {"pos_patterns.patern_1": 1.0}}),
        ("--cwm-trim-thresholds", {"trim_thresholds": {"pos_patterns.patern_1": 0.1}}),
        ("--cwm-trim-coords", {"trim_coords": {"pos_patterns.patern_1": (0, 2)}}),
    ],
)
def test_a_misspelt_motif_is_refused_with_the_nearest_name(rng, option, config):
    """S18."""
    message = rf"{option} names motif 'pos_patterns\.patern_1'.*Did you mean '{SECOND}'\?"

    with pytest.raises(InputError, match=message):
        build_motif_set(make_patterns(rng, 2, 6), MotifConfig(**config), Mode.PP)


def test_a_motif_is_not_known_by_its_new_name(rng):
    config = MotifConfig(names={FIRST: "CTCF"}, penalties={"CTCF": 0.5})

    with pytest.raises(InputError, match="--motif-lambdas names motif 'CTCF'"):
        build_motif_set(make_patterns(rng, 2, 6), config, Mode.PP)


def test_an_empty_list_of_motifs_is_refused(rng):
    """C8."""
    with pytest.raises(InputError, match="include is empty"):
        build_motif_set(make_patterns(rng, 2, 6), MotifConfig(include=()), Mode.PP)


@given(exponent=st.integers(-1000, 1000), seed=st.integers(0, 99))
def test_a_norm_is_that_of_the_squares_whatever_the_scale(exponent, seed):
    cwm = np.random.default_rng(seed).normal(size=(4, 8))

    assert norm(cwm) == np.sqrt(np.square(cwm).sum())
    assert norm(np.ldexp(cwm, exponent)) == np.ldexp(norm(cwm), exponent)
