"""``finemo-dist``: the group of commands, and what every command does about errors."""

import gc
import importlib
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import click

from finemo_dist import __version__
from finemo_dist.cli.finemo_flags import OLD_COMMANDS, options_of, warn
from finemo_dist.cli.interrupts import Interrupts
from finemo_dist.cli.messages import (
    JsonFormatter,
    OneLineFormatter,
    StderrHandler,
    command_line,
    resume_line,
    say,
)
from finemo_dist.cli.prefixes import spelt_out
from finemo_dist.core.command import TypedCommand
from finemo_dist.core.errors import CutShortError, FinemoDistError, UsageError, nearest
from finemo_dist.core.program import PROGRAM, program, set_program
from finemo_dist.core.system_errors import system_fault

EXIT_INTERRUPTED: Final = 130

_COMMANDS: Final = {
    "extract-regions-bw": "extract",
    "extract-regions-chrombpnet-h5": "extract",
    "extract-regions-bpnet-h5": "extract",
    "extract-regions-modisco-fmt": "extract",
    "call-hits": "call_hits",
    "call-variants": "variants",
    "report": "report",
    "compare": "compare",
    "collapse-hits": "collapse_intersect",
    "intersect-hits": "collapse_intersect",
    "run": "run",
    "sample-sheet": "sample_sheet",
    "submit": "submit",
    "status": "status",
    "sql": "sql",
    "query": "query",
    "plot": "plot",
    "confidence": "confidence",
    "filter-hits": "filter_hits",
    "runner-up": "runner_up",
    "export": "export",
    "compact": "compact",
    "annotate": "annotate",
    "verify": "verify",
    "demo": "demo",
}
"""Command to the module that holds it, in the order of ``--help``."""


_GROUPS: Final = {
    "From contributions to hits": (
        "extract-regions-bw", "extract-regions-chrombpnet-h5", "extract-regions-bpnet-h5",
        "extract-regions-modisco-fmt", "call-hits", "call-variants",
    ),
    "Look": ("report", "plot", "status", "sql", "query", "compare"),
    "Hits for other tools": (
        "export", "collapse-hits", "intersect-hits", "annotate", "confidence", "filter-hits",
        "runner-up",
    ),
    "Many samples": ("run", "sample-sheet", "submit"),
    "Care": ("compact", "verify", "demo"),
}  # fmt: skip
"""Title to commands, in the order of ``--help``; those of no group come last."""
_EPILOG: Final = """\b
A first run, on generated data, in less than a minute:
  finemo-dist demo
Completion of commands and options, for bash (or zsh, fish):
  eval "$(_FINEMO_DIST_COMPLETE=bash_source finemo-dist)"
"""


def _check_paths(words: Sequence[str]) -> None:
    """Refuse bytes that are no text: no table, log or record could name such a path.

    Raises
    ------
    UsageError
        A word, or the path of the working directory, is not UTF-8.
    """
    folder = str(Path.cwd())
    for what, text in (*(("argument", word) for word in words), ("working directory", folder)):
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            shown = os.fsencode(text).decode("utf-8", "backslashreplace")
            raise UsageError(
                f"{shown}: the {what} has bytes that are not UTF-8, so no table or record can name "
                "it. Rename it."
            )


class _Commands(click.Group):
    """Imports the module of a command when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in groups, in the order in which a user meets them."""
        left = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        width = formatter.width - 6 - max(map(len, left))
        for title, names in _GROUPS.items():
            rows = [(name, left.pop(name)) for name in names if name in left]
            self._write(title, rows, width, formatter)
        self._write("Other commands", list(left.items()), width, formatter)

    def _write(
        self,
        title: str,
        rows: Sequence[tuple[str, click.Command | None]],
        width: int,
        formatter: click.HelpFormatter,
    ) -> None:
        shown = [(n, c.get_short_help_str(width)) for n, c in rows if c is not None]
        if shown:
            with formatter.section(title):
                formatter.write_dl(shown)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = OLD_COMMANDS.get(cmd_name, cmd_name)
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"finemo_dist.cli.{_COMMANDS[name]}")
        command: click.Command = module.COMMANDS[name]
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Those before the name of the command; the command spells out its own.
        n_own = next((i for i, word in enumerate(args) if word in _COMMANDS), len(args))
        own = spelt_out(self, ctx, args[:n_own])
        return super().parse_args(ctx, [*own, *args[n_own:]])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            name, command, words = super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = nearest(args[0], _COMMANDS)
            raise click.UsageError(f"{error.message}{near}", ctx) from error
        if name is None or command is None:
            # The shell asks how a line may go on that begins with no command.
            return name, command, words
        if name in OLD_COMMANDS:
            warn(name, OLD_COMMANDS[name])
        own = click.Context(command, info_name=name, parent=ctx)
        return name, command, spelt_out(command, own, words, first=options_of(name))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            # Click ends the line of a ^C, which would be an empty line among those of JSON.
            if ctx.params["log_format"] == "json":
                raise click.Abort from error
            raise


def _say_version(ctx: click.Context, _option: click.Parameter, value: object) -> None:
    if value:
        click.echo(f"{program()}, version {__version__}")
        ctx.exit()


@click.command(
    cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version,
    help="Show the version and exit.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Log details, to help find a problem.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of standard error: text for people, or JSON lines for programs.",
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


def _started_as(path: str) -> str:
    """Return the name of an executable; of what Python runs itself (``-c``, a module), our own."""
    name = Path(path).name
    return PROGRAM if not name or name.startswith("-") or name.endswith(".py") else name


def _resumes(words: Sequence[str]) -> str:
    return f"Committed work is kept; resume with: {resume_line(words)}"


_COLLECT_AFTER: Final = 50_000
"""Objects, of a few MB, that are made before Python collects garbage. It does so after 700 by
default, which takes a tenth of the time of a small question."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit: 0 done, 2 bad input, 3 shards missing, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        gc.set_threshold(_COLLECT_AFTER)
    set_program(PROGRAM if arguments is not None else _started_as(sys.argv[0]))
    if hasattr(sys.stdout, "reconfigure"):
        # Names of motifs are any text, and where standard output takes ASCII they are spelt out.
        sys.stdout.reconfigure(errors="backslashreplace")
    typed = TypedCommand(command_line(words), time.perf_counter())
    interrupts = Interrupts()
    interrupts.install()
    try:
        _check_paths(words)
        cli.main(words, prog_name=program(), standalone_mode=False, obj=typed)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except FinemoDistError as error:
        cure = f" {_resumes(words)}" if isinstance(error, CutShortError) else ""
        say(f"Error: {error}{cure}", level=logging.ERROR)
        sys.exit(error.exit_status)
    except (KeyboardInterrupt, click.Abort):
        interrupts.end()
        say(f"Interrupted. {_resumes(words)}")
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        said = system_fault(error) or f"{error.strerror or error}."
        say(
            f"Error: {where}{said} Committed work is kept. Run the same command again to resume.",
            level=logging.ERROR,
        )
        sys.exit(2)
    sys.exit(0)
