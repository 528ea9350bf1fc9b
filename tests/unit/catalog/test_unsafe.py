import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.unsafe import run_unsafe_query
from finemo_dist.core.errors import UsageError
from tests.unit.catalog.builder import hit, write_run


@pytest.fixture
def catalog(tmp_path):
    run = write_run(tmp_path / "run", {"a": [[hit()], [hit(peak_id=1)]]})
    with open_catalog(run) as opened:
        yield opened


def answer(catalog, query):
    return list(run_unsafe_query(catalog, query).text_rows())


def test_a_question_is_answered(catalog):
    assert answer(catalog, "SELECT count(*) FROM hits") == [("2",)]


def test_files_can_be_written_and_read(catalog, tmp_path):
    path = tmp_path / "x.csv"

    assert answer(catalog, f"COPY hits TO '{path}'") == [("COPY",)]
    assert answer(catalog, f"SELECT count(*) FROM read_csv('{path}')") == [("2",)]


def test_of_several_statements_the_last_is_answered(catalog):
    query = "CREATE TABLE t AS SELECT 1 AS x; INSERT INTO t VALUES (2); SELECT sum(x) FROM t"

    assert answer(catalog, query) == [("3",)]


@pytest.mark.parametrize("query", ["", "SELEC 1", "FROM nothing", "CREATE TABLE"])
def test_what_duckdb_refuses_is_a_usage_error(catalog, query):
    with pytest.raises(UsageError):
        answer(catalog, query)
