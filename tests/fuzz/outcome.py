"""Running a command in this process, and what must be true of how it ends."""

import contextlib
import io
from dataclasses import dataclass

from finemo_dist.cli.main import main
from tests.command import kept_signal_handlers

CLEAR_STATUSES = frozenset({0, 2, 3})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The error message: what stands after the last ``Error: ``."""
        return self.err.rpartition("Error: ")[2]


def run_command(*words: object) -> Outcome:
    """Run a command as ``finemo-dist`` does; whatever escapes it is a traceback to the user."""
    out, err = io.StringIO(), io.StringIO()
    status = None
    with (
        kept_signal_handlers(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main([str(word) for word in words])
        except SystemExit as caught:
            status = caught.code
    return Outcome(status, out.getvalue(), err.getvalue())


def assert_clear(outcome: Outcome) -> bool:
    """Return whether the command was done; otherwise its error is one clear line."""
    assert outcome.status in CLEAR_STATUSES, f"status {outcome.status}: {outcome.err}"
    assert "Traceback" not in outcome.err
    if outcome.status == 0:
        return True
    message = outcome.error.removesuffix("\n")
    assert len(message) > 20, f"says nothing: {outcome.err!r}"
    assert len(message.splitlines()) == 1, f"more than a line: {message!r}"
    assert message.isprintable(), f"holds control characters: {message!r}"
    assert len(message) < 2000, f"{len(message)} characters: {message[:200]!r}"
    return False
