"""``report``: which inputs it takes and which it refuses."""

import shutil

import pytest

from finemo_dist.cli.report import COMMANDS
from finemo_dist.record.run_record import RunRecord
from finemo_dist.reports import write
from tests.command import finemo_dist, read_tsv
from tests.unit.run.runs import write_store

TABLES = {"report.html", "motif_report.tsv", "motif_occurrences.tsv", "CWMs"}


def files(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.slow
def test_a_run_says_itself_where_regions_and_motifs_are(finished, tmp_path, command):
    answer = command("report", "-H", finished, "-o", tmp_path / "out")

    assert answer.status == 0, answer.err
    assert files(tmp_path / "out") >= TABLES
    assert "seqlets.tsv" not in files(tmp_path / "out")
    total = sum(int(row["num_hits_total"]) for row in read_tsv(tmp_path / "out/motif_report.tsv"))
    assert total == len(read_tsv(finished / "hits_unique.tsv")) > 0


def test_seqlets_bring_recall_and_their_tables(finished, with_seqlets, tmp_path, command):
    command("report", "-H", finished, "-o", tmp_path / "out", "-m", with_seqlets, "-W", 150)

    assert files(tmp_path / "out") >= TABLES | {"seqlets.tsv", "seqlet_confusion.tsv"}
    rows = read_tsv(tmp_path / "out/motif_report.tsv")
    assert {row["num_seqlets"] for row in rows} == {"1"}


def test_no_recall_leaves_the_comparison_out(finished, with_seqlets, tmp_path, command):
    command("report", "-H", finished, "-o", tmp_path / "out", "-m", with_seqlets, "-n")

    # finemo writes these all the same.
    assert files(tmp_path / "out") >= {"seqlets.tsv", "seqlet_confusion.tsv"}
    assert "seqlet_recall" not in read_tsv(tmp_path / "out/motif_report.tsv")[0]


def test_no_seqlets_leaves_them_out(finished, with_seqlets, tmp_path, command):
    command("report", "-H", finished, "-o", tmp_path / "out", "-m", with_seqlets, "-s")

    assert not files(tmp_path / "out") & {"seqlets.tsv", "seqlet_confusion.tsv"}
    assert "seqlet_recall" not in read_tsv(tmp_path / "out/motif_report.tsv")[0]


def test_another_motif_file_is_warned_about(finished, with_seqlets, tmp_path, command):
    answer = command("report", "-H", finished, "-o", tmp_path / "out", "-m", with_seqlets)

    assert "is not the modisco file of the run" in answer.err


def test_what_motifs_are_known_as_is_shown(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    name = read_tsv(run / "hits.tsv")[0]["motif_name"]
    table = tmp_path / "annotation.tsv"
    table.write_text(f"motif_name\ttf\tfamily\n{name}\tCTCFL\tC2H2 zinc fingers\n")

    finemo_dist("annotate", run, "-a", table)
    finemo_dist("report", "-H", run, "-o", tmp_path / "out")

    assert "CTCFL, C2H2 zinc fingers" in (tmp_path / "out/report.html").read_text()


def test_a_directory_that_is_no_run_is_refused(tmp_path, refused):
    (tmp_path / "empty").mkdir()

    assert "is neither a run directory" in refused(
        "report", "-H", tmp_path / "empty", "-o", tmp_path / "out"
    )


def test_finemos_directory_needs_the_regions(finished, tmp_path, refused):
    theirs = shutil.copytree(finished, tmp_path / "theirs")
    (theirs / "run.json").unlink()

    assert "Give them with -r" in refused("report", "-H", theirs, "-o", tmp_path / "out")


def test_regions_of_another_run_are_refused(finished, tmp_path, refused):
    other = write_store(tmp_path / "other.zarr", seed=9)

    said = refused("report", "-H", finished, "-o", tmp_path / "out", "-r", other)

    assert "does not hold the regions in which" in said


def test_a_store_that_moved_is_named_with_its_cure(finished, inputs, tmp_path, refused):
    run = shutil.copytree(finished, tmp_path / "run")
    record = RunRecord.load(run)
    sample = record.samples[0].model_copy(update={"store": str(tmp_path / "gone.zarr")})
    record.model_copy(update={"samples": (sample, *record.samples[1:])}).save(run)

    assert "give it with -r" in refused("report", "-H", run, "-o", tmp_path / "out")

    finemo_dist("report", "-H", run, "-o", tmp_path / "out", "-r", inputs.stores["a"])
    assert files(tmp_path / "out") >= TABLES


def test_a_directory_of_something_else_is_kept(finished, tmp_path, refused, command):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("all of it")

    assert "exists and is not a report" in refused("report", "-H", finished, "-o", out)
    assert files(out) == {"thesis.txt"}

    command("report", "-H", finished, "-o", out, "--force")
    assert files(out) >= TABLES
    assert "thesis.txt" not in files(out)


@pytest.mark.slow
def test_a_report_is_replaced_by_a_newer_one(finished, reported, tmp_path):
    out = shutil.copytree(reported, tmp_path / "out")
    (out / "report.html").write_text("<!-- older -->")

    finemo_dist("report", "-H", finished, "-o", out)

    assert files(tmp_path) == {"out"}
    assert (out / "report.html").read_bytes() == (reported / "report.html").read_bytes()


def test_the_run_is_not_replaced_by_its_report(finished, refused):
    before = files(finished)

    words = ("report", "-H", finished, "-o", finished.parent, "--force")
    assert "Choose another -o" in refused(*words)
    assert files(finished) == before


def test_nothing_is_left_when_a_report_fails(finished, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "write_occurrences", fail)

    with pytest.raises(OSError, match="No space"):
        finemo_dist("report", "-H", finished, "-o", tmp_path / "out")
    assert files(tmp_path) == set()


@pytest.mark.slow
def test_an_older_report_outlives_a_failure(finished, reported, tmp_path, monkeypatch):
    out = shutil.copytree(reported, tmp_path / "out")
    before = files(out)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "write_cwms", lambda *_, **__: fail())
    with pytest.raises(OSError, match="No space"):
        finemo_dist("report", "-H", finished, "-o", out)

    assert files(tmp_path) == {"out"}
    assert files(out) == before


@pytest.mark.slow
def test_motif_names_are_safe_folders_and_write_nothing_outside(inputs, tmp_path):
    names = tmp_path / "names.tsv"
    names.write_text(
        "pos_patterns.pattern_0\t../../outside\npos_patterns.pattern_1\t<script>alert(1)</script>\n"
    )
    run, out = tmp_path / "run", tmp_path / "a" / "out"
    finemo_dist(
        "call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o", run, "-N", names
    )

    finemo_dist("report", "-H", run, "-o", out)

    assert files(tmp_path) == {"run", "a", "names.tsv"}
    assert files(tmp_path / "a") == {"out"}
    assert all("/" not in name for name in files(out / "CWMs"))
    assert len(files(out / "CWMs")) == len(read_tsv(out / "motif_report.tsv"))
    assert "<script>alert(1)</script>" not in (out / "report.html").read_text()


def test_the_flags_are_those_of_finemo():
    flags = {flag for option in COMMANDS["report"].params for flag in option.opts}

    assert {"-r", "-H", "-m", "-o", "-W", "-n", "--modisco-region-width", "--no-recall"} <= flags
