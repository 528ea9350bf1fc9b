"""What goes to a terminal: one line, and nothing that a terminal would obey."""

import logging


def one_line(text: str) -> str:
    """Return text with line ends as spaces and every other control character spelt out.

    Names of motifs, samples, chromosomes and peaks come from files: an escape sequence in one must
    not move the cursor or colour the screen.
    """
    words = " ".join(line.strip() for line in text.splitlines())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)


class OneLineFormatter(logging.Formatter):
    """A formatter whose messages are one line each; the traceback of ``--verbose`` stays."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """Return the formatted message as one line."""
        return one_line(super().formatMessage(record))
