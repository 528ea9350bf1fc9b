"""``export``: the hits of a run, or its motifs, as a file for other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.options import ANY_PATH, EXISTING_PATH, LOCAL_FILE, max_q_option
from finemo_dist.core import defaults

if TYPE_CHECKING:
    from finemo_dist.workflow.exporting import Format

_FORMATS: Final = (
    "tsv", "bed", "tabix", "bigbed", "bigwig", "hub", "h5ad", "mtx", "parquet", "meme"
)  # fmt: skip


@click.command(
    "export",
    short_help="Write hits or motifs for other tools.",
    cls=HelpfulCommand,
    examples=("finemo-dist export demo/run --to bed --table unique -o demo/hits.bed.gz",),
)
@click.argument("run", type=EXISTING_PATH)
@click.option(
    "--to", "export_format", type=click.Choice(_FORMATS), required=True, help="Output format."
)
@click.option(
    "-o",
    "--out",
    type=ANY_PATH,
    required=True,
    help="File to write; for mtx, bigwig and hub, a folder.",
)
@click.option("--sample", help="Export only this sample.")
@click.option(
    "--table",
    type=click.Choice(["hits", "unique", "primary"]),
    default=defaults.EXPORT_TABLE,
    show_default=True,
    help="All hits, one hit per place where regions overlap, or the best of overlapping hits.",
)
@click.option(
    "--name",
    "label",
    type=click.Choice(["motif", "tf", "family", "cluster"]),
    default=defaults.EXPORT_LABEL,
    show_default=True,
    help="Name of a hit in bed, tabix and bigbed; all but motif come from `annotate`.",
)
@click.option(
    "--score",
    type=click.Choice(["score", "similarity", "importance", "coefficient_global"]),
    default=defaults.EXPORT_SCORE,
    show_default=True,
    help="bed, tabix, bigbed: score of a hit, 0 to 1000: its rank in the sample by this column. "
    "Hits with 900 or more are the best tenth.",
)
@click.option(
    "--chrom-sizes",
    type=LOCAL_FILE,
    help="bed, tabix, bigbed, bigwig: lengths of chromosomes, as .chrom.sizes or .fai. [default: "
    "those of the genome of the regions]",
)
@click.option(
    "--motifs",
    "motifs",
    type=click.Choice(["full", "trimmed", "hits"]),
    default=defaults.EXPORT_MOTIFS,
    show_default=True,
    help="meme: full CWMs, trimmed CWMs, or base frequencies at hits.",
)
@max_q_option
@click.option(
    "--columns",
    metavar="NAMES",
    default="",
    help="tsv, parquet: further columns, separated by commas: hit_score; of a run with "
    "`confidence` hit_amplitude, decoy_q, decoy_q_pooled; of the annotation display_name, cluster.",
)
@click.option(
    "--signal",
    type=click.Choice(["coverage", "coefficient_global"]),
    default=defaults.EXPORT_SIGNAL,
    show_default=True,
    help="bigwig: number of hits that cover a base, or the sum of their global coefficients.",
)
@click.option(
    "--genome", help="hub: name of the assembly in genome browsers, such as hg38."
)  # fmt: skip
@click.option(
    "--memory-limit", help="Memory that DuckDB may use, such as 2GB. Beyond that it spills to disk."
)
def export(
    *,
    run: Path,
    export_format: "Format",
    out: Path,
    **options: Any,  # noqa: ANN401  (those of export, by name)
) -> None:
    """Write hits as tables, browser tracks, a track hub or a matrix, or the motifs as MEME."""
    from finemo_dist.workflow.exporting import export as write

    write(run, export_format, out, **options)


COMMANDS: Final = {"export": export}
