"""``collapse-hits`` and ``intersect-hits``: finemo's post-processing, of files and of runs."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import LOCAL_OUTPUT, LOCAL_PATH, ManyValuesCommand, limit_options
from finemo_dist.core import defaults


@click.command("collapse-hits")
@click.option(
    "-i",
    "--hits",
    type=LOCAL_PATH,
    required=True,
    help="hits.tsv or hits_unique.tsv of call-hits, plain or gzipped; or a run directory.",
)
@click.option(
    "-o",
    "--out-path",
    "out",
    type=LOCAL_OUTPUT,
    required=True,
    help='The .tsv to write, with a column "is_primary"; gzipped if it ends in .gz.',
)
@click.option(
    "-O",
    "--overlap-frac",
    "overlap",
    type=click.FloatRange(0, 1),
    default=defaults.OVERLAP,
    show_default=True,
    help="Hits of lengths x and y overlap when they share (x + y) / 2 times this, and at least "
    "one base.",
)
@limit_options
def collapse_hits(
    *, hits: Path, out: Path, overlap: float, memory_limit: str | None, threads: int | None
) -> None:
    """Mark the best of overlapping hits: the one that no hit it overlaps beats.

    The larger similarity wins, then the larger coefficient, the smaller start, the motif's name,
    the strand. The order of the lines does not matter, and is kept.
    """
    from finemo_dist.hit_tables import collapse

    summary = collapse.collapse_hits(
        hits, out, overlap=overlap, memory_limit=memory_limit, threads=threads
    )
    say(f"{out}: {summary.n_primary:,} of {summary.n_hits:,} hits are primary")


@click.command("intersect-hits", cls=ManyValuesCommand)
@click.option(
    "-i",
    "--hits",
    type=LOCAL_PATH,
    required=True,
    multiple=True,
    help="Two or more of: hits.tsv or hits_unique.tsv, plain or gzipped; run directories, each "
    "sample of which is an input.",
)
@click.option(
    "-o",
    "--out-path",
    "out",
    type=LOCAL_OUTPUT,
    required=True,
    help="The .tsv to write; columns of further inputs are suffixed by their position.",
)
@click.option(
    "-r",
    "--relaxed",
    "is_relaxed",
    is_flag=True,
    help="Compare motif, strand and untrimmed place alone, not trims and peaks. Of a run this "
    "reads the unique hits.",
)
@limit_options
def intersect_hits(
    *,
    hits: tuple[Path, ...],
    out: Path,
    is_relaxed: bool,
    memory_limit: str | None,
    threads: int | None,
) -> None:
    """Write the hits that all inputs share."""
    from finemo_dist.hit_tables import intersect

    summary = intersect.intersect_hits(
        hits, out, relaxed=is_relaxed, memory_limit=memory_limit, threads=threads
    )
    say(f"{out}: {summary.n_lines:,} hits in all of {summary.n_inputs} inputs")


COMMANDS: Final = {"collapse-hits": collapse_hits, "intersect-hits": intersect_hits}
