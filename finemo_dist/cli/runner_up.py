"""``runner-up``: which motif each hit could also be."""

from pathlib import Path
from typing import Any, Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import say
from finemo_dist.cli.options import EXISTING_PATH, LOCAL_OUTPUT, max_q_option
from finemo_dist.core.words import count


@click.command(
    "runner-up",
    short_help="Tell which motif each hit could also be.",
    cls=HelpfulCommand,
    examples=(
        "finemo-dist runner-up demo/run --motif pos_patterns.pattern_0 -o demo/runner-up.tsv",
    ),
)
@click.argument("run", type=EXISTING_PATH)
@click.option(
    "-o",
    "--out",
    type=LOCAL_OUTPUT,
    required=True,
    help="File to write: Parquet if the name ends in .parquet, otherwise a table with tabs.",
)
@click.option("--sample", help="Only hits of this sample.")
@click.option("--motif", help="Only hits of this motif.")
@click.option("--locus", help="Only hits at chrom:start-end (0-based, half-open).")
@max_q_option
@click.option(
    "--memory-limit", help="Memory that DuckDB may use, such as 2GB. Beyond that it spills to disk."
)
def runner_up(
    *,
    run: Path,
    out: Path,
    **options: Any,  # noqa: ANN401  (those of runner_up, by name)
) -> None:
    """Tell for each hit of RUN which motif takes its place, and how much worse that explains it.

    The motif of a hit is taken out and its regions are solved again. The column margin is how much
    the objective loses; near 0, the runner-up explains the site as well. This solves every region
    once for each motif that has a hit in it: choose hits with --motif, --locus or --max-q.
    """
    from finemo_dist.workflow.runner_up import save_runner_up

    n_hits = save_runner_up(run, out, **options)
    say(f"{out}: wrote the runner-up of {count(n_hits, 'hit')}")


COMMANDS: Final = {"runner-up": runner_up}
