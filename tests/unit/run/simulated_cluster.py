"""A cluster in simulated time, on which the project's own schedule runs.

What ``ray_pool.py`` does is done here without Ray: idle workers are given what the schedule says,
lost ones are started again where there is room, and those that nothing suits are replaced.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from finemo_dist.core.records import Unit
from finemo_dist.run.nodes import NodeNews
from finemo_dist.run.schedule import Restarts, Schedule

START_S = 8.0
"""To start a worker."""
TIMEOUT_S = 3600.0

Fault = Callable[[str, Unit, float], bool]
"""Whether a unit fails on a node at a time."""


def never(_node: str, _unit: Unit, _now: float) -> bool:
    return False


@dataclass
class Cluster:
    """Nodes of so many places each, and how units end on them."""

    units: Sequence[Unit]
    n_places: dict[str, int]
    unit_s: float = 10.0
    fails: Fault = never
    fail_s: float = 0.2
    """After which a unit fails that does."""
    kills: bool = False
    """Whether a failure takes its worker with it."""
    seed: int = 0
    now: float = 0.0
    done: Counter[Unit] = field(default_factory=Counter)
    aside: list[Unit] = field(default_factory=list)
    n_failures: Counter[str] = field(default_factory=Counter)
    """By node."""
    news: list[tuple[float, NodeNews]] = field(default_factory=list)
    at_each_minute: Callable[["Cluster"], None] | None = None

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.schedule = Schedule(self.units, unit_timeout_s=TIMEOUT_S)
        self.restarts = Restarts()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._names = itertools.count()
        self.members: dict[str, str] = {}
        """Worker to node, those that start as well."""

    def at(self, time: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), act))

    def lose(self, node: str) -> None:
        """A node goes, with all its workers."""
        self.n_places.pop(node, None)
        for name in [n for n, at in self.members.items() if at == node]:
            self._end(name, error="the node went")

    def run(self, *, limit_s: float = 1e7) -> float:
        """Run to the end and return how long it took."""
        next_minute = 0.0
        while not self.schedule.is_over:
            self._step()
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()
            if self.at_each_minute is not None and self.now >= next_minute:
                self.at_each_minute(self)
                next_minute = self.now + 60
            upcoming = self._events[0][0] if self._events else float("inf")
            # As a pool that polls, where something may fall due meanwhile.
            self.now = max(self.now + 1e-6, min(upcoming, self.now + 0.5))
            assert self.now < limit_s, "it does not end"
        return self.now

    def _step(self) -> None:
        for name, unit in self.schedule.assign(self.now):
            node = self.members[name]
            is_bad = self.fails(node, unit, self.now)
            seconds = self.fail_s if is_bad else self.unit_s * self.rng.uniform(0.8, 1.2)
            self.at(self.now + seconds, lambda n=name, u=unit, b=is_bad: self._answer(n, u, b))
        for name in self.schedule.unsuited(self.now, n_coming=self._n_coming):
            self._end(name)
        self._start()
        if self.schedule.nodes.is_hopeless(self.now):
            self.aside += self.schedule.give_up()
        self.schedule.nodes.keep(self.n_places)
        self.news += [(self.now, news) for news in self.schedule.nodes.news()]

    @property
    def _n_coming(self) -> int:
        return len(self.members) - self.schedule.n_workers

    def _start(self) -> None:
        if not self.restarts.may_start(self.now):
            return
        nodes = self.schedule.nodes
        n_wanted = min(sum(self.n_places.values()), self.schedule.n_open)
        while True:
            taken = Counter(self.members.values())
            working = sum(n for node, n in taken.items() if not nodes.rests(node, self.now))
            if working >= n_wanted:
                return
            node = nodes.with_room(self.n_places, taken, self.now)
            if node is None:
                return
            name = f"w{next(self._names)}"
            self.members[name] = node
            self.at(self.now + START_S, lambda n=name: self._join(n))

    def _join(self, name: str) -> None:
        if name in self.members:
            self.schedule.join(name, self.members[name])

    def _end(self, name: str, error: str = "") -> None:
        if self.members.pop(name) and name in self.schedule.workers:
            self._note(self.schedule.leave(name, self.now, error=error))

    def _answer(self, name: str, unit: Unit, is_bad: bool) -> None:
        if name not in self.members:
            return
        node = self.members[name]
        if not is_bad:
            self.restarts.progressed()
            if self.schedule.finish(name, self.now):
                self.done[unit] += 1
            return
        self.n_failures[node] += 1
        if self.kills:
            self.restarts.lost(self.now)
            self._end(name, error="died")
        else:
            self._note(self.schedule.fail(name, self.now, error="disk full"))

    def _note(self, failure) -> None:
        if failure is not None and failure.is_final:
            self.aside.append(failure.unit)


def cluster_of(n_nodes: int, n_workers: int, units: Sequence[Unit], **how) -> Cluster:
    return Cluster(units, {f"node-{i}": n_workers for i in range(n_nodes)}, **how)


def units_of(n_samples: int, n_shards: int) -> list[Unit]:
    return [Unit(f"s{i}", shard) for i in range(n_samples) for shard in range(n_shards)]


def ideal_s(n_units: int, n_workers: int, unit_s: float = 10.0) -> float:
    """How long so many workers take that all work all the time."""
    return START_S + n_units * unit_s / n_workers
