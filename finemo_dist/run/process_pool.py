"""The executor of several workers on this machine: one process each, fed by a queue in the driver.

Who does what is decided in ``schedule.py``, as for Ray. A process opens no port and needs no
folder: it talks to the driver over a pair of sockets that have no name, and it ends when the driver
does. It starts in the time that its imports take.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import IO, Any, Final

from finemo_dist.core.errors import RunError
from finemo_dist.core.events import RunEvent
from finemo_dist.core.protocols import WorkerMaker
from finemo_dist.core.records import Unit
from finemo_dist.core.system_errors import fault
from finemo_dist.run.pool import Answer, Pool
from finemo_dist.run.process_parent import Child, Parent, started_process
from finemo_dist.run.process_worker import BOOTSTRAP
from finemo_dist.run.schedule import Schedule

_READY_TIMEOUT_S: Final = 300.0
"""To import and to read the motifs, from a network disk that is busy."""
_MOST_SAID_BYTES: Final = 2000


class ProcessExecutor:
    """Processes units on processes of this machine; satisfies ``Executor``.

    Parameters
    ----------
    n_workers
        Processes at most.
    unit_timeout_s
        After which a process that has a unit counts as hung.
    parent
        What the processes begin as copies of; each is started anew when None.
    """

    def __init__(
        self,
        spec: WorkerMaker,
        *,
        n_workers: int,
        unit_timeout_s: float,
        parent: Parent | None = None,
    ) -> None:
        self._spec = spec
        self._n_workers = n_workers
        self._parent = parent
        self.unit_timeout_s = unit_timeout_s

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
            units, unit_timeout_s=self.unit_timeout_s, may_copy=self._spec.may_run_twice
        )
        yield from self.pool(schedule).run()

    def pool(self, schedule: Schedule, *, prefix: str = "worker") -> Pool:
        """Return the processes that take the units of a schedule."""
        crew = _ProcessCrew(self._spec, self._n_workers, self._parent)
        return Pool(crew, schedule, device=self._spec.device, prefix=prefix)


@dataclass(slots=True)
class _Process:
    """A process and how it is talked to."""

    process: Child
    connection: "Connection[Any, Any]"
    said: IO[bytes]
    """What it writes to its standard error: of use where it dies."""

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


class _ProcessCrew:
    """The processes of a run; satisfies ``Crew``."""

    what = "local worker"
    ready_timeout_s = _READY_TIMEOUT_S

    def __init__(self, spec: WorkerMaker, n_workers: int, parent: Parent | None) -> None:
        self._spec = spec
        self._n_workers = n_workers
        self._parent = parent
        self._processes: dict[str, _Process] = {}

    def n_places(self, now: float) -> int:
        """Return how many processes there may be."""
        del now
        return self._n_workers

    def places(self) -> None:
        """There is one node."""

    def has_room(self) -> bool:
        """No process waits for a place."""
        return True

    def start(self, name: str, node: str | None) -> None:
        """Start a process.

        Raises
        ------
        RunError
            The system starts no more.
        """
        del node
        ours, theirs = Pipe()
        said = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the process)
        try:
            process = self._begun(theirs.fileno(), said)
        except OSError as error:
            ours.close()
            said.close()
            message = (
                f"No worker could be started ({error.strerror or error}). Use --executor serial, "
                "or fewer workers (--workers)."
            )
            raise fault(
                "a local worker", error, otherwise=message, kind=RunError, doing="started"
            ) from error
        finally:
            theirs.close()
        self._processes[name] = _Process(process, ours, said)
        # A process that died at once is seen where its answer is waited for.
        with suppress(BrokenPipeError):
            ours.send(sys.path)
            ours.send((self._spec, name))

    def _begun(self, descriptor: int, said: IO[bytes]) -> Child:
        if self._parent is not None:
            # One that has died is done without.
            with suppress(OSError):
                return self._parent.start(descriptor, said)
        return started_process(BOOTSTRAP, descriptor, said)

    def give(self, name: str, unit: Unit) -> None:
        """Let a process do a unit."""
        with suppress(BrokenPipeError):
            self._processes[name].connection.send(unit)

    def answers(self, timeout_s: float) -> Iterator[tuple[str, Answer]]:
        """Yield what processes say within a time."""
        waiting = {process.connection: name for name, process in self._processes.items()}
        for connection in wait(list(waiting), timeout=timeout_s):
            name = waiting[connection]  # type: ignore[index]
            try:
                answer: Answer = self._processes[name].connection.recv()
            except (EOFError, OSError):
                answer = Answer(lost=f"died ({self._processes[name].why()})")
            yield name, answer

    def end(self, name: str) -> None:
        """Kill a process, and wait until it is gone."""
        self._processes.pop(name).end()

    def refusal(self, reason: str) -> RunError:
        """Return the error of a run without processes."""
        return RunError(
            f"No worker could be started; the last one {reason.rstrip('.')}. Use --executor "
            "serial to see more of it."
        )
