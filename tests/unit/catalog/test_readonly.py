from pathlib import Path

import duckdb
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.named import ask
from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.workflow.opening import open_run
from tests.unit.catalog.builder import hit, write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run, and a file beside it; no query changes them, so that one is enough."""
    folder = tmp_path_factory.mktemp("readonly")
    run = write_run(folder / "run", {"it's": [[hit()]], "b": [[hit(), hit(peak_id=1)]]})
    part = part_path(run, "hits", Unit("b", 0))
    (folder / "other.parquet").write_bytes(part.read_bytes())
    return folder


@pytest.fixture(scope="module")
def own_run(folder):
    return folder / "run"


@pytest.fixture(scope="module")
def catalog(own_run):
    with open_catalog(own_run) as opened:
        yield opened


def answer(catalog, query):
    return list(run_user_query(catalog, query).text_rows())


def snapshot(folder):
    return {p: p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("SELECT count(*) FROM hits", ("3",)),
        ("select 1;", ("1",)),
        ("-- why\nSELECT 1 -- because", ("1",)),
        ("WITH a AS (FROM hits) SELECT count(*) FROM a", ("3",)),
        ("FROM hits SELECT sample ORDER BY ALL LIMIT 1", ("b",)),
        ("VALUES (1, NULL)", ("1", None)),
        ("SELECT count(*) FROM hits WHERE sample = 'it''s'", ("1",)),
        ("(SELECT 2)", ("2",)),
        ("SELECT sample FROM samples UNION ALL SELECT 'z' ORDER BY ALL DESC", ("z",)),
        ("PIVOT hits ON strand IN ('+') USING count(*) GROUP BY sample ORDER BY ALL", ("b", "2")),
        ("SELECT hit_similarity, 1 = 1, 0.1::FLOAT FROM hits", ("0.75", "true", "0.1")),
    ],
)
def test_a_query_that_reads_is_answered(catalog, query, first):
    assert answer(catalog, query)[0] == first


def test_describe_show_and_summarize_are_answered(catalog):
    assert ("hits",) in answer(catalog, "SHOW TABLES")
    assert answer(catalog, "DESCRIBE hits")[0][:2] == ("sample", "VARCHAR")
    assert answer(catalog, "SUMMARIZE hits")[0][0] == "sample"


@pytest.mark.parametrize("query", ["EXPLAIN SELECT start FROM hits", "explain\nanalyze FROM hits"])
def test_explain_is_answered(catalog, query):
    assert "hit_parts" in answer(catalog, query)[0][1] or "Scan" in answer(catalog, query)[0][1]


def test_explain_alone_computes_nothing_and_analyze_does(catalog):
    assert "Total Time" not in answer(catalog, "EXPLAIN FROM hits")[0][1]
    assert "Total Time" in answer(catalog, "EXPLAIN ANALYZE FROM hits")[0][1]


def test_columns_and_their_kind_are_known_before_the_rows(catalog):
    query = run_user_query(
        catalog, "SELECT sample, start, hit_similarity, sum(1) FROM hits GROUP BY ALL"
    )

    assert query.columns[:3] == ("sample", "start", "hit_similarity")
    assert query.is_numeric == (False, True, True, True)


REFUSED_STATEMENTS = [
    "COPY (SELECT 1) TO '{part}'",
    "COPY hits TO '{run}/x.csv'",
    "EXPLAIN COPY (SELECT 1) TO '{part}'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{part}'",
    "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{part}'",
    "EXPLAIN ANALYZE WITH x AS (COPY (SELECT 1) TO '{part}') SELECT 1",
    "/* c */ EXPLAIN ANALYZE COPY (SELECT 1) TO '{part}'",
    "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{part}'",
    "WITH x AS (COPY (SELECT 1) TO '{part}') SELECT 1",
    "WITH x AS (INSERT INTO part_files VALUES ('a', 'b') RETURNING *) FROM x",
    "FROM query('WITH x AS (COPY (SELECT 1) TO ''{part}'') SELECT 1')",
    "SELECT 1; COPY (SELECT 1) TO '{part}'",
    "SELECT 1; SELECT 2",
    "SELECT 1) UNION (SELECT 2",
    "SELECT 1); COPY (SELECT 1) TO '{part}'; FROM (SELECT 2",
    "ATTACH '{run}/x.db'",
    "DETACH memory",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '/tmp/x.duckdb_extension'",
    "FORCE INSTALL httpfs",
    "UPDATE EXTENSIONS",
    "CREATE SECRET (TYPE s3)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CALL enable_logging()",
    "CALL force_checkpoint()",
    "COPY part_files FROM '/etc/passwd'",
    "COPY (SELECT 1) TO '/tmp/finemo_dist_x'",
    "COPY FROM DATABASE memory TO memory",
    "SET enable_external_access = true",
    "SET GLOBAL allowed_directories = ['/']",
    "RESET lock_configuration",
    "PRAGMA enable_profiling",
    "PRAGMA import_database('{run}')",
    "COMMENT ON TABLE part_files IS 'x'",
    "GRANT x",
    "PRAGMA database_list",
    "SET threads = 1",
    "RESET threads",
    "SET VARIABLE question = 'x'",
    "CREATE TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW hits AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "INSERT INTO part_files VALUES ('a', 'b')",
    "UPDATE part_files SET sample = 'a'",
    "DELETE FROM part_files",
    "TRUNCATE part_files",
    "DROP VIEW hits",
    "ALTER TABLE part_files ADD COLUMN x INT",
    "EXPORT DATABASE '{run}/x'",
    "IMPORT DATABASE '{run}/x'",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "PIVOT hits ON strand USING count(*)",
    "",
    "   ",
    "-- nothing",
    "SELEC 1",
    "SELECT * FROM no_such_table",
    "SELECT ?",
    "SELECT $x",
]
REFUSED_READS = [
    "FROM read_json('/etc/passwd')",
    "FROM read_ndjson_objects('/etc/passwd')",
    "FROM read_json_objects('{run}/run.json')",
    "FROM read_csv_auto('{run}/run.json')",
    "FROM '{run}/run.json'",
    'FROM "/etc/passwd"',
    "FROM '{run}/hits/*/*.parquet'",
    "SELECT * FROM (FROM read_text('/proc/self/environ'))",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "WITH x AS (FROM read_blob('/etc/passwd')) FROM x",
    "FROM parquet_schema('{other}')",
    "FROM parquet_file_metadata('{other}')",
    "FROM parquet_kv_metadata('{other}')",
    "FROM query_table('/etc/passwd')",
    "FROM which_secret('x', 'y')",
    "FROM read_csv('/etc/passwd')",
    "FROM read_text('/etc/passwd')",
    "FROM read_blob('/proc/self/environ')",
    "FROM '/etc/passwd'",
    "FROM glob('/etc/*')",
    "FROM sniff_csv('/etc/passwd')",
    "FROM read_text('{run}/run.json')",
    "FROM read_parquet('{run}/**/*.parquet')",
    "FROM read_csv('https://127.0.0.1/x.csv')",
    "FROM parquet_metadata('{other}')",
    "FROM read_parquet('{other}')",
    "FROM query('FROM read_text(''/etc/passwd'')')",
    "SELECT getenv('HOME')",
    "FROM checkpoint()",
    "FROM enable_logging(storage='file', storage_config={{'path': '{run}'}})",
]


@pytest.mark.parametrize("query", REFUSED_STATEMENTS + REFUSED_READS)
def test_a_query_that_is_not_a_read_of_the_run_is_refused(catalog, folder, own_run, query):
    other = folder / "other.parquet"
    part = part_path(own_run, "hits", Unit("b", 0))
    before = snapshot(folder)

    with pytest.raises(UsageError):
        answer(catalog, query.format(part=part, run=own_run, other=other))

    assert snapshot(folder) == before
    assert answer(catalog, "SELECT count(*) FROM hits") == [("3",)]


def test_sql_hidden_in_an_argument_is_refused(catalog, own_run):
    """DuckDB runs serialised SQL behind a SELECT, COPY to a readable part included."""
    part = part_path(own_run, "hits", Unit("b", 0))
    copy = f"WITH x AS (COPY (SELECT 1) TO '{part}') SELECT 1"
    text = catalog.rows("SELECT json_serialize_sql($q::VARCHAR)", {"q": copy})[0][0]
    quoted = text.replace("'", "''")
    nested = f"FROM json_execute_serialized_sql('{quoted}')".replace("'", "''")
    before = part.read_bytes()

    for query in (
        f"FROM json_execute_serialized_sql('{quoted}')",
        f"SELECT (SELECT count(*) FROM json_execute_serialized_sql('{quoted}'))",
        f"FROM query('{nested}')",
        f"EXPLAIN ANALYZE FROM json_execute_serialized_sql('{quoted}')",
    ):
        # DuckDB before 2 cannot read such SQL at all.
        with pytest.raises(UsageError, match=r"can write|A CTE needs a SELECT"):
            answer(catalog, query)

    assert part.read_bytes() == before


def test_the_connection_itself_opens_nothing_else(catalog, tmp_path):
    cursor = catalog.restricted_cursor()

    for query in (
        f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
        "FROM read_text('/etc/passwd')",
        f"ATTACH '{tmp_path}/x.db'",
    ):
        with pytest.raises(duckdb.Error):
            cursor.execute(query)
    with pytest.raises(duckdb.Error, match="locked"):
        cursor.execute("SET enable_external_access = true")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1; SELECT 2", "2 statements; expected one"),
        ("COPY hits TO 'x'", "COPY; a run is read-only"),
        ("PIVOT hits ON strand USING count(*)", "PIVOT without IN|2 statements"),
        ("", "0 statements"),
    ],
)
def test_a_refusal_says_what_was_found(catalog, query, message):
    with pytest.raises(UsageError, match=message):
        run_user_query(catalog, query)


def test_a_failure_is_told_in_one_line(catalog):
    with pytest.raises(UsageError, match="Referenced column") as caught:
        answer(catalog, "SELECT colour FROM hits")

    assert "\n" not in str(caught.value)


def test_a_failure_among_the_rows_is_a_usage_error(catalog):
    query = run_user_query(catalog, "SELECT sample::INT FROM hits")

    with pytest.raises(UsageError, match="Could not convert"):
        list(query.text_rows())


def test_two_answers_can_be_read_at_once(catalog):
    first = run_user_query(catalog, "SELECT 1 FROM hits").text_rows()
    second = run_user_query(catalog, "SELECT 2 FROM hits").text_rows()

    assert [next(first), next(second), next(first)] == [("1",), ("2",), ("1",)]


@pytest.mark.parametrize(
    ("query", "n_parts"),
    [
        ("SELECT 1", 0),
        ("SELECT sample, start FROM hits WHERE sample = 'b' ORDER BY ALL", 1),
        ("SELECT count(*), sum(start) FROM hits", 2),
        ("SELECT count(*) FROM peaks_qc WHERE sample = 'b'", 1),
        ("EXPLAIN SELECT start FROM hits WHERE sample = 'it''s'", 1),
        ("SHOW TABLES", 0),
    ],
)
def test_a_catalog_that_is_asked_once_opens_what_it_needs_and_answers_the_same(
    catalog, folder, query, n_parts
):
    run, other = folder / "run", folder / "other.parquet"
    with open_catalog(run) as once:
        found = list(run_user_query(once, query, is_only=True).text_rows())
        ((allowed,),) = once.rows("SELECT current_setting('allowed_paths')")
        assert sum("/sample=" in path for path in allowed) == n_parts
        # Of what it need not read, nothing can be read any more.
        for path in (other, part_path(run, "hits", Unit("it's", 0))):
            if str(path) not in allowed:
                with pytest.raises(UsageError, match="Permission Error"):
                    answer(once, f"FROM read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')")
        with pytest.raises(RunError, match="locked"):
            once.rows("SET enable_external_access = true")
    if not query.startswith("EXPLAIN"):
        assert found == answer(catalog, query)


def test_nothing_of_a_query_is_run_before_the_walls_stand(folder, tmp_path):
    for query in (
        f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
        f"FROM read_text('{folder / 'other.parquet'}')",
        f"ATTACH '{tmp_path}/x.db'",
        "SET enable_external_access = true",
        f"SELECT * FROM query('COPY (SELECT 1) TO ''{tmp_path}/x.csv''')",
    ):
        with open_catalog(folder / "run") as once, pytest.raises(UsageError):
            list(run_user_query(once, query, is_only=True).rows())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content, footer: content[:4] + b"\xff" * (footer - 4) + content[footer:],
        lambda content, footer: content[:100],
        lambda content, footer: b"",
    ],
    ids=["overwritten", "cut", "empty"],
)
def test_a_part_that_is_damaged_while_it_is_asked_is_no_mistake_in_the_query(tmp_path, damage):
    run = write_run(tmp_path / "run", {"a": [[hit()]]})
    path = part_path(run, "hits", Unit("a", 0))
    content = path.read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    with open_catalog(run) as opened:
        questions = (
            lambda: run_user_query(opened, "FROM hits"),
            lambda: ask(opened, "region_hits", {"sample": "a", "peak_id": 0}),
        )
        path.write_bytes(damage(content, footer))

        for question in questions:
            with pytest.raises(RunError) as caught:
                list(question().rows())
            assert str(caught.value).startswith(f"{run}: its tables cannot be read (")
            assert "makes damaged parts again." in str(caught.value)


def test_a_part_that_is_cut_while_the_library_asks_is_no_mistake_in_the_query(tmp_path):
    run = write_run(tmp_path / "run", {"a": [[hit()]]})
    with open_run(run) as opened:
        part_path(run, "hits", Unit("a", 0)).write_bytes(b"PAR1")
        with pytest.raises(RunError, match=r"its tables cannot be read .*too small"):
            opened.sql("FROM hits")


def test_a_query_that_needs_more_memory_than_it_may_is_told_so(tmp_path):
    run = write_run(tmp_path / "run", {"a": [[hit()]]})
    query = "SELECT list(i::VARCHAR || repeat('x', 9)) FROM range(4000000) AS t(i)"
    with open_catalog(run, memory_limit="60MB", threads=1) as opened, pytest.raises(RunError) as e:
        list(run_user_query(opened, query).rows())

    assert str(e.value).startswith(f"{run}: a query needs more than the memory limit (")
