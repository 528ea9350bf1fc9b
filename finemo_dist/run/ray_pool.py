"""The executor of many workers: one Ray actor for each GPU or core, fed by a queue in the driver.

The only file that imports ray. Safety comes from the commit, not from Ray: retries by Ray are off,
the driver resubmits, and a unit that runs twice replaces itself with the same bytes.
"""

import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

from finemo_dist.core.errors import RunError
from finemo_dist.core.events import RunEvent, UnitDone, UnitFailed, WorkersReady
from finemo_dist.core.protocols import Worker, WorkerMaker
from finemo_dist.core.records import Unit

logger = logging.getLogger(__name__)

_MAX_FAILURES: Final = 3
"""Workers on which a unit may fail before it is set aside."""
_READY_TIMEOUT_S: Final = 120.0
_POLL_S: Final = 1.0
_OBJECT_STORE_BYTES: Final = 80 << 20
"""Nothing but paths and shard numbers passes through it; Ray takes no less."""


class _RegionActor:
    """A worker in a process of its own."""

    def __init__(self, spec: WorkerMaker, name: str) -> None:
        self._spec = spec
        self._name = name
        self._worker: Worker | None = None

    def ready(self) -> None:
        """Make the worker: what a constructor raises, Ray reports as a death without its cause."""
        self._worker = self._spec.make_worker(self._name)

    def process(self, unit: Unit) -> UnitDone | UnitFailed:
        """Do and commit a unit."""
        assert self._worker is not None
        return self._worker.process(unit)


_ACTOR: Final[Any] = ray.remote(max_restarts=0, max_task_retries=0)(_RegionActor)


@dataclass(slots=True)
class _Task:
    """What an actor is doing: getting ready (no unit) or a unit."""

    actor: Any
    name: str
    unit: Unit | None
    deadline: float


@dataclass(slots=True)
class _Pool:
    """The state of a run in the driver."""

    queue: deque[Unit]
    tasks: dict[Any, _Task] = field(default_factory=dict)
    """By Ray's reference to the result."""
    n_failures: dict[Unit, int] = field(default_factory=dict)
    n_started: int = 0
    n_broken_starts: int = 0
    """Actors in a row that never became ready."""
    is_announced: bool = False


class RayExecutor:
    """Processes units on Ray actors; satisfies ``Executor``."""

    def __init__(
        self, spec: WorkerMaker, *, n_workers: int, address: str | None, unit_timeout_s: float
    ) -> None:
        self._spec = spec
        self._n_workers = n_workers
        self._address = address
        self._unit_timeout_s = unit_timeout_s

    def describe(self) -> Mapping[str, str | int]:
        """Return what runs the work."""
        return {"kind": "ray", "n_workers": self._n_workers, "device": self._spec.device}

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Process every unit on some worker; actors that die are replaced, their units resubmitted.

        Raises
        ------
        RunError
            No worker could be started.
        """
        # A session that the caller opened is the caller's to close.
        is_ours = not ray.is_initialized()
        if is_ours:
            with _same_signal_handler():
                _connect(self._address, self._n_workers, self._spec.device)
        pool = _Pool(queue=deque(units))
        try:
            for _ in range(min(self._n_workers, len(units))):
                self._start_actor(pool)
            while pool.tasks:
                yield from self._wait(pool)
        finally:
            for task in pool.tasks.values():
                ray.kill(task.actor)
            if is_ours:
                ray.shutdown()

    def _start_actor(self, pool: _Pool) -> None:
        name = f"worker-{pool.n_started}"
        pool.n_started += 1
        resources = {"num_gpus": 1} if self._spec.device == "cuda" else {"num_cpus": 1}
        actor = _ACTOR.options(**resources).remote(self._spec, name)
        reference = actor.ready.remote()
        pool.tasks[reference] = _Task(actor, name, None, time.monotonic() + _READY_TIMEOUT_S)

    def _wait(self, pool: _Pool) -> Iterator[RunEvent]:
        """Handle whatever finished or ran out of time within a poll."""
        finished, _ = ray.wait(list(pool.tasks), timeout=_POLL_S)
        for reference in finished:
            yield from self._finish(pool, pool.tasks.pop(reference), reference)
        now = time.monotonic()
        for reference, task in list(pool.tasks.items()):
            if task.deadline < now:
                del pool.tasks[reference]
                ray.kill(task.actor)
                yield from self._lose(pool, task, "said nothing for too long and was ended")

    def _finish(self, pool: _Pool, task: _Task, reference: Any) -> Iterator[RunEvent]:  # noqa: ANN401
        try:
            result = ray.get(reference, timeout=_READY_TIMEOUT_S)
        except RayActorError as error:
            yield from self._lose(pool, task, f"died ({_first_line(error)})")
        except RayTaskError as error:
            yield from self._take_error(pool, task, _first_line(error.cause or error))
        except (RayError, GetTimeoutError) as error:
            yield from self._lose(pool, task, f"was lost ({_first_line(error)})")
        else:
            if isinstance(result, UnitDone | UnitFailed):
                yield result
            else:
                pool.n_broken_starts = 0
                if not pool.is_announced:
                    pool.is_announced = True
                    yield WorkersReady(
                        self._n_workers, f"{self._n_workers} Ray workers on {self._spec.device}"
                    )
            self._give_unit(pool, task)

    def _take_error(self, pool: _Pool, task: _Task, error: str) -> Iterator[RunEvent]:
        """Handle what a worker raised: a unit is at fault, or its files, or the worker itself."""
        if task.unit is None:
            ray.kill(task.actor)
            yield from self._lose(pool, task, f"could not start: {error}")
        else:
            yield from self._count_failure(pool, task, task.unit, error)
            self._give_unit(pool, task)

    def _give_unit(self, pool: _Pool, task: _Task) -> None:
        """Send the next unit to a worker that is free, or let the worker go."""
        if not pool.queue:
            ray.kill(task.actor)
            return
        unit = pool.queue.popleft()
        reference = task.actor.process.remote(unit)
        deadline = time.monotonic() + self._unit_timeout_s
        pool.tasks[reference] = _Task(task.actor, task.name, unit, deadline)

    def _lose(self, pool: _Pool, task: _Task, reason: str) -> Iterator[RunEvent]:
        """Replace a worker that is gone and put its unit back."""
        logger.warning("%s %s", task.name, reason)
        if task.unit is None:
            pool.n_broken_starts += 1
            if pool.n_broken_starts > _MAX_FAILURES:
                # Those that work go on alone; a place that takes no worker would be tried for ever.
                if pool.tasks or not pool.queue:
                    return
                raise RunError(
                    f"No worker could be started: the last {reason.rstrip('.')}. Check that the "
                    "cluster has a free "
                    f"{'GPU' if self._spec.device == 'cuda' else 'CPU core'} for each worker, and "
                    "the logs of Ray."
                )
        else:
            yield from self._count_failure(pool, task, task.unit, f"its worker {reason}")
        n_wanted = min(self._n_workers, len(pool.queue) + len(pool.tasks))
        if len(pool.tasks) < n_wanted:
            self._start_actor(pool)

    def _count_failure(
        self, pool: _Pool, task: _Task, unit: Unit, error: str
    ) -> Iterator[RunEvent]:
        """Put a failed unit at the end of the queue, or set it aside."""
        n_failures = pool.n_failures.get(unit, 0) + 1
        pool.n_failures[unit] = n_failures
        is_final = n_failures >= _MAX_FAILURES
        if not is_final:
            pool.queue.append(unit)
        yield UnitFailed(unit, task.name, error, is_final=is_final)


@contextmanager
def _same_signal_handler() -> Iterator[None]:
    """Put back what SIGTERM does: Ray makes it an exit that says nothing of resuming."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        # Elsewhere than in the main thread neither Ray nor Python can set it.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _connect(address: str | None, n_workers: int, device: str) -> None:
    """Join the cluster at an address, or start one of our own on this machine alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is not None:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        return
    ray.init(
        # "local" never joins a cluster that a stale address file names.
        address="local",
        num_cpus=n_workers,
        num_gpus=n_workers if device == "cuda" else 0,
        include_dashboard=False,
        object_store_memory=_OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _node_ip_address="127.0.0.1",
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
