"""``export``: one table of hits as one file."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.options import ANY_PATH, EXISTING_PATH


@click.command("export")
@click.argument("run", type=EXISTING_PATH)
@click.option(
    "--to",
    "export_format",
    type=click.Choice(["tsv", "bed", "parquet"]),
    required=True,
    help="How to write it.",
)
@click.option("-o", "--out", type=ANY_PATH, required=True, help="File to write.")
@click.option("--sample", help="One sample; all when not given.")
@click.option(
    "--table",
    type=click.Choice(["hits", "unique"]),
    default="hits",
    show_default=True,
    help="All hits, or one a place where peaks overlap.",
)
@click.option("--memory-limit", help="Memory DuckDB may take, such as 2GB; beyond it spills.")
def export(
    *,
    run: Path,
    export_format: str,
    out: Path,
    sample: str | None,
    table: str,
    memory_limit: str | None,
) -> None:
    """Write the hits of a run as TSV, BED or Parquet."""
    from finemo_dist.catalog.catalog import open_catalog
    from finemo_dist.exports.tables import ExportFormat, HitTable, export_hits

    with open_catalog(run, memory_limit=memory_limit) as catalog:
        export_hits(
            catalog,
            out,
            export_format=ExportFormat(export_format),
            table=HitTable.UNIQUE if table == "unique" else HitTable.HITS,
            sample=sample,
        )


COMMANDS: Final = {"export": export}
