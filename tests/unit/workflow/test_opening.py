"""``open_run``: what Python users get of a run."""

import pandas as pd
import pytest

import finemo_dist
from finemo_dist import RunError, UsageError
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path
from tests.unit.catalog.builder import hit, write_run


@pytest.fixture
def run(tmp_path):
    """Two samples of one and two hits of motif m0 at bases 10 and 40."""
    path = write_run(tmp_path / "run", {"a": [[hit(), hit(start=40, end=46)]], "b": [[hit()]]})
    with finemo_dist.open_run(path, memory_limit="1GB", threads=1) as opened:
        yield opened


def test_it_says_what_it_holds(run, tmp_path):
    assert repr(run).startswith(f"<Run {str(tmp_path / 'run')!r}: 2 samples, ")
    assert "3 hits, 3 motifs; complete>" in repr(run)
    assert (run.samples, run.is_complete, run.path) == (("a", "b"), True, tmp_path / "run")
    assert "<td>a</td>" in run._repr_html_()


def test_a_missing_shard_shows(tmp_path):
    path = write_run(tmp_path / "run", {"a": [[hit()], [hit(peak_id=1)]]})
    next(path.glob("hits/*/part-00001.parquet")).unlink()

    with finemo_dist.open_run(path) as opened:
        assert not opened.is_complete
        assert "incomplete (1 shard missing)" in repr(opened)


def test_sql_answers_as_arrow_pandas_rows_and_columns(run):
    query = "SELECT sample, count(*) AS n FROM hits WHERE start = $s GROUP BY ALL ORDER BY ALL"

    table = run.sql(query, {"s": 10})

    assert table.to_arrow().to_pydict() == {"sample": ["a", "b"], "n": [1, 1]}
    expected = pd.DataFrame({"sample": ["a", "b"], "n": [1, 1]})
    pd.testing.assert_frame_equal(table.to_pandas(), expected)
    assert table.to_polars().to_dict(as_series=False) == {"sample": ["a", "b"], "n": [1, 1]}
    assert list(table) == [{"sample": "a", "n": 1}, {"sample": "b", "n": 1}]
    assert (table["n"], len(table), table.columns) == ([1, 1], 2, ("sample", "n"))
    assert len(run.connection.sql("FROM hits").fetchall()) == 3


def test_a_table_shows_its_first_rows_and_its_size(run):
    table = run.sql("SELECT i AS n, i / 3 AS third, '<b>' AS tag FROM range(12) AS t(i)")

    assert repr(table).splitlines()[:2] == ["n  third   tag", "0  0       <b>"]
    assert repr(table).splitlines()[2].split() == ["1", "0.3333", "<b>"]
    assert repr(table).endswith("[12 rows x 3 columns]")
    assert "&lt;b&gt;" in table._repr_html_()
    assert "<b>" not in table._repr_html_()


@pytest.mark.parametrize("query", ["SELECT", "SELECT nme FROM hits", "FROM hit"])
def test_a_query_that_is_wrong_is_the_callers_mistake(run, query):
    with pytest.raises(UsageError, match="The query failed"):
        run.sql(query)


def test_a_named_query_takes_its_parameters_by_name(run):
    table = run.query("counts", motif="m0")

    assert table["sample"] == ["a", "b"]
    assert set(table["motif_name"]) == {"m0"}
    with pytest.raises(UsageError, match="no query 'count'"):
        run.query("count")


def test_a_column_that_is_not_there_is_named(run):
    with pytest.raises(UsageError, match="no column 'm'; there are n"):
        run.sql("SELECT 1 AS n")["m"]


@pytest.mark.parametrize(
    ("wanted", "starts"),
    [
        ({}, [10, 40, 10]),
        ({"sample": "a"}, [10, 40]),
        ({"motif": "m1"}, []),
        ({"locus": "chrA"}, [10, 40, 10]),
        ({"locus": "chrA:0-11"}, [10, 10]),
        ({"locus": "chrA:45-1,000"}, [40]),
        ({"locus": "chrA:46-1000"}, []),
        ({"locus": "chrA:0-10"}, []),
        ({"locus": "chr2"}, []),
        ({"sample": "a", "locus": "chrA:30-50", "motif": "m0", "table": "primary"}, [40]),
    ],
)
def test_hits_are_those_asked_for(run, wanted, starts):
    assert run.hits(**wanted)["start"] == starts


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"sample": "c"}, "no sample 'c'"),
        ({"table": "hit"}, "no table 'hit'"),
        ({"locus": "chrA:9-3"}, "ends before it starts"),
        ({"locus": "chrA:9-"}, "is not a place"),
    ],
)
def test_what_there_is_not_is_refused(run, wanted, says):
    with pytest.raises(UsageError, match=says):
        run.hits(**wanted)


def test_motifs_are_a_table(run):
    assert run.motifs["motif_name"][0] == "m0"


def test_internals_are_not_public(run):
    public = {name for name in dir(run) if not name.startswith("_")}

    assert public == {
        "close", "connection", "hits", "is_complete", "motifs", "path", "plot", "query", "report",
        "samples", "sql",
    }  # fmt: skip


def test_a_part_that_is_damaged_after_it_was_opened_is_no_mistake_in_the_query(run):
    path = part_path(run.path, "hits", Unit("a", 0))
    content = path.read_bytes()
    path.write_bytes(content[:60] + b"\xff\xff" + content[62:])

    with pytest.raises(RunError) as caught:
        run.sql("FROM hits")

    assert str(caught.value).startswith(f"{run.path}: its tables cannot be read (")
    assert str(caught.value).endswith("a rerun of the same command makes damaged parts again.")
