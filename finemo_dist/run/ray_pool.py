"""The executor of many workers: one Ray actor for each GPU or core, fed by a queue in the driver.

The only file that imports ray; who does what is decided in ``schedule.py``. Safety comes from the
commit, not from Ray: retries by Ray are off, the driver resubmits, and a unit that runs twice
replaces itself with the same bytes.
"""

import logging
import math
import os
import platform
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Literal

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

from finemo_dist.core.errors import RunError
from finemo_dist.core.events import (
    RunEvent,
    UnitDone,
    UnitFailed,
    UnitStarted,
    WorkerLost,
    WorkersReady,
    WorkerStarted,
)
from finemo_dist.core.protocols import Worker, WorkerMaker
from finemo_dist.core.records import Unit
from finemo_dist.core.words import count
from finemo_dist.run.ray_folder import short_folder
from finemo_dist.run.schedule import Failure, Restarts, Schedule

logger = logging.getLogger(__name__)

Resource = Literal["CPU", "GPU"]

_MAX_FAILED_STARTS: Final = 3
"""Workers in a row that may fail to start where no other works."""
_MAX_LOSSES: Final = 60
"""Workers, or five times as many as are wanted, that may be lost without a unit being finished."""
_READY_TIMEOUT_S: Final = 120.0
"""For a worker that has a place; also for the answer of Ray to anything."""
_PLACE_TIMEOUT_S: Final = 900.0
"""Without a single worker on a cluster: nodes of a cloud take minutes to come."""
_POLL_S: Final = 0.5
_KNOCK_S: Final = 10.0
_COUNT_PLACES_S: Final = 2.0
"""How often a cluster is asked how large it is by now."""
_OBJECT_STORE_BYTES: Final = 80 << 20
"""Nothing but paths and shard numbers passes through it; Ray takes no less."""


class _RegionActor:
    """A worker in a process of its own."""

    def __init__(self, spec: WorkerMaker, name: str) -> None:
        self._spec = spec
        self._name = name
        self._worker: Worker | None = None

    def ready(self) -> str:
        """Make the worker and return its machine: a constructor's errors Ray reports as a death."""
        self._worker = self._spec.make_worker(self._name)
        return platform.node()

    def process(self, unit: Unit) -> UnitDone | UnitFailed:
        """Do and commit a unit."""
        assert self._worker is not None
        return self._worker.process(unit)


_ACTOR: Final[Any] = ray.remote(max_restarts=0, max_task_retries=0)(_RegionActor)


class RayExecutor:
    """Processes units on Ray actors; satisfies ``Executor``.

    Parameters
    ----------
    n_workers
        Actors at most; as many as the cluster has places, now and later, when None.
    resource
        What each actor owns one of; a GPU where the spec says CUDA when None.
    workers_per_gpu
        Actors that share a GPU.
    """

    def __init__(
        self,
        spec: WorkerMaker,
        *,
        n_workers: int | None,
        address: str | None,
        unit_timeout_s: float,
        resource: Resource | None = None,
        workers_per_gpu: int = 1,
    ) -> None:
        self._spec = spec
        self._n_workers = n_workers
        self._address = address
        self._unit_timeout_s = unit_timeout_s
        self._resource: Resource = resource or ("GPU" if spec.device == "cuda" else "CPU")
        self._n_sharing = workers_per_gpu if self._resource == "GPU" else 1

    def describe(self) -> Mapping[str, str | int]:
        """Return what runs the work; as many workers as a cluster holds are ``cluster``."""
        n_workers = "cluster" if self._n_workers is None else self._n_workers
        return {"kind": "ray", "n_workers": n_workers, "device": self._spec.device}

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Process every unit on some worker; actors that die are replaced, their units resubmitted.

        Raises
        ------
        RunError
            No worker could be started.
        """
        with ExitStack() as session:
            # A session that the caller opened is the caller's to close.
            if not ray.is_initialized():
                session.enter_context(
                    _session(
                        self._address,
                        self._n_workers or 1,
                        self._spec.device,
                        n_gpus=-(-(self._n_workers or 1) // self._n_sharing),
                    )
                )
            yield from self._process(units)

    def _process(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        pool = _Pool(
            self._spec,
            Schedule(
                units,
                unit_timeout_s=self._unit_timeout_s,
                may_copy=self._spec.may_run_twice,
            ),
            n_workers=self._n_workers,
            resource=self._resource,
            n_sharing=self._n_sharing,
        )
        try:
            yield from pool.run()
        finally:
            pool.close()


def cluster_places(address: str) -> tuple[int, int]:
    """Return the CPU cores and GPUs of a cluster.

    Raises
    ------
    RunError
        No cluster answers there.
    """
    with nullcontext() if ray.is_initialized() else _session(address, 1, "cpu"):
        return _n_of("CPU", ray.cluster_resources), _n_of("GPU", ray.cluster_resources)


@dataclass(slots=True)
class _Member:
    """An actor of the pool."""

    handle: Any
    answer: Any
    """Ray's reference to what is asked of it: to get ready, or a unit; None when it is idle."""
    ready_by: float | None
    """When it has to be ready; None once it is."""


class _Pool:
    """The actors of a run, and what the schedule has them do."""

    def __init__(
        self,
        spec: WorkerMaker,
        schedule: Schedule,
        *,
        n_workers: int | None,
        resource: Resource,
        n_sharing: int,
    ) -> None:
        self._spec = spec
        self._schedule = schedule
        self._n_workers = n_workers
        self._resource = resource
        self._n_sharing = n_sharing
        """Actors that share one of it."""
        self._restarts = Restarts()
        self._members: dict[str, _Member] = {}
        self._n_started = 0
        self._n_places = n_workers or 0
        self._places_counted = float("-inf")
        self._last_worked = time.monotonic()
        """When there was a worker that was ready."""
        self._is_announced = False

    def run(self) -> Iterator[RunEvent]:
        """Yield what happens until every unit is done or set aside."""
        while not self._schedule.is_over:
            yield from self._give()
            yield from self._staff()
            yield from self._take()
            yield from self._end_overdue()

    def close(self) -> None:
        """End every actor at once; what was in flight is abandoned, uncommitted."""
        for member in self._members.values():
            ray.kill(member.handle)
        self._members.clear()

    @property
    def _n_coming(self) -> int:
        return sum(member.ready_by is not None for member in self._members.values())

    def _staff(self) -> Iterator[RunEvent]:
        """Let go whom nobody misses and replace whom nothing suits; then start who is wanted."""
        schedule, now = self._schedule, time.monotonic()
        idle = schedule.idle
        coming = [n for n, member in self._members.items() if member.ready_by is not None]
        for name in [*coming, *idle][: schedule.n_surplus(n_coming=len(coming))]:
            self._dismiss(name)
        for name in schedule.unsuited(now, n_coming=self._n_coming):
            self._dismiss(name)
            yield WorkerLost(name, "was replaced, because the remaining shards failed on it")
        n_wanted = min(self._count_places(now), schedule.n_open)
        if self._restarts.may_start(now):
            for _ in range(n_wanted - len(self._members)):
                self._start(now)
        if self._restarts.n_losses > max(_MAX_LOSSES, 5 * n_wanted):
            for unit in schedule.give_up():
                error = (
                    f"not tried again, because {self._restarts.n_losses} workers in a row were lost"
                )
                yield UnitFailed(unit, "none", error, is_final=True)

    def _count_places(self, now: float) -> int:
        """Return how many actors there may be; a cluster is asked, because nodes come and go."""
        if self._n_workers is None and now - self._places_counted > _COUNT_PLACES_S:
            # At least one: an actor that waits for its place is what makes a cluster grow.
            self._n_places = max(1, self._n_sharing * _n_of(self._resource, ray.cluster_resources))
            self._places_counted = now
        return self._n_places

    def _start(self, now: float) -> None:
        name = f"worker-{self._n_started}"
        self._n_started += 1
        actor = _ACTOR.options(
            num_cpus=1,
            num_gpus=_share(self._n_sharing) if self._resource == "GPU" else 0,
            scheduling_strategy="SPREAD",
        ).remote(self._spec, name)
        self._members[name] = _Member(actor, actor.ready.remote(), now + _READY_TIMEOUT_S)

    def _dismiss(self, name: str) -> Failure | None:
        """End an actor; return the failure of the unit it had."""
        member = self._members.pop(name)
        ray.kill(member.handle)
        return None if member.ready_by is not None else self._schedule.leave(name, time.monotonic())

    def _give(self) -> Iterator[RunEvent]:
        for name, unit in self._schedule.assign(time.monotonic()):
            member = self._members[name]
            member.answer = member.handle.process.remote(unit)
            yield UnitStarted(unit, name)

    def _take(self) -> Iterator[RunEvent]:
        """Handle what comes within a poll."""
        waiting = {m.answer: name for name, m in self._members.items() if m.answer is not None}
        if not waiting:
            time.sleep(_POLL_S)
            return
        answers, _ = ray.wait(list(waiting), timeout=_POLL_S)
        for answer in answers:
            yield from self._handle(waiting[answer], answer)

    def _handle(self, name: str, answer: Any) -> Iterator[RunEvent]:  # noqa: ANN401
        member = self._members[name]
        member.answer = None
        try:
            result = ray.get(answer, timeout=_READY_TIMEOUT_S)
        except RayActorError as error:
            yield from self._lose(name, f"died ({_first_line(error)})")
        except RayTaskError as error:
            yield from self._take_error(name, _first_line(error.cause or error))
        except (RayError, GetTimeoutError) as error:
            yield from self._lose(name, f"stopped answering ({_first_line(error)})")
        else:
            if member.ready_by is not None:
                yield from self._welcome(name, result)
            else:
                # It lives, whatever it says of the unit.
                self._restarts.progressed()
                if self._schedule.finish(name, time.monotonic()):
                    yield result

    def _welcome(self, name: str, node: str) -> Iterator[RunEvent]:
        self._members[name].ready_by = None
        self._schedule.join(name)
        self._restarts.started()
        yield WorkerStarted(name, node)
        if not self._is_announced:
            self._is_announced = True
            n_workers = len(self._members)
            yield WorkersReady(
                n_workers, f"{count(n_workers, 'Ray worker')} on {self._spec.device}"
            )

    def _take_error(self, name: str, error: str) -> Iterator[RunEvent]:
        """Handle what a worker raised: a unit is at fault, or its files, or the worker itself."""
        if self._members[name].ready_by is not None:
            yield from self._lose(name, f"could not start: {error}")
        else:
            self._restarts.progressed()
            yield from _told(self._schedule.fail(name, time.monotonic()), error)

    def _lose(self, name: str, reason: str) -> Iterator[RunEvent]:
        """Give up a worker; its unit is tried elsewhere."""
        was_ready = self._members[name].ready_by is None
        # Also one that Ray calls dead: it may only be out of reach, and would keep its place.
        failure = self._dismiss(name)
        if was_ready:
            self._restarts.lost(time.monotonic())
            yield WorkerLost(name, reason)
            yield from _told(failure, f"its worker {reason}")
            return
        logger.warning("%s %s", name, reason)
        self._restarts.failed_to_start(time.monotonic())
        # Those that work go on alone; new ones are tried ever more rarely beside them.
        if self._restarts.n_failed_starts > _MAX_FAILED_STARTS and not self._members:
            self._refuse(reason)

    def _refuse(self, reason: str) -> None:
        raise RunError(
            f"No worker could be started; the last one {reason.rstrip('.')}. Check that the "
            "cluster "
            f"has a free {'GPU' if self._resource == 'GPU' else 'CPU core'} for each worker, and "
            "the logs of Ray."
        )

    def _end_overdue(self) -> Iterator[RunEvent]:
        """End workers that hang, at a unit or at their start."""
        now = time.monotonic()
        if self._schedule.n_workers:
            self._last_worked = now
        for name in self._schedule.overdue(now):
            yield from self._lose(name, "did not answer for too long and was stopped")
        for name, member in list(self._members.items()):
            if member.ready_by is None or now < member.ready_by:
                continue
            if _n_of(self._resource, ray.available_resources):
                yield from self._lose(name, "was not ready in time")
            elif now - self._last_worked > _PLACE_TIMEOUT_S:
                self._refuse("found no free place")
            else:
                # It waits for a place, which others have or a node to come will bring.
                member.ready_by = now + _READY_TIMEOUT_S


def _share(n_sharing: int) -> float:
    """Return the part of a GPU that each of some actors owns; Ray knows four decimals."""
    return math.floor(10_000 / n_sharing) / 10_000


def _told(failure: Failure | None, error: str) -> Iterator[UnitFailed]:
    if failure is not None:
        yield UnitFailed(failure.unit, failure.worker, error, is_final=failure.is_final)


@contextmanager
def ray_session(address: str | None, *, n_cores: int, n_gpus: int) -> Iterator[None]:
    """Keep one session open for all executors inside; starting one takes seconds.

    Parameters
    ----------
    address
        Of a cluster to join; one of these cores and GPUs is started on this machine when None.
    """
    if ray.is_initialized():
        yield
        return
    with _session(address, n_cores, "cuda" if n_gpus else "cpu", n_gpus=n_gpus):
        yield


@contextmanager
def _session(
    address: str | None, n_workers: int, device: str, *, n_gpus: int | None = None
) -> Iterator[None]:
    """Keep a session of our own open."""
    with short_folder() if address is None else nullcontext() as folder:
        try:
            with _same_signal_handler():
                _connect(address, n_workers, device, n_gpus=n_gpus, folder=folder)
            yield
        finally:
            ray.shutdown()


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


def _connect(
    address: str | None, n_workers: int, device: str, *, n_gpus: int | None, folder: str | None
) -> None:
    """Join the cluster at an address, or start one of our own on this machine alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is not None:
        try:
            _knock(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            raise RunError(
                f"--address {address}: no Ray cluster answers there ({_first_line(error)}). Check "
                "the address and that its head node runs, or leave --address out to use this "
                "machine alone."
            ) from error
        return
    ray.init(
        # "local" never joins a cluster that a stale address file names.
        address="local",
        num_cpus=n_workers,
        num_gpus=(n_gpus or n_workers) if device == "cuda" else 0,
        include_dashboard=False,
        object_store_memory=_OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
    )


def _knock(address: str) -> None:
    """Raise where nobody listens at ``HOST:PORT``: Ray would try for minutes, and then exit."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()


def _n_of(resource: Resource, ask: Any) -> int:  # noqa: ANN401
    """Return how many of a resource there are in what Ray answers; it types neither question."""
    return int(ask().get(resource, 0))


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
