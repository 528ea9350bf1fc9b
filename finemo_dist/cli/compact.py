"""``compact``: the hits of a run sorted into one file per sample and chromosome."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import next_line, say
from finemo_dist.cli.options import LOCAL_PATH, limit_options
from finemo_dist.core.words import be, count


@click.command(
    "compact",
    short_help="Sort the hits of a run by place.",
    cls=HelpfulCommand,
    examples=("finemo-dist compact demo/run",),
)
@click.argument("run", type=LOCAL_PATH)
@click.option(
    "--sample",
    "samples",
    multiple=True,
    help="Compact only this sample; may be given several times.",
)
@click.option(
    "--by",
    type=click.Choice(["sample", "place"]),
    default="sample",
    show_default=True,
    help="Files of one sample each, or of all samples: a locus of all is then in one or two files.",
)
@limit_options
def compact(
    *,
    run: Path,
    samples: tuple[str, ...],
    by: str,
    memory_limit: str | None,
    threads: int | None,
) -> None:
    """Sort the hits of a run by place, so that a query of a locus reads only a few rows.

    Writes one Parquet file per sample and chromosome, or with --by place files of all samples, and
    marks in them the hits of hits_unique and hits_primary. Queries use these files as long as the
    parts of the run do not change. Both kinds may exist together.
    """
    from finemo_dist.workflow.asking import compact as compacted

    summaries = compacted(
        run,
        samples or None,
        by_place=by == "place",
        memory_limit=memory_limit,
        threads=threads,
    )
    for done in summaries:
        name = done.sample or "all samples"
        state = "" if done.is_new else " (unchanged)"
        say(f"{name}: {count(done.n_hits, 'hit')} in {count(done.n_files, 'file')}{state}")
        if done.n_shards_missing:
            n = done.n_shards_missing
            say(
                f"  Warning: {count(n, 'shard')} {be(n)} missing; compact again when all shards "
                "are committed"
            )
    say(next_line("sql", str(run)))


COMMANDS: Final = {"compact": compact}
