"""``finemo-dist``: the group of commands, and what every command does about errors."""

import importlib
import logging
import sys
import time
from collections.abc import Sequence
from typing import Final, NoReturn

import click

from finemo_dist import __version__
from finemo_dist.cli.interrupts import Interrupts
from finemo_dist.cli.messages import (
    JsonFormatter,
    OneLineFormatter,
    StderrHandler,
    command_line,
    resume_line,
    say,
)
from finemo_dist.core.command import TypedCommand
from finemo_dist.core.errors import FinemoDistError, nearest

EXIT_INTERRUPTED: Final = 130

_COMMANDS: Final = {
    "extract-regions-bw": "extract",
    "extract-regions-chrombpnet-h5": "extract",
    "extract-regions-bpnet-h5": "extract",
    "extract-regions-modisco-fmt": "extract",
    "call-hits": "call_hits",
    "report": "report",
    "collapse-hits": "collapse_intersect",
    "intersect-hits": "collapse_intersect",
    "run": "run",
    "submit": "submit",
    "status": "status",
    "sql": "sql",
    "query": "query",
    "export": "export",
    "compact": "compact",
    "annotate": "annotate",
    "verify": "verify",
    "demo": "demo",
}
"""Command to the module that holds it, in the order of ``--help``."""

_REPLACED: Final = {"extract-regions-h5": "extract-regions-chrombpnet-h5"}


class _Commands(click.Group):
    """Imports the module of a command when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _REPLACED:
            raise click.UsageError(
                f"{cmd_name} was deprecated in finemo; use {_REPLACED[cmd_name]}."
            )
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"finemo_dist.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if not args or args[0] in _REPLACED:
                raise
            near = nearest(args[0], _COMMANDS)
            raise click.UsageError(f"{error.message}{near}", ctx) from error

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            # Click ends the line of a ^C, which would be an empty line among those of JSON.
            if ctx.params["log_format"] == "json":
                raise click.Abort from error
            raise


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="finemo-dist")
@click.option("-v", "--verbose", is_flag=True, help="Log details, for finding a fault.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What standard error gets: text for people, or JSON lines for programs.",
)
def cli(*, verbose: bool, log_format: str) -> None:
    """Call transcription-factor motif hits in contribution scores, exactly and at any scale."""
    level = logging.DEBUG if verbose else logging.INFO
    handler = StderrHandler()
    is_json = log_format == "json"
    handler.setFormatter(
        JsonFormatter() if is_json else OneLineFormatter("%(levelname)s: %(message)s")
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("finemo_dist").setLevel(level)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit: 0 done, 2 bad input, 3 shards missing, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    typed = TypedCommand(command_line(words), time.perf_counter())
    interrupts = Interrupts()
    interrupts.install()
    try:
        cli.main(words, prog_name="finemo-dist", standalone_mode=False, obj=typed)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except FinemoDistError as error:
        say(f"Error: {error}", level=logging.ERROR)
        sys.exit(error.exit_status)
    except (KeyboardInterrupt, click.Abort):
        interrupts.end()
        say(f"Interrupted. Committed work is kept; resume with: {resume_line(words)}")
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(
            f"Error: {where}{error.strerror or error}. Check the path, its permissions and the "
            "free space; committed work is kept and the same command resumes.",
            level=logging.ERROR,
        )
        sys.exit(2)
    sys.exit(0)
