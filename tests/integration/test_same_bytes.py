"""The same hits however the work is cut and whoever does it."""

from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (the compression of the reference data)
import numpy as np
import pytest

from tests.command import extract_words, finemo_dist, hit_keys

pytestmark = pytest.mark.slow


SHARD_SIZES = (8, 8192)


@pytest.fixture(scope="module")
def stores(real_data, tmp_path_factory):
    """The same regions in several shards and in one: every fourth of the larger set."""
    folder = tmp_path_factory.mktemp("stores")
    peaks = (real_data / "peaks.narrowPeak").read_text().splitlines(keepends=True)
    kept = slice(None, None, 4 if len(peaks) > 100 else 1)
    (folder / "peaks.narrowPeak").write_text("".join(peaks[kept]))
    with (
        h5py.File(real_data / "chrombpnet_contribs.h5") as whole,
        h5py.File(folder / "chrombpnet_contribs.h5", "w") as part,
    ):
        for name in ("raw/seq", "shap/seq"):
            part[name] = whole[name][:][kept]
    paths = {size: folder / f"{size}.zarr" for size in SHARD_SIZES}
    for size, path in paths.items():
        words = extract_words("chrombpnet-h5", folder)
        finemo_dist(*words, "-o", path, "--shard-size", size)
    return paths


@pytest.fixture(scope="module")
def reference(stores, real_data, tmp_path_factory):
    return call(stores[SHARD_SIZES[0]], real_data, tmp_path_factory.mktemp("reference") / "run")


def call(store: Path, data: Path, out: Path, *words: object) -> Path:
    finemo_dist(
        "call-hits", "-r", store, "-m", data / "modisco_results.h5", "-o", out,
        "--sample", "yeast", *words,
    )  # fmt: skip
    return out


def parts(run: Path) -> dict[str, bytes]:
    paths = sorted(run.glob("*/sample=*/part-*.parquet"))
    return {str(path.relative_to(run)): path.read_bytes() for path in paths}


def assert_same_hits(run: Path, reference: Path) -> None:
    ours, theirs = hit_keys(run / "hits.tsv"), hit_keys(reference / "hits.tsv")

    assert ours.keys() == theirs.keys()
    np.testing.assert_allclose([ours[k] for k in theirs], list(theirs.values()), rtol=1e-5, atol=0)


@pytest.mark.parametrize("batch", [1, 7])
def test_hits_do_not_depend_on_the_batch_size(stores, real_data, reference, tmp_path, batch):
    run = call(stores[SHARD_SIZES[0]], real_data, tmp_path / "run", "-b", batch)

    assert_same_hits(run, reference)
    assert parts(run) == parts(reference)


def test_hits_do_not_depend_on_the_shard_size(stores, real_data, reference, tmp_path):
    assert_same_hits(call(stores[SHARD_SIZES[1]], real_data, tmp_path / "run"), reference)


def test_processes_write_the_same_bytes(stores, real_data, reference, tmp_path):
    words = ("--executor", "processes", "--workers", 2)
    call(stores[SHARD_SIZES[0]], real_data, tmp_path / "run", *words)

    assert parts(tmp_path / "run") == parts(reference)
    assert (tmp_path / "run/hits.tsv").read_bytes() == (reference / "hits.tsv").read_bytes()


@pytest.mark.ray
@pytest.mark.parametrize("n_workers", [1, 2])
def test_ray_workers_write_the_same_bytes(
    stores, real_data, reference, ray_address, tmp_path, n_workers
):
    words = ("--executor", "ray", "--workers", n_workers, "--address", ray_address)
    call(stores[SHARD_SIZES[0]], real_data, tmp_path / "run", *words)

    assert parts(tmp_path / "run") == parts(reference)
    assert (tmp_path / "run/hits.tsv").read_bytes() == (reference / "hits.tsv").read_bytes()
