"""SQL of a user who trusts it: everything DuckDB does, beside the tables of the run.

Nothing of `readonly` holds here. The tables are in memory, so that no statement harms the run
through them; a COPY or ATTACH that names its files can.
"""

import duckdb

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import load_query
from finemo_dist.catalog.readonly import UserQuery, described, usage_errors
from finemo_dist.core.errors import UsageError


def run_unsafe_query(catalog: Catalog, query: str) -> UserQuery:
    """Run statements and return the answer of the last one, or what was done if it has none.

    Raises
    ------
    UsageError
        There is no statement, or DuckDB refuses one.
    """
    cursor = catalog.cursor()
    with usage_errors(None):
        statements = cursor.extract_statements(query)
        if not statements:
            raise UsageError("The query has no statement; expected at least one.")
        *first, last = statements
        is_question = _kind(last) == "SELECT"
        for statement in first if is_question else statements:
            cursor.execute(statement)
        kinds = [_kind(statement) for statement in statements]
        cursor.execute("SET VARIABLE statements = $kinds", {"kinds": kinds})
        question = last.query if is_question else load_query("user_statements")
        cursor.execute("SET VARIABLE question = $question", {"question": question})
    return described(cursor, None)


def _kind(statement: duckdb.Statement) -> str:
    try:
        return statement.type.name
    except ValueError:
        # DuckDB's Python module does not know all kinds of statement that DuckDB does.
        return "OTHER"
