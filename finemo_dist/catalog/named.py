"""Named queries: common questions, each in one file of ``queries/named``.

The header of a file is its documentation: question, contract, parameters with their kinds and
defaults, columns. Nothing else lists them.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import run_errors
from finemo_dist.catalog.parameters import Parameter, check_parameters
from finemo_dist.catalog.preparation import is_prepared, prepare
from finemo_dist.catalog.readonly import UserQuery, answer_of
from finemo_dist.core.errors import UsageError, nearest
from finemo_dist.core.program import program

_ENTRY: Final = re.compile(r"-- (Question|Contract|Parameter|Column): (.*)")
_PARAMETER: Final = re.compile(r"(\w+) \((.+), (.+?)\): (.+)")


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A question of every day and what its file says about it."""

    name: str
    question: str
    contract: str
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, str]
    """Column of the answer to its meaning, in order."""
    text: str
    """One SELECT that reads its parameters from the variable ``parameters``."""


def named_queries() -> tuple[NamedQuery, ...]:
    """Return all named queries, by name."""
    folder = files("finemo_dist.catalog").joinpath("queries", "named")
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple(
        _parsed(name.removesuffix(".sql"), folder.joinpath(name).read_text("utf-8"))
        for name in found
    )


def find_query(name: str) -> NamedQuery:
    """Return the query of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    known = {query.name: query for query in named_queries()}
    if name not in known:
        raise UsageError(
            f"There is no query {name!r}.{nearest(name, known)} "
            f"`{program()} query --list` lists them: {', '.join(known)}."
        )
    return known[name]


def ask(catalog: Catalog, name: str, parameters: Mapping[str, object] | None = None) -> UserQuery:
    """Return a named query, checked and ready to be answered in any format.

    Parameters
    ----------
    parameters
        By name; text is read as the kind of the parameter.

    Raises
    ------
    UsageError
        There is no such query or parameter, or a value is not one it can have.
    InputError
        A file that a parameter names cannot be read.
    RunError
        What it reads of the run is damaged.
    """
    query = find_query(name)
    values = check_parameters(catalog, query.name, query.parameters, parameters or {})
    cursor = catalog.cursor({}, question="")
    with run_errors(catalog.run_dir):
        cursor.execute("SET VARIABLE parameters = $values", {"values": values or {"none": None}})
        catalog.narrow(cursor, query.text, values, names_all=not is_prepared(query.name))
        prepare(query.name, catalog, cursor, values)
    return answer_of(cursor, query.text, catalog.run_dir)


def rows_of(
    catalog: Catalog, name: str, parameters: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """Return the answer to a named query as one mapping a row, with Python's types.

    Raises
    ------
    UsageError, InputError
        As ``ask``.
    """
    answer = ask(catalog, name, parameters)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows()]


def _parsed(name: str, text: str) -> NamedQuery:
    entries: dict[str, list[str]] = {"Question": [], "Contract": [], "Parameter": [], "Column": []}
    for kind, content in _header(text):
        entries[kind].append(content)
    columns = (entry.split(": ", 1) for entry in entries["Column"])
    return NamedQuery(
        name=name,
        question=entries["Question"][0],
        contract=entries["Contract"][0],
        parameters=tuple(_parameter(entry) for entry in entries["Parameter"]),
        columns=dict(columns),
        text=text,
    )


def _header(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and content of the entries of a header; a line without a kind goes on."""
    kind, content = "", ""
    for line in itertools.takewhile(lambda line: line.startswith("-- "), text.splitlines()):
        if match := _ENTRY.fullmatch(line):
            if kind:
                yield kind, content
            kind, content = match[1], match[2]
        else:
            content += " " + line.removeprefix("-- ")
    yield kind, content


def _parameter(entry: str) -> Parameter:
    match = _PARAMETER.fullmatch(entry)
    assert match is not None, entry
    return Parameter(name=match[1], kind=match[2], default=match[3], meaning=match[4])
