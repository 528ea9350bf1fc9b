"""``sql``: a query over the tables of a run."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.answers import answer_options, give
from finemo_dist.cli.options import EXISTING_PATH


@click.command("sql")
@click.argument("run", type=EXISTING_PATH)
@click.argument("query")
@answer_options
def sql(
    *, run: Path, query: str, output_format: str, out: Path | None, memory_limit: str | None
) -> None:
    """Ask SQL of a run: tables hits, hits_unique, peaks, peaks_qc, motifs, samples.

    Read-only: a query can neither write nor read files outside the run.
    """
    from finemo_dist.catalog.catalog import open_catalog
    from finemo_dist.catalog.readonly import run_user_query

    with open_catalog(run, memory_limit=memory_limit) as catalog:
        give(run_user_query(catalog, query), output_format, out)


COMMANDS: Final = {"sql": sql}
