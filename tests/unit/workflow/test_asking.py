"""Questions to a run: one session of several, without limits, and compaction of some samples."""

import io

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import UsageError
from finemo_dist.workflow.asking import compact, open_session
from tests.unit.catalog.builder import hit, write_run


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", {"a": [[hit(), hit(start=40, end=46)]], "b": [[hit()]]})


def answers(run, *queries, **options):
    found = []
    with open_session(run, **options) as session:
        for query in queries:
            stream = io.StringIO()
            session.answer(query, stream, output_format="csv")
            found.append(stream.getvalue().splitlines())
    return found


def test_a_session_answers_one_question_after_another(run):
    assert answers(run, "SELECT count(*) AS n FROM hits", "SELECT max(start) AS s FROM hits") == [
        ["n", "3"],
        ["s", "40"],
    ]


def test_only_an_unsafe_session_may_write_and_it_says_so(run, tmp_path, caplog):
    path = tmp_path / "x.csv"
    query = f"COPY (SELECT start FROM hits WHERE sample = 'b') TO '{path}'"
    with pytest.raises(UsageError, match="read-only"):
        answers(run, query)
    assert not path.exists()
    assert caplog.text == ""

    answers(run, query, unsafe=True)

    assert path.read_text().split() == ["start", "10"]
    assert "--unsafe: the query may read, write and remove any file you can." in caplog.text


@pytest.mark.parametrize("samples", [None, ["b"]])
def test_the_hits_of_some_samples_can_be_sorted(run, samples):
    found = [summary.sample for summary in compact(run, samples)]

    with open_catalog(run) as catalog:
        assert catalog.compacted == tuple(found) == tuple(samples or ("a", "b"))
        assert catalog.rows("SELECT count(*) FROM hits") == [(3,)]


def test_hits_of_some_samples_are_not_sorted_together(run):
    with pytest.raises(UsageError) as caught:
        list(compact(run, ["a"], by_place=True))

    assert str(caught.value) == (
        "Hits are sorted together of all samples. Leave out --sample, or --by."
    )
