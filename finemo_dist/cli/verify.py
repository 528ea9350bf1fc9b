"""``verify``: everything is read again and compared with what was recorded."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import say
from finemo_dist.cli.options import EXISTING_PATH
from finemo_dist.core.words import count


@click.command(
    "verify",
    short_help="Check a region store or a run for damage.",
    cls=HelpfulCommand,
    examples=("finemo-dist verify demo/run",),
)
@click.argument("path", type=EXISTING_PATH)
def verify(*, path: Path) -> None:
    """Re-read a region store, or every part of a run and the stores behind it."""
    from finemo_dist.core.errors import FinemoDistError
    from finemo_dist.workflow.verifying import verify as problems_of

    problems = problems_of(path)
    for problem in problems:
        say(problem)
    if problems:
        raise FinemoDistError(
            f"{path}: found {count(len(problems), 'problem')}. To replace damaged parts of a "
            "run, run its "
            "command again. Extract a damaged store again."
        )
    say(f"{path}: no problems found")


COMMANDS: Final = {"verify": verify}
