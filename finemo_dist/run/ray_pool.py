"""The executor of many workers: one Ray actor for each GPU or core, fed by a queue in the driver.

Who does what is decided in ``schedule.py``. Safety comes from the
commit, not from Ray: retries by Ray are off, the driver resubmits, and a unit that runs twice
replaces itself with the same bytes.
"""

import logging
import math
import platform
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

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
from finemo_dist.run.pool_events import given_up, told, told_of_nodes
from finemo_dist.run.ray_session import Resource, first_line, n_of, session
from finemo_dist.run.schedule import Failure, Restarts, Schedule

logger = logging.getLogger(__name__)

_MAX_FAILED_STARTS: Final = 3
"""Workers in a row that may fail to start where no other works."""
_READY_TIMEOUT_S: Final = 120.0
"""For a worker that has a place; also for the answer of Ray to anything."""
_PLACE_TIMEOUT_S: Final = 900.0
"""Without a single worker on a cluster: nodes of a cloud take minutes to come."""
_POLL_S: Final = 0.5
_COUNT_PLACES_S: Final = 2.0
"""How often a cluster is asked how large it is by now."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """Where an actor is, and why it is of no use there, if it is not."""

    host: str
    node: str
    """Ray's name: several may run on one host."""
    error: str | None = None


class _RegionActor:
    """A worker in a process of its own."""

    def __init__(self, spec: WorkerMaker, name: str) -> None:
        self._spec = spec
        self._name = name
        self._worker: Worker | None = None

    def ready(self) -> _Ready:
        """Make the worker and say where it is: a constructor's errors Ray reports as a death."""
        node, error = ray.get_runtime_context().get_node_id(), None
        try:
            self._worker = self._spec.make_worker(self._name)
        except Exception as problem:
            error = first_line(problem)
        return _Ready(platform.node(), node, error)

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
        with ExitStack() as opened:
            # A session that the caller opened is the caller's to close.
            if not ray.is_initialized():
                opened.enter_context(
                    session(
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


@dataclass(slots=True)
class _Member:
    """An actor of the pool."""

    handle: Any
    answer: Any
    """Ray's reference to what is asked of it: to get ready, or a unit; None when it is idle."""
    ready_by: float | None
    """When it has to be ready; None once it is."""
    node: str | None = None
    """Ray's name for its node, once it is known."""


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
        self._places_counted = self._nodes_seen = float("-inf")
        self._last_worked = time.monotonic()
        """When there was a worker that was ready."""
        self._is_announced = False
        self._hosts: dict[str, str] = {}
        """Ray's name of a node to that of the machine."""

    def run(self) -> Iterator[RunEvent]:
        """Yield what happens until every unit is done or set aside."""
        while not self._schedule.is_over:
            yield from self._give()
            yield from self._staff()
            yield from self._take()
            yield from self._end_overdue()
            yield from self._tell_of_nodes()

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
        # Those of nodes that rest are missed least.
        idle = sorted(
            schedule.idle, key=lambda n: not schedule.nodes.rests(schedule.node_of(n), now)
        )
        coming = [n for n, member in self._members.items() if member.ready_by is not None]
        for name in [*coming, *idle][: schedule.n_surplus(n_coming=len(coming))]:
            self._dismiss(name)
        for name in schedule.unsuited(now, n_coming=self._n_coming):
            self._dismiss(name)
            yield WorkerLost(name, "was replaced, because the remaining shards failed on it")
        n_wanted = min(self._count_places(now), schedule.n_open)
        if self._restarts.may_start(now):
            self._start_wanted(n_wanted, now)
        yield from given_up(schedule, self._restarts, now, n_wanted=n_wanted)

    def _start_wanted(self, n_wanted: int, now: float) -> None:
        """Start the workers that are missing; while a node rests, each on another that has room."""
        nodes = self._schedule.nodes
        if not nodes.is_any_suspect:
            for _ in range(n_wanted - len(self._members)):
                self._start(now)
            return
        working = [
            m for m in self._members.values() if m.node is None or not nodes.rests(m.node, now)
        ]
        for _ in range(n_wanted - len(working)):
            node = nodes.with_room(self._places(), self._n_on_nodes(), now)
            if node is None:
                return
            self._start(now, node=node)

    def _places(self) -> dict[str, int]:
        """Return how many actors fit on each node that is there."""
        return {
            node["NodeID"]: self._n_sharing * int(node["Resources"].get(self._resource, 0))
            for node in ray.nodes()  # type: ignore[no-untyped-call]
            if node["Alive"]
        }

    def _n_on_nodes(self) -> Counter[str]:
        return Counter(m.node for m in self._members.values() if m.node is not None)

    def _tell_of_nodes(self) -> Iterator[RunEvent]:
        now = time.monotonic()
        if self._schedule.nodes.is_any_suspect and now - self._nodes_seen > _COUNT_PLACES_S:
            self._nodes_seen = now
            self._schedule.nodes.keep(self._places())
        yield from told_of_nodes(self._schedule, self._hosts)

    def _count_places(self, now: float) -> int:
        """Return how many actors there may be; a cluster is asked, because nodes come and go."""
        if self._n_workers is None and now - self._places_counted > _COUNT_PLACES_S:
            # At least one: an actor that waits for its place is what makes a cluster grow.
            self._n_places = max(1, self._n_sharing * n_of(self._resource, ray.cluster_resources))
            self._places_counted = now
        return self._n_places

    def _start(self, now: float, *, node: str | None = None) -> None:
        name = f"worker-{self._n_started}"
        self._n_started += 1
        actor = _ACTOR.options(
            num_cpus=1,
            num_gpus=_share(self._n_sharing) if self._resource == "GPU" else 0,
            scheduling_strategy="SPREAD"
            if node is None
            else NodeAffinitySchedulingStrategy(node, soft=False),
        ).remote(self._spec, name)
        ready_by = now + _READY_TIMEOUT_S
        self._members[name] = _Member(actor, actor.ready.remote(), ready_by, node)

    def _dismiss(self, name: str, error: str = "") -> Failure | None:
        """End an actor; return the failure of the unit it had."""
        member = self._members.pop(name)
        ray.kill(member.handle)
        if member.ready_by is not None:
            return None
        return self._schedule.leave(name, time.monotonic(), error=error)

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
            yield from self._lose(name, f"died ({first_line(error)})")
        except RayTaskError as error:
            yield from self._take_error(name, first_line(error.cause or error))
        except (RayError, GetTimeoutError) as error:
            yield from self._lose(name, f"stopped answering ({first_line(error)})")
        else:
            if member.ready_by is not None:
                yield from self._welcome(name, result)
            else:
                yield from self._take_result(name, result)

    def _take_result(self, name: str, result: UnitDone | UnitFailed) -> Iterator[RunEvent]:
        # It lives, whatever it says of the unit.
        self._restarts.progressed()
        now = time.monotonic()
        if isinstance(result, UnitFailed) and not result.is_final:
            failure = self._schedule.fail(
                name, now, error=result.error, is_refused=result.is_refused
            )
            yield from told(failure, result.error)
        elif self._schedule.finish(name, now):
            yield result

    def _welcome(self, name: str, ready: _Ready) -> Iterator[RunEvent]:
        self._hosts[ready.node] = ready.host
        self._members[name].node = ready.node
        if ready.error is not None:
            self._schedule.nodes.failed_to_start(
                ready.node, self._n_started, time.monotonic(), error=ready.error
            )
            yield from self._lose(name, f"could not start: {ready.error}")
            return
        self._members[name].ready_by = None
        self._schedule.join(name, ready.node)
        self._restarts.started()
        yield WorkerStarted(name, ready.host)
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
            yield from told(self._schedule.fail(name, time.monotonic(), error=error), error)

    def _lose(self, name: str, reason: str) -> Iterator[RunEvent]:
        """Give up a worker; its unit is tried elsewhere."""
        was_ready = self._members[name].ready_by is None
        # Also one that Ray calls dead: it may only be out of reach, and would keep its place.
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
            if n_of(self._resource, ray.available_resources):
                yield from self._lose(name, "was not ready in time")
            elif now - self._last_worked > _PLACE_TIMEOUT_S:
                self._refuse("found no free place")
            else:
                # It waits for a place, which others have or a node to come will bring.
                member.ready_by = now + _READY_TIMEOUT_S


def _share(n_sharing: int) -> float:
    """Return the part of a GPU that each of some actors owns; Ray knows four decimals."""
    return math.floor(10_000 / n_sharing) / 10_000
