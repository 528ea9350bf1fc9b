"""Counts that the footers know are those of the hits, and anything else is counted."""

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.readonly import run_user_query
from tests.unit.catalog.builder import hit, write_run

KNOWN = [
    "SELECT count(*) FROM hits",
    "select COUNT(*) as n from Hits",
    "SELECT count(*) FROM hits WHERE sample = 'a'",
    "SELECT count(*) FROM hits WHERE sample IN ('a', 'zzz') OR NOT sample = 'b'",
    "SELECT count(*) FROM hits WHERE sample = 'zzz'",
    "SELECT sample, count(*) FROM hits GROUP BY sample",
    "SELECT count(*) AS n, sample FROM hits GROUP BY ALL ORDER BY n DESC, sample LIMIT 1",
    "SELECT sample, count(*) FROM hits GROUP BY sample ORDER BY count(*), sample",
    "SELECT sample, count(*), count(*) AS again FROM hits GROUP BY sample ORDER BY 1",
    "SELECT sample, count(*) FROM hits WHERE sample = 'empty' GROUP BY sample",
]
COUNTED = [
    "SELECT sample, count(*) FROM hits GROUP BY 1",
    "SELECT count(*) FROM hits WHERE chr = 'chrA'",
    "SELECT count(*) FROM hits WHERE start > 15",
    "SELECT count(*) FROM hits_unique",
    "SELECT count(*) FROM hits h WHERE h.sample = 'a'",
    "SELECT count(*) FILTER (start > 15) FROM hits",
    "SELECT count(DISTINCT sample) FROM hits",
    "SELECT sample, count(*) FROM hits GROUP BY sample HAVING count(*) > 1",
    "SELECT chr, count(*) FROM hits GROUP BY chr",
    "SELECT count(*) FROM hits TABLESAMPLE 100 PERCENT",
    "SELECT count(*) FROM hits, samples",
    "WITH hits AS (SELECT 1) SELECT count(*) FROM hits",
    "SELECT count(*) + 1 FROM hits",
    "SELECT count(*), max(start) FROM hits",
    "SELECT DISTINCT sample, count(*) FROM hits GROUP BY sample",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    shards = {
        "a": [[hit(), hit(start=20, end=26)], [hit(start=40, end=46, peak_id=2)]],
        "b": [[hit(start=12, end=18)]],
        "empty": [[]],
    }
    return write_run(tmp_path_factory.mktemp("run"), shards)


@pytest.fixture(scope="module")
def catalog(run):
    with open_catalog(run, threads=1) as opened:
        yield opened


@pytest.mark.parametrize("query", KNOWN + COUNTED)
def test_answers_are_those_of_the_hits(catalog, query):
    cursor = catalog.cursor()
    expected = cursor.execute(query).fetchall()
    names = [column[0] for column in cursor.description]
    kinds = [str(column[1]) for column in cursor.description]
    asked = catalog.narrow(catalog.cursor(), query)
    found = run_user_query(catalog, query)

    assert found.columns == tuple(names)
    assert sorted(map(repr, found.rows())) == sorted(map(repr, expected))
    again = catalog.cursor()
    again.execute(asked)
    assert [str(column[1]) for column in again.description] == kinds
    assert ("counted_samples" in asked) == (query in KNOWN)


def test_no_part_is_read_for_what_the_footers_know(run, monkeypatch):
    with open_catalog(run, threads=1) as catalog:
        cursor = catalog.cursor({}, question="")
        catalog.narrow(cursor, "SELECT sample, count(*) FROM hits GROUP BY sample")
        shown = cursor.execute("SELECT getvariable('hit_parts')").fetchall()[0][0]
        made = catalog._connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE NOT internal"
        ).fetchall()

    assert shown is None, "no view of parts is made"
    assert made == [("counted_samples",)]
