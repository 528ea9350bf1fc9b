"""``demo``: the whole pipeline on generated samples whose motif sites are known."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.messages import current_command
from finemo_dist.cli.options import LOCAL_OUTPUT, executor_options
from finemo_dist.core.program import program

if TYPE_CHECKING:
    from finemo_dist.workflow.demo import DemoResult


@click.command("demo", short_help="Generate two samples and call their hits.")
@click.option(
    "-o",
    "--out",
    type=LOCAL_OUTPUT,
    default=Path("demo"),
    show_default=True,
    help="Folder to write. Replaces an earlier demo in it.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the generated data.")
@executor_options
def demo(*, out: Path, seed: int, **options: object) -> None:
    """Generate two samples with planted motif sites, call their hits, and score them."""
    from finemo_dist.cli.progress import shown_progress
    from finemo_dist.workflow.demo import run_demo
    from finemo_dist.workflow.settings import resource_config

    with shown_progress() as on_event:
        result = run_demo(
            out, seed=seed, resources=resource_config(options), command=current_command(),
            on_event=on_event,
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
    click.echo(f"inputs   {out / 'inputs'}")
    click.echo(f"stores   {out / 'regions'}")
    click.echo(f"run      {called.run_dir}   (finemo's files below {called.run_dir / 'samples'})")
    click.echo(f"try      {program()} status {called.run_dir}")
    click.echo(
        f"         {program()} sql {called.run_dir} "
        "'SELECT sample, motif_name, count(*) FROM hits GROUP BY ALL ORDER BY ALL'"
    )


COMMANDS: Final = {"demo": demo}
