"""SQL of users: one statement that only reads, and only the committed parts.

Three walls, each tested on its own: DuckDB's ``query`` takes one SELECT that may hold nothing that
writes; a plan with an operator that runs other SQL is refused; and the connection opens no file
but the committed parts and changes no setting.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import explanation, is_cut_file, load_query, run_errors
from finemo_dist.core.errors import UsageError
from finemo_dist.core.program import program
from finemo_dist.hits.write import write_streams

_EXPLAIN: Final = re.compile(r"\s*explain\s+(analyze\s+)?(?=\S)", re.IGNORECASE)
_SHOW_TABLES: Final = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)
# Some functions of a SELECT run SQL that is in their argument, or change what the database does.
_REFUSED_OPERATORS: Final = re.compile(
    r"execute|copy|insert|update|delete|merge|create|attach|enable|disable|checkpoint"
)
_NUMBERS: Final = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))")
_OF_THE_RUN: Final = (
    duckdb.HTTPException,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.SerializationException,
)
"""What no query is at fault for that reads the files of a run."""
_BATCH_ROWS: Final = 10_000

TextRow = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class UserQuery:
    """A question that was found harmless, ready to be answered."""

    columns: tuple[str, ...]
    is_numeric: tuple[bool, ...]
    """Whether a column holds numbers, for alignment."""
    is_explain: bool
    _text_query: str
    _cursor: duckdb.DuckDBPyConnection
    _run_dir: Path | None
    """As ``usage_errors`` takes it."""

    def text_rows(self) -> Iterator[TextRow]:
        """Yield the rows as text, None for null; numbers and times spelt as DuckDB does."""
        return self._answer(self._text_query)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows with Python's types."""
        return self._answer(load_query("user_rows"))

    def first_rows(self, most: int) -> tuple[list[TextRow], int]:
        """Return the first rows as ``text_rows`` does, and how many there are; not of a plan."""
        with usage_errors(self._run_dir):
            self._cursor.execute("SET VARIABLE most = $most", {"most": most + 1})
            rows = self._cursor.execute(load_query("user_text_first")).fetchmany(most + 1)
            if len(rows) <= most:
                return rows, len(rows)
            ((n_rows,),) = self._cursor.execute(load_query("user_count")).fetchall()
        return rows[:most], n_rows

    def json_rows(self) -> Iterator[str]:
        """Yield one JSON object a row."""
        return (row[0] for row in self._answer(load_query("user_json")))

    def arrow(self) -> pa.Table:
        """Return all rows as an Arrow table."""
        with usage_errors(self._run_dir):
            return self._cursor.sql(load_query("user_rows")).to_arrow_table()

    def save_parquet(self, path: Path) -> None:
        """Write the rows with their types; ``path`` is written as it stands."""
        with usage_errors(self._run_dir):
            write_streams(path, [self._cursor.sql(load_query("user_rows"))])

    def _answer(self, query: str) -> Iterator[Any]:
        with usage_errors(self._run_dir):
            self._cursor.execute(query)
            while rows := self._cursor.fetchmany(_BATCH_ROWS):
                yield from rows


def run_user_query(catalog: Catalog, query: str, *, is_only: bool = False) -> UserQuery:
    """Check a query of the user's and return it ready to be answered.

    SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE and EXPLAIN (ANALYZE) of these. The
    catalog is read-only for good afterwards: export before, or open another.

    Parameters
    ----------
    is_only
        Whether the catalog has no other query: then it can open only the files of this one.

    Raises
    ------
    UsageError
        The query is not one that reads, is not SQL, or names what is not there.
    """
    if _SHOW_TABLES.fullmatch(query):
        # DuckDB's own answer lists what the views are made of, too.
        query = load_query("user_tables")
    match = _EXPLAIN.match(query)
    question = query[match.end() :] if match else query
    cursor = catalog.cursor({}, question="") if is_only else catalog.restricted_cursor()
    with usage_errors(catalog.run_dir):
        # Both parse the query and do not run it.
        _require_select(cursor, question)
        if is_only:
            cursor, question = catalog.cursor_for(question)
        else:
            question = catalog.narrow(cursor, question)
        cursor.execute("SET VARIABLE question = $question", {"question": question})
        _require_harmless(cursor)
        if match:
            return _explanation(cursor, catalog.run_dir, is_analysed=match[1] is not None)
    return answer_of(cursor, question, catalog.run_dir)


def answer_of(cursor: duckdb.DuckDBPyConnection, question: str, run_dir: Path) -> UserQuery:
    """Return a question that is known to be harmless, ready to be answered.

    Raises
    ------
    UsageError
        It does not bind.
    RunError
        What it reads of the run is damaged.
    """
    with usage_errors(run_dir):
        cursor.execute("SET VARIABLE question = $question", {"question": question})
    return described(cursor, run_dir)


def described(cursor: duckdb.DuckDBPyConnection, run_dir: Path | None) -> UserQuery:
    """Return the query in the variable ``question`` with its columns, ready to be answered.

    Raises
    ------
    UsageError
        It is not SQL, or names what is not there.
    """
    with usage_errors(run_dir):
        rows = cursor.execute(load_query("user_types")).fetchall()
    return UserQuery(
        columns=tuple(row[0] for row in rows),
        is_numeric=tuple(_NUMBERS.fullmatch(row[1]) is not None for row in rows),
        is_explain=False,
        _text_query=load_query("user_text"),
        _cursor=cursor,
        _run_dir=run_dir,
    )


def _explanation(
    cursor: duckdb.DuckDBPyConnection, run_dir: Path, *, is_analysed: bool
) -> UserQuery:
    return UserQuery(
        columns=("part", "plan"),
        is_numeric=(False, False),
        is_explain=True,
        _text_query=load_query("user_explain_analyze" if is_analysed else "user_explain"),
        _cursor=cursor,
        _run_dir=run_dir,
    )


def _require_select(cursor: duckdb.DuckDBPyConnection, question: str) -> None:
    try:
        kinds = [statement.type.name for statement in cursor.extract_statements(question)]
    except ValueError:
        # DuckDB's Python module does not know all kinds of statement that DuckDB does.
        kinds = ["another kind of statement"]
    if len(kinds) != 1:
        raise UsageError(
            f"The query has {len(kinds)} statements; expected one. Run them one at a time."
        )
    if kinds != ["SELECT"]:
        # A PIVOT that looks its columns up is several statements to DuckDB.
        found = "PIVOT without IN" if kinds == ["MULTI"] else kinds[0]
        raise UsageError(
            f"The query is {found}; a run is read-only, so that only SELECT, WITH, FROM, VALUES, "
            "DESCRIBE, SHOW, SUMMARIZE, PIVOT ... ON ... IN and EXPLAIN of these are answered. "
            f"`{program()} sql -o FILE` writes an answer, `{program()} export` whole tables."
        )


def _require_harmless(cursor: duckdb.DuckDBPyConnection) -> None:
    for row in cursor.execute(load_query("user_plan")).fetchall():
        for name in _operators(json.loads(row[1])):
            if _REFUSED_OPERATORS.search(name.lower()):
                raise UsageError(
                    f"The query runs {name.strip()}, which can write; a run is read-only. "
                    "Ask with SELECT alone."
                )


def _operators(plan: Any) -> Iterator[str]:  # noqa: ANN401
    for node in plan:
        yield node["name"]
        yield from _operators(node.get("children", ()))


@contextmanager
def usage_errors(run_dir: Path | None) -> Iterator[None]:
    """Raise what DuckDB refuses as ``UsageError``, in one line.

    Parameters
    ----------
    run_dir
        The run that alone is read, of which damage is told by ``run_errors``; None where a query
        may read anything.
    """
    try:
        yield
    except duckdb.Error as error:
        # What a damaged Parquet file gives has no class of its own.
        if run_dir is not None and (
            type(error) is duckdb.Error
            or isinstance(error, _OF_THE_RUN)
            or is_cut_file(error, run_dir)
        ):
            with run_errors(run_dir):
                raise
        raise UsageError(
            f"The query failed: {explanation(error)} "
            "`SHOW TABLES` and `DESCRIBE hits` list the tables and columns."
        ) from error
