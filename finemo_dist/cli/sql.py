"""``sql``: a query over the tables of a run."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.answers import answer_options, answer_to
from finemo_dist.cli.options import EXISTING_PATH


@click.command("sql", short_help="Query a run by SQL.")
@click.argument("run", type=EXISTING_PATH)
@click.argument("query")
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
    query: str,
    output_format: str,
    out: Path | None,
    unsafe: bool,
    memory_limit: str | None,
) -> None:
    """Query RUN by SQL: hits, hits_unique, hits_primary, peaks, motifs, motif_counts and more.

    The table data_dictionary describes every column. Without --unsafe, a query can neither write
    files nor read files outside the run.
    """
    from finemo_dist.workflow.asking import answer_sql

    with answer_to(out) as to:
        answer_sql(
            run, query, to, output_format=output_format, unsafe=unsafe, memory_limit=memory_limit
        )


COMMANDS: Final = {"sql": sql}
