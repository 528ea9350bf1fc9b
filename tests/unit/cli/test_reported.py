"""``report``: of tables of hits, and into the folder of the hits."""

import shutil

import pytest

from finemo_dist.reports.write import check_output, is_output_shared
from tests.command import finemo_dist, read_tsv
from tests.unit.cli.test_report import TABLES, files

pytestmark = pytest.mark.slow


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def theirs(run, tmp_path):
    """The same as finemo leaves it."""
    return as_finemo_leaves(run, tmp_path / "theirs")


@pytest.fixture(scope="module")
def expected(finished, reported, inputs, tmp_path_factory):
    """Reports of the directories."""
    folder = tmp_path_factory.mktemp("expected")
    theirs = as_finemo_leaves(finished, folder / "theirs")
    finemo_dist("report", "-H", theirs, "-r", inputs.stores["a"], "-o", folder / "report")
    return {"run": reported, "theirs": folder / "report"}


def as_finemo_leaves(run, folder):
    shutil.copytree(run, folder)
    for name in ("run.json", "params.json"):
        (folder / name).unlink()
    for name in ("hits", "peaks_qc", "motifs"):
        shutil.rmtree(folder / name)
    return folder


def counts(report):
    rows = read_tsv(report / "motif_report.tsv")
    return {row["motif_name"]: int(row["num_hits_total"]) for row in rows}


def bytes_of(folder):
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", ["hits.tsv", "hits_unique.tsv"])
@pytest.mark.parametrize("whose", ["run", "theirs"])
def test_a_table_of_call_hits_is_its_directory(
    request, inputs, expected, tmp_path, command, whose, name
):
    folder = request.getfixturevalue(whose)

    answer = command(
        "report", "-H", folder / name, "-r", inputs.stores["a"], "-o", tmp_path / "out"
    )

    assert answer.status == 0, answer.err
    assert (
        answer.err.count(
            f"giving -H a whole table of call-hits is deprecated since finemo 0.41; use -H {folder}"
        )
        == 1
    )
    assert counts(tmp_path / "out") == counts(expected[whose])
    page = (tmp_path / "out/report.html").read_text()
    assert page.count("<h1") == (expected[whose] / "report.html").read_text().count("<h1")


@pytest.mark.parametrize("whose", ["run", "theirs"])
def test_another_table_is_reported_as_it_is(request, inputs, tmp_path, command, whose):
    folder = request.getfixturevalue(whose)
    header, *lines = (folder / "hits.tsv").read_text().splitlines(keepends=True)
    (folder / "strong.tsv").write_text("".join([header, *lines[::2]]))
    regions = () if whose == "run" else ("-r", inputs.stores["a"])

    answer = command("report", "-H", folder / "strong.tsv", *regions, "-o", tmp_path / "out")

    assert answer.status == 0, answer.err
    assert "deprecated" not in answer.err
    assert sum(counts(tmp_path / "out").values()) == len(lines[::2]) > 0
    found = read_tsv(tmp_path / "out/motif_occurrences.tsv")
    assert len(found) == len(read_tsv(folder / "peaks_qc.tsv"))
    assert "strong" in (tmp_path / "out/report.html").read_text()


def test_a_table_of_nothing_is_a_report_of_nothing(run, tmp_path, command):
    (run / "none.tsv").write_text((run / "hits.tsv").read_text().splitlines()[0] + "\n")

    answer = command("report", "-H", run / "none.tsv", "-o", tmp_path / "out")

    assert answer.status == 0, answer.err
    assert set(counts(tmp_path / "out").values()) == {0}


def test_a_table_away_from_its_call_is_refused(run, tmp_path, refused):
    table = shutil.copy(run / "hits.tsv", tmp_path / "hits.tsv")

    said = refused("report", "-H", table, "-o", tmp_path / "out")

    assert "lacks peaks_qc.tsv, motif_data.tsv, motif_cwms.npy, parameters.json" in said
    assert "Put the table beside the files of call-hits" in said


def test_finemos_table_needs_the_regions(theirs, tmp_path, refused):
    table = shutil.copy(theirs / "hits.tsv", theirs / "some.tsv")

    assert "Give them with -r" in refused("report", "-H", table, "-o", tmp_path / "out")


def test_a_table_with_motifs_of_another_call_is_refused(run, tmp_path, refused):
    text = (run / "hits.tsv").read_text().replace("pattern_0", "pattern_77")
    (run / "some.tsv").write_text(text)

    said = refused("report", "-H", run / "some.tsv", "-o", tmp_path / "out")
    assert "some.tsv: names motif 'pos_patterns.pattern_77'" in said


def test_a_report_goes_beside_the_files_of_its_run(
    run,
    with_seqlets,
    tmp_path,
    command,
):
    (run / "CWMs").mkdir()
    (run / "CWMs" / "notes.txt").write_text("mine")
    before = bytes_of(run)

    answer = command("report", "-H", run, "-o", run, "-m", with_seqlets, "-W", 150)

    assert answer.status == 0, answer.err
    after = bytes_of(run)
    assert {path: after[path] for path in before} == before
    recall = {"seqlets.tsv", "seqlet_confusion.tsv"}
    assert files(run) >= TABLES | recall
    assert command("verify", run).status == 0
    assert command("status", run).status == 0

    (run / "CWMs" / "gone").mkdir()
    (run / "CWMs" / "gone" / "hits_fc.txt").write_text("of an earlier report")
    assert command("report", "-H", run / "hits.tsv", "-o", run, "-s").status == 0
    # What this report does not have would be read as its own.
    assert not files(run) & recall
    assert not list((run / "CWMs").rglob("seqlets_only.*"))
    assert not (run / "CWMs" / "gone").exists()
    after = bytes_of(run)
    assert {path: after[path] for path in before} == before
    assert [name for name in files(run) if name.startswith(".")] == []


def test_a_report_that_fails_leaves_the_folder_of_its_run(run, tmp_path, command, monkeypatch):
    before = bytes_of(run)

    def fail(*_arguments, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("finemo_dist.reports.write.write_cwms", fail)

    assert command("report", "-H", run, "-o", run).status == 2
    assert bytes_of(run) == before


def test_what_was_added_to_a_report_stays(finished, reported, run, tmp_path):
    out = shutil.copytree(reported, tmp_path / "out")
    (out / "notes.txt").write_text("mine")

    finemo_dist("report", "-H", finished, "-o", out)
    assert (out / "notes.txt").read_text() == "mine"

    # A run in which a report lies is never replaced by a report of another.
    finemo_dist("report", "-H", run, "-o", run)
    finemo_dist("report", "-H", finished, "-o", run)
    assert (run / "run.json").exists()


def test_a_report_alone_is_replaced_as_a_whole(finished, reported, tmp_path):
    out = shutil.copytree(reported, tmp_path / "out")

    assert not is_output_shared(out, finished)
    check_output(out, force=False)
    assert is_output_shared(finished, finished / ".." / finished.name)
    (out / "x").touch()
    assert is_output_shared(out, finished)


def test_a_run_may_lie_in_the_folder_of_its_regions(inputs, tmp_path, command):
    """``extract -o all; call-hits -r all.npz -o all``: in finemo a file and a folder."""
    store = shutil.copytree(inputs.stores["a"], tmp_path / "all")
    before = bytes_of(store)
    words = ("-r", tmp_path / "all.npz", "-m", inputs.modisco_h5, "-o", store)

    for _ in range(2):
        assert command("call-hits", *words).status == 0
    assert command("verify", store).status == 0
    assert command("report", "-H", store, "-o", store).status == 0
    assert command("call-hits", *words, "--force", "-l", "0.6").status == 0

    after = bytes_of(store)
    assert {path: after[path] for path in before} == before
