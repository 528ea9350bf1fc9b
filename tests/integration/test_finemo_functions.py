"""The functions of ``finemo_dist.finemo`` against what finemo 0.41's own return for the slice."""

import inspect
import json

import numpy as np
import pytest

from finemo_dist.core.errors import InputError, UsageError
from tests.command import extract_words, finemo_dist, jaccard
from tests.conftest import skip_or_fail

try:
    import polars as pl
except ImportError:
    pl = None

KINDS = ("cwm", "hcwm", "pfm", "pfm_softmax")


@pytest.fixture(scope="module")
def finemo():
    if pl is None:
        skip_or_fail("polars", "polars is not installed")
    from finemo_dist import finemo

    return finemo


@pytest.fixture(scope="module")
def theirs(yeast_slice):
    return yeast_slice / "finemo-0.41" / "functions"


@pytest.fixture(scope="module")
def types(theirs):
    return json.loads((theirs / "types.json").read_text())


@pytest.fixture(scope="module")
def regions_file(yeast_slice, tmp_path_factory):
    path = tmp_path_factory.mktemp("regions") / "regions.npz"
    finemo_dist(*extract_words("modisco-fmt", yeast_slice), "-o", path)
    return path


@pytest.fixture(scope="module")
def regions(finemo, regions_file):
    return finemo.load_regions_npz(regions_file)


@pytest.fixture(scope="module")
def motifs(finemo, yeast_slice):
    path = yeast_slice / "modisco_results.h5"
    return {
        kind: finemo.load_modisco_motifs(
            path, None, None, 0.3, kind, None, None, None, 0.7, True
        )
        for kind in KINDS
    }  # fmt: skip


@pytest.fixture(scope="module")
def fits(finemo, regions, motifs):
    sequences, contribs, _, _ = regions
    return {
        name: finemo.fit_contribs(
            motifs[kind][1], contribs, sequences, motifs[kind][2], is_hypothetical,
            motifs[kind][0]["lambda"].to_numpy(),
        )
        for name, kind, is_hypothetical in (("pp", "cwm", False), ("hh", "hcwm", True))
    }  # fmt: skip


def types_of(frame):
    return {name: str(kind) for name, kind in frame.schema.items()}


def coefficients(frame):
    keys = zip(frame["peak_id"], frame["motif_id"], frame["hit_start"], strict=True)
    return dict(zip(keys, frame["hit_coefficient"], strict=True))


def test_arguments_are_finemos_in_its_order(finemo):
    names = {
        name: list(inspect.signature(getattr(finemo, name)).parameters) for name in finemo.__all__
    }

    assert names == {
        "fit_contribs": [
            "cwms", "contribs", "sequences", "cwm_trim_mask", "use_hypothetical", "lambdas",
            "step_size_max", "step_size_min", "sqrt_transform", "convergence_tol", "max_steps",
            "batch_size", "step_adjust", "post_filter", "device", "compile_optimizer", "eps",
        ],
        "get_cwms": ["regions", "positions_df", "motif_width"],
        "load_modisco_motifs": [
            "modisco_h5_path", "trim_coords", "trim_thresholds", "trim_threshold_default",
            "motif_type", "motifs_include", "motif_name_map", "motif_lambdas",
            "motif_lambda_default", "include_rc",
        ],
        "load_regions_npz": ["npz_path"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["pp", "hh"])
def test_hits_are_finemos(fits, theirs, name):
    ours, qc = fits[name]
    expected = pl.read_csv(theirs / f"hits_{name}.tsv", separator="\t")
    a, b = coefficients(ours), coefficients(expected)

    assert len(b) > 50
    assert jaccard(a, b) >= 0.995
    shared = sorted(a.keys() & b.keys())
    # Where a region stops depends on the last bit of its gap, and coefficients on where it stops.
    ratio = np.array([a[key] / b[key] for key in shared])
    assert np.quantile(np.abs(ratio - 1), 0.9) < 1e-3
    assert qc["peak_id"].to_list() == list(range(24))


def test_scores_and_scales_are_finemos(fits, theirs):
    ours, qc = fits["pp"]
    keys = ["peak_id", "motif_id", "hit_start"]
    expected = pl.read_csv(
        theirs / "hits_pp.tsv", separator="\t", schema_overrides=dict(ours.select(keys).schema)
    )
    both = ours.join(expected, on=keys, suffix="_theirs")

    for column in ("hit_similarity", "hit_importance", "hit_importance_sq"):
        np.testing.assert_allclose(both[column], both[f"{column}_theirs"], rtol=2e-5)
    expected_qc = pl.read_csv(theirs / "qc_pp.tsv", separator="\t").sort("peak_id")
    np.testing.assert_allclose(qc["global_scale"], expected_qc["global_scale"], rtol=1e-6)
    np.testing.assert_allclose(qc["nll"], expected_qc["nll"], rtol=1e-3)


def test_columns_and_types_are_finemos(fits, motifs, regions, types):
    frames = types["frames"]

    for name, (hits, qc) in fits.items():
        assert types_of(hits) == frames[f"hits_{name}"]
        assert types_of(qc) == frames[f"qc_{name}"]
    for kind, (frame, cwms, masks, names) in motifs.items():
        assert types_of(frame) == frames[f"motifs_{kind}"]
        assert str(cwms.dtype) == types["arrays"][kind]
        assert str(masks.dtype) == types["arrays"][f"{kind}_masks"]
        assert str(names.dtype) == types["arrays"]["names"]
    assert types_of(regions[2]) == frames["peaks"]


@pytest.mark.parametrize("kind", KINDS)
def test_motifs_are_finemos(motifs, yeast_slice, theirs, kind):
    frame, cwms, masks, names = motifs[kind]
    expected = dict(np.load(theirs / "motifs.npz"))
    expected["cwm"] = np.load(yeast_slice / "finemo-0.41/default/motif_cwms.npy")

    np.testing.assert_array_equal(cwms, expected[kind])
    np.testing.assert_array_equal(masks, expected["cwm_masks"])
    assert names.tolist() == frame["motif_name"].to_list()[::2]
    if kind in ("hcwm", "pfm"):
        table = pl.read_csv(theirs / f"motifs_{kind}.tsv", separator="\t")
        assert frame.rows() == table.rows()


def test_motifs_are_renamed_left_out_and_called_on_one_strand(finemo, yeast_slice):
    path = yeast_slice / "modisco_results.h5"
    first, second = "pos_patterns.pattern_0", "pos_patterns.pattern_1"

    frame, cwms, masks, names = finemo.load_modisco_motifs(
        path, {"A": (3, 9)}, {second: 0.9}, 0.3, "cwm", [first, second], {first: "A"},
        {second: 0.5}, 0.8, False,
    )  # fmt: skip

    assert frame["motif_name"].to_list() == names.tolist() == ["A", second]
    assert frame["strand"].to_list() == ["+", "+"]
    assert frame["lambda"].to_list() == [0.8, 0.5]
    assert (frame["motif_start"][0], frame["motif_end"][0]) == (3, 9)
    assert len(cwms) == len(masks) == 2
    assert masks[0].nonzero()[0].tolist() == list(range(3, 9))


def test_mean_contributions_at_hits_are_finemos(finemo, fits, regions, theirs):
    sequences, contribs, _, _ = regions
    hits = pl.read_csv(theirs / "hits_pp.tsv", separator="\t").rename(
        {"hit_start": "start_untrimmed"}
    )
    positions = hits.with_columns(
        peak_region_start=hits["motif_id"] * 0, is_revcomp=hits["motif_id"] % 2 == 1
    )

    found = finemo.get_cwms(contribs.astype(np.float32) * sequences, positions, 30)

    expected = np.load(theirs / "get_cwms.npy")
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_hits_over_an_end_of_their_region_are_left_out_of_the_mean(finemo):
    regions = np.arange(2 * 4 * 6, dtype=np.float32).reshape(2, 4, 6)
    positions = {
        "peak_id": [0, 1, 1],
        "start_untrimmed": [99, 101, 105],
        "peak_region_start": [100, 100, 100],
        "is_revcomp": [False, True, False],
    }

    found = finemo.get_cwms(regions, positions, 3)
    none = finemo.get_cwms(regions, {k: v[:1] for k, v in positions.items()}, 3)

    np.testing.assert_array_equal(found, regions[1, ::-1, 1:4][:, ::-1])
    assert np.isnan(none).all()
    assert none.shape == (4, 3)


def test_regions_come_back_as_they_are_in_the_file(regions, regions_file):
    sequences, contribs, peaks, has_peaks = regions
    held = np.load(regions_file)

    assert has_peaks
    np.testing.assert_array_equal(sequences, held["sequences"])
    np.testing.assert_array_equal(contribs, held["contributions"])
    assert (sequences.dtype, contribs.dtype) == (np.int8, np.float16)
    assert sequences.flags.writeable
    assert peaks["peak_region_start"].to_list() == held["start"].tolist()


def test_regions_without_coordinates_have_placeholders_and_a_warning(
    finemo, regions_file, tmp_path
):
    held = np.load(regions_file)
    path = tmp_path / "bare.npz"
    np.savez(path, sequences=held["sequences"], contributions=held["contributions"])

    with pytest.warns(UserWarning, match=r"bare\.npz: has no coordinates"):
        _, _, peaks, has_peaks = finemo.load_regions_npz(path)

    assert not has_peaks
    assert set(peaks["chr"]) == set(peaks["peak_name"]) == {"NA"}
    assert peaks["peak_id"].to_list() == list(range(24))


def test_regions_that_are_given_up_are_warned_of(finemo, regions, motifs):
    sequences, contribs, _, _ = regions
    frame, cwms, masks, _ = motifs["cwm"]

    with pytest.warns(RuntimeWarning, match=r"24 of 24 regions have not converged.*max_steps=2"):
        _, qc = finemo.fit_contribs(
            cwms, contribs, sequences, masks, False, frame["lambda"].to_numpy(), max_steps=2
        )

    assert qc["num_steps"].to_list() == [3] * 24


def arguments(**changes):
    rng = np.random.default_rng(0)
    given = {
        "cwms": rng.normal(size=(2, 4, 5)),
        "contribs": rng.normal(size=(3, 4, 20)),
        "sequences": np.eye(4, dtype=np.int8)[rng.integers(4, size=(3, 20))].swapaxes(1, 2),
        "cwm_trim_mask": np.ones((2, 5)),
        "use_hypothetical": False,
        "lambdas": np.full(2, 0.7),
    }
    return {**given, **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contribs": np.ones((3, 4, 19))}, r"\(3, 4, 20\) and contribs of shape \(3, 4, 19\)"),
        ({"cwm_trim_mask": np.ones((2, 4))}, r"cwm_trim_mask of shape \(2, 4\)"),
        ({"cwm_trim_mask": np.array([[1, 0, 1, 0, 0]] * 2)}, "a single run of 1s"),
        ({"cwm_trim_mask": np.zeros((2, 5))}, "a single run of 1s"),
        ({"lambdas": np.array([0.7, 0])}, "above 0"),
        (
            {"contribs": np.ones((3, 20)), "use_hypothetical": True},
            r"\(3, 20\) are projected.*use_hypothetical=False",
        ),
        ({"cwms": np.ones((2, 4, 21)), "cwm_trim_mask": np.ones((2, 21))}, "wider than sequences"),
    ],
)
def test_arrays_that_disagree_are_refused_with_their_shapes(finemo, changes, message):
    with pytest.raises(InputError, match=message):
        finemo.fit_contribs(**arguments(**changes))


@pytest.mark.parametrize(
    ("changes", "message"), [({"eps": 0.5}, "eps 0.5"), ({"step_adjust": 2}, "step_adjust")]
)
def test_settings_that_cannot_be_are_refused(finemo, changes, message):
    with pytest.raises(UsageError, match=message):
        finemo.fit_contribs(**arguments(**changes))


def test_a_motif_type_that_is_not_there_is_refused(finemo, yeast_slice):
    with pytest.raises(UsageError, match="'pwm': expected one of 'cwm'"):
        finemo.load_modisco_motifs(
            yeast_slice / "modisco_results.h5", None, None, 0.3, "pwm", None, None, None, 0.7, True
        )
