"""q of hits: calibrated, the same bytes for one seed, beside hits that stay as they are."""

import logging
import shutil

import anndata
import numpy as np
import pyarrow.parquet as pq
import pybigtools
import pytest

import finemo_dist
import finemo_dist.workflow.confidence as work
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.config import ResourceConfig
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.exports.bigbed import auto_sql
from finemo_dist.hits.confidence import confidence_directory
from finemo_dist.run import resources
from finemo_dist.sources.bigwig import BigWigSource
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.scenarios import make_scenario
from finemo_dist.workflow.confidence import confidence
from tests.benchmarks.confidence import with_foreign
from tests.calibration import SERIAL, judged
from tests.command import finemo_dist as command

N_REGIONS = 150


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A store of some shards, and motifs."""
    folder = tmp_path_factory.mktemp("inputs")
    scenario = make_scenario("noisy", seed=5, n_regions=N_REGIONS)
    encode(scenario.source, folder / "s.zarr", shard_regions=64)
    write_modisco_h5(folder / "motifs.h5", scenario.called)
    return folder


@pytest.fixture(scope="module")
def called(inputs, tmp_path_factory):
    """A run without confidence; not to be changed."""
    run = tmp_path_factory.mktemp("called") / "run"
    finemo_dist.call_hits(inputs / "s.zarr", inputs / "motifs.h5", run, resources=SERIAL)
    return run


@pytest.fixture(scope="module")
def run(called, tmp_path_factory):
    """A run with confidence; not to be changed."""
    run = shutil.copytree(called, tmp_path_factory.mktemp("run") / "run")
    confidence(run, resources=SERIAL)
    return run


@pytest.fixture
def other(called, tmp_path):
    """A run without confidence, of the same hits."""
    return shutil.copytree(called, tmp_path / "run")


def tables(run):
    """Bytes of the tables and of the parts of decoys."""
    folder = confidence_directory(run)
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".parquet", ".npy"} or path.name == "confidence.json"
    }


def files(run):
    """Bytes of all that is not confidence."""
    return {
        path.relative_to(run): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.relative_to(run).parts[0] != "confidence"
    }


@pytest.mark.parametrize("name", ["default", "absent"])
def test_q_is_calibrated_in_a_small_simulation(name, tmp_path):
    hits = judged(name, tmp_path, seed=11, n_regions=200)

    for kind in ("pooled", "motif"):
        n_kept, n_false = hits.counts(kind, 0.1)
        assert n_kept > 450
        # The study has up to 0.096; with this many hits half as much again may be chance.
        assert n_false / n_kept <= 0.15
    assert np.nanmax(hits.q) > np.nanmin(hits.q) > 0


@pytest.mark.shared_data
def test_few_hits_of_foreign_motifs_are_believed(yeast_mini, shared_data, tmp_path):
    own = yeast_mini / "modisco_results.h5"
    compendium = shared_data / "jaspar2026_dl_352_clusters.h5"
    foreign = with_foreign(tmp_path / "all.h5", own, compendium, seed=1, limit=0.7)
    source = BigWigSource(
        yeast_mini / "peaks.narrowPeak", yeast_mini / "genome.fa", [yeast_mini / "contribs.bw"],
        region_width=1000,
    )  # fmt: skip
    encode(source, tmp_path / "s.zarr")

    run = tmp_path / "run"
    finemo_dist.call_hits(tmp_path / "s.zarr", tmp_path / "all.h5", run, resources=SERIAL)
    confidence(run, resources=SERIAL)

    with open_catalog(run) as catalog:
        rows = catalog.sql(
            "SELECT motif_name, decoy_q, decoy_q_pooled FROM hit_confidence"
        ).fetchall()
    assert np.mean([name in foreign for name, *_ in rows]) > 0.15
    for column in (1, 2):
        kept = [row[0] in foreign for row in rows if (row[column] or 1.0) <= 0.05]
        assert len(kept) > 300
        assert np.mean(kept) <= 0.08


def test_confidence_changes_no_other_file(called, run):
    assert files(run) == files(called)


def test_one_seed_has_the_same_bytes_however_the_work_is_divided(run, other):
    confidence(other, resources=ResourceConfig(executor="serial", batch_regions=7))

    assert tables(other) == tables(run)
    assert len(tables(run)) > 10


@pytest.mark.ray
def test_workers_of_ray_write_the_bytes_of_one(run, other, ray_address):
    confidence(
        other, resources=ResourceConfig(executor="ray", n_workers=2, ray_address=ray_address)
    )

    assert tables(other) == tables(run)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"executor": "processes"}, ("cpu", 1)),
        ({"executor": "ray", "workers_per_gpu": 2}, ("cuda", 2)),
    ],
)
def test_decoys_are_called_where_hits_would_be(other, monkeypatch, asked, expected):
    found = []

    def stop(resources, plan, spec, *_):
        found.append((spec.device, spec.workers_per_gpu))
        raise KeyboardInterrupt

    monkeypatch.setattr(resources, "count_gpus", lambda: 1)
    monkeypatch.setattr(work, "executor_that_fits", stop)

    with pytest.raises(KeyboardInterrupt):
        confidence(other, resources=ResourceConfig(**asked))

    assert found == [expected]


def test_an_interrupted_call_of_decoys_resumes(run, other):
    def stop(event):
        if type(event).__name__ == "UnitDone":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        confidence(other, resources=SERIAL, on_event=stop)
    assert not (confidence_directory(other) / "confidence.json").exists()
    done = []
    confidence(other, resources=SERIAL, on_event=done.append)

    n_done = sum(type(event).__name__ == "UnitDone" for event in done)
    assert n_done == 3 * 3 - 1
    assert tables(other) == tables(run)


def test_every_hit_has_a_q_and_q_falls_with_the_amplitude(run):
    with open_catalog(run) as catalog:
        n_hits, n_rows = catalog.rows(
            "SELECT (SELECT count(*) FROM hits), (SELECT count(*) FROM hit_confidence)"
        )[0]
        rising = catalog.rows("""
            SELECT count(*) FROM hit_confidence AS a JOIN hit_confidence AS b USING (motif_name)
            WHERE a.hit_amplitude > b.hit_amplitude AND a.decoy_q > b.decoy_q
        """)
        counted = catalog.rows("""
            SELECT motif_name, sum(n_hits)::INT FROM motif_confidence GROUP BY ALL
            EXCEPT SELECT motif_name, count(*)::INT FROM hits_unique GROUP BY ALL
        """)

    assert n_hits == n_rows > 400
    assert rising == [(0,)]
    assert [n for _, n in counted if n] == []


def test_amplitudes_are_those_of_the_solver(run):
    """c / sqrt(1 + S), S from the contributions themselves."""
    with open_catalog(run) as catalog:
        found = catalog.rows("""
            SELECT hit_amplitude, hit_coefficient, hit_importance_sq, global_scale
            FROM hit_confidence JOIN hits USING (sample, peak_id, motif_id, start_untrimmed)
            JOIN peaks_qc USING (sample, peak_id)
        """)

    for amplitude, coefficient, importance_sq, scale in found:
        assert amplitude == pytest.approx(coefficient / np.sqrt(1 + importance_sq / scale**2), 1e-5)


def test_a_largest_q_leaves_other_hits_out_of_every_view(run):
    with open_catalog(run) as catalog:
        expected = catalog.rows("SELECT count(*) FROM hit_confidence WHERE decoy_q <= 0.05")
    with open_catalog(run, largest_q=0.05) as catalog:
        found = catalog.rows("SELECT count(*) FROM hits")
        counted = catalog.rows("SELECT sum(n_hits)::BIGINT FROM motif_counts")

    assert found == counted == expected
    assert expected[0][0] > 0


def test_a_largest_q_without_confidence_is_refused(called):
    with pytest.raises(UsageError, match=r"has no q of its hits.*confidence"):
        open_catalog(called, largest_q=0.05)


def test_decoys_are_tables_of_the_catalog(run):
    with open_catalog(run) as catalog:
        n_decoys = catalog.rows("SELECT count(*), count(DISTINCT motif_name) FROM decoys")
        n_hits = catalog.rows("SELECT count(*) FROM decoy_hits")
        by_motif = catalog.rows(
            "SELECT sum(n_decoy_hits_1 + n_decoy_hits_2 + n_decoy_hits_3)::BIGINT "
            "FROM motif_confidence"
        )

    assert n_decoys == [(72, 24)]
    assert n_hits == by_motif
    assert n_hits[0][0] >= 10


def test_a_fraction_calls_decoys_in_some_regions(run, other):
    confidence(other, fraction=0.5, resources=SERIAL)

    peaks = "SELECT DISTINCT peak_id FROM decoy_hits ORDER BY ALL"
    with open_catalog(other) as half, open_catalog(run) as whole:
        assert len(half.rows(peaks)) < len(whole.rows(peaks))
        kept = "SELECT count(*) FROM hit_confidence WHERE decoy_q <= 0.1"
        assert half.rows(kept)[0][0] == pytest.approx(whole.rows(kept)[0][0], rel=0.1)


def test_q_of_another_seed_is_replaced_when_forced(other):
    confidence(other, fraction=0.2, resources=SERIAL)

    with pytest.raises(RunError, match=r"seed 0 and fraction 0\.2, and seed 1.*--force"):
        confidence(other, seed=1, fraction=0.2, resources=SERIAL)
    assert confidence(other, seed=1, fraction=0.2, force=True, resources=SERIAL).seed == 1


def test_few_hits_have_no_q_and_one_line_says_why(inputs, tmp_path, caplog):
    scenario = make_scenario("default", seed=1, n_regions=12)
    encode(scenario.source, tmp_path / "s.zarr")
    run = tmp_path / "run"
    finemo_dist.call_hits(tmp_path / "s.zarr", inputs / "motifs.h5", run, resources=SERIAL)

    found = confidence(run, resources=SERIAL)

    assert "and q needs 100 to count" in found.samples[0].refused
    assert len([r for r in caplog.records if "has no q" in r.message]) == 1
    with open_catalog(run) as catalog:
        assert catalog.rows("SELECT count(decoy_q) FROM hit_confidence") == [(0,)]
    with pytest.raises(UsageError, match="has no q, because it has"):
        open_catalog(run, largest_q=0.05)


def test_relatives_are_warned_of(tmp_path, caplog):
    scenario = make_scenario("family", seed=3, n_regions=20)
    encode(scenario.source, tmp_path / "s.zarr")
    write_modisco_h5(tmp_path / "motifs.h5", scenario.called)
    run = tmp_path / "run"
    finemo_dist.call_hits(tmp_path / "s.zarr", tmp_path / "motifs.h5", run, resources=SERIAL)

    with caplog.at_level(logging.WARNING):
        confidence(run, fraction=0.1, resources=SERIAL)

    assert "their q is of the family, not of the name" in caplog.text


def test_motifs_without_a_decoy_are_warned_of(tmp_path, caplog):
    scenario = make_scenario("default", seed=3, n_regions=20)
    flat = scenario.called.cwm[:1] * 0
    flat[0, 0, 10:16] = 1.0
    motifs = type(scenario.called)(("pos_patterns.pattern_0",), flat, flat, flat + 0.25)
    encode(scenario.source, tmp_path / "s.zarr")
    write_modisco_h5(tmp_path / "motifs.h5", motifs)
    run = tmp_path / "run"
    finemo_dist.call_hits(tmp_path / "s.zarr", tmp_path / "motifs.h5", run, resources=SERIAL)

    confidence(run, fraction=0.1, resources=SERIAL)

    assert "like a motif (cosine above 0.7) in every draw" in caplog.text


def test_an_incomplete_run_is_refused(other):
    next((other / "hits").rglob("part-00001.parquet")).unlink()

    with pytest.raises(RunError, match="has missing shards"):
        confidence(other, resources=SERIAL)


def test_other_hits_than_those_counted_have_no_q(run, tmp_path, caplog):
    other = shutil.copytree(run, tmp_path / "run")
    next((other / "hits").rglob("part-00001.parquet")).unlink()

    with open_catalog(other) as catalog:
        assert catalog.rows("SELECT count(decoy_q) FROM hit_confidence") == [(0,)]
    assert "is of other hits than the run has now" in caplog.text


@pytest.fixture(scope="module")
def hypothetical(yeast_slice, tmp_path_factory):
    """A store of hypothetical contributions, and a list of six motifs."""
    folder = tmp_path_factory.mktemp("hypothetical")
    arrays = ["-s", yeast_slice / "ohe.npz", "-a", yeast_slice / "attr.npz"]
    command("extract-regions-modisco-fmt", *arrays, "-o", folder / "s.zarr")
    names = [f"pos_patterns.pattern_{i}" for i in (0, 1, 4, 5, 6, 10)]
    (folder / "names.txt").write_text("\n".join(names))
    return folder


@pytest.mark.parametrize("mode", ["hp", "hh"])
def test_hypothetical_cwms_have_decoys_too(mode, hypothetical, yeast_slice, tmp_path):
    motifs = ["-m", yeast_slice / "modisco_results.h5", "-I", hypothetical / "names.txt"]
    store = hypothetical / "s.zarr"
    command("call-hits", "-r", store, *motifs, "-M", mode, "-o", tmp_path / "r")

    command("confidence", tmp_path / "r")

    with open_catalog(tmp_path / "r") as catalog:
        trims = catalog.rows("SELECT count(*) FROM decoys WHERE decoy_start < decoy_end")
    assert trims[0][0] == 3 * catalog.record.n_motifs // 2 == 3 * 6


def test_call_hits_and_configurations_find_q_as_well(inputs, run, tmp_path):
    words = ["-r", inputs / "s.zarr", "-m", inputs / "motifs.h5", "--executor", "serial"]
    command("call-hits", *words, "-o", tmp_path / "called", "--confidence")
    (tmp_path / "config.yaml").write_text(
        f"output: configured\nmodisco_h5: {inputs / 'motifs.h5'}\nconfidence: true\n"
        "outputs: none\n"
        f"samples: [{{name: s, regions: {inputs / 's.zarr'}}}]\nresources: {{executor: serial}}\n"
    )
    command("run", tmp_path / "config.yaml")

    assert tables(tmp_path / "called") == tables(run)
    assert tables(tmp_path / "configured") == tables(run)


def test_exports_have_q_and_leave_hits_out(run, tmp_path):
    def believed(text):
        header, *lines = (line.split("\t") for line in text.splitlines())
        return header, [dict(zip(header, line, strict=True)) for line in lines]

    columns = "hit_score,decoy_q,decoy_q_pooled"
    command("export", run, "--to", "tsv", "--columns", columns, "-o", tmp_path / "all.tsv")
    command("export", run, "--to", "tsv", "--max-q", "0.05", "-o", tmp_path / "some.tsv")
    command("export", run, "--to", "parquet", "--columns", columns, "-o", tmp_path / "all.parquet")
    command("query", "counts", run, "--max-q", "0.05", "--format", "tsv", "-o", tmp_path / "n.tsv")
    command("export", run, "--to", "h5ad", "-o", tmp_path / "x.h5ad")
    command("export", run, "--to", "bigbed", "-o", tmp_path / "x.bb")

    header, every = believed((tmp_path / "all.tsv").read_text())
    assert header == [*FINEMO_HIT_COLUMNS, "hit_score", "decoy_q", "decoy_q_pooled"]
    assert believed((run / "hits.tsv").read_text())[1] == [
        {name: row[name] for name in FINEMO_HIT_COLUMNS} for row in every
    ]
    kept = [row for row in every if row["decoy_q"] != "NA" and float(row["decoy_q"]) <= 0.05]
    _, some = believed((tmp_path / "some.tsv").read_text())
    assert [row["start"] for row in some] == [row["start"] for row in kept]
    assert 0 < len(some) < len(every)
    stored = pq.read_table(tmp_path / "all.parquet")
    assert stored.column_names[-2:] == ["decoy_q", "decoy_q_pooled"]
    for name in ("hit_score", "decoy_q", "decoy_q_pooled"):
        shown = [None if row[name] == "NA" else float(row[name]) for row in every]
        assert stored[name].to_pylist() == pytest.approx(shown)
    _, counts = believed((tmp_path / "n.tsv").read_text())
    assert sum(int(row["n_hits"]) for row in counts) == len(some)
    layer = anndata.read_h5ad(tmp_path / "x.h5ad").layers["decoy_q"]
    least = {}
    for row in every:
        key = row["peak_id"], row["motif_name"]
        least[key] = min(least.get(key, 1.0), float(row["decoy_q"]))
    assert sorted(layer.data) == pytest.approx(sorted(least.values()))
    with pybigtools.open(str(tmp_path / "x.bb")) as file:
        records = [r for chrom in file.chroms() for r in file.records(chrom)]
    lines = auto_sql(has_q=True).splitlines()[3:-1]
    names = [line.split(";")[0].split()[1] for line in lines]
    # A record has start, end and then all after these.
    q = sorted(float(r[names.index("decoy_q") - 1]) for r in records)
    assert q == pytest.approx(sorted(float(row["decoy_q"]) for row in every), rel=1e-5)


def test_a_column_that_is_none_is_refused(run, tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'decoy_q'"):
        finemo_dist.export(run, "tsv", tmp_path / "x.tsv", columns="decoyq")
    with pytest.raises(UsageError, match="has columns of its own"):
        finemo_dist.export(run, "bed", tmp_path / "x.bed", columns="decoy_q")
    with pytest.raises(UsageError, match="Did you mean 'cluster'"):
        finemo_dist.export(run, "parquet", tmp_path / "x.parquet", columns=["clusters"])


def test_families_can_be_asked(run):
    found = finemo_dist.open_run(run).query("families").to_pandas()

    assert len(found) == 24
    alike = found[found["similarity"] >= 0.75]
    assert (alike["n_motifs"] >= 2).all()
    assert (found[found["similarity"] < 0.75]["n_motifs"] == 1).all()
