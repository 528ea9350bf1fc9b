"""``query``: named queries from the command line."""

import json

import pytest

from finemo_dist.catalog.named import named_queries
from tests.command import read_tsv


@pytest.mark.parametrize("words", [["query"], ["query", "--list"]])
def test_all_queries_are_listed_with_their_questions(command, words):
    answer = command(*words)

    assert answer.status == 0
    for query in named_queries():
        assert query.name in answer.out
        assert query.question in answer.out


def test_a_query_without_a_run_says_what_it_takes_and_gives(command):
    answer = command("query", "spacing")

    assert answer.status == 0
    for word in ("max_distance", "default: 150", "orientation", "gap"):
        assert word in answer.out


def test_a_query_is_answered_with_its_parameters(command, finished):
    names = sorted({row["motif_name"] for row in read_tsv(finished / "hits.tsv")})

    answer = command(
        "query", "counts", finished, "-p", f"motif={names[0]}", "-p", "sample=a", "--format", "json"
    )

    (row,) = json.loads(answer.out)
    found = [r for r in read_tsv(finished / "hits.tsv") if r["motif_name"] == names[0]]
    assert (row["sample"], row["motif_name"], row["n_hits"]) == ("a", names[0], len(found))


def test_an_answer_goes_to_a_file(command, finished, tmp_path):
    said = command("query", "cooccurrence", finished, "--format", "tsv")
    command("query", "cooccurrence", finished, "--format", "tsv", "-o", tmp_path / "out")

    assert (tmp_path / "out").read_text() == said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cooccurrense"], "Did you mean 'cooccurrence'"),
        (["spacing", "RUN", "-p", "max_distance"], "expected KEY=VALUE"),
        (["spacing", "RUN", "-p", "sample=a", "-p", "sample=a"], "given twice"),
        (["spacing", "RUN", "-p", "max_dist=3"], "Did you mean 'max_distance'"),
        (["counts", "RUN", "-p", "sample=b"], "no sample 'b'"),
        (["overlap", "RUN"], "needs file"),
        (["overlap", "RUN", "-p", "file=/no/such/file"], "/no/such/file: cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_leaves_no_file(
    refused, finished, tmp_path, words, message
):
    words = [finished if word == "RUN" else word for word in words]

    assert message in refused("query", *words, "-o", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
