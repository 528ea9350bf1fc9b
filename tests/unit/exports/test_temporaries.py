"""What a writer that is killed leaves has a name by which others know it and remove it."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

import finemo_dist
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.exports.finemo_files import write_finemo_files
from finemo_dist.storage.temporary import SUFFIX, is_left_behind
from tests.unit.exports.builder import SAMPLES, small_run

FORMATS = {
    "tsv": "hits.tsv", "bed": "hits.bed.gz", "tabix": "hits.bed.gz", "bigbed": "hits.bb",
    "bigwig": "hits.bw", "parquet": "hits.parquet", "mtx": "matrix", "h5ad": "hits.h5ad",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_run(tmp_path_factory.mktemp("run"))


@contextmanager
def nothing_removed():
    """As if whoever writes were killed before it could tidy up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        yield


def hidden(folder):
    """Names of what is left, but of what lies within something left."""
    return {
        path.name
        for path in folder.rglob("*")
        if path.name.startswith(".")
        and not any(above.name.endswith(SUFFIX) for above in path.relative_to(folder).parents)
    }


def assert_known(names):
    # Their process, this one, lives.
    assert all(name.endswith(SUFFIX) and is_left_behind(name) is False for name in names), names


@pytest.mark.parametrize("form", FORMATS)
def test_of_an_export(run, tmp_path, form):
    # A sample may have a name that begins with a dot.
    whole, cut = (tmp_path / name for name in ("whole", "cut"))
    finemo_dist.export(run, form, whole / FORMATS[form])
    with nothing_removed():
        finemo_dist.export(run, form, cut / FORMATS[form])

    left = hidden(cut) - hidden(whole)
    assert_known(left)
    if form in ("bed", "tabix", "bigbed"):
        assert left


def test_of_the_files_of_a_sample(run, tmp_path):
    with open_catalog(run) as catalog, nothing_removed():
        write_finemo_files(catalog, SAMPLES[0], tmp_path / "out")

    left = hidden(tmp_path)
    assert_known(left)
    assert any(".hits.bed.piece" in name for name in left)
