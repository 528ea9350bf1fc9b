"""``plot``: contributions, hits and what they explain at a locus."""

from pathlib import Path
from typing import Any, Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import say
from finemo_dist.cli.options import (
    EXISTING_FILE,
    EXISTING_PATH,
    LOCAL_OUTPUT,
    REGIONS,
    max_q_option,
)
from finemo_dist.core.words import count


@click.command(
    "plot",
    short_help="Draw loci: contributions and hits.",
    cls=HelpfulCommand,
    examples=(
        "finemo-dist plot demo/run sample_a_peak_3 --width 300 -o demo/locus.svg",
        "finemo-dist plot demo/run --bed demo/inputs/sample_a/peaks.narrowPeak -o demo/loci.html",
    ),
)
@click.argument("run", type=EXISTING_PATH)
@click.argument("loci", metavar="[LOCUS]...", nargs=-1)
@click.option(
    "-o",
    "--out",
    type=LOCAL_OUTPUT,
    required=True,
    help="File to write: .svg or .png of one locus, .html of any number.",
)
@click.option(
    "-b",
    "--bed",
    type=EXISTING_FILE,
    help="BED or VCF with more loci. Those that no region covers are left out.",
)
@click.option(
    "--sample",
    "samples",
    multiple=True,
    help="Show only this sample; may be given several times. [default: all with a region there]",
)
@click.option(
    "--track",
    "tracks",
    type=EXISTING_FILE,
    multiple=True,
    help="BED, GTF or GFF3 to show below, such as genes; may be given several times.",
)
@click.option(
    "-w",
    "--width",
    type=click.IntRange(min=1),
    help="Bases to show around the middle of each locus. [default: the whole locus]",
)
@click.option(
    "--contributions-only",
    is_flag=True,
    help="Leave out what the hits explain and the residual.",
)
@click.option("--same-scale", is_flag=True, help="Draw all samples to one scale.")
@click.option(
    "-r",
    "--regions",
    type=REGIONS,
    help="Regions in which the hits were called. [default: those of the run]",
)
@max_q_option
@click.option(
    "--memory-limit", help="Memory that DuckDB may use, such as 2GB. Beyond that it spills to disk."
)
def plot(
    *,
    run: Path,
    loci: tuple[str, ...],
    out: Path,
    contributions_only: bool,
    **options: Any,  # noqa: ANN401  (those of plot, by name)
) -> None:
    """Draw what a run found at a LOCUS: letters as high as contributions, and hits below them.

    A LOCUS is chrom:start-end (0-based, half-open), the name of a peak, or its row in the peaks
    file, from 0. Each sample is one row. A page (.html) takes any number of loci and has a list.
    """
    from finemo_dist.workflow.plotting import plot as draw

    figure = draw(run, loci, out, all_panels=not contributions_only, **options)
    say(f"{out}: {count(len(figure.views), 'locus').replace('locuss', 'loci')}")


COMMANDS: Final = {"plot": plot}
"""Command to its function."""
