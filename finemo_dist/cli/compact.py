"""``compact``: the hits of a run sorted into one file a sample and chromosome."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import LOCAL_PATH, limit_options


@click.command("compact")
@click.argument("run", type=LOCAL_PATH)
@click.option("--sample", "samples", multiple=True, help="One sample; all when not given.")
@limit_options
def compact(
    *, run: Path, samples: tuple[str, ...], memory_limit: str | None, threads: int | None
) -> None:
    """Sort the hits of a run by place, so that a query of a locus reads little.

    One Parquet file a sample and chromosome, with what hits_unique and hits_primary hold worked
    out. Queries use them as long as the parts they were made from stand.
    """
    from finemo_dist.workflow.asking import compact as compacted

    for done in compacted(run, samples or None, memory_limit=memory_limit, threads=threads):
        state = "" if done.is_new else " (as it was)"
        say(f"{done.sample}: {done.n_hits:,} hits in {done.n_files} files{state}")
        if done.n_shards_missing:
            say(
                f"  Warning: {done.n_shards_missing} shards are missing; compact again when they "
                "are committed"
            )


COMMANDS: Final = {"compact": compact}
