"""``demo``: the whole pipeline on generated samples whose motif sites are known."""

import itertools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import current_command, say, started_as
from finemo_dist.cli.options import LOCAL_OUTPUT, executor_options

if TYPE_CHECKING:
    from finemo_dist.workflow.demo import DemoResult


@click.command(
    "demo",
    short_help="Generate two samples and call their hits.",
    cls=HelpfulCommand,
    examples=("finemo-dist demo -o demo",),
)
@click.option(
    "-o",
    "--out",
    type=LOCAL_OUTPUT,
    default=Path("demo"),
    show_default=True,
    help="Folder to write. Replaces an earlier demo in it.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the generated data.")
@click.option(
    "--cluster/--no-cluster",
    "by_two_workers",
    default=True,
    show_default=True,
    help="Whether two Ray workers call everything again, as on a cluster, to compare the bytes.",
)
@executor_options
def demo(*, out: Path, seed: int, by_two_workers: bool, **options: object) -> None:
    """Generate two samples with planted motif sites, call their hits, score and report them.

    Takes less than a minute on two cores.
    """
    from finemo_dist.cli.progress import shown_progress
    from finemo_dist.workflow.demo import run_demo
    from finemo_dist.workflow.settings import resource_config

    say("The demo takes less than a minute on two cores.")
    steps = itertools.count(1)
    with shown_progress() as on_event:
        result = run_demo(
            out, seed=seed, resources=resource_config(options), command=current_command(),
            by_two_workers=by_two_workers, on_event=on_event,
            on_step=lambda step: say(f"{next(steps)}. {step}"),
        )  # fmt: skip
    _print(out, result)


def _print(out: Path, result: "DemoResult") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Planted motif sites and called hits", box=box.SIMPLE)
    table.add_column("sample")
    for name in ("planted", "hits", "recall", "precision"):
        table.add_column(name, justify="right")
    for sample, found in result.recoveries.items():
        table.add_row(
            sample,
            f"{found.n_planted:,}",
            f"{found.n_hits:,}",
            f"{found.recall:.3f}",
            f"{found.precision:.3f}",
        )
    called = result.call
    rate = called.n_regions / max(called.seconds["call"], 1e-9)
    console = Console(markup=False, highlight=False)
    console.print(table)
    console.print(
        f"{called.n_regions:,} regions in {called.seconds['call']:.1f} s ({rate:,.0f} regions/s)"
    )
    console.print(f"every region is certified; the largest duality gap is {called.max_gap:.1e}")
    if result.n_same_files:
        click.echo(
            "two workers of a Ray cluster wrote the same bytes: "
            f"{result.n_same_files} files of hits"
        )
    run = shlex.quote(str(called.run_dir))
    click.echo(f"report   {result.page}   (open it in a browser)")
    click.echo(f"run      {called.run_dir}   (finemo's files are in {called.run_dir / 'samples'})")
    click.echo(f"try      {started_as()} status {run}")
    click.echo(
        f"         {started_as()} sql {run} "
        "'SELECT sample, motif_name, count(*) FROM hits GROUP BY ALL ORDER BY ALL'"
    )
    locus = shlex.quote(str(out / "locus.svg"))
    click.echo(f"         {started_as()} plot {run} sample_a_peak_3 --width 300 -o {locus}")


COMMANDS: Final = {"demo": demo}
