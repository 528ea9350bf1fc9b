"""What goes to a terminal: one line, and nothing that a terminal would obey."""

import json
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from finemo_dist.core.command import TypedCommand
from finemo_dist.core.program import program

logger = logging.getLogger(__name__)


def one_line(text: str) -> str:
    """Return text with line ends as spaces and every other control character spelt out.

    Names of motifs, samples, chromosomes and peaks come from files: an escape sequence in one must
    not move the cursor or colour the screen.
    """
    return printable(" ".join(line.strip() for line in text.splitlines()))


def printable(line: str) -> str:
    """Return a line with every control character spelt out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def command_line(words: Sequence[str]) -> str:
    """Return the line to type for the words of a command."""
    return shlex.join([program(), *words])


def next_line(*words: str) -> str:
    """Return the line that says what to type next, which works in this shell as it is printed."""
    return f"next: {started_as()} {shlex.join(words)}"


def report_line(run: Path) -> str:
    """Return the line that makes a report of a run: beside it, or here if it is no local folder."""
    from finemo_dist.storage.locations import is_local

    name = f"{run.name}-report"
    return next_line("report", str(run), "-o", str(run.with_name(name)) if is_local(run) else name)


def started_as() -> str:
    """Return what to type for this program: its name, or its path where the name is not found."""
    name, path = program(), sys.argv[0]
    if shutil.which(name) or not Path(path).is_file():
        return name
    return shlex.quote(os.path.relpath(path))


def resume_line(words: Sequence[str]) -> str:
    """Return the line that goes on where a command stopped: ``--force`` would begin anew."""
    return command_line([word for word in words if word != "--force"])


def resume_of(command: str, directory: str) -> str:
    """Return the line that goes on with a command that was typed in a directory."""
    _, *words = shlex.split(command)
    line = resume_line(words)
    return line if directory == str(Path.cwd()) else f"cd {shlex.quote(directory)} && {line}"


def current_command() -> TypedCommand | None:
    """Return what was typed for the command that runs; None where none does."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.find_object(TypedCommand)


def is_json_wanted() -> bool:
    """Return whether the command that runs was asked for lines of JSON (``--log-format json``)."""
    context = click.get_current_context(silent=True)
    return context is not None and context.find_root().params.get("log_format") == "json"


def say(message: str, *, level: int = logging.INFO) -> None:
    """Tell the user something on standard error, in the format that was asked for."""
    if any(isinstance(h.formatter, JsonFormatter) for h in logging.getLogger().handlers):
        logger.log(level, "%s", message.strip())
    else:
        indent = message[: len(message) - len(message.lstrip(" "))]
        click.echo(indent + one_line(message), err=True)


class StderrHandler(logging.StreamHandler[TextIO]):
    """Logs to what is standard error at the time: a live view takes its place to stay below."""

    def __init__(self) -> None:
        # Not that of StreamHandler, which keeps the stream of now.
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """Standard error."""
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        raise NotImplementedError


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the fields of the log of a run where the record has them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry = getattr(record, "entry", None) or {
            "time": time,
            "level": record.levelname.lower(),
            "event": "message",
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = {"traceback": self.formatException(record.exc_info)} if record.exc_info else {}
        return json.dumps({**entry, **trace})


class OneLineFormatter(logging.Formatter):
    """A formatter whose messages are one line each; the traceback of ``--verbose`` stays."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """Return the formatted message as one line."""
        return one_line(super().formatMessage(record))
