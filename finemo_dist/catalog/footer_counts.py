"""Counts of hits that the footers of the parts know: no part is read for them."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

Node = dict[str, Any]

_GROUPED: Final = frozenset({"sample"})
_CONDITIONS: Final = frozenset(
    {
        "CONJUNCTION_AND", "CONJUNCTION_OR", "COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_IN",
        "COMPARE_NOT_IN", "OPERATOR_NOT", "COLUMN_REF", "VALUE_CONSTANT", "VALUE_PARAMETER",
    }
)  # fmt: skip
"""What a condition on samples may be made of."""
_PLAIN: Final = ("sample", "column_name_alias", "at_clause", "schema_name", "catalog_name")


def counted_by_footers(tree: Node, read_counted: Callable[[], Node | None]) -> str | None:
    """Return a query that counts hits as its syntax tree with ``hits`` counted by their footers.

    Of ``hits`` alone, all or by sample, and with conditions on samples only. None where anything
    else is asked.

    Parameters
    ----------
    tree
        Of the query.
    read_counted
        Returns that of the query whose one column and table take the place of ``count(*)`` and
        ``hits``.
    """
    try:
        (statement,) = tree["statements"]
        if not _is_plain(statement["node"]) or (counted := read_counted()) is None:
            return None
        (pattern,) = counted["statements"]
        found = copy.deepcopy(tree)
        _count(found["statements"][0]["node"], pattern["node"])
    except (KeyError, TypeError, ValueError):
        # A tree of another release of DuckDB.
        return None
    return json.dumps(found)


def _is_plain(node: Node) -> bool:
    table = node["from_table"]
    names = {entry["alias"].lower() for entry in node["select_list"] if entry["alias"]}
    return (
        node["type"] == "SELECT_NODE"
        and table["type"] == "BASE_TABLE"
        and table["table_name"].lower() == "hits"
        and not any(table[name] for name in _PLAIN)
        and not any(node[name] for name in ("having", "qualify", "sample"))
        and not node["cte_map"]["map"]
        and any(_is_count(entry) for entry in node["select_list"])
        and all(_is_count(e) or _is_column(e, _GROUPED) for e in node["select_list"])
        # A name that is also a column would be another thing in ORDER BY.
        and not names & {"n_hits", "hits"}
        and all(_is_column(entry, _GROUPED) for entry in node["group_expressions"])
        and all(_is_condition(part) for part in _expressions(node["where_clause"]))
        and all(_is_order(modifier, names | _GROUPED) for modifier in node["modifiers"])
    )


def _is_count(entry: Node) -> bool:
    return (
        entry["type"] == "FUNCTION"
        and entry["function_name"] == "count_star"
        and not any(entry[name] for name in ("filter", "distinct", "arguments", "schema"))
    )


def _is_column(entry: Node, names: frozenset[str] | set[str]) -> bool:
    if entry["type"] != "COLUMN_REF":
        return False
    path = [name.lower() for name in entry["column_names"]]
    return len(path) == 1 and path[0] in names


def _is_condition(part: Node) -> bool:
    kind = part["type"]
    return kind in _CONDITIONS and (kind != "COLUMN_REF" or _is_column(part, _GROUPED))


def _is_order(modifier: Node, names: frozenset[str] | set[str]) -> bool:
    if modifier["type"] == "LIMIT_MODIFIER":
        limits = (modifier["limit"], modifier["offset"])
        return all(limit is None or limit["type"] == "VALUE_CONSTANT" for limit in limits)
    if modifier["type"] != "ORDER_MODIFIER":
        return False
    expressions = [order["expression"] for order in modifier["orders"]]
    return all(
        _is_count(e) or _is_column(e, names) or e["type"] in {"VALUE_CONSTANT", "STAR"}
        for e in expressions
    )


def _expressions(condition: Node | None) -> Iterator[Node]:
    """Yield every expression of a condition."""
    if condition is None:
        return
    yield condition
    for value in condition.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict) and "type" in child:
                yield from _expressions(child)


def _count(node: Node, pattern: Node) -> None:
    """Have counts be those of footers."""
    (sum_of_hits,) = pattern["select_list"]
    node["from_table"] = pattern["from_table"] | {"alias": node["from_table"]["alias"]}
    node["select_list"] = [
        sum_of_hits | {"alias": entry["alias"] or "count_star()"} if _is_count(entry) else entry
        for entry in node["select_list"]
    ]
    for modifier in node["modifiers"]:
        for order in modifier.get("orders", ()):
            if _is_count(order["expression"]):
                order["expression"] = sum_of_hits
