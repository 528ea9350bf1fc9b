"""What goes to a terminal: one line, and nothing that a terminal would obey."""

import logging
import shlex
from collections.abc import Sequence

import click


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
    return shlex.join(["finemo-dist", *words])


def resume_line(words: Sequence[str]) -> str:
    """Return the line that goes on where a command stopped: ``--force`` would begin anew."""
    return command_line([word for word in words if word != "--force"])


def current_command() -> str | None:
    """Return the line that was typed for the command that runs; None where none does."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.find_object(str)


class OneLineFormatter(logging.Formatter):
    """A formatter whose messages are one line each; the traceback of ``--verbose`` stays."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """Return the formatted message as one line."""
        return one_line(super().formatMessage(record))
