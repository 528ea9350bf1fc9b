"""What part of a run a question is about, so that only the files that hold it are opened."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from finemo_dist.catalog.connection import load_query
from finemo_dist.hits.layout import TableName


@dataclass(frozen=True, slots=True)
class Scope:
    """Rows that a question is about: those that fulfil all that is said here."""

    samples: frozenset[str] | None = None
    chroms: frozenset[str] | None = None
    least: Mapping[str, float] = field(default_factory=dict)
    """Column, ``start``, ``end`` or ``peak_id``, to the least value asked for."""
    most: Mapping[str, float] = field(default_factory=dict)


EVERYTHING: Final = Scope()

Scopes = Mapping[TableName, Sequence[Scope]]
"""Table of parts to scopes, of which a row must be in one; a table that is missing is not read."""

_PLACED: Final = frozenset({"start", "end"})
_READS: Final[Mapping[str, tuple[TableName, frozenset[str]]]] = {
    "hits": ("hits", frozenset()),
    # Copies of a hit in other regions decide which one is kept.
    "hits_unique": ("hits", frozenset({"peak_id"})),
    # So do hits that lie beside it.
    "hits_primary": ("hits", _PLACED | {"peak_id"}),
    "motif_counts": ("hits", _PLACED | {"peak_id", "chr"}),
    "peaks": ("peaks_qc", frozenset()),
    "peaks_qc": ("peaks_qc", frozenset()),
}
"""View to the parts it is made of, and the columns by which it must not be narrowed."""
_READ_NO_PARTS: Final = frozenset(
    {"samples", "counted_samples", "motifs", "sample_motifs", "data_dictionary", "timings"}
)
_HARMLESS_FUNCTIONS: Final = frozenset({"unnest", "range", "generate_series"})
_NOT_UNDERSTOOD: Final = frozenset(
    {"SHOW_REF", "PIVOT", "COLUMN_DATA", "BOUND_TABLE_REF", "DELIM_GET"}
)
_FLIPPED: Final = {
    "COMPARE_EQUAL": "COMPARE_EQUAL",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
}

Node = dict[str, Any]


def scopes_of(
    cursor: duckdb.DuckDBPyConnection,
    query: str,
    values: Mapping[str, object] | None = None,
) -> Scopes | None:
    """Return what a query is about, or None where that is not understood.

    Only comparisons of columns with constants that hold for every row that a view gives are
    looked at: a conjunction in WHERE. Anything else is about everything.

    Parameters
    ----------
    values
        Those of ``$name`` in the query, and of fields of the variable ``parameters``.
    """
    tree = tree_of(cursor, query)
    return None if tree is None else scopes_in(tree, values)


def tree_of(cursor: duckdb.DuckDBPyConnection, query: str) -> Node | None:
    """Return the syntax tree of a query, None where it is no SELECT."""
    try:
        ((text,),) = cursor.execute(load_query("user_tree"), {"query": query}).fetchall()
    except duckdb.Error:
        return None
    tree: Node = json.loads(text)
    return None if tree.get("error", True) else tree


def scopes_in(tree: Node, values: Mapping[str, object] | None = None) -> Scopes | None:
    """Return what a query is about by its syntax tree; see ``scopes_of``."""
    found: dict[TableName, list[Scope]] = {}
    nodes = _nodes(tree)
    names = {entry["key"] for node in nodes for entry in _ctes(node)}
    for asked in _tables(nodes, values or {}):
        if asked is None:
            return None
        view, scope = asked
        if view in _READS and view not in names:
            table, ignored = _READS[view]
            found.setdefault(table, []).append(_without(scope, ignored))
        elif view not in names | _READ_NO_PARTS or view in _READS:
            return None
    return found


def _tables(
    nodes: Sequence[Node], values: Mapping[str, object]
) -> Iterator[tuple[str, Scope] | None]:
    """Yield each view or table that a query names, with the scope that it is asked for.

    None is something that is not understood.
    """
    n_found = 0
    for node in nodes:
        kind = node.get("type")
        if kind == "SELECT_NODE":
            sources = list(_sources(node.get("from_table") or {}))
            conditions = list(_conjuncts(node.get("where_clause")))
            for source in sources:
                n_found += 1
                scope = _scope(source, conditions, values, is_only=len(sources) == 1)
                yield source["table_name"], scope
        elif kind == "TABLE_FUNCTION":
            if node["function"]["function_name"] not in _HARMLESS_FUNCTIONS:
                yield None
        # Of a value the type is no kind of node.
        elif isinstance(kind, str) and kind in _NOT_UNDERSTOOD:
            yield None
    if n_found != sum(node.get("type") == "BASE_TABLE" for node in nodes):
        yield None


def _nodes(tree: Node) -> list[Node]:
    """Return every mapping of a tree, whatever it is a part of."""
    found: list[Node] = []
    waiting: list[Any] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found.append(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return found


def _ctes(node: Node) -> list[Node]:
    found = node.get("cte_map")
    return found["map"] if isinstance(found, dict) else []


def _sources(table: Node) -> Iterator[Node]:
    """Yield the tables that are joined in a FROM."""
    if table.get("type") == "BASE_TABLE":
        yield table
    elif table.get("type") == "JOIN":
        yield from _sources(table["left"])
        yield from _sources(table["right"])


def _conjuncts(condition: Node | None) -> Iterator[Node]:
    if condition is None:
        return
    if condition["type"] == "CONJUNCTION_AND":
        for child in condition["children"]:
            yield from _conjuncts(child)
    elif condition["type"] == "COMPARE_BETWEEN":
        for kind, side in (
            ("COMPARE_GREATERTHANOREQUALTO", "lower"),
            ("COMPARE_LESSTHANOREQUALTO", "upper"),
        ):
            yield {"type": kind, "left": condition["input"], "right": condition[side]}
    else:
        yield condition


def _scope(
    source: Node, conditions: Sequence[Node], values: Mapping[str, object], *, is_only: bool
) -> Scope:
    """Return what the conditions say of one table."""
    scope = EVERYTHING
    if source["sample"] is not None or source["column_name_alias"] or source["at_clause"]:
        return scope
    name = source["alias"] or source["table_name"]
    for condition in conditions:
        kind, column, others = _compared(condition)
        path = column.get("column_names", [])
        is_own = path[:-1] == [name] or (is_only and len(path) == 1)
        if is_own and column.get("type") == "COLUMN_REF":
            wanted = [_constant(other, values) for other in others]
            if all(value is not None for value in wanted):
                scope = _narrowed(scope, path[-1], kind, wanted)
    return scope


def _compared(condition: Node) -> tuple[str, Node, list[Node]]:
    """Return the kind of a comparison, its column, and what that is compared with."""
    kind = condition["type"]
    if kind == "COMPARE_IN":
        column, *others = condition["children"]
        return kind, column, others
    if kind not in _FLIPPED:
        return kind, {}, []
    left, right = condition["left"], condition["right"]
    if left.get("type") == "COLUMN_REF":
        return kind, left, [right]
    return _FLIPPED[kind], right, [left]


def _narrowed(scope: Scope, column: str, kind: str, wanted: Sequence[Any]) -> Scope:
    column = column.lower()
    is_one_of = kind in {"COMPARE_EQUAL", "COMPARE_IN"}
    if column in {"sample", "chr"}:
        if not is_one_of or not all(isinstance(value, str) for value in wanted):
            return scope
        names = frozenset(wanted)
        if column == "sample":
            return replace(scope, samples=names & (scope.samples or names))
        return replace(scope, chroms=names & (scope.chroms or names))
    numbers = [value for value in wanted if isinstance(value, int | float)]
    if column not in {*_PLACED, "peak_id"} or len(numbers) < len(wanted):
        return scope
    if is_one_of or "GREATER" in kind:
        low = max(min(numbers), scope.least.get(column, -math.inf))
        scope = replace(scope, least={**scope.least, column: low})
    if is_one_of or "LESS" in kind:
        high = min(max(numbers), scope.most.get(column, math.inf))
        scope = replace(scope, most={**scope.most, column: high})
    return scope


def _constant(node: Node, values: Mapping[str, object]) -> Any:  # noqa: ANN401
    """Return the value of an expression: text, a number, or None where it is neither."""
    kind = node.get("type")
    if kind == "VALUE_CONSTANT":
        literal = node["literal"]
        return _literal(literal.get("kind"), literal.get("text"))
    if kind == "VALUE_PARAMETER":
        return _plain(values.get(node["identifier"]))
    if kind == "OPERATOR_CAST" and node["type_expr"]["type_name"] in {"VARCHAR", "BIGINT"}:
        child = node["child"]
        if child.get("type") == "STRUCT_EXTRACT":
            variable, name = child["children"]
            if variable.get("function_name") == "getvariable":
                return _plain(values.get(_constant(name, values)))
    return None


def _plain(value: object) -> Any:  # noqa: ANN401
    return value if isinstance(value, str | int | float) else None


def _literal(kind: str | None, text: str | None) -> Any:  # noqa: ANN401
    if text is None or kind == "STRING":
        return text
    return float(text) if kind in {"INTEGER", "NUMERIC"} else None


def _without(scope: Scope, columns: frozenset[str]) -> Scope:
    least, most = (
        {name: value for name, value in bounds.items() if name not in columns}
        for bounds in (scope.least, scope.most)
    )
    chroms = None if "chr" in columns else scope.chroms
    return replace(scope, chroms=chroms, least=least, most=most)
