"""Commands of finemo that this release does not have yet: they say so."""

from typing import Final

import click

from finemo_dist.core.errors import UsageError

_CURES: Final = {
    "collapse-hits": "Select the best of overlapping hits with `finemo-dist sql RUN QUERY`",
    "intersect-hits": "Join the hits of several runs with `finemo-dist sql RUN QUERY`",
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
