"""The executor of several workers on this machine: one process each, fed by a queue in the driver.

Who does what is decided in ``schedule.py``, as for Ray. A process opens no port and needs no
folder: it talks to the driver over a pair of sockets that have no name, and it ends when the driver
does. It starts in the time that its imports take.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import IO, Any, Final

from finemo_dist.core.errors import RunError
from finemo_dist.core.events import (
    RunEvent,
    UnitFailed,
    UnitStarted,
    WorkerLost,
    WorkersReady,
    WorkerStarted,
)
from finemo_dist.core.protocols import WorkerMaker
from finemo_dist.core.records import Unit
from finemo_dist.core.words import count
from finemo_dist.run.pool_events import given_up, told, told_of_nodes
from finemo_dist.run.process_worker import BOOTSTRAP, Answer
from finemo_dist.run.schedule import Failure, Restarts, Schedule

logger = logging.getLogger(__name__)

_MAX_FAILED_STARTS: Final = 3
"""Processes in a row that may fail to start where no other works."""
_READY_TIMEOUT_S: Final = 300.0
"""To import and to read the motifs, from a network disk that is busy."""
_POLL_S: Final = 0.5
_MOST_SAID_BYTES: Final = 2000


class ProcessExecutor:
    """Processes units on processes of this machine; satisfies ``Executor``.

    Parameters
    ----------
    n_workers
        Processes at most.
    unit_timeout_s
        After which a process that has a unit counts as hung.
    """

    def __init__(self, spec: WorkerMaker, *, n_workers: int, unit_timeout_s: float) -> None:
        self._spec = spec
        self._n_workers = n_workers
        self._unit_timeout_s = unit_timeout_s

    def describe(self) -> Mapping[str, str | int]:
        """Return what runs the work."""
        return {"kind": "processes", "n_workers": self._n_workers, "device": self._spec.device}

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Process every unit on some process; one that dies is replaced, its unit tried again.

        Raises
        ------
        RunError
            No process could be started.
        """
        schedule = Schedule(
            units, unit_timeout_s=self._unit_timeout_s, may_copy=self._spec.may_run_twice
        )
        pool = _Pool(self._spec, schedule, n_workers=self._n_workers)
        try:
            yield from pool.run()
        finally:
            pool.close()


@dataclass(slots=True)
class _Member:
    """A process of the pool."""

    process: "subprocess.Popen[bytes]"
    connection: "Connection[Any, Any]"
    said: IO[bytes]
    """What it writes to its standard error: of use where it dies."""
    ready_by: float | None
    """When it has to be ready; None once it is."""

    def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        self.connection.close()
        self.said.close()

    def why(self) -> str:
        """Return how the process ended, and its last words."""
        status = self.process.wait()
        ended = f"signal {-status}" if status < 0 else f"exit status {status}"
        size = self.said.seek(0, os.SEEK_END)
        self.said.seek(max(0, size - _MOST_SAID_BYTES))
        lines = self.said.read().decode(errors="replace").strip().splitlines()
        return f"{ended}: {lines[-1]}" if lines else ended


class _Pool:
    """The processes of a run, and what the schedule has them do."""

    def __init__(self, spec: WorkerMaker, schedule: Schedule, *, n_workers: int) -> None:
        self._spec = spec
        self._schedule = schedule
        self._n_workers = n_workers
        self._restarts = Restarts()
        self._members: dict[str, _Member] = {}
        self._n_started = 0
        self._is_announced = False

    def run(self) -> Iterator[RunEvent]:
        """Yield what happens until every unit is done or set aside."""
        while not self._schedule.is_over:
            yield from self._give()
            yield from self._staff()
            yield from self._take()
            yield from self._end_overdue()
            yield from told_of_nodes(self._schedule, {})

    def close(self) -> None:
        """End every process at once; what was in flight is abandoned, uncommitted."""
        for member in self._members.values():
            member.end()
        self._members.clear()

    def _staff(self) -> Iterator[RunEvent]:
        """Let go whom nobody misses and replace whom nothing suits; then start who is wanted."""
        schedule, now = self._schedule, time.monotonic()
        coming = [name for name, member in self._members.items() if member.ready_by is not None]
        for name in [*coming, *schedule.idle][: schedule.n_surplus(n_coming=len(coming))]:
            self._dismiss(name)
        n_coming = sum(member.ready_by is not None for member in self._members.values())
        for name in schedule.unsuited(now, n_coming=n_coming):
            self._dismiss(name)
            yield WorkerLost(name, "was replaced, because the remaining shards failed on it")
        n_wanted = min(self._n_workers, schedule.n_open)
        if self._restarts.may_start(now):
            for _ in range(n_wanted - len(self._members)):
                self._start(now)
        yield from given_up(schedule, self._restarts, now, n_wanted=n_wanted)

    def _start(self, now: float) -> None:
        name = f"worker-{self._n_started}"
        self._n_started += 1
        ours, theirs = Pipe()
        said = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the process)
        try:
            process = _started_process(theirs.fileno(), said)
        except OSError as error:
            ours.close()
            said.close()
            raise RunError(
                f"No worker could be started ({error.strerror or error}). Use --executor serial, "
                "or fewer workers (--workers)."
            ) from error
        finally:
            theirs.close()
        self._members[name] = _Member(process, ours, said, now + _READY_TIMEOUT_S)
        try:
            ours.send(sys.path)
            ours.send((self._spec, name))
        except BrokenPipeError:
            # It died at once, which is seen where its answer is waited for.
            return

    def _dismiss(self, name: str, error: str = "") -> Failure | None:
        """End a process; return the failure of the unit it had."""
        member = self._members.pop(name)
        member.end()
        if member.ready_by is not None:
            return None
        return self._schedule.leave(name, time.monotonic(), error=error)

    def _give(self) -> Iterator[RunEvent]:
        for name, unit in self._schedule.assign(time.monotonic()):
            try:
                self._members[name].connection.send(unit)
            except BrokenPipeError:
                # As above.
                logger.debug("%s died before it was given %s", name, unit)
            yield UnitStarted(unit, name)

    def _take(self) -> Iterator[RunEvent]:
        """Handle what comes within a poll."""
        waiting = {member.connection: name for name, member in self._members.items()}
        if not waiting:
            time.sleep(_POLL_S)
            return
        for connection in wait(list(waiting), timeout=_POLL_S):
            name = waiting[connection]  # type: ignore[index]
            try:
                answer: Answer = self._members[name].connection.recv()
            except (EOFError, OSError):
                yield from self._lose(name, f"died ({self._members[name].why()})")
            else:
                yield from self._handle(name, answer)

    def _handle(self, name: str, answer: Answer) -> Iterator[RunEvent]:
        if self._members[name].ready_by is not None:
            if answer.error is not None:
                yield from self._lose(name, f"could not start: {answer.error}")
            else:
                yield from self._welcome(name, answer.node)
            return
        # It lives, whatever it says of the unit.
        self._restarts.progressed()
        now, result = time.monotonic(), answer.result
        error = result.error if isinstance(result, UnitFailed) else answer.error
        if result is None or (isinstance(result, UnitFailed) and not result.is_final):
            error = error or ""
            is_refused = result is not None and result.is_refused
            failure = self._schedule.fail(name, now, error=error, is_refused=is_refused)
            yield from told(failure, error)
        elif self._schedule.finish(name, now):
            yield result

    def _welcome(self, name: str, node: str) -> Iterator[RunEvent]:
        self._members[name].ready_by = None
        self._schedule.join(name, node)
        self._restarts.started()
        yield WorkerStarted(name, node)
        if not self._is_announced:
            self._is_announced = True
            n_workers = len(self._members)
            yield WorkersReady(
                n_workers, f"{count(n_workers, 'local worker')} on {self._spec.device}"
            )

    def _lose(self, name: str, reason: str) -> Iterator[RunEvent]:
        """Give up a process; its unit is tried elsewhere."""
        was_ready = self._members[name].ready_by is None
        failure = self._dismiss(name, f"its worker {reason}")
        if was_ready:
            self._restarts.lost(time.monotonic())
            yield WorkerLost(name, reason)
            yield from told(failure, f"its worker {reason}")
            return
        logger.warning("%s %s", name, reason)
        self._restarts.failed_to_start(time.monotonic())
        # Those that work go on alone; new ones are tried ever more rarely beside them.
        if self._restarts.n_failed_starts > _MAX_FAILED_STARTS and not self._members:
            raise RunError(
                f"No worker could be started; the last one {reason.rstrip('.')}. Use --executor "
                "serial to see more of it."
            )

    def _end_overdue(self) -> Iterator[RunEvent]:
        """End processes that hang, at a unit or at their start."""
        now = time.monotonic()
        for name in self._schedule.overdue(now):
            yield from self._lose(name, "did not answer for too long and was stopped")
        for name, member in list(self._members.items()):
            if member.ready_by is not None and now > member.ready_by:
                yield from self._lose(name, "was not ready in time")


def _started_process(descriptor: int, said: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a process that never sees SIGINT: a terminal sends it to all, and the driver ends all.

    A worker has one core: libraries that would take more are told so.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", BOOTSTRAP, str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=(descriptor,),
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
