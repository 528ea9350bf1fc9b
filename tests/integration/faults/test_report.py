"""Rows of the report: a window that is not modisco's, and a modisco file without seqlets."""

from tests.command import read_tsv
from tests.integration.faults.outcomes import lines_with


def test_S23_a_wrong_window_is_said_and_its_seqlets_do_not_count(works, call, inputs, tmp_path):
    modisco = inputs.files.modisco_h5
    works(*call(motifs=modisco, run="run"))

    wide = works("report", "-H", tmp_path / "run", "-m", modisco, "-o", tmp_path / "wide")
    narrow = works(
        "report", "-H", tmp_path / "run", "-m", modisco, "-W", 60, "-o", tmp_path / "narrow"
    )

    assert not lines_with(wide, "lie outside the middle")
    assert len(lines_with(narrow, "lie outside the middle 60 bases")) == 1
    counted = {
        name: sum(int(row["num_seqlets"]) for row in read_tsv(tmp_path / name / "motif_report.tsv"))
        for name in ("wide", "narrow")
    }
    assert counted["narrow"] < counted["wide"]
    # Recall is over what both sides share: it does not fall to nothing because of the window.
    assert any(
        float(row["seqlet_recall"]) > 0.5
        for row in read_tsv(tmp_path / "narrow" / "motif_report.tsv")
        if row["num_seqlets"] != "0"
    )


def test_C12_a_report_without_seqlets_omits_recall(works, call, inputs, tmp_path):
    works(*call(motifs=inputs.modisco_h5, run="run"))

    works("report", "-H", tmp_path / "run", "-m", inputs.modisco_h5, "-o", tmp_path / "report")

    rows = read_tsv(tmp_path / "report" / "motif_report.tsv")
    assert rows
    assert "seqlet_recall" not in rows[0]
    assert not (tmp_path / "report" / "seqlets.tsv").exists()
