"""Folders of one file a class become the sample sheet of a run."""

import shutil

import numpy as np
import pytest

from finemo_dist.record.run_record import RunRecord
from tests.command import answer_of, hit_keys
from tests.integration.faults.inputs import make_inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Twelve regions in every format."""
    return make_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def folders(inputs, tmp_path):
    """Return what CREsted leaves for two classes, one of them with the bases last."""
    scores, peaks = tmp_path / "contributions", tmp_path / "peaks"
    for folder in (scores, peaks):
        folder.mkdir()
    for name, axes in (("B cell", (0, 1, 2)), ("Tcell", (0, 2, 1))):
        np.savez_compressed(scores / f"{name}_oh.npz", inputs.one_hot.transpose(axes))
        np.savez_compressed(scores / f"{name}_contrib.npz", inputs.hypothetical.transpose(axes))
        shutil.copy(inputs.modisco_h5, scores / f"{name}_modisco_results.h5")
        shutil.copy(inputs.peaks, peaks / f"{name}.narrowPeak")
    (peaks / "Other.narrowPeak").write_text("chr1\t1\t2\n")
    return scores, peaks


def test_a_sheet_of_class_folders_runs(capsys, inputs, folders, tmp_path):
    sheet = tmp_path / "sheet.tsv"
    made = answer_of(capsys, "sample-sheet", *folders, "-o", sheet, "-f", inputs.fasta)
    (tmp_path / "c.yaml").write_text(
        "output: run\nsample_sheet: sheet.tsv\nresources: {executor: serial}\n"
    )

    done = answer_of(capsys, "run", tmp_path / "c.yaml")

    assert made.status == 0, made.err
    assert done.status == 0, done.err
    record = RunRecord.load(tmp_path / "run")
    assert [s.name for s in record.samples] == ["B cell", "Tcell"]
    hits = [hit_keys(path) for path in sorted((tmp_path / "run/samples").glob("*/hits.tsv"))]
    assert hits[0]
    assert hits[0] == hits[1]


def test_a_sheet_is_not_replaced_unasked(capsys, folders, tmp_path):
    words = ("sample-sheet", *folders, "-o", tmp_path / "sheet.tsv")
    answer_of(capsys, *words)

    assert answer_of(capsys, *words).status == 2
    assert answer_of(capsys, *words, "--force").status == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda scores: (scores / "Tcell_oh.npz").unlink(), "'Tcell' has no sequences"),
        (lambda scores: (scores / "Tcell.bw").touch(), "'Tcell' also has arrays"),
        (lambda scores: (scores / "x.bw").touch(), "'x' has no peaks"),
        (lambda scores: (scores / "Tcell.bed").touch(), "has "),
    ],
)
def test_a_class_that_lacks_a_file_is_named(capsys, folders, tmp_path, change, said):
    change(folders[0])

    answer = answer_of(capsys, "sample-sheet", *folders, "-o", tmp_path / "sheet.tsv")

    assert answer.status == 2
    assert said in answer.err
    assert not (tmp_path / "sheet.tsv").exists()


def test_folders_without_scores_are_refused(capsys, folders, tmp_path):
    answer = answer_of(capsys, "sample-sheet", folders[1], "-o", tmp_path / "sheet.tsv")

    assert answer.status == 2
    assert "no file of scores" in answer.err
