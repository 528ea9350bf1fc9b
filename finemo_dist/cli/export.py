"""``export``: the hits of a run, or its motifs, as a file for other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.options import ANY_PATH, EXISTING_PATH, LOCAL_FILE

if TYPE_CHECKING:
    from finemo_dist.catalog.catalog import Catalog
    from finemo_dist.exports.tables import HitTable

_FORMATS: Final = ("tsv", "bed", "tabix", "bigbed", "h5ad", "mtx", "parquet", "meme")
_BY_PLACE: Final = ("tabix", "bigbed")
_AS_OBJECTS: Final = ("tsv", "bed", "parquet")


@click.command("export")
@click.argument("run", type=EXISTING_PATH)
@click.option(
    "--to", "export_format", type=click.Choice(_FORMATS), required=True, help="How to write it."
)
@click.option("-o", "--out", type=ANY_PATH, required=True, help="File to write; mtx: folder.")
@click.option("--sample", help="One sample; all when not given.")
@click.option(
    "--table",
    type=click.Choice(["hits", "unique", "primary"]),
    default="hits",
    show_default=True,
    help="All hits, one a place where peaks overlap, or the best of those that overlap.",
)
@click.option(
    "--name",
    "label",
    type=click.Choice(["motif", "tf", "family", "cluster"]),
    default="motif",
    show_default=True,
    help="What a hit is called in bed, tabix and bigbed, from `finemo-dist annotate`.",
)
@click.option(
    "--chrom-sizes",
    type=LOCAL_FILE,
    help="bigbed: lengths of chromosomes, .chrom.sizes or .fai; by default the furthest hit ends "
    "each.",
)
@click.option(
    "--motifs",
    "kind",
    type=click.Choice(["full", "trimmed", "hits"]),
    default="trimmed",
    show_default=True,
    help="meme: whole or trimmed CWMs, or the bases found at hits.",
)
@click.option("--memory-limit", help="Memory DuckDB may take, such as 2GB; beyond it spills.")
def export(
    *,
    run: Path,
    export_format: str,
    out: Path,
    sample: str | None,
    table: str,
    label: str,
    chrom_sizes: Path | None,
    kind: str,
    memory_limit: str | None,
) -> None:
    """Write hits as TSV, BED, tabix, bigBed, matrix or Parquet, or the motifs as MEME."""
    from finemo_dist.catalog.catalog import open_catalog
    from finemo_dist.core.errors import UsageError
    from finemo_dist.exports.tables import ExportFormat, HitTable, export_hits
    from finemo_dist.storage.locations import is_local

    if not is_local(out) and export_format not in _AS_OBJECTS:
        raise UsageError(
            f"{out}: --to {export_format} is written to a local disk only. Write it there and copy "
            f"it; {', '.join(_AS_OBJECTS)} are put on object storage."
        )
    asked = {"hits": HitTable.HITS, "unique": HitTable.UNIQUE, "primary": HitTable.PRIMARY}[table]
    with open_catalog(run, memory_limit=memory_limit) as catalog:
        if export_format == "meme":
            from finemo_dist.workflow.meme_export import export_meme

            export_meme(catalog, out, kind, sample)
        elif export_format in _BY_PLACE:
            _export_places(catalog, out, export_format, asked, sample, label, chrom_sizes)
        elif export_format in {"h5ad", "mtx"}:
            _export_matrix(catalog, out, export_format, asked, sample)
        else:
            written = ExportFormat(export_format)
            export_hits(
                catalog, out, export_format=written, table=asked, sample=sample, label=label
            )


def _export_places(
    catalog: "Catalog",
    out: Path,
    export_format: str,
    table: "HitTable",
    sample: str | None,
    label: str,
    chrom_sizes: Path | None,
) -> None:
    from contextlib import nullcontext

    from finemo_dist.exports.bigbed import export_bigbed
    from finemo_dist.exports.tabix import export_tabix
    from finemo_dist.exports.tables import samples_for

    samples_for(catalog, table, sample, needs_coordinates=True)
    with nullcontext(catalog) if sample is None else catalog.only(sample) as shown:
        if export_format == "tabix":
            export_tabix(shown, out, table=table, label=label)
        else:
            export_bigbed(shown, out, table=table, label=label, chrom_sizes=chrom_sizes)


def _export_matrix(
    catalog: "Catalog", out: Path, export_format: str, table: "HitTable", sample: str | None
) -> None:
    from finemo_dist.exports.h5ad import export_h5ad
    from finemo_dist.exports.market import export_market
    from finemo_dist.exports.tables import samples_for

    write = export_h5ad if export_format == "h5ad" else export_market
    samples = samples_for(catalog, table, sample, needs_coordinates=False)
    write(catalog, out, samples, table=table)


COMMANDS: Final = {"export": export}
