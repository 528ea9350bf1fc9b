"""Commands of finemo that this release does not have yet: they say so."""

from typing import Final

import click

from finemo_dist.core.errors import UsageError

_CURES: Final = {
    "report": "Open the tables with `finemo-dist sql RUN QUERY`, or run finemo's own `report` on "
    "the output directory of call-hits",
}


def _not_yet(name: str) -> click.Command:
    @click.command(
        name,
        help="Not in this release yet.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def command() -> None:
        raise UsageError(f"{name} is not in this release yet. {_CURES[name]}.")

    return command


COMMANDS: Final = {name: _not_yet(name) for name in _CURES}
