"""Real attributions through the command line, against the exact optimum and against finemo 0.41.

The optimum tables were made by an independent float64 solver (gap below 1e-13 in every region)
and hold coefficients before the post-filter. finemo's tables are its own output on the same data.
"""

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from finemo_dist.store.read import open_store
from tests.command import extract_words, finemo_dist, hit_keys, jaccard, read_tsv

pytestmark = pytest.mark.slow

OPTIMA = {
    "pp": ["-M", "pp"],
    "hp": ["-M", "hp"],
    "ph": ["-M", "ph"],
    "hh": ["-M", "hh"],
    "sqrt": ["-q"],
    "l0.6_t0.2": ["-l", "0.6", "-t", "0.2"],
}


@pytest.fixture(scope="module")
def stores(real_data, tmp_path_factory):
    """The store of each kind of input."""
    folder = tmp_path_factory.mktemp("stores")
    paths = {}
    for kind in ("bw", "chrombpnet-h5", "bpnet-h5", "modisco-fmt"):
        paths[kind] = folder / f"{kind}.zarr"
        finemo_dist(*extract_words(kind, real_data), "-o", paths[kind])
    return paths


def call(store: Path, data: Path, out: Path, *words: object) -> Path:
    finemo_dist(
        "call-hits", "-r", store, "-m", data / "modisco_results.h5", "-o", out,
        "--executor", "serial", *words,
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def unfiltered(stores, real_data, tmp_path_factory):
    """Return a function that calls hits without the post-filter, once for each content."""
    folder = tmp_path_factory.mktemp("unfiltered")

    @cache
    def run_of(digest: str, store: Path, setting: str) -> Path:
        return call(store, real_data, folder / f"{digest}-{setting}", "-f", *OPTIMA[setting])

    first: dict[str, Path] = {}

    def run(kind: str, setting: str) -> Path:
        # Whatever a reader does to a sequence or a contribution is in the digest.
        digest = open_store(stores[kind]).digest
        return run_of(digest, first.setdefault(digest, stores[kind]), setting)

    return run


def assert_at_the_optimum(found: Path, optimum: Path) -> None:
    called, best = hit_keys(found), hit_keys(optimum)
    shared = called.keys() & best.keys()
    errors = np.array([abs(called[k] / best[k] - 1) for k in shared])

    assert jaccard(called, best) >= 0.9995
    assert np.quantile(errors, 0.99) <= 0.01


@pytest.mark.parametrize("kind", ["chrombpnet-h5", "bpnet-h5", "modisco-fmt"])
@pytest.mark.parametrize("setting", OPTIMA)
def test_hits_are_those_of_the_optimum(unfiltered, real_data, kind, setting):
    run = unfiltered(kind, setting)

    assert_at_the_optimum(run / "hits.tsv", real_data / "optimum" / f"{setting}.tsv")


def test_hits_from_bigwig_are_those_of_their_own_optimum(stores, real_data, tmp_path):
    """A bigWig averages where regions overlap, so its optimum is another."""
    run = call(stores["bw"], real_data, tmp_path / "run", "-f")

    assert_at_the_optimum(run / "hits.tsv", real_data / "optimum" / "bw.tsv")


def test_dense_solver_with_finemos_rule_reproduces_finemos_hits(real_data, tmp_path):
    """Of every seventh region of the larger set: the dense solver takes its time."""
    peaks = (real_data / "peaks.narrowPeak").read_text().splitlines(keepends=True)
    kept = np.arange(0, len(peaks), 7 if len(peaks) > 100 else 1)
    (tmp_path / "peaks.narrowPeak").write_text("".join(peaks[i] for i in kept))
    for name in ("ohe", "attr"):
        np.save(tmp_path / f"{name}.npy", np.load(real_data / f"{name}.npz")["arr_0"][kept])
    finemo_dist(
        "extract-regions-modisco-fmt", "-s", tmp_path / "ohe.npy", "-a", tmp_path / "attr.npy",
        "-p", tmp_path / "peaks.narrowPeak", "-o", tmp_path / "s.zarr",
    )  # fmt: skip

    run = call(tmp_path / "s.zarr", real_data, tmp_path / "run", "--solver", "dense")

    ours = {(int(kept[peak]), *rest): v for (peak, *rest), v in hit_keys(run / "hits.tsv").items()}
    theirs = hit_keys(real_data / "finemo-0.41/default/hits.tsv")
    theirs = {key: v for key, v in theirs.items() if key[0] in kept}
    assert len({peak for peak, *_ in theirs}) >= 20
    assert jaccard(ours, theirs) >= 0.995


@pytest.fixture(scope="module")
def pair(stores, real_data, tmp_path_factory):
    """Our run directory, and finemo's."""
    run = call(stores["modisco-fmt"], real_data, tmp_path_factory.mktemp("out") / "run")
    return run, real_data / "finemo-0.41" / "tol1e-6"


class TestFilesAgainstFinemo:
    """Columns, order, coordinates and scores of the files that finemo writes at 1e-6."""

    @pytest.mark.parametrize("name", ["hits.tsv", "hits_unique.tsv", "motif_data.tsv"])
    def test_columns_are_finemos(self, pair, name):
        ours, theirs = ((path / name).read_text().splitlines()[0] for path in pair)

        assert ours == theirs

    def test_peaks_qc_has_finemos_columns_and_converged(self, pair):
        ours, theirs = (read_tsv(path / "peaks_qc.tsv") for path in pair)

        assert list(ours[0]) == [*theirs[0], "converged"]
        assert [r["peak_id"] for r in ours] == [r["peak_id"] for r in theirs]
        for column in ("chr", "peak_region_start", "peak_name"):
            assert [r[column] for r in ours] == [r[column] for r in theirs]
        scales = [[float(r["global_scale"]) for r in rows] for rows in (ours, theirs)]
        np.testing.assert_allclose(*scales, rtol=1e-6)

    def test_scores_of_shared_hits_are_finemos(self, pair):
        def by_key(path):
            return {
                (r["peak_id"], r["motif_name"], r["strand"], r["start_untrimmed"]): r
                for r in read_tsv(path / "hits.tsv")
            }

        ours, theirs = map(by_key, pair)
        shared = sorted(ours.keys() & theirs.keys())
        assert len(shared) >= 0.999 * len(theirs)
        for column in ("chr", "start", "end", "end_untrimmed", "peak_name"):
            assert [ours[k][column] for k in shared] == [theirs[k][column] for k in shared]
        for column in ("hit_similarity", "hit_correlation", "hit_importance", "hit_importance_sq"):
            a, b = ([float(t[k][column]) for k in shared] for t in (ours, theirs))
            # finemo sums in float32.
            np.testing.assert_allclose(a, b, rtol=2e-5)
        ratio = [
            float(ours[k]["hit_coefficient_global"]) / float(ours[k]["hit_coefficient"])
            / (float(theirs[k]["hit_coefficient_global"]) / float(theirs[k]["hit_coefficient"]))
            for k in shared
        ]  # fmt: skip
        np.testing.assert_allclose(ratio, 1, rtol=1e-5)

    def test_hits_are_in_order_of_chromosome_and_start(self, pair):
        ours, theirs = (
            [(r["chr"], int(r["start"])) for r in read_tsv(p / "hits.tsv")] for p in pair
        )
        order = list(dict.fromkeys(chrom for chrom, _ in theirs))

        assert ours == sorted(ours, key=lambda at: (order.index(at[0]), at[1]))

    def test_motif_data_and_cwms_are_finemos(self, pair):
        ours, theirs = pair
        same = ("motif_id", "motif_name", "motif_name_orig", "strand", "motif_start", "motif_end")
        for a, b in zip(
            read_tsv(ours / "motif_data.tsv"), read_tsv(theirs / "motif_data.tsv"), strict=True
        ):
            assert [a[c] for c in same] == [b[c] for c in same]
            assert float(a["motif_scale"]) == float(b["motif_scale"])
            assert float(a["lambda"]) == float(b["lambda"])
        np.testing.assert_array_equal(
            np.load(ours / "motif_cwms.npy"), np.load(theirs / "motif_cwms.npy")
        )

    def test_bed_has_the_unique_hits_with_a_score_by_rank(self, pair):
        ours, _ = pair
        rows = [line.split("\t") for line in (ours / "hits.bed").read_text().splitlines()]
        unique = read_tsv(ours / "hits_unique.tsv")

        assert [r[:4] for r in rows] == [
            [u["chr"], u["start"], u["end"], u["motif_name"]] for u in unique
        ]
        found = [int(r[4]) for r in rows]
        own = [
            math.sqrt(float(u["hit_coefficient"]) * float(u["hit_coefficient_global"]))
            for u in unique
        ]
        shares = [1000 * sum(other <= score for other in own) / len(own) for score in own]
        # The table has fewer digits than the run: a tie or two may be told apart there.
        assert max(abs(a - b) for a, b in zip(found, shares, strict=True)) <= 1000 / len(own) + 1
        assert max(found) == 1000
