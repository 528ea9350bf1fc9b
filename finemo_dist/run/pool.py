"""The workers of a run, whatever they are: started, given units, watched, replaced.

``schedule.py`` decides who does what; a ``Crew`` starts workers and talks to them. Ray actors and
processes of this machine are the two crews (``ray_pool.py``, ``process_pool.py``).
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from finemo_dist.core.errors import RunError
from finemo_dist.core.events import (
    NodeRests,
    NodeWorks,
    RunEvent,
    UnitDone,
    UnitFailed,
    UnitStarted,
    WorkerLost,
    WorkersReady,
    WorkerStarted,
)
from finemo_dist.core.records import Unit
from finemo_dist.core.words import count
from finemo_dist.run.schedule import Failure, Restarts, Schedule

logger = logging.getLogger(__name__)

POLL_S: Final = 0.5
_SHARED_POLL_S: Final = 0.02
"""Where another pool waits for its turn."""
_MAX_FAILED_STARTS: Final = 3
"""Workers in a row that may fail to start where no other works."""
_LEAST_TRYING_S: Final = 15.0
"""Since a worker last worked, or the pool began, before a run is given up for want of workers: a
node that is just coming up, or short of something, loses the first of them within a second."""
_COULD_NOT_START: Final = "could not start"
_MAX_LOSSES: Final = 60
"""Workers, or five times as many as are wanted, that may be lost without a unit being finished."""
_PLACE_TIMEOUT_S: Final = 900.0
"""Without a single worker on a cluster: nodes of a cloud take minutes to come."""
_LOOK_AT_NODES_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a worker is, and why it is of no use there, if it is not."""

    host: str
    node: str
    """Name of the node; several may run on one host."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker said, or what became of it: one of these is given."""

    ready: Ready | None = None
    result: UnitDone | UnitFailed | None = None
    error: str | None = None
    """What was raised, in one line."""
    lost: str | None = None
    """Why it will not answer any more, as the end of a sentence: ``died (...)``."""


class Crew(Protocol):
    """Starts workers, talks to them and ends them."""

    @property
    def what(self) -> str:
        """One of its workers, as a person says it: ``Ray worker``."""
        ...

    @property
    def ready_timeout_s(self) -> float:
        """How long a worker that has a place may take to get ready."""
        ...

    def n_places(self, now: float) -> int:
        """Return how many workers there may be now."""
        ...

    def places(self) -> Mapping[str, int] | None:
        """Return how many workers fit on each node that is there; None where there is only one."""
        ...

    def has_room(self) -> bool:
        """Whether there is a free place, so that no worker waits for one."""
        ...

    def start(self, name: str, node: str | None) -> None:
        """Start a worker, on this node if one is given; its first answer says it is ready."""
        ...

    def give(self, name: str, unit: Unit) -> None:
        """Let a worker do a unit; its next answer is about that."""
        ...

    def answers(self, timeout_s: float) -> Iterator[tuple[str, Answer]]:
        """Yield what workers say within a time, and who said it."""
        ...

    def end(self, name: str) -> None:
        """End a worker at once."""
        ...

    def refusal(self, reason: str) -> RunError:
        """Return the error of a run without workers; ``reason`` is what became of the last."""
        ...


@dataclass(slots=True)
class _Member:
    """A worker of the pool."""

    ready_by: float | None
    """When it has to be ready; None once it is."""
    node: str | None = None
    """Where it is, once that is known."""


class Pool:
    """The workers of a run, and what the schedule has them do.

    Parameters
    ----------
    device
        ``cpu`` or ``cuda``: what each worker has one of, for what is said.
    prefix
        Of the names of workers.
    """

    def __init__(
        self, crew: Crew, schedule: Schedule, *, device: str, prefix: str = "worker"
    ) -> None:
        self._crew = crew
        self._prefix = prefix
        self._schedule = schedule
        self._device = device
        self._restarts = Restarts()
        self._members: dict[str, _Member] = {}
        self._n_started = 0
        self._nodes_seen = float("-inf")
        self._last_worked = time.monotonic()
        """When there was a worker that was ready."""
        self._is_announced = False
        self._no_start = ""
        """Why a worker did not start, in its own words where it had any."""
        self._hosts: dict[str, str] = {}
        """Name of a node to that of its machine."""

    def run(self) -> Iterator[RunEvent]:
        """Yield what happens until every unit is done or set aside.

        Workers are ended at once when this is over or closed; what was in flight is abandoned,
        uncommitted.

        Raises
        ------
        RunError
            No worker could be started.
        """
        yield from run_pools([self])

    @property
    def is_over(self) -> bool:
        """Whether nothing is left for these workers now."""
        return self._schedule.is_over

    def step(self, timeout_s: float) -> Iterator[RunEvent]:
        """Give out what can be given, take what comes within a time, and yield what happens."""
        if self._schedule.is_over and not self._members:
            return
        yield from self._give()
        yield from self._staff()
        yield from self._take(timeout_s)
        yield from self._end_overdue()
        yield from self._tell_of_nodes()

    def close(self) -> None:
        """End all workers at once."""
        for name in self._members:
            self._crew.end(name)
        self._members.clear()

    def _give(self) -> Iterator[RunEvent]:
        for name, unit in self._schedule.assign(time.monotonic()):
            self._crew.give(name, unit)
            yield UnitStarted(unit, name)

    def _staff(self) -> Iterator[RunEvent]:
        """Let go whom nobody misses and replace whom nothing suits; then start who is wanted."""
        schedule, now = self._schedule, time.monotonic()
        # Those of nodes that rest are missed least.
        idle = sorted(
            schedule.idle, key=lambda n: not schedule.nodes.rests(schedule.node_of(n), now)
        )
        coming = self._coming()
        for name in [*coming, *idle][: schedule.n_surplus(n_coming=len(coming))]:
            self._dismiss(name)
        for name in schedule.unsuited(now, n_coming=len(self._coming())):
            self._dismiss(name)
            yield WorkerLost(name, "was replaced, because the remaining shards failed on it")
        n_wanted = min(self._crew.n_places(now), schedule.n_open)
        if self._restarts.may_start(now):
            self._start_wanted(n_wanted, now)
        yield from self._given_up(now, n_wanted=n_wanted)

    def _coming(self) -> list[str]:
        return [name for name, member in self._members.items() if member.ready_by is not None]

    def _start_wanted(self, n_wanted: int, now: float) -> None:
        """Start the workers that are missing; while a node rests, each on another that has room."""
        nodes = self._schedule.nodes
        places = self._crew.places() if nodes.is_any_suspect else None
        if places is None:
            for _ in range(n_wanted - len(self._members)):
                self._start(now)
            return
        working = [
            m for m in self._members.values() if m.node is None or not nodes.rests(m.node, now)
        ]
        for _ in range(n_wanted - len(working)):
            taken = Counter(m.node for m in self._members.values() if m.node is not None)
            node = nodes.with_room(places, taken, now)
            if node is None:
                return
            self._start(now, node=node)

    def _start(self, now: float, *, node: str | None = None) -> None:
        name = f"{self._prefix}-{self._n_started}"
        self._n_started += 1
        self._crew.start(name, node)
        self._members[name] = _Member(now + self._crew.ready_timeout_s, node)

    def _dismiss(self, name: str, error: str = "") -> Failure | None:
        """End a worker; return the failure of the unit it had."""
        member = self._members.pop(name)
        self._crew.end(name)
        if member.ready_by is not None:
            return None
        return self._schedule.leave(name, time.monotonic(), error=error)

    def _take(self, timeout_s: float) -> Iterator[RunEvent]:
        """Handle what comes within a time."""
        if not self._members:
            time.sleep(timeout_s)
            return
        for name, answer in self._crew.answers(timeout_s):
            yield from self._handle(name, answer)

    def _handle(self, name: str, answer: Answer) -> Iterator[RunEvent]:
        if answer.lost is not None:
            yield from self._lose(name, answer.lost)
        elif answer.ready is not None:
            yield from self._welcome(name, answer.ready)
        elif self._members[name].ready_by is not None:
            yield from self._lose(name, f"{_COULD_NOT_START}: {answer.error}")
        else:
            # It lives, whatever it says of the unit.
            self._restarts.progressed()
            yield from self._take_result(name, answer)

    def _take_result(self, name: str, answer: Answer) -> Iterator[RunEvent]:
        """Handle what came of a unit: it, its files, or its node may be at fault."""
        result, now = answer.result, time.monotonic()
        if isinstance(result, UnitDone) or (isinstance(result, UnitFailed) and result.is_final):
            is_done = isinstance(result, UnitDone)
            note = result.note if isinstance(result, UnitDone) else ""
            if self._schedule.finish(name, now, is_done=is_done, note=note):
                yield result
            return
        error = answer.error or "" if result is None else result.error
        is_refused = result is not None and result.is_refused
        failure = self._schedule.fail(name, now, error=error, is_refused=is_refused)
        yield from _told(failure, error)

    def _welcome(self, name: str, ready: Ready) -> Iterator[RunEvent]:
        self._hosts[ready.node] = ready.host
        self._members[name].node = ready.node
        if ready.error is not None:
            self._schedule.nodes.failed_to_start(
                ready.node, self._n_started, time.monotonic(), error=ready.error
            )
            yield from self._lose(name, f"{_COULD_NOT_START}: {ready.error}")
            return
        self._members[name].ready_by = None
        self._schedule.join(name, ready.node)
        self._restarts.started()
        yield WorkerStarted(name, ready.host)
        if not self._is_announced:
            self._is_announced = True
            n_workers = len(self._members)
            yield WorkersReady(n_workers, f"{count(n_workers, self._crew.what)} on {self._device}")

    def _lose(self, name: str, reason: str) -> Iterator[RunEvent]:
        """Give up a worker; its unit is tried elsewhere."""
        was_ready = self._members[name].ready_by is None
        # Also one that is called dead: it may only be out of reach, and would keep its place.
        failure = self._dismiss(name, f"its worker {reason}")
        if was_ready:
            self._restarts.lost(time.monotonic())
            yield WorkerLost(name, reason)
            yield from _told(failure, f"its worker {reason}")
            return
        logger.warning("%s %s", name, reason)
        if not self._no_start or reason.startswith(_COULD_NOT_START):
            self._no_start = reason
        self._restarts.failed_to_start(time.monotonic())
        # Those that work go on alone; new ones are tried ever more rarely beside them.
        is_often = self._restarts.n_failed_starts > _MAX_FAILED_STARTS
        is_long = time.monotonic() - self._last_worked > _LEAST_TRYING_S
        if is_often and is_long and not self._members:
            raise self._crew.refusal(self._no_start)

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
            if self._crew.has_room():
                yield from self._lose(name, "was not ready in time")
            elif now - self._last_worked > _PLACE_TIMEOUT_S:
                raise self._crew.refusal("found no free place")
            else:
                # It waits for a place, which others have or a node to come will bring.
                member.ready_by = now + self._crew.ready_timeout_s

    def _given_up(self, now: float, *, n_wanted: int) -> Iterator[RunEvent]:
        """Set all that waits aside once nothing works any more, and yield it."""
        n_losses, nodes = self._restarts.n_losses, self._schedule.nodes
        if n_losses > max(_MAX_LOSSES, 5 * n_wanted):
            why = f"{n_losses} workers in a row were lost"
        elif nodes.is_hopeless(now):
            why = f"one shard after another failed on every node ({nodes.last_error})"
        else:
            return
        for unit in self._schedule.give_up():
            yield UnitFailed(unit, "none", f"not tried again, because {why}", is_final=True)

    def _tell_of_nodes(self) -> Iterator[RunEvent]:
        """Yield which nodes began to rest or work again, by the names of their machines."""
        nodes, now = self._schedule.nodes, time.monotonic()
        if nodes.is_any_suspect and now - self._nodes_seen > _LOOK_AT_NODES_S:
            self._nodes_seen = now
            if (places := self._crew.places()) is not None:
                nodes.keep(places.keys())
        for news in nodes.news():
            host = self._hosts.get(news.node, news.node)
            if news.rest_s:
                yield NodeRests(host, news.rest_s, news.error, news.sample)
            else:
                yield NodeWorks(host, news.sample)


def run_pools(pools: Sequence[Pool]) -> Iterator[RunEvent]:
    """Yield what happens in several pools, of workers of several kinds, until all are over.

    Raises
    ------
    RunError
        No worker of some kind could be started.
    """
    timeout_s = POLL_S if len(pools) == 1 else _SHARED_POLL_S
    try:
        while not all(pool.is_over for pool in pools):
            for pool in pools:
                yield from pool.step(timeout_s)
    finally:
        for pool in pools:
            pool.close()


def _told(failure: Failure | None, error: str) -> Iterator[UnitFailed]:
    """Yield the failure of a unit, if it still matters."""
    if failure is not None:
        yield UnitFailed(
            failure.unit,
            failure.worker,
            error,
            is_final=failure.is_final,
            is_refused=failure.is_refused,
        )
