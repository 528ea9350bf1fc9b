"""``sql``: a query over the tables of a run, or a shell of them."""

import sys
from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.answers import answer_options, answer_to, screen_of
from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.options import EXISTING_PATH, LOCAL_FILE


@click.command(
    "sql",
    short_help="Query a run by SQL.",
    cls=HelpfulCommand,
    examples=(
        "finemo-dist sql demo/run 'SELECT motif_name, count(*) AS n FROM hits GROUP BY ALL'",
        "echo 'FROM samples' | finemo-dist sql demo/run - --format tsv",
    ),
)
@click.argument("run", type=EXISTING_PATH)
@click.argument("query", required=False)
@click.option(
    "-f",
    "--file",
    "file",
    type=LOCAL_FILE,
    help="File that holds the query, instead of QUERY.",
)
@click.option(
    "--unsafe",
    is_flag=True,
    help="Run QUERY without restrictions: it may read and write any of your files and load "
    "extensions. Use it only for queries you wrote yourself.",
)
@answer_options
def sql(
    *,
    run: Path,
    query: str | None,
    file: Path | None,
    output_format: str,
    out: Path | None,
    unsafe: bool,
    memory_limit: str | None,
) -> None:
    r"""Query RUN by SQL: hits, hits_unique, hits_primary, peaks, motifs, motif_counts and more.

    Without QUERY, a terminal becomes a shell with history (\d lists tables, \? helps), and
    anything else is read as the query; so is standard input for the QUERY `-`. On a terminal an
    answer shows 40 rows with rounded numbers; a file or pipe gets all of it.

    The table data_dictionary describes every column. Without --unsafe, a query can neither write
    files nor read files outside the run.
    """
    from finemo_dist.workflow.asking import answer_sql

    if query is not None and file is not None:
        raise click.UsageError("QUERY and --file are both given. Give one.")
    if query is None and file is None and out is None and sys.stdin.isatty():
        from finemo_dist.cli.shell import run_shell

        run_shell(run, unsafe=unsafe, memory_limit=memory_limit)
        return
    text = _text(query, file)
    with answer_to(out) as to:
        answer_sql(
            run, text, to, output_format=output_format, unsafe=unsafe, memory_limit=memory_limit,
            screen=screen_of(out),
        )  # fmt: skip


def _text(query: str | None, file: Path | None) -> str:
    if file is not None:
        from finemo_dist.workflow.asking import read_query

        return read_query(file)
    return sys.stdin.read() if query in (None, "-") else str(query)


COMMANDS: Final = {"sql": sql}
"""Command to its function."""
