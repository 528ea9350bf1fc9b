"""Rows of the report: a window that is not modisco's, and a modisco file without seqlets."""

import shutil

import h5py
import numpy as np

from tests.command import read_tsv
from tests.integration.faults.outcomes import lines_with


def with_hits_as_seqlets(modisco_h5, run, path):
    """Write the motif file with every hit of a run as a seqlet; return its path."""
    shutil.copyfile(modisco_h5, path)
    first = {
        row["peak_id"]: int(row["peak_region_start"]) for row in read_tsv(run / "peaks_qc.tsv")
    }
    hits = read_tsv(run / "hits.tsv")
    with h5py.File(path, "a") as file:
        for motif in {row["motif_name"] for row in hits}:
            own = [row for row in hits if row["motif_name"] == motif]
            seqlets = file[motif.replace(".", "/", 1)].require_group("seqlets")
            for name in list(seqlets):
                del seqlets[name]
            seqlets["example_idx"] = np.array([int(row["peak_id"]) for row in own])
            for name in ("start", "end"):
                column = f"{name}_untrimmed"
                seqlets[name] = np.array([int(r[column]) - first[r["peak_id"]] for r in own])
            seqlets["is_revcomp"] = np.array([row["strand"] == "-" for row in own])
    return path


def test_S23_a_wrong_window_is_said_and_its_seqlets_do_not_count(works, call, inputs, tmp_path):
    works(*call(run="run"))
    modisco = with_hits_as_seqlets(inputs.modisco_h5, tmp_path / "run", tmp_path / "m.h5")
    report = ("report", "-H", tmp_path / "run", "-m", modisco)
    width = inputs.width

    wide = works(*report, "-W", width, "-o", tmp_path / "wide")
    narrow = works(*report, "-W", width // 2, "-o", tmp_path / "narrow")

    assert not lines_with(wide, "Seqlets outside the middle")
    assert len(lines_with(narrow, f"Seqlets outside the middle {width // 2} bases")) == 1
    rows = {name: read_tsv(tmp_path / name / "motif_report.tsv") for name in ("wide", "narrow")}
    counted = {name: sum(int(row["num_seqlets"]) for row in rows[name]) for name in rows}
    assert 0 < counted["narrow"] < counted["wide"]
    assert all(
        float(row["seqlet_recall"]) == 1 for row in rows["wide"] if row["num_seqlets"] != "0"
    )


def test_C12_a_report_without_seqlets_omits_recall(works, call, inputs, tmp_path):
    works(*call(run="run"))

    works("report", "-H", tmp_path / "run", "-m", inputs.modisco_h5, "-o", tmp_path / "report")

    rows = read_tsv(tmp_path / "report" / "motif_report.tsv")
    assert rows
    assert "seqlet_recall" not in rows[0]
    assert not (tmp_path / "report" / "seqlets.tsv").exists()
