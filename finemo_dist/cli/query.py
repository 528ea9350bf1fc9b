"""``query``: common questions, by name."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.answers import (
    answer_options,
    answer_to,
    screen_of,
    until_the_reader_has_enough,
)
from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import started_as
from finemo_dist.cli.options import EXISTING_PATH, max_q_option

if TYPE_CHECKING:
    from finemo_dist.workflow.asking import NamedQuery


@click.command(
    "query",
    short_help="Run a named query on a run.",
    cls=HelpfulCommand,
    examples=(
        "finemo-dist query",
        "finemo-dist query counts demo/run",
        "finemo-dist query top_regions demo/run -p motif=pos_patterns.pattern_0 -p limit=5",
    ),
)
@click.argument("name", required=False)
@click.argument("run", type=EXISTING_PATH, required=False)
@click.option(
    "-p",
    "--parameter",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Parameter of the query. May be given several times.",
)
@click.option("--list", "is_list", is_flag=True, help="List all queries.")
@max_q_option
@answer_options
def query(
    *,
    name: str | None,
    run: Path | None,
    assignments: Sequence[str],
    is_list: bool,
    output_format: str,
    out: Path | None,
    memory_limit: str | None,
    largest_q: float | None,
) -> None:
    """Run a named query on RUN; without RUN, describe the query.

    `query` without arguments lists all queries.
    """
    from finemo_dist.workflow.asking import answer_query, find_query, named_queries

    if name is None or is_list:
        _show(_outlines(named_queries()))
    elif run is None:
        _show(_description(find_query(name)))
    else:
        parameters = _parameters(assignments)
        with answer_to(out) as to:
            answer_query(
                run, name, parameters, to, output_format=output_format,
                memory_limit=memory_limit, screen=screen_of(out), largest_q=largest_q,
            )  # fmt: skip


def _parameters(assignments: Sequence[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise click.UsageError(f"-p {assignment}: expected KEY=VALUE, as in -p motif=CTCF.")
        if key in parameters:
            raise click.UsageError(f"-p {key} is given twice. Keep one.")
        parameters[key] = value
    return parameters


def _show(lines: Iterator[str]) -> None:
    with until_the_reader_has_enough():
        for line in lines:
            click.echo(line)


def _outlines(queries: Sequence["NamedQuery"]) -> Iterator[str]:
    width = max(len(found.name) for found in queries)
    for found in queries:
        taken = " ".join(
            f"[{p.name}]" if p.default != "required" else p.name for p in found.parameters
        )
        yield f"{found.name:{width}}  {found.question}"
        if taken:
            yield f"{'':{width}}  -p {taken}"
    yield ""
    ask = f"{started_as()} query NAME"
    yield f"{ask} describes one; {ask} RUN -p KEY=VALUE answers it."


def _description(found: "NamedQuery") -> Iterator[str]:
    yield f"{found.name}: {found.question}"
    yield ""
    yield from click.wrap_text(found.contract, 88).splitlines()
    yield ""
    yield "Parameters (-p KEY=VALUE):"
    for p in found.parameters:
        yield f"  {p.name:14}  {p.meaning} ({p.kind}; {_default(p.default)})"
    yield ""
    yield "Columns:"
    for column, meaning in found.columns.items():
        yield f"  {column:22}  {meaning}"


def _default(default: str) -> str:
    return default if default == "required" else f"default: {default}"


COMMANDS: Final = {"query": query}
