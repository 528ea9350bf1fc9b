"""``confidence``: the q of every hit against decoy motifs."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import current_command
from finemo_dist.cli.options import EXISTING_PATH, executor_options, json_option
from finemo_dist.core import defaults


@click.command(
    "confidence",
    short_help="Tell how far the hits of a run can be believed.",
    cls=HelpfulCommand,
    examples=("finemo-dist confidence demo/run --fraction 0.1",),
)
@click.argument("run", type=EXISTING_PATH)
@click.option(
    "--fraction",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the regions in which decoys are called. A quarter agrees with all of them.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=defaults.DECOY_SEED,
    show_default=True,
    help="Of the decoys and of the choice of regions.",
)
@click.option("--force", is_flag=True, help="Replace q of another seed or fraction.")
@executor_options
@json_option
def confidence(
    *, run: Path, fraction: float, seed: int, force: bool, as_json: bool, **resources: object
) -> None:
    """Find for every hit of RUN its q against decoy motifs.

    q is the expected share of hits that a scrambled motif would have had. It does not say that the
    factor binds, nor which of two similar motifs it is. No hit changes: `sql` shows the tables
    hit_confidence and motif_confidence, and `export --max-q 0.05` leaves other hits out. Run the
    same command again to resume.
    """
    from finemo_dist.cli.progress import shown_progress
    from finemo_dist.cli.summaries import print_confidence
    from finemo_dist.workflow.confidence import confidence as find
    from finemo_dist.workflow.settings import resource_config

    with shown_progress() as on_event:
        found = find(
            run, seed=seed, fraction=fraction, resources=resource_config(resources), force=force,
            command=current_command(), on_event=on_event,
        )  # fmt: skip
    print_confidence(found, as_json=as_json)


COMMANDS: Final = {"confidence": confidence}
