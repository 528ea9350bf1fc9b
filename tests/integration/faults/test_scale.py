"""Contributions of any magnitude, and what is no number."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.store.read import open_store
from tests.command import finemo_dist, hit_keys
from tests.integration.faults.inputs import KINDS, write_scores
from tests.integration.faults.outcomes import lines_with, warnings_of

SCALES = [1e-8, 1.0, 1e6]
HYPOTHETICAL = [*KINDS[1:], "npz", "finemo-npz"]
CASES = [("bw", "pp"), ("bw", "hp"), *((kind, m) for kind in HYPOTHETICAL for m in ("pp", "hh"))]


def write_regions(inputs, kind: str, folder: Path, scale: float) -> Path:
    """Return the regions of the sample, its contributions scaled, in one form a user has."""

    def scaled(scores):
        return scores * np.float32(scale)

    if kind == "finemo-npz":
        arrays = inputs.finemo_arrays()
        arrays["contributions"] = scaled(inputs.hypothetical)
        np.savez(folder / "regions.npz", **arrays)
        return folder / "regions.npz"
    file = write_scores(inputs, "modisco-fmt" if kind == "npz" else kind, folder / "scores", scaled)
    if kind == "npz":
        np.savez_compressed(folder / "scores.npz", np.load(file))
        kind, file = "modisco-fmt", folder / "scores.npz"
    finemo_dist(*inputs.extract(kind, scores=file), "-o", folder / "s.zarr")
    return folder / "s.zarr"


@pytest.fixture(scope="module")
def regions_of(inputs, tmp_path_factory):
    """Return a function that gives the regions of a kind and scale, made once for both modes."""
    return cache(
        lambda kind, scale: write_regions(inputs, kind, tmp_path_factory.mktemp(kind), scale)
    )


@pytest.fixture(scope="module")
def keys_of(inputs, tmp_path_factory):
    """Return a function that calls hits in regions of every scale, once for each content and mode.

    The regions of each scale are a sample of one run.
    """
    found = {}

    def keys(regions: list[Path], mode: str) -> list[dict]:
        # Whatever a reader does to a sequence or a contribution is in the digest of a store.
        content = tuple(open_store(r).digest if r.is_dir() else r for r in regions)
        if (content, mode) not in found:
            folder = tmp_path_factory.mktemp("run")
            samples = [{"name": f"s{i}", "regions": str(r)} for i, r in enumerate(regions)]
            config = {"output": "run", "modisco_h5": str(inputs.modisco_h5), "samples": samples,
                      "solver": {"mode": mode}, "resources": {"executor": "serial"},
                      "outputs": "none"}  # fmt: skip
            (folder / "run.yaml").write_text(json.dumps(config))
            finemo_dist("run", folder / "run.yaml")
            with open_catalog(folder / "run") as catalog:
                hits = catalog.rows(
                    "SELECT sample, peak_id, motif_name, strand, start_untrimmed, hit_coefficient "
                    "FROM hits"
                )
            found[content, mode] = [
                {tuple(key): value for sample, *key, value in hits if sample == own["name"]}
                for own in samples
            ]
        return found[content, mode]

    return keys


@pytest.mark.parametrize(("kind", "mode"), CASES, ids=[f"{kind}-{mode}" for kind, mode in CASES])
def test_S9_S10_contributions_of_any_scale_give_the_same_hits(regions_of, keys_of, kind, mode):
    regions = [regions_of(kind, scale) for scale in SCALES]
    found = dict(zip(SCALES, keys_of(regions, mode), strict=True))

    assert len(found[1.0]) > 20
    for scale in SCALES:
        assert found[scale].keys() == found[1.0].keys()
        for key, coefficient in found[1.0].items():
            assert found[scale][key] == pytest.approx(coefficient, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_S9_finemos_file_is_refused_where_its_float16_holds_too_little(
    refused, inputs, tmp_path, kind
):
    scores = write_scores(inputs, kind, tmp_path / "small", lambda s: s * np.float32(1e-8))

    refused(
        *inputs.extract(kind, scores=scores), "-o", tmp_path / "regions.npz",
        says=(tmp_path / "regions.npz", "whose largest is", "6.1e-05", "region store"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_S10_finemos_file_is_refused_where_its_float16_overflows(refused, inputs, tmp_path, kind):
    scores = write_scores(inputs, kind, tmp_path / "large", lambda s: s * np.float32(1e6))

    refused(
        *inputs.extract(kind, scores=scores), "-o", tmp_path / "regions.npz",
        says=(tmp_path / "regions.npz", "largest number is 65,504", "region store"),
    )  # fmt: skip


def test_S9_regions_that_finemos_file_holds_coarsely_are_counted(works, inputs, tmp_path):
    def shrunk(scores):
        scores[:2] *= np.float32(1e-6)
        return scores

    scores = write_scores(inputs, "modisco-fmt", tmp_path / "mixed", shrunk)

    said = works(*inputs.extract("modisco-fmt", scores=scores), "-o", tmp_path / "r.npz")
    fine = works(*inputs.extract("modisco-fmt"), "-o", tmp_path / "fine.npz")

    assert len(lines_with(said, "2 regions have only contributions below")) == 1
    assert not lines_with(fine, "contributions below")


@pytest.mark.parametrize("kind", KINDS[1:])
def test_S11_NaN_is_zero_and_counted(works, inputs, tmp_path, kind):
    def spoiled(scores):
        scores[3, :, 500:510] = np.nan
        scores[7, 2, 5] = np.nan
        return scores

    scores = write_scores(inputs, kind, tmp_path / "nan", spoiled)

    said = works(*inputs.extract(kind, scores=scores), "-o", tmp_path / "s")
    works("call-hits", "-r", tmp_path / "s", "-m", inputs.modisco_h5, "-o", tmp_path / "run")

    batch = open_store(tmp_path / "s").read(0, 12)
    assert not batch.contributions[3, :, 500:510].any()
    assert batch.contributions[3, :, 510:].any()
    assert len(lines_with(said, "2 regions have NaN contributions, read as zero")) == 1
    assert warnings_of(tmp_path / "run")["nan"] == 2
    assert 3 in {key[0] for key in hit_keys(tmp_path / "run/hits.tsv")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_S11_infinity_is_refused(refused, inputs, tmp_path, kind, value):
    chrom, start = inputs.starts[3]

    def spoiled(scores):
        if scores.ndim == 1:
            if len(scores) == inputs.chrom_lengths[chrom]:
                scores[start + 20] = value
        else:
            scores[3, 0, 20] = value
        return scores

    scores = write_scores(inputs, kind, tmp_path / "inf", spoiled)

    refused(
        *inputs.extract(kind, scores=scores), "-o", tmp_path / "s",
        says=(scores, "infinite contribution", "Expected finite"),
    )  # fmt: skip


def test_S11_infinity_in_a_regions_file_is_refused(refused, inputs, tmp_path):
    arrays = inputs.finemo_arrays()
    arrays["contributions"][5, 1, 700] = np.inf
    np.savez(tmp_path / "regions.npz", **arrays)

    refused(
        "call-hits", "-r", tmp_path / "regions.npz", "-m", inputs.modisco_h5,
        "-o", tmp_path / "run",
        says=(tmp_path / "regions.npz", "region 5", "infinite contribution"),
    )  # fmt: skip
