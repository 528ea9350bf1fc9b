"""Names from files are text: never a path, never SQL, never a line of their own in a table."""

import csv
import json
import shutil
from functools import cache

import h5py
import numpy as np
import pytest
import yaml

from tests.command import finemo_dist
from tests.fuzz.outcome import assert_clear, run_command
from tests.unit.run.runs import MOTIF_WIDTH, N_MOTIFS, write_inputs
from tests.unit.sources.samples import make_samples, one_hot_of

HOSTILE = [
    "../x", "/etc/x", "..", ".", "<script>alert(1)</script>", "it's", 'say "no"', "a;DROP TABLE x",
    "ünï ☃", "$(id)", "`id`", "%2e%2e", "a\\b", "-rf", "=1+1", "x" * 150, "{0}", "{{7*7}}",
]  # fmt: skip
CONTROL = ["a\nb", "a\0b", "\x1b[2Jx", "a\tb"]
LONG = "n" * 4096


def entries(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Motifs, a store, and beside them nothing else."""
    folder = tmp_path_factory.mktemp("names")
    inputs = write_inputs(folder, n_regions=6, shard_regions=6)
    return folder, inputs


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_sample_names(made, tmp_path):
    """One run of samples with every name: all inside the run, all answered by their names."""
    _, inputs = made
    names = HOSTILE
    inner = tmp_path / "inner"
    inner.mkdir()
    config = {
        "output": "run",
        "modisco_h5": str(inputs.modisco_h5),
        "samples": [{"name": n, "regions": str(inputs.stores["a"])} for n in names],
        "resources": {"executor": "serial"},
    }
    (inner / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    finemo_dist("run", inner / "config.yaml")

    assert {p.name for p in tmp_path.iterdir()} == {"inner"}
    assert {p.name for p in inner.iterdir()} == {"config.yaml", "run"}
    answer = run_command(
        "sql", inner / "run", "SELECT DISTINCT sample FROM hits", "--format", "json"
    )
    assert {row["sample"] for row in json.loads(answer.out)} == set(names)
    folders = list((inner / "run/samples").iterdir())
    assert len(folders) == len(names)
    assert all((folder / "hits.tsv").is_file() for folder in folders)
    assert run_command("status", inner / "run").status == 0
    assert run_command("verify", inner / "run").status == 0
    for name in ("../x", "it's", "a\\b"):
        out = tmp_path / "inner" / "out.tsv"
        assert run_command("export", inner / "run", "--to", "tsv", "-o", out, "--sample",
                           name).status == 0  # fmt: skip
        assert len({len(row) for row in rows_of(out)}) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"inner"}


def test_a_sample_name_no_file_system_holds_is_refused(made, tmp_path):
    _, inputs = made

    outcome = run_command("call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o",
                          tmp_path / "run", "--sample", LONG)  # fmt: skip

    assert not assert_clear(outcome)
    assert list(tmp_path.iterdir()) == []


GIVEN = [*HOSTILE, LONG]


@pytest.fixture(scope="module")
def named(made, tmp_path_factory):
    """Return a function that calls hits with a new name for every motif, once for a few names."""
    _, inputs = made
    old = [f"pos_patterns.pattern_{i}" for i in range(N_MOTIFS - 1)]

    @cache
    def called(number):
        folder = tmp_path_factory.mktemp("named")
        names = GIVEN[number * len(old) : (number + 1) * len(old)]
        text = "".join(f"{a}\t{b}\n" for a, b in zip(old, names, strict=False))
        (folder / "names.tsv").write_text(text, encoding="utf-8")
        finemo_dist("call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5,
                    "-o", folder / "run", "-N", folder / "names.tsv")  # fmt: skip
        return folder

    return lambda name: called(GIVEN.index(name) // len(old))


@pytest.mark.parametrize("name", GIVEN)
def test_motif_names_given(named, name):
    folder = named(name)
    run = folder / "run"

    assert {p.name for p in folder.iterdir()} == {"names.tsv", "run"}
    data = rows_of(run / "motif_data.tsv")
    assert name in {row[1] for row in data}
    assert len({len(row) for row in data}) == 1
    hits = rows_of(run / "hits.tsv")
    assert len({len(row) for row in hits}) == 1
    quoted = name.replace("'", "''")
    answer = run_command("sql", run, f"SELECT count(*) FROM motifs WHERE motif_name = '{quoted}'",
                         "--format", "tsv")  # fmt: skip
    assert answer.out.split() == ["count_star()", "2"]


@pytest.mark.parametrize("name", CONTROL)
def test_motif_names_that_would_break_a_table_are_refused(made, tmp_path, name):
    _, inputs = made
    (tmp_path / "names.tsv").write_text(f"pos_patterns.pattern_0\t{name}\n", encoding="utf-8")

    outcome = run_command("call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o",
                          tmp_path / "run", "-N", tmp_path / "names.tsv")  # fmt: skip

    if "\t" not in name:
        assert not assert_clear(outcome)
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("key", ["<script>", "it's", "ünï", "x\ny", "a\tb", "\x1b[2J", LONG, ".."])
def test_motif_names_in_the_modisco_file(made, tmp_path, key):
    _, inputs = made
    path = tmp_path / "motifs.h5"
    shutil.copy(inputs.modisco_h5, path)
    with h5py.File(path, "r+") as file:
        group = file["pos_patterns"]
        if key == "..":
            group.create_group("..x")
            del group["..x"]
        group.move("pattern_0", key)

    outcome = run_command("call-hits", "-r", inputs.stores["a"], "-m", path, "-o", tmp_path / "run")

    assert {p.name for p in tmp_path.iterdir()} <= {"motifs.h5", "run"}
    if assert_clear(outcome):
        for name in ("motif_data.tsv", "hits.tsv"):
            assert len({len(row) for row in rows_of(tmp_path / "run" / name)}) == 1
        assert all("\n" not in row[1] for row in rows_of(tmp_path / "run" / "motif_data.tsv"))


def test_chromosome_and_peak_names(tmp_path):
    """Peaks on chromosomes of every name, called and exported: one row a hit, nothing outside."""
    folder = tmp_path / "in"
    folder.mkdir()
    samples = make_samples(folder)
    names = [n for n in HOSTILE if " " not in n][: len(samples.starts)]
    lines = [
        f"{names[i % len(names)]}\t{50 + i}\t{70 + i}\t{HOSTILE[i % len(HOSTILE)]}\x1b[2J"
        for i in range(len(samples.starts))
    ]
    (folder / "peaks.bed").write_text("\n".join(lines) + "\n", encoding="utf-8")
    wide = np.zeros((len(samples.starts), 4, 2 * MOTIF_WIDTH), np.float32)
    codes = np.zeros((len(wide), wide.shape[2]), np.uint8)
    wide[:, 0] = np.random.default_rng(0).normal(size=(len(wide), wide.shape[2]))
    np.save(folder / "s.npy", one_hot_of(codes))
    np.save(folder / "a.npy", wide)
    inputs = write_inputs(folder, n_regions=4)
    before = entries(tmp_path)

    finemo_dist("extract-regions-modisco-fmt", "-s", folder / "s.npy", "-a", folder / "a.npy",
                "-p", folder / "peaks.bed", "-w", 2 * MOTIF_WIDTH,
                "-o", tmp_path / "x.zarr")  # fmt: skip
    finemo_dist("call-hits", "-r", tmp_path / "x.zarr", "-m", inputs.modisco_h5, "-l", "0.05", "-f",
                "-o", tmp_path / "run")  # fmt: skip
    for kind in ("tsv", "bed", "parquet"):
        finemo_dist("export", tmp_path / "run", "--to", kind, "-o", tmp_path / f"out.{kind}")

    new = {path.split("/")[0] for path in entries(tmp_path) - before}
    assert new == {"x.zarr", "run", "out.tsv", "out.bed", "out.parquet"}
    hits = rows_of(tmp_path / "run" / "hits.tsv")
    assert len(hits) > 5
    assert len({len(row) for row in hits}) == 1
    assert {row[0] for row in hits[1:]} <= set(names)
    assert len({len(row) for row in rows_of(tmp_path / "run" / "hits.bed")}) == 1
