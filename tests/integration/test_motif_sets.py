"""Samples with motifs and settings of their own: one run, as so many calls of one sample each."""

import dataclasses
import json
import shutil
from contextlib import ExitStack

import anndata
import numpy as np
import pytest

import finemo_dist as package
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.named import rows_of
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.records import ScoreKind
from finemo_dist.record.run_record import RunRecord
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.workflow import reporting
from tests.command import answer_of, finemo_dist, read_tsv
from tests.unit.run.runs import MOTIF_WIDTH, N_MOTIFS, parts, write_inputs

pytestmark = pytest.mark.slow

SETTINGS = {
    "a": {"file": "motifs.h5", "mode": "pp", "penalty": "0.7"},
    "b": {"file": "own.h5", "mode": "hh", "penalty": "0.6"},
    "c": {"file": "motifs.h5", "mode": "ph", "penalty": "0.7"},
}
SETS = {"a": "set-00000", "b": "set-00001", "c": "set-00000"}
TABLES = ("hits.tsv", "hits_unique.tsv", "hits.bed", "peaks_qc.tsv", "motif_data.tsv")


def motifs_of(*chosen):
    """Some of the motifs of the regions, renumbered and in wider CWMs."""
    motifs = random_motifs(np.random.default_rng(0), N_MOTIFS, width=MOTIF_WIDTH, n_negative=1)
    wider = ((0, 0), (0, 0), (1, 3))
    return dataclasses.replace(
        motifs,
        name=tuple(f"pos_patterns.pattern_{i}" for i in range(len(chosen))),
        **{
            field: np.pad(getattr(motifs, field)[list(chosen)], wider)
            for field in ("cwm", "hypothetical", "frequencies")
        },
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three stores; ``pattern_0`` of one motif file is another motif than that of the other."""
    folder = tmp_path_factory.mktemp("sets")
    write_inputs(folder, samples=tuple(SETTINGS), score_kind=ScoreKind.HYPOTHETICAL)
    write_modisco_h5(folder / "own.h5", motifs_of(2, 1, 0))
    return folder


def write_config(path, folder, **changes):
    """A configuration whose defaults are those of sample a, and a sheet of what differs."""
    columns = ("name", "regions", "modisco_h5", "solver.mode", "motifs.penalty")
    lines = ["\t".join(columns)]
    for name in SETTINGS:
        own = {"file": "", "mode": "", "penalty": ""}
        if name != "a":
            own |= {k: v for k, v in SETTINGS[name].items() if v != SETTINGS["a"][k]}
        own |= changes.get(name, {})
        file = folder / own["file"] if own["file"] else ""
        cells = (name, folder / f"{name}.zarr", file, own["mode"], own["penalty"])
        lines.append("\t".join(map(str, cells)))
    path.with_suffix(".tsv").write_text("\n".join(lines))
    path.write_text(
        f"output: {path.parent / 'run'}\nmodisco_h5: {folder / 'motifs.h5'}\n"
        f"sample_sheet: {path.with_suffix('.tsv').name}\nresources: {{executor: serial}}\n"
    )
    return path


@pytest.fixture(scope="module")
def config(folder, tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("atlas") / "config.yaml", folder)


@pytest.fixture(scope="module")
def run(config):
    finemo_dist("run", config)
    return config.parent / "run"


@pytest.fixture(scope="module")
def alone(folder, tmp_path_factory):
    """Sample to the run of ``call-hits`` of it alone."""
    out = tmp_path_factory.mktemp("alone")
    for name, asked in SETTINGS.items():
        finemo_dist(
            "call-hits", "-r", folder / f"{name}.zarr", "-m", folder / asked["file"],
            "-M", asked["mode"], "-l", asked["penalty"], "-o", out / name,
        )  # fmt: skip
    return {name: out / name for name in SETTINGS}


@pytest.fixture(scope="module")
def compacted(run, tmp_path_factory):
    """The run, compacted; not to be changed."""
    out = shutil.copytree(run, tmp_path_factory.mktemp("compacted") / "run")
    finemo_dist("compact", out)
    return out


@pytest.fixture(scope="module")
def catalogs(run, alone):
    """Open catalogs of the run, by the name ``run``, and of the runs of one sample."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(open_catalog(path))
            for name, path in {"run": run, **alone}.items()
        }


@pytest.fixture
def copy(run, config, tmp_path):
    """The run, to be changed, and its configuration."""
    shutil.copytree(run, tmp_path / "run")
    shutil.copy(config, tmp_path)
    shutil.copy(config.with_suffix(".tsv"), tmp_path)
    text = config.read_text().replace(str(run), str(tmp_path / "run"))
    (tmp_path / "config.yaml").write_text(text)
    return tmp_path


def test_every_part_has_the_bytes_of_a_call_of_its_sample_alone(run, alone):
    expected = {path: content for name in alone for path, content in parts(alone[name]).items()}

    assert len(expected) == 36
    assert parts(run) == expected


@pytest.mark.parametrize("sample", SETTINGS)
def test_finemos_files_hold_the_motifs_of_their_sample(run, alone, sample):
    out = run / "samples" / sample
    for name in (*TABLES, "motif_cwms.npy", "params.json", "parameters.json"):
        expected = (alone[sample] / name).read_text("latin1")
        assert (out / name).read_text("latin1") == expected, name
    assert len(read_tsv(out / "hits.tsv")) > 20


def test_the_record_says_the_set_and_the_settings_of_each_sample(run, folder):
    record = RunRecord.load(run)

    assert {s.name: s.motif_set for s in record.samples} == SETS
    assert [s.modisco.path for s in record.sets] == [
        str(folder / "motifs.h5"), str(folder / "own.h5")
    ]  # fmt: skip
    for sample in record.samples:
        settings = record.settings_of(sample)
        assert settings["solver"]["mode"] == SETTINGS[sample.name]["mode"]
        assert settings["motifs"]["penalty"] == float(SETTINGS[sample.name]["penalty"])
    assert record.n_motifs == 2 * (N_MOTIFS + 3)


def _rows(run, query, samples=None):
    with open_catalog(run, samples=samples) as catalog:
        return catalog.rows(query)


PLACES = (
    "SELECT sample, chr, start, strand, hit_coefficient, peak_id, motif_name, motif_id FROM {} "
    "ORDER BY ALL"
)


@pytest.mark.parametrize("is_compact", [False, True])
@pytest.mark.parametrize("view", ["hits", "hits_unique", "hits_primary"])
def test_views_hold_the_hits_of_each_sample_under_names_of_its_set(
    request, run, catalogs, view, is_compact
):
    if is_compact:
        run = request.getfixturevalue("compacted")
    first_id = {"a": 0, "b": 2 * N_MOTIFS, "c": 0}
    expected = [
        (*row[:6], f"{SETS[name]}:{row[6]}", first_id[name] + row[7])
        for name in SETTINGS
        for row in catalogs[name].rows(PLACES.format(view))
    ]

    assert sorted(_rows(run, PLACES.format(view))) == sorted(expected)
    one = [row for row in expected if row[0] == "b"]
    assert sorted(_rows(run, PLACES.format(view), ["b"])) == sorted(one)


def test_ids_and_names_of_motifs_are_of_one_set(catalogs):
    ask = catalogs["run"].rows
    rows = ask("SELECT motif_id, motif_name, motif_set, name_in_set, strand FROM motifs")

    assert sorted(row[0] for row in rows) == list(range(2 * (N_MOTIFS + 3)))
    assert len({(row[1], row[4]) for row in rows}) == len(rows)
    assert all(name == f"{motif_set}:{own}" for _, name, motif_set, own, _ in rows)
    mixed = ask(
        "SELECT count(*) FROM hits JOIN samples USING (sample) JOIN motifs USING (motif_id)"
        " WHERE hits.motif_name != motifs.motif_name OR samples.motif_set != motifs.motif_set",
    )
    assert mixed == [(0,)]


def test_counts_are_of_the_motifs_that_a_sample_is_called_with(catalogs):
    query = "SELECT sample, motif_name, n_hits, n_regions FROM motif_counts"
    expected = {
        (sample, f"{SETS[sample]}:{motif}", *counts)
        for name in SETTINGS
        for sample, motif, *counts in catalogs[name].rows(query)
    }

    assert set(catalogs["run"].rows(query)) == expected


@pytest.mark.parametrize("name", ["counts", "cooccurrence", "positions", "spacing"])
def test_a_named_query_of_one_set_is_that_of_its_sample_alone(catalogs, name):
    def text(rows, prefix=""):
        # Without an annotation the name of a motif is what people read.
        motifs = {"motif_name", "motif_1", "motif_2", "display_name", "display_1", "display_2"}
        return [{k: prefix + v if k in motifs else v for k, v in row.items()} for row in rows]

    found = rows_of(catalogs["run"], name, {"sample": "b"})

    assert found
    assert text(found) == text(rows_of(catalogs["b"], name), "set-00001:")


def test_samples_of_different_sets_share_no_sites_to_count(catalogs):
    pairs = rows_of(catalogs["run"], "shared_sites")

    assert [(pair["sample_1"], pair["sample_2"]) for pair in pairs] == [("a", "c")]


def test_verify_and_status_find_nothing_wrong(run, capsys):
    finemo_dist("verify", run)
    finemo_dist("status", run, "--json")

    assert json.loads(capsys.readouterr().out)["missing"] == 0


def test_the_report_of_a_sample_is_that_of_its_call(run, alone, tmp_path):
    finemo_dist("report", "-H", run, "--sample", "b", "-o", tmp_path / "one")
    finemo_dist("report", "-H", alone["b"], "-o", tmp_path / "alone")
    finemo_dist("report", "-H", run, "-o", tmp_path / "all")

    one, all_ = (read_tsv(tmp_path / name / "motif_report.tsv") for name in ("one", "all"))
    assert one == read_tsv(tmp_path / "alone/motif_report.tsv")
    columns = ("num_hits_total", "cwm_similarity")
    mine = [row for row in all_ if row["motif_name"].startswith("set-00001:")]
    assert [[row[c] for c in columns] for row in mine] == [[row[c] for c in columns] for row in one]
    assert len(all_) == N_MOTIFS + 3


def test_a_report_of_more_motifs_than_a_page_shows_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "_MOST_MOTIFS", N_MOTIFS + 2)

    with pytest.raises(UsageError) as caught:
        package.report(run, tmp_path / "report", with_seqlets=False)

    assert str(caught.value) == (
        f"{run}: has {N_MOTIFS + 3} motifs in 2 motif sets, and a page can show {N_MOTIFS + 2}. "
        "Report one sample with --sample."
    )
    assert not (tmp_path / "report").exists()


def test_matrices_have_a_column_for_each_motif_of_each_set(run, alone, tmp_path):
    finemo_dist("export", run, "--to", "h5ad", "-o", tmp_path / "all.h5ad")
    finemo_dist("export", alone["b"], "--to", "h5ad", "-o", tmp_path / "b.h5ad")

    whole, single = (anndata.read_h5ad(tmp_path / name) for name in ("all.h5ad", "b.h5ad"))
    mine = whole.X[np.flatnonzero(whole.obs["sample"] == "b")]
    assert list(whole.var_names[N_MOTIFS:]) == [f"set-00001:{name}" for name in single.var_names]
    assert (mine[:, N_MOTIFS:] != single.X).nnz == 0
    assert mine[:, :N_MOTIFS].nnz == 0


def test_motifs_are_written_and_annotated_by_the_name_of_their_set(copy, tmp_path):
    finemo_dist("export", copy / "run", "--to", "meme", "--motifs", "hits", "-o", tmp_path / "m")
    names = [w.split()[1] for w in (tmp_path / "m").read_text().split("\n") if w[:5] == "MOTIF"]
    package.export(copy / "run", "meme", tmp_path / "b", motifs="hits", sample="b")
    own = [w.split()[1] for w in (tmp_path / "b").read_text().split("\n") if w[:5] == "MOTIF"]
    assert own == [name for name in names if name.startswith("set-00001:")]
    (tmp_path / "own.tsv").write_text("motif_name\ttf\nset-00001:pos_patterns.pattern_0\tGATA1\n")

    finemo_dist("annotate", copy / "run", "-a", tmp_path / "own.tsv")

    assert len(names) == N_MOTIFS + 3
    assert names[N_MOTIFS].startswith("set-00001:")
    query = "SELECT DISTINCT motif_set FROM motifs WHERE tf = 'GATA1'"
    assert _rows(copy / "run", query) == [("set-00001",)]
    with open_catalog(copy / "run") as catalog, catalog.as_called("b") as own:
        assert own.rows("SELECT DISTINCT motif_name, tf FROM motifs WHERE tf IS NOT NULL") == [
            ("pos_patterns.pattern_0", "GATA1")
        ]


def test_the_same_command_does_only_what_is_missing(copy, run, capsys):
    path = copy / "run/hits/sample=b/part-00003.parquet"
    path.unlink()

    answer = answer_of(capsys, "run", copy / "config.yaml", "--json")

    assert answer.status == 0
    assert json.loads(answer.out)["n_shards_done"] == 1
    assert parts(copy / "run") == parts(run)


def test_other_settings_of_a_sample_are_refused_by_sample_and_key(copy, folder, run):
    write_config(copy / "config.yaml", folder, b={"mode": "hp"}, c={"penalty": "0.9"})

    with pytest.raises(RunError) as caught:
        finemo_dist("run", copy / "config.yaml")

    assert "sample 'b': solver.mode was 'hh' and is now 'hp'" in str(caught.value)
    assert "sample 'c': motifs.penalty was 0.7 and is now 0.9" in str(caught.value)
    assert "sample 'a'" not in str(caught.value)
    assert parts(copy / "run") == parts(run)


def test_force_does_only_the_samples_that_changed_again(copy, folder, run):
    write_config(copy / "config.yaml", folder, c={"penalty": "0.9"})
    before = {path: path.stat().st_ino for path in (copy / "run/hits").glob("*/*.parquet")}

    finemo_dist("run", copy / "config.yaml", "--force")

    now = {path: path.stat().st_ino for path in (copy / "run/hits").glob("*/*.parquet")}
    assert now.keys() == before.keys()
    changed = {path.parent.name for path in now if now[path] != before[path]}
    assert changed == {"sample=c"}
    assert len(RunRecord.load(copy / "run").sets) == 3
    finemo_dist("verify", copy / "run")


def test_a_changed_modisco_file_of_a_sample_is_refused(copy, folder, tmp_path):
    write_modisco_h5(tmp_path / "own.h5", motifs_of(1, 0))
    text = (copy / "config.tsv").read_text().replace(str(folder / "own.h5"), "own.h5")
    (copy / "config.tsv").write_text(text)

    with pytest.raises(RunError, match="sample 'b': the motifs of the modisco file have changed"):
        finemo_dist("run", copy / "config.yaml")


def test_a_sample_without_motifs_is_named_by_its_line(tmp_path, folder):
    path = write_config(tmp_path / "config.yaml", folder)
    path.write_text("\n".join(x for x in path.read_text().split("\n") if "modisco" not in x))

    with pytest.raises(UsageError, match=r"config\.tsv, line 2: column 'modisco_h5' is empty"):
        finemo_dist("run", path)
