"""Command sequences as published scripts run them with finemo, by a program of that name.

They are in ``finemo_scripts.txt``, one a line. Inputs are 30 regions of the reference data.
"""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (the compression of the reference data)
import numpy as np
import pytest

from finemo_dist.cli.main import main
from tests.command import PROJECT, hit_keys, jaccard, kept_signal_handlers, read_tsv

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]

SCRIPTS = [
    line
    for line in (Path(__file__).parent / "finemo_scripts.txt").read_text().splitlines()
    if not line.startswith("#")
]
REGIONS_PER_CHROM = 10
MOTIFS = ("pattern_0", "pattern_4", "pattern_6", "pattern_10")
"""Those with the most hits: a report takes its time for each motif."""
CALLED = {"hits.tsv", "peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy", "parameters.json"}
PLACED = {"hits_unique.tsv", "hits.bed"}
REPORTED = {"report.html", "motif_report.tsv", "motif_occurrences.tsv", "CWMs"}
WITH_SEQLETS = {"seqlets.tsv", "seqlet_confusion.tsv"}


@dataclass(frozen=True)
class Expected:
    """What a sequence leaves."""

    run: str
    n_deprecated: int
    """Warnings of flags that finemo replaced."""
    report: str | None = None
    has_coordinates: bool = True
    has_seqlets: bool = True
    chroms: tuple[str, ...] = ("chrI", "chrIII", "chrVI")


LAST_FIRST = ("chrVI", "chrIII", "chrI")
EXPECTED = (
    Expected("out/all_peaks", 0, "out/report"),
    Expected("out", 5, "out", has_seqlets=False),
    Expected("out", 3, "out"),
    Expected("out/f", 5, "out/f"),
    Expected("out", 4, "out", chroms=LAST_FIRST),
    Expected("out/finemo_hits", 1, has_coordinates=False),
    Expected("finemo_out", 3, "finemo_out/report"),
    Expected("finemo", 0, has_coordinates=False),
    Expected("out", 3, "out"),
    Expected("out", 2),
    Expected("out", 6, "out", chroms=LAST_FIRST),
    Expected("out", 0, "out/report"),
)


@pytest.fixture(scope="module")
def rows(yeast_mini):
    """Ten regions of each chromosome, by their rows in the reference data."""
    lines = (yeast_mini / "peaks.narrowPeak").read_text().splitlines()
    chroms = np.array([line.split("\t")[0] for line in lines])
    return np.concatenate(
        [np.flatnonzero(chroms == chrom)[:REGIONS_PER_CHROM] for chrom in dict.fromkeys(chroms)]
    )


@pytest.fixture(scope="module")
def inputs(yeast_mini, rows, tmp_path_factory):
    """The files that the sequences name."""
    folder = tmp_path_factory.mktemp("scripts")
    lines = (yeast_mini / "peaks.narrowPeak").read_text().splitlines(keepends=True)
    (folder / "peaks.narrowPeak").write_text("".join(lines[row] for row in rows))
    for name in ("ohe", "attr"):
        np.savez(folder / f"{name}.npz", np.load(yeast_mini / f"{name}.npz")["arr_0"][rows])
    for theirs, name in (("chrombpnet_contribs.h5", "shap.h5"), ("bpnet_contribs.h5", "bpnet.h5")):
        with h5py.File(yeast_mini / theirs) as whole, h5py.File(folder / name, "w") as part:
            for path in ("raw/seq", "shap/seq", "input_seqs", "hyp_scores"):
                if path in whole:
                    part[path] = whole[path][:][rows]
    shutil.copyfile(yeast_mini / "contribs.bw", folder / "contribs.bw")
    shutil.copyfile(yeast_mini / "genome.fa", folder / "genome.fa")
    with (
        h5py.File(yeast_mini / "modisco_results.h5") as whole,
        h5py.File(folder / "m.h5", "w") as part,
    ):
        for name in MOTIFS:
            whole.copy(f"pos_patterns/{name}", part.require_group("pos_patterns"))
    shutil.copyfile(yeast_mini / "modisco_results.h5", folder / "every.h5")
    (folder / "chroms.txt").write_text("\n".join(LAST_FIRST) + "\n")
    return folder


@pytest.fixture
def place(inputs):
    """An empty folder beside the inputs, with an empty folder ``out``."""
    folder = inputs / "place"
    (folder / "out").mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def run_line(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a line as a shell does, with a program named finemo for ``$F``."""
    for command in line.split("&&"):
        program, *words = shlex.split(command)
        if program == "cp":
            shutil.copyfile(*words)
            continue
        assert program == "$F"
        monkeypatch.setattr(sys, "argv", ["/somewhere/finemo", *words])
        with kept_signal_handlers(), pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0


def test_there_are_twelve():
    assert len(SCRIPTS) == len(EXPECTED) == 12


@pytest.mark.parametrize(
    ("line", "expected"),
    list(zip(SCRIPTS, EXPECTED, strict=True)),
    ids=[str(i) for i in range(1, len(SCRIPTS) + 1)],
)
def test_a_script_runs_unchanged(line, expected, place, monkeypatch, capsys):
    monkeypatch.chdir(place)

    run_line(line, monkeypatch)

    said = capsys.readouterr().err
    assert said.count("is deprecated") == expected.n_deprecated
    assert "finemo-dist" not in said
    run = place / expected.run
    names = {path.name for path in run.iterdir()}
    assert names >= CALLED | (PLACED if expected.has_coordinates else set())
    hits = read_tsv(run / "hits.tsv")
    assert len(hits) > REGIONS_PER_CHROM
    chroms = tuple(dict.fromkeys(hit["chr"] for hit in hits))
    assert chroms == (expected.chroms if expected.has_coordinates else ("NA",))
    if expected.report is None:
        return
    names = {path.name for path in (place / expected.report).iterdir()}
    assert names >= REPORTED | (WITH_SEQLETS if expected.has_seqlets else set())
    rows = read_tsv(place / expected.report / "motif_report.tsv")
    assert sum(int(row["num_hits_total"]) for row in rows) == len(read_tsv(run / "hits_unique.tsv"))


def test_hits_are_those_of_finemo(place, rows, yeast_mini, monkeypatch):
    """Regions do not depend on each other: finemo's hits in all 224 hold those in these."""
    monkeypatch.chdir(place)
    line = SCRIPTS[0].split("&& $F report")[0].replace("../m.h5", "../every.h5")
    run_line(line, monkeypatch)
    new = {old: row for row, old in enumerate(rows.tolist())}
    theirs = {
        (new[peak], *rest): coefficient
        for (peak, *rest), coefficient in hit_keys(
            yeast_mini / "finemo-0.41/default/hits.tsv"
        ).items()
        if peak in new
    }

    # The difference is finemo's early stop.
    assert jaccard(hit_keys(place / "out/all_peaks/hits.tsv"), theirs) >= 0.96


def test_an_executable_by_another_name(place):
    """``ln -s finemo-dist finemo``, in a shell."""
    script = place / "bin" / "finemo-dist"
    script.parent.mkdir()
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(PROJECT)!r})\n"
        "from finemo_dist.cli.main import main\nmain()\n"
    )
    script.chmod(0o755)
    (script.parent / "finemo").symlink_to(script.name)
    environment = {**os.environ, "F": str(script.parent / "finemo"), "OMP_NUM_THREADS": "1"}

    def shell(line):
        return subprocess.run(
            ["bash", "-c", line],
            cwd=place, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = shell(SCRIPTS[7])
    assert done.returncode == 0, done.stderr
    assert len(read_tsv(place / "finemo/hits.tsv")) > REGIONS_PER_CHROM
    assert shell("$F --version").stdout.startswith("finemo, version ")
    assert shell("$F status --help").stdout.startswith("Usage: finemo status")
