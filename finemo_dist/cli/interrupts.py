"""Signals that end a command: one interrupt, however often it is sent."""

import signal
import time
from types import FrameType
from typing import Final

REPEAT_S: Final = 10.0
"""A signal within so long of the last interrupt is the same demand by another way."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Turns SIGINT and SIGTERM into one ``KeyboardInterrupt``.

    Pre-emption on a cluster is an interrupt: committed work stays and a rerun resumes. It often
    comes twice within milliseconds, since SLURM tells every process of a job and the script of the
    job passes on what it was told. The second must not stop the first from closing the record of
    the run. After ``REPEAT_S`` it counts again, so that nobody waits for a clean-up that hangs.
    """

    def __init__(self) -> None:
        self._again_from = float("-inf")

    def install(self) -> None:
        """Handle the signals from now on; what a parent told this process to ignore stays so."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._interrupt)

    def end(self) -> None:
        """Ignore the signals: the command is over but for its last words and its exit status."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now >= self._again_from:
            self._again_from = now + REPEAT_S
            raise KeyboardInterrupt
