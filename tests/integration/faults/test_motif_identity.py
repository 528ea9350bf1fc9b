"""A motif is its CWM and its name, whatever the settings of the samples that it is called in."""

import itertools

import anndata
import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.named import rows_of
from finemo_dist.core.records import ScoreKind
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.testing.regions import SimulationSettings
from finemo_dist.testing.source import SimulatedSource
from tests.command import finemo_dist, read_tsv
from tests.unit.run.runs import parts

pytestmark = pytest.mark.slow

SAMPLES = tuple(f"s{i}" for i in range(10))
N_MOTIFS = 12
LAMBDAS = ("0.5", "0.55", "0.6", "0.65", "0.7", "0.75")
SHEET = ("name", "regions", "motifs.penalty", "motifs.trim_threshold", "solver.mode")


def settings_of(number):
    """Six lambdas over ten samples, and some with trims or a mode of their own."""
    trim = {3: "0.5", 7: "0.1"}.get(number, "")
    mode = {4: "hh", 8: "ph"}.get(number, "")
    return LAMBDAS[number % len(LAMBDAS)], trim, mode


def write_samples(folder, samples, seed):
    """Regions of one place for every sample, and the motifs that are in them."""
    motifs = random_motifs(np.random.default_rng(seed), N_MOTIFS, width=20, n_negative=2)
    write_modisco_h5(folder / "motifs.h5", motifs)
    for name in samples:
        source = SimulatedSource(
            motifs,
            16,
            seed=seed,
            settings=SimulationSettings(width=120),
            score_kind=ScoreKind.HYPOTHETICAL,
        )
        encode(source, folder / f"{name}.zarr", shard_regions=8, overwrite=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atlas")
    write_samples(folder, SAMPLES, seed=1)
    lines = ["\t".join(SHEET)]
    lines += [
        "\t".join((name, str(folder / f"{name}.zarr"), *settings_of(i)))
        for i, name in enumerate(SAMPLES)
    ]
    (folder / "sheet.tsv").write_text("\n".join(lines))
    (folder / "config.yaml").write_text(
        f"output: {folder / 'run'}\nmodisco_h5: {folder / 'motifs.h5'}\n"
        "sample_sheet: sheet.tsv\nresources: {executor: serial}\noutputs: none\n"
    )
    finemo_dist("run", folder / "config.yaml")
    return folder


def rows(run, query):
    with open_catalog(run) as catalog:
        return catalog.rows(query)


def test_S36_an_atlas_of_six_lambdas_has_each_motif_once(folder):
    with open_catalog(folder / "run") as catalog:
        names = catalog.rows("SELECT DISTINCT motif_name FROM motifs")
        n_motifs = catalog.rows("SELECT count(*) FROM motifs")
        counts = catalog.rows("SELECT count(DISTINCT sample), count(*) FROM motif_counts")

    assert len(names) == N_MOTIFS
    assert n_motifs == [(2 * N_MOTIFS,)]
    assert not any(":" in name for (name,) in names)
    assert counts == [(len(SAMPLES), len(SAMPLES) * N_MOTIFS)]


def test_S36_settings_are_columns_of_samples(folder):
    found = rows(
        folder / "run",
        'SELECT "lambda", trim_threshold, mode FROM samples ORDER BY sample',
    )
    own = [settings_of(i) for i in range(len(SAMPLES))]
    expected = [(float(a), float(b or 0.3), c or "pp") for a, b, c in own]
    of_motifs = rows(
        folder / "run", 'SELECT sample, min("lambda"), max("lambda") FROM sample_motifs GROUP BY 1'
    )

    assert found == expected
    assert sorted(of_motifs) == [(f"s{i}", x[0], x[0]) for i, x in enumerate(expected)]


def test_S36_every_pair_of_samples_shares_sites(folder):
    with open_catalog(folder / "run") as catalog:
        pairs = rows_of(catalog, "shared_sites")
        found = catalog.rows(
            "SELECT sample, chr, motif_name, strand, CASE strand WHEN '+' THEN start_untrimmed"
            " ELSE end_untrimmed END FROM hits"
        )
    places = {name: {tuple(site) for sample, *site in found if sample == name} for name in SAMPLES}

    assert len(pairs) == 45
    assert {(p["sample_1"], p["sample_2"]) for p in pairs} == set(
        itertools.combinations(SAMPLES, 2)
    )
    for pair in pairs:
        one, two = places[pair["sample_1"]], places[pair["sample_2"]]
        assert pair["n_both"] == len(one & two)
        assert (pair["n_first"], pair["n_second"]) == (len(one - two), len(two - one))
    assert sum(pair["n_both"] for pair in pairs) > 100


def test_S36_the_map_of_the_atlas_has_one_row_for_each_motif(folder, tmp_path):
    finemo_dist("report", "-H", folder / "run", "-o", tmp_path / "report")
    finemo_dist("export", folder / "run", "--to", "h5ad", "-o", tmp_path / "x.h5ad")

    matrix = anndata.read_h5ad(tmp_path / "x.h5ad")
    assert len(read_tsv(tmp_path / "report/motif_report.tsv")) == N_MOTIFS
    assert matrix.shape[1] == N_MOTIFS
    expected = rows(folder / "run", "SELECT sample, motif_name, n_hits FROM motif_counts")
    of_sample = {
        s: np.asarray(matrix.X[np.flatnonzero(matrix.obs["sample"] == s)].sum(axis=0)).ravel()
        for s in SAMPLES
    }
    at = {name: i for i, name in enumerate(matrix.var_names)}
    assert {(s, m, int(of_sample[s][at[m]])) for s, m, _ in expected} == set(expected)


def test_S36_hits_of_runs_are_intersected_by_motif_across_settings(folder, tmp_path):
    finemo_dist("intersect-hits", "-i", folder / "run", "-o", tmp_path / "all.tsv", "-r")

    shared = {row["motif_name"] for row in read_tsv(tmp_path / "all.tsv")}
    assert not any(":" in name for name in shared)


def test_S36_parts_keep_the_motifs_of_their_sample_and_their_bytes(folder, tmp_path):
    finemo_dist(
        "call-hits", "-r", folder / "s4.zarr", "-m", folder / "motifs.h5", "-M", "hh",
        "-l", "0.7", "-o", tmp_path / "alone",
    )  # fmt: skip

    alone = parts(tmp_path / "alone")
    assert alone
    assert alone.items() <= parts(folder / "run").items()


def test_S36_motifs_of_other_CWMs_keep_the_name_of_their_set(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write_samples(other, ("t",), seed=5)
    (tmp_path / "sheet.tsv").write_text(
        "name\tregions\tmodisco_h5\tmotifs.penalty\n"
        f"s0\t{folder / 's0.zarr'}\t{folder / 'motifs.h5'}\t0.7\n"
        f"s1\t{folder / 's1.zarr'}\t{folder / 'motifs.h5'}\t0.6\n"
        f"t\t{other / 't.zarr'}\t{other / 'motifs.h5'}\t0.6\n"
    )
    (tmp_path / "config.yaml").write_text(
        f"output: {tmp_path / 'run'}\nsample_sheet: sheet.tsv\nresources: {{executor: serial}}\n"
    )

    finemo_dist("run", tmp_path / "config.yaml")

    with open_catalog(tmp_path / "run") as catalog:
        pairs = rows_of(catalog, "shared_sites")
    found = rows(tmp_path / "run", "SELECT DISTINCT split(motif_name, ':')[1] FROM motifs")
    assert sorted(found) == [("set-00000",), ("set-00002",)]
    assert rows(tmp_path / "run", "SELECT count(*) FROM motifs") == [(4 * N_MOTIFS,)]
    assert [(pair["sample_1"], pair["sample_2"]) for pair in pairs] == [("s0", "s1")]
