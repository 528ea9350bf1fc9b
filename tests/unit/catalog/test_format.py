import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from finemo_dist.catalog.format import OutputFormat, Screen, save_answer, write_answer
from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.core.errors import FinemoDistError, UsageError

ODD = """
    SELECT * FROM (VALUES
        (1, 'a"b', 0.1::FLOAT, TRUE, NULL), (NULL, 'c,d' || chr(9) || 'e', 1e-7::FLOAT, FALSE, 'x'))
    AS t(n, s, f, b, z)
"""


def text(catalog, query, output_format):
    stream = io.StringIO()
    write_answer(run_user_query(catalog, query), output_format, stream)
    return stream.getvalue()


def test_tsv_writes_values_raw_and_null_as_na(catalog):
    assert text(catalog, ODD, OutputFormat.TSV).splitlines() == [
        "n\ts\tf\tb\tz",
        '1\ta"b\t0.1\ttrue\tNA',
        "NA\tc,d\\te\t1e-07\tfalse\tx",
    ]


def on_screen(catalog, query, **limits):
    stream = io.StringIO()
    asked = run_user_query(catalog, query)
    write_answer(asked, OutputFormat.TABLE, stream, screen=Screen(**{"width": 80} | limits))
    return stream.getvalue().splitlines()


def test_a_screen_shows_nothing_for_null_and_six_digits_of_a_number(catalog):
    query = "SELECT NULL AS a, 1 / 3 AS b, 'x' || chr(10) || 'y' AS c, repeat('z', 200) AS d"

    header, row = on_screen(catalog, query, width=500)

    assert header.split() == ["a", "b", "c", "d"]
    assert row.split() == ["0.333333", "x", "y", "z" * 79 + "…"]


def test_a_screen_shows_a_plan_whole(catalog):
    query = "EXPLAIN SELECT * FROM hits ORDER BY start"
    ((part, plan),) = run_user_query(catalog, query).text_rows()

    assert on_screen(catalog, query, width=5, most_rows=1) == [part, *plan.splitlines()]
    assert len(plan.splitlines()) > 5


def test_csv_reads_back(catalog):
    rows = list(csv.reader(io.StringIO(text(catalog, ODD, OutputFormat.CSV))))

    assert rows == [
        ["n", "s", "f", "b", "z"],
        ["1", 'a"b', "0.1", "true", ""],
        ["", "c,d\te", "1e-07", "false", "x"],
    ]


def test_json_is_one_array_with_types(catalog):
    rows = json.loads(text(catalog, ODD, OutputFormat.JSON))

    assert [(r["n"], r["b"], r["z"]) for r in rows] == [(1, True, None), (None, False, "x")]
    assert rows[1]["s"] == "c,d\te"


@pytest.mark.parametrize("n", [0, 1, 2])
def test_json_of_any_number_of_rows_is_json(catalog, n):
    rows = json.loads(
        text(catalog, f"SELECT 'NaN'::DOUBLE AS x FROM range({n})", OutputFormat.JSON)
    )

    assert len(rows) == n


def test_a_table_aligns_its_columns(catalog):
    query = "SELECT * FROM (VALUES ('a', 1), ('long', 100)) AS t(name, n)"

    assert text(catalog, query, OutputFormat.TABLE) == "name    n\na       1\nlong  100\n"


def test_an_empty_answer_has_its_header(catalog):
    assert text(catalog, "SELECT sample FROM hits LIMIT 0", OutputFormat.TSV) == "sample\n"


def test_order_is_kept(catalog):
    query = "SELECT start FROM hits ORDER BY start DESC"
    lines = text(catalog, query, OutputFormat.TSV).splitlines()[1:]

    assert [int(x) for x in lines] == sorted((int(x) for x in lines), reverse=True)


def test_parquet_keeps_types(catalog, tmp_path):
    query = run_user_query(catalog, "SELECT start, hit_similarity, chr FROM hits ORDER BY ALL")

    save_answer(query, OutputFormat.PARQUET, tmp_path / "x.parquet")

    table = pq.read_table(tmp_path / "x.parquet")
    assert [str(t) for t in table.schema.types] == ["int64", "float", "string"]
    assert table["start"].to_pylist() == [
        r[0] for r in catalog.rows("SELECT start FROM hits ORDER BY 1")
    ]


def test_an_empty_answer_is_a_parquet_file(catalog, tmp_path):
    query = run_user_query(catalog, "FROM hits LIMIT 0")

    save_answer(query, OutputFormat.PARQUET, tmp_path / "x.parquet")

    assert pq.read_table(tmp_path / "x.parquet").num_rows == 0


@pytest.mark.parametrize("output_format", list(OutputFormat))
def test_a_failure_leaves_no_file(catalog, tmp_path, output_format):
    # Fails on a row, not when it is planned.
    query = run_user_query(catalog, "SELECT sample::INT FROM hits")

    with pytest.raises(UsageError, match="Could not convert"):
        save_answer(query, output_format, tmp_path / "x")

    assert list(tmp_path.iterdir()) == []


def test_parquet_that_breaks_off_leaves_no_file(catalog, tmp_path):
    late = "SELECT CASE i WHEN 2999999 THEN 'x' ELSE '1' END::INT AS v FROM range(3000000) AS t(i)"
    query = run_user_query(catalog, late)

    with pytest.raises(FinemoDistError, match="Could not convert"):
        save_answer(query, OutputFormat.PARQUET, tmp_path / "x")

    assert list(tmp_path.iterdir()) == []


def test_parquet_is_not_for_a_stream(catalog):
    with pytest.raises(UsageError, match="-o FILE"):
        text(catalog, "SELECT 1", OutputFormat.PARQUET)


@pytest.mark.parametrize("output_format", [OutputFormat.JSON, OutputFormat.PARQUET])
def test_a_plan_is_text(catalog, tmp_path, output_format):
    query = run_user_query(catalog, "EXPLAIN SELECT 1")

    with pytest.raises(UsageError, match="A plan is text"):
        save_answer(query, output_format, tmp_path / "x")
