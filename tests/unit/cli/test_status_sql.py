"""``status`` and ``sql``: looking at runs."""

import json
import shutil

import duckdb
import pytest

from tests.command import read_tsv

COUNT = "SELECT motif_name, count(*) AS n FROM hits GROUP BY ALL ORDER BY ALL"


@pytest.fixture
def with_hole(finished, tmp_path):
    """A copy of a finished run, one of its parts gone."""
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "hits/sample=a/part-00001.parquet").unlink()
    return run


def counts(finished):
    rows = [row["motif_name"] for row in read_tsv(finished / "hits.tsv")]
    return {name: rows.count(name) for name in sorted(set(rows))}


def test_a_finished_run_is_complete(command, finished):
    answer = command("status", finished)

    assert answer.status == 0
    row = answer.out.splitlines()[1].split()
    assert row[:3] == ["a", "3/3", "12"]
    assert answer.out.splitlines()[-1].endswith("complete; 1 of 1 sample complete")


def test_a_run_with_holes_is_never_called_complete(command, with_hole):
    answer = command("status", with_hole)

    assert answer.status == 3
    header, row = (line.split() for line in answer.out.splitlines()[:2])
    assert header[:4] == ["sample", "shards", "missing", "regions"]
    assert row[:4] == ["a", "2/3", "1", "8"]
    assert "1 shard is missing" in answer.err


@pytest.mark.parametrize("is_whole", [True, False])
def test_status_as_json(command, finished, with_hole, is_whole):
    answer = command("status", finished if is_whole else with_hole, "--json")

    content = json.loads(answer.out)
    assert (answer.status, content["missing"]) == ((0, 0) if is_whole else (3, 1))
    (sample,) = content["samples"]
    assert (sample["sample"], sample["n_shards"]) == ("a", 3)
    assert sample["n_regions_committed"] == (12 if is_whole else 8)


@pytest.mark.parametrize("name", ["status", "sql"])
def test_a_folder_that_is_no_run_is_refused(refused, tmp_path, name):
    assert "not a run directory" in refused(name, tmp_path, *["SELECT 1"] * (name == "sql"))


def test_a_damaged_part_is_a_hole(command, with_hole):
    path = with_hole / "hits/sample=a/part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-40])

    answer = command("status", with_hole)

    assert (answer.status, "1/3" in answer.out) == (3, True)
    assert str(path) in answer.err


def test_an_answer_as_tsv(command, finished):
    answer = command("sql", finished, COUNT, "--format", "tsv")

    lines = [line.split("\t") for line in answer.out.splitlines()]
    assert lines[0] == ["motif_name", "n"]
    assert {name: int(n) for name, n in lines[1:]} == counts(finished)


def test_an_answer_as_csv(command, finished):
    answer = command("sql", finished, COUNT, "--format", "csv")

    assert answer.out.splitlines()[0] == "motif_name,n"


def test_an_answer_as_json(command, finished):
    answer = command("sql", finished, COUNT, "--format", "json")

    assert {row["motif_name"]: row["n"] for row in json.loads(answer.out)} == counts(finished)


def test_an_answer_as_a_table(command, finished):
    answer = command("sql", finished, COUNT)

    for name in counts(finished):
        assert name in answer.out


def test_an_answer_as_parquet(command, finished, tmp_path):
    out = tmp_path / "answer.parquet"

    assert command("sql", finished, COUNT, "--format", "parquet", "-o", out).status == 0
    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(out)).fetchall()
    assert dict(rows) == counts(finished)


@pytest.mark.parametrize("output_format", ["tsv", "csv", "json"])
def test_an_answer_in_a_file_is_the_one_on_standard_output(
    command, finished, tmp_path, output_format
):
    said = command("sql", finished, COUNT, "--format", output_format)
    command("sql", finished, COUNT, "--format", output_format, "-o", tmp_path / "answer")

    assert (tmp_path / "answer").read_text() == said.out


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT", "SELECT"),
        ("SELECT nme FROM hits", "nme"),
        ("SELECT * FROM hit", "hit"),
        ("DROP VIEW hits", ""),
        ("COPY hits TO 'stolen.csv'", ""),
        ("SELECT * FROM read_csv('/etc/passwd')", ""),
        ("", ""),
    ],
)
def test_a_query_that_cannot_be_is_refused_and_leaves_no_file(
    refused, finished, tmp_path, query, message
):
    said = refused("sql", finished, query, "-o", tmp_path / "out", "--format", "csv")

    assert message in said
    assert list(tmp_path.iterdir()) == []
