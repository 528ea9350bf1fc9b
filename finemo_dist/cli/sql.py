"""``sql``: a query over the tables of a run."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.options import ANY_PATH, EXISTING_PATH

logger = logging.getLogger(__name__)


@click.command("sql")
@click.argument("run", type=EXISTING_PATH)
@click.argument("query")
@click.option(
    "--format",
    "output_format",
    default="table",
    show_default=True,
    type=click.Choice(["table", "tsv", "csv", "json", "parquet"]),
    help="How to write the answer.",
)
@click.option("-o", "--out", type=ANY_PATH, help="File to write instead of standard output.")
@click.option(
    "--unsafe",
    is_flag=True,
    help="Run QUERY as DuckDB does, with everything it can do: read and write any file of yours, "
    "load extensions. Only for queries you wrote yourself.",
)
@click.option("--memory-limit", help="Memory DuckDB may take, such as 2GB; beyond it spills.")
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
    from finemo_dist.catalog.format import OutputFormat, save_answer, write_answer
    from finemo_dist.catalog.readonly import run_user_query
    from finemo_dist.catalog.unsafe import run_unsafe_query

    with open_catalog(run, memory_limit=memory_limit) as catalog:
        if unsafe:
            logger.warning("--unsafe: the query may read, write and remove any file you can.")
        answer = run_unsafe_query(catalog, query) if unsafe else run_user_query(catalog, query)
        if out is None:
            with _until_the_reader_has_enough():
                write_answer(answer, OutputFormat(output_format), sys.stdout)
        else:
            save_answer(answer, OutputFormat(output_format), out)


@contextmanager
def _until_the_reader_has_enough() -> Iterator[None]:
    """End quietly when standard output is closed, as by `head`; click would exit 1."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered must go somewhere when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


COMMANDS: Final = {"sql": sql}
