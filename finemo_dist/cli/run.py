"""``run``: many samples from one configuration file."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import current_command
from finemo_dist.cli.options import ANY_PATH, LOCAL_FILE, executor_overrides, json_option


@click.command(
    "run",
    short_help="Extract and call all samples of a CONFIG.",
    cls=HelpfulCommand,
    examples=("finemo-dist run configs/demo.yaml",),
)
@click.argument("config", type=LOCAL_FILE)
@click.option("-o", "--out", type=ANY_PATH, help="Run directory, instead of the one in CONFIG.")
@click.option("--force", is_flag=True, help="Replace another run in the output directory.")
@executor_overrides
@json_option
def run(
    *, config: Path, out: Path | None, force: bool, as_json: bool, **resource_options: object
) -> None:
    """Extract regions and call hits for all samples listed in CONFIG, a YAML file.

    CONFIG may name a sample sheet, a table with one row per sample. Paths in CONFIG and in the
    sheet are relative to their folders. Options override the resources in CONFIG. Run the same
    command again to resume.
    """
    from finemo_dist.cli.progress import shown_progress
    from finemo_dist.cli.summaries import print_call
    from finemo_dist.workflow.running import load_config, run_config
    from finemo_dist.workflow.settings import overridden

    settings = load_config(config)
    resources = overridden(settings.resources, resource_options)
    with shown_progress() as on_event:
        done = run_config(
            settings, out, resources=resources, force=force, command=current_command(),
            on_event=on_event,
        )  # fmt: skip
    print_call(done, as_json=as_json)


COMMANDS: Final = {"run": run}
