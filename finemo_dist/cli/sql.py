"""``sql``: a query over the tables of a run."""

import logging
from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.answers import answer_options, give
from finemo_dist.cli.options import EXISTING_PATH

logger = logging.getLogger(__name__)


@click.command("sql")
@click.argument("run", type=EXISTING_PATH)
@click.argument("query")
@click.option(
    "--unsafe",
    is_flag=True,
    help="Run QUERY as DuckDB does, with everything it can do: read and write any file of yours, "
    "load extensions. Only for queries you wrote yourself.",
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
    """Ask SQL of a run: hits, hits_unique, hits_primary, peaks, motifs, motif_counts and more.

    The table data_dictionary lists them column by column. Read-only, unless --unsafe: a query can
    neither write nor read files outside the run.
    """
    from finemo_dist.catalog.catalog import open_catalog
    from finemo_dist.catalog.readonly import run_user_query
    from finemo_dist.catalog.unsafe import run_unsafe_query

    with open_catalog(run, memory_limit=memory_limit) as catalog:
        if unsafe:
            logger.warning("--unsafe: the query may read, write and remove any file you can.")
        answer = run_unsafe_query(catalog, query) if unsafe else run_user_query(catalog, query)
        give(answer, output_format, out)


COMMANDS: Final = {"sql": sql}
