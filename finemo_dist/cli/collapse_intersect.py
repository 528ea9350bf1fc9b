"""``collapse-hits`` and ``intersect-hits``: finemo's post-processing, of files and of runs."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import LOCAL_OUTPUT, LOCAL_PATH, ManyValuesCommand, limit_options

if TYPE_CHECKING:
    from finemo_dist.catalog.intersect.intersect import HitSet


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
    default=0.2,
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
    from finemo_dist.catalog.catalog import open_catalog
    from finemo_dist.catalog.collapse import collapse_file, collapse_run

    if hits.is_dir():
        with open_catalog(hits, memory_limit=memory_limit, threads=threads) as catalog:
            summary = collapse_run(catalog, out, overlap=overlap)
    else:
        summary = collapse_file(
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
    from finemo_dist.catalog.catalog import open_catalog
    from finemo_dist.catalog.hit_file import open_hit_file
    from finemo_dist.catalog.intersect.intersect import intersect_hits as intersect
    from finemo_dist.catalog.intersect.intersect import run_inputs

    with ExitStack() as opened:
        inputs: list[HitSet] = []
        for path in hits:
            if path.is_dir():
                catalog = open_catalog(path, memory_limit=memory_limit, threads=threads)
                inputs.extend(run_inputs(opened.enter_context(catalog)))
            else:
                inputs.append(open_hit_file(path))
        n_lines = intersect(
            inputs, out, is_relaxed=is_relaxed, memory_limit=memory_limit, threads=threads
        )
    say(f"{out}: {n_lines:,} hits in all of {len(inputs)} inputs")


COMMANDS: Final = {"collapse-hits": collapse_hits, "intersect-hits": intersect_hits}
