"""``collapse-hits`` and ``intersect-hits``: finemo's post-processing, of files and of runs."""

from pathlib import Path
from typing import Final, Literal

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import say
from finemo_dist.cli.options import (
    ANY_PATH,
    EXISTING_PATH,
    ManyValuesCommand,
    given_once,
    limit_options,
)
from finemo_dist.core import defaults
from finemo_dist.core.words import count


@click.command(
    "collapse-hits",
    short_help="Mark the best of overlapping hits.",
    cls=HelpfulCommand,
    examples=("finemo-dist collapse-hits demo/run -o demo/collapsed.tsv",),
)
@click.argument("run", type=EXISTING_PATH, required=False)
@click.option(
    "-i",
    "--hits",
    type=EXISTING_PATH,
    help="RUN: hits.tsv or hits_unique.tsv of call-hits, plain or gzipped, or a run directory.",
)
@click.option(
    "-o",
    "--out-path",
    "out",
    type=ANY_PATH,
    required=True,
    help='The .tsv to write, with a column "is_primary". Gzipped if the name ends in .gz.',
)
@click.option(
    "-O",
    "--overlap-frac",
    "overlap",
    type=click.FloatRange(0, 1),
    default=defaults.OVERLAP,
    show_default=True,
    help="Hits of lengths x and y overlap if they share at least one base and at least this share "
    "of (x + y) / 2.",
)
@click.option(
    "--by",
    type=click.Choice(["similarity", "score"]),
    default=defaults.COLLAPSE_BY,
    show_default=True,
    help="Column of the better hit: similarity as in finemo, or score, the square root of "
    "hit_coefficient times hit_coefficient_global.",
)
@limit_options
def collapse_hits(
    *,
    run: Path | None,
    hits: Path | None,
    out: Path,
    overlap: float,
    by: Literal["similarity", "score"],
    memory_limit: str | None,
    threads: int | None,
) -> None:
    """Mark the hits of RUN that no overlapping hit beats.

    The hit with the larger similarity wins, or with --by score the one with the larger score. Ties
    are broken by the larger coefficient, then by the smaller start, the name of the motif, and the
    strand. Lines may be in any order and keep it.
    """
    from finemo_dist.hit_tables import collapse

    (given,) = given_once("-i", [run], [hits])
    summary = collapse.collapse_hits(
        given, out, overlap=overlap, by=by, memory_limit=memory_limit, threads=threads
    )
    say(f"{out}: marked {summary.n_primary:,} of {count(summary.n_hits, 'hit')} as primary")


@click.command(
    "intersect-hits",
    cls=ManyValuesCommand,
    examples=("finemo-dist intersect-hits demo/run -o demo/shared.tsv",),
)
@click.argument("runs", type=EXISTING_PATH, nargs=-1, metavar="[RUN]...")
@click.option(
    "-i",
    "--hits",
    type=EXISTING_PATH,
    multiple=True,
    help="RUNs: two or more tables (hits.tsv or hits_unique.tsv, plain or gzipped) or run "
    "directories. Each sample of a run is one input.",
)
@click.option(
    "-o",
    "--out-path",
    "out",
    type=ANY_PATH,
    required=True,
    help="The .tsv to write. Columns of later inputs get their position as a suffix.",
)
@click.option(
    "-r",
    "--relaxed",
    "is_relaxed",
    is_flag=True,
    help="Compare only motif, strand and untrimmed place, not trims and peaks. Reads the unique "
    "hits of a run.",
)
@limit_options
def intersect_hits(
    *,
    runs: tuple[Path, ...],
    hits: tuple[Path, ...],
    out: Path,
    is_relaxed: bool,
    memory_limit: str | None,
    threads: int | None,
) -> None:
    """Write the hits that all inputs share."""
    from finemo_dist.hit_tables import intersect

    given = given_once("-i", runs, hits)
    summary = intersect.intersect_hits(
        given, out, relaxed=is_relaxed, memory_limit=memory_limit, threads=threads
    )
    say(f"{out}: wrote {count(summary.n_lines, 'hit')} that all {summary.n_inputs} inputs share")


COMMANDS: Final = {"collapse-hits": collapse_hits, "intersect-hits": intersect_hits}
