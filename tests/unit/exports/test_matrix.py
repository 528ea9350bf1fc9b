"""The matrix of regions and motifs, read by anndata and by scipy."""

import csv
import json
from collections import Counter

import anndata
import numpy as np
import pytest
import scipy.io

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.records import MotifAnnotation, Unit
from finemo_dist.exports import matrix
from finemo_dist.exports.h5ad import export_h5ad
from finemo_dist.exports.market import export_market
from finemo_dist.exports.tables import HitTable
from finemo_dist.hits.annotation import write_annotation
from finemo_dist.hits.layout import part_path
from tests.unit.exports.builder import NASTY, SAMPLES, small_run


@pytest.fixture(scope="module", params=[True, False], ids=["placed", "unplaced"])
def run(tmp_path_factory, request):
    return small_run(tmp_path_factory.mktemp("run"), has_coordinates=request.param)


@pytest.fixture(scope="module")
def h5ad(catalog, tmp_path_factory):
    path = tmp_path_factory.mktemp("h5ad") / "x.h5ad"
    export_h5ad(catalog, path, catalog.samples)
    return path


def sums(catalog, table="hits"):
    """Three dictionaries of (sample, peak_id, motif): hits, coefficients, importances."""
    n, coefficient, importance = Counter(), Counter(), Counter()
    query = f"""SELECT sample, peak_id, motif_name, hit_coefficient_global, hit_importance
                FROM {table}"""
    for sample, peak_id, motif, c, i in catalog.rows(query):
        n[sample, peak_id, motif] += 1
        coefficient[sample, peak_id, motif] += c
        importance[sample, peak_id, motif] += i
    return n, coefficient, importance


def cells(values, rows, columns):
    """The cells of a sparse matrix that are not zero, by (sample, peak_id, motif)."""
    values = values.tocoo()
    return {
        (*rows[i], columns[j]): value
        for i, j, value in zip(values.row, values.col, values.data, strict=True)
    }


@pytest.mark.parametrize("batch_rows", [100_000, 3])
def test_an_h5ad_has_every_region_and_the_sums_of_its_hits(
    catalog, tmp_path, monkeypatch, batch_rows
):
    monkeypatch.setattr("finemo_dist.catalog.catalog._BATCH_ROWS", batch_rows)
    export_h5ad(catalog, tmp_path / "x.h5ad", catalog.samples)
    expected = sums(catalog)
    peaks = catalog.rows("SELECT sample, peak_id, chr, start, name FROM peaks")

    data = anndata.read_h5ad(tmp_path / "x.h5ad")
    rows = list(zip(data.obs["sample"], data.obs["peak_id"], strict=True))
    assert rows == [(sample, peak_id) for sample in SAMPLES for peak_id in range(8)]
    assert list(data.var_names) == list(NASTY)
    assert cells(data.X, rows, data.var_names) == expected[0]
    for name, summed in zip(("coefficient", "importance"), expected[1:], strict=True):
        assert cells(data.layers[name], rows, data.var_names) == pytest.approx(summed, rel=1e-6)
    places = zip(
        *(data.obs[c] for c in ("sample", "peak_id", "chr", "start", "peak_name")), strict=True
    )
    assert sorted(places) == sorted((s, p, c or "", a, n or ".") for s, p, c, a, n in peaks)
    assert data.obs_names.is_unique
    assert (data.obs["end"] - data.obs["start"] == 100).all()


def test_an_h5ad_is_ready_for_work(catalog, h5ad):
    """Sorted indices, numbers as scanpy wants them, and what it was made with."""
    digest = catalog.record.config_digest

    data = anndata.read_h5ad(h5ad)
    assert data.X.format == "csr"
    assert data.X.dtype == np.float32
    assert data.X.has_sorted_indices
    assert data.uns["finemo_dist"]["config_digest"] == digest
    json.loads(data.uns["finemo_dist"]["config"])
    # SciPy takes no array whose two kinds of index differ in type.
    assert data.X.indices.dtype == data.X.indptr.dtype
    assert data.X[(data.obs["sample"] == SAMPLES[0]).to_numpy()].shape == (8, 3)


@pytest.mark.parametrize("export", [export_h5ad, export_market])
def test_a_matrix_is_the_same_bytes_each_time(on_threads, tmp_path, export):
    for name, catalog in zip("ab", on_threads, strict=True):
        export(catalog, tmp_path / name, catalog.samples)

    a, b = (
        {p.name if p.parent != tmp_path else "": p.read_bytes() for p in files_of(tmp_path / name)}
        for name in "ab"
    )
    assert a == b


def files_of(path):
    return sorted(path.iterdir()) if path.is_dir() else [path]


def test_matrix_market_has_the_same_cells_and_its_two_tables(catalog, tmp_path):
    export_market(catalog, tmp_path / "out", catalog.samples)
    expected = sums(catalog)

    with (tmp_path / "out/regions.tsv").open(newline="") as handle:
        regions = list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
    with (tmp_path / "out/motifs.tsv").open(newline="") as handle:
        motifs = list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(regions) == 16
    assert len(motifs) == 3
    assert not {None} & {key for row in (*regions, *motifs) for key in row}
    rows = [(SAMPLES[i // 8], int(r["peak_id"])) for i, r in enumerate(regions)]
    for name, summed in zip(matrix.VALUES, expected, strict=True):
        found = scipy.io.mmread(tmp_path / "out" / f"{name}.mtx")
        assert found.shape == (16, 3)
        assert cells(found, rows, NASTY) == pytest.approx(summed, rel=1e-6)


def test_the_unique_table_counts_a_place_once(tmp_path):
    run = small_run(tmp_path / "run")
    with open_catalog(run) as catalog:
        export_h5ad(catalog, tmp_path / "x.h5ad", SAMPLES[:1], table=HitTable.UNIQUE)
        (n,) = catalog.rows(f"SELECT count(*) FROM hits_unique WHERE sample = '{SAMPLES[0]}'")[0]

    data = anndata.read_h5ad(tmp_path / "x.h5ad")
    assert data.shape == (8, 3)
    assert data.X.sum() == n


def test_an_annotation_goes_with_the_motifs(tmp_path):
    run = small_run(tmp_path / "run")
    write_annotation(run, [MotifAnnotation(NASTY[0], tf="CTCF", cluster="7")])
    with open_catalog(run) as catalog:
        export_h5ad(catalog, tmp_path / "x.h5ad", catalog.samples)
        export_market(catalog, tmp_path / "out", catalog.samples)

    data = anndata.read_h5ad(tmp_path / "x.h5ad")
    assert list(data.var["tf"]) == ["CTCF", "", ""]
    assert list(data.var["cluster"]) == ["7", "", ""]
    assert "family" not in data.var
    assert "CTCF\tNA\t7" in (tmp_path / "out/motifs.tsv").read_text()


@pytest.mark.parametrize("export", [export_h5ad, export_market])
def test_a_damaged_part_leaves_nothing(tmp_path, export):
    run = small_run(tmp_path / "run")
    path = part_path(run, "hits", Unit(SAMPLES[0], 1))
    content = bytearray(path.read_bytes())
    n_footer = int.from_bytes(content[-8:-4], "little") + 8
    content[4:-n_footer] = bytes(len(content) - 4 - n_footer)
    (tmp_path / "out").mkdir()

    with open_catalog(run) as catalog:
        # After opening, which would refuse it.
        path.write_bytes(content)
        with pytest.raises(RunError):
            export(catalog, tmp_path / "out" / "x", catalog.samples)

    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_stands_is_not_written_over(catalog, tmp_path):
    with pytest.raises(UsageError, match="exists"):
        export_market(catalog, tmp_path, catalog.samples)

    assert list(tmp_path.iterdir()) == []
