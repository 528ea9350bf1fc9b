"""Which worker takes which unit, and when: the queue of a run without Ray, processes or clocks.

The caller of a ``Schedule`` reports what happened and the time, in seconds of any clock that does
not go back; the schedule returns what to do. Every unit ends exactly once: done, or set aside after
it failed on three workers and two nodes.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Self

from finemo_dist.core.records import EXTRACTION, STAGES, Stage, Unit
from finemo_dist.run.nodes import MOST_IN_A_ROW, Nodes
from finemo_dist.run.pauses import doubled
from finemo_dist.run.sequels import Sequels

MAX_FAILURES: Final = 3
"""Different workers on which a unit may fail before it is set aside."""
_MIN_NODES: Final = 2
"""Nodes on which it must have failed, where there are as many."""
_ELSEWHERE_S: Final = 30.0
"""How long a unit that failed waits for a worker of another node."""
_N_DURATIONS: Final = 1001
"""Of the last units, by which a straggler is told."""
MAX_COPIES: Final = 2
"""Workers that may have a unit at once."""
_STRAGGLER_FACTOR: Final = 2.0
"""Times the median unit after which a unit is a straggler."""
_STRAGGLER_LEAST_S: Final = 10.0
"""Below which no unit is: a copy of a short one ends no sooner."""
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0


def pause_s(n_failures: int) -> float:
    """Return how long to wait after so many failures in a row: twice as long after each."""
    return doubled(_FIRST_PAUSE_S, n_failures, longest_s=_LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True)
class Failure:
    """A unit that failed on a worker."""

    unit: Unit
    worker: str
    is_final: bool
    """Whether it is set aside; otherwise another worker tries it, or is trying it."""
    is_refused: bool = False
    """Whether it is set aside because its input is at fault."""


@dataclass(slots=True)
class _Worker:
    node: str
    unit: Unit | None = None
    since: float = 0.0
    """When it took its unit."""
    sample: str | None = None
    """Which it has open."""


@dataclass(slots=True)
class _Retry:
    unit: Unit
    due: float


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A try at a unit that failed."""

    worker: str
    node: str
    time: float
    """Whether the node proves itself on others is seen later."""
    is_refused: bool


class Schedule:
    """The units of a run and the workers that take them.

    A unit waits for those of its sample of earlier stages; where one of them is set aside it is
    left out.

    A worker has at most one unit. It is given one of the sample it has open as long as there is
    one, then of a sample nobody works on, then of the one with most units waiting. A unit that
    failed comes first once its pause is over, on another node if there is one, and never goes back
    to a worker it failed on. When nothing waits, an idle worker is given a second copy of a
    straggler. Nodes on which several units fail in a row rest (see ``nodes.py``).

    Parameters
    ----------
    units
        Each once, in the order in which samples are begun.
    unit_timeout_s
        After which a worker that has a unit counts as hung.
    may_copy
        Whether two workers may do one unit at the same time; never one that makes a store.
    """

    def __init__(
        self, units: Sequence[Unit], *, unit_timeout_s: float, may_copy: bool = True
    ) -> None:
        self._may_copy = may_copy
        self._unit_timeout_s = unit_timeout_s
        self._sequels = Sequels(units)
        self._stages: Collection[Stage] = STAGES
        """Of the units that its workers take."""
        self._other: Schedule | None = None
        """Whose workers take the other stages."""
        self._fresh: dict[str, deque[Unit]] = {}
        self._n_fresh = 0
        self._add_fresh(self._sequels.ready)
        self._retries: list[_Retry] = []
        self._failed_on: dict[Unit, list[_Attempt]] = {}
        self._workers: dict[str, _Worker] = {}
        self._holders: dict[Unit, list[str]] = {}
        """Who has each unit in flight; a worker whose unit another one finished is in no list."""
        self._n_engaged: dict[str, int] = {}
        """Workers by the sample they have open."""
        self._last: deque[float] = deque()
        self._durations: list[float] = []
        """Of the last units, ascending."""
        self.nodes = Nodes()

    def split_off(self, stages: Collection[Stage], *, may_copy: bool = True) -> Self:
        """Return a schedule of other workers, which take the units of some stages from here on.

        What either finishes frees units of both. Nothing may have been given yet.
        """
        other = type(self)((), unit_timeout_s=self._unit_timeout_s, may_copy=may_copy)
        other._sequels, other._stages, other._other = self._sequels, stages, self
        self._stages = [stage for stage in self._stages if stage not in stages]
        self._other = other
        self._fresh.clear()
        self._n_fresh = 0
        self._free(self._sequels.ready)
        return other

    @property
    def n_waiting(self) -> int:
        """Units that nobody has."""
        return self._n_fresh + len(self._retries)

    @property
    def n_in_flight(self) -> int:
        """Units that some worker has and none has finished."""
        return len(self._holders)

    @property
    def n_open(self) -> int:
        """Units that are neither done nor set aside, nor wait for such a one of their sample."""
        return self.n_waiting + self.n_in_flight

    @property
    def is_over(self) -> bool:
        """Whether every unit is done or set aside; workers may still have copies."""
        return not self.n_open

    @property
    def n_workers(self) -> int:
        """Workers that have joined and not left."""
        return len(self._workers)

    @property
    def workers(self) -> list[str]:
        """Their names."""
        return list(self._workers)

    @property
    def idle(self) -> list[str]:
        """Workers that have no unit, in the order in which they joined."""
        return [name for name, worker in self._workers.items() if worker.unit is None]

    def join(self, worker: str, node: str = "") -> None:
        """Count on a worker of a node; names of workers are never used again."""
        self._workers[worker] = _Worker(node)
        self.nodes.join(node)

    def node_of(self, worker: str) -> str:
        """Return the node of a worker."""
        return self._workers[worker].node

    def leave(self, worker: str, now: float, *, error: str = "") -> Failure | None:
        """Forget a worker that is gone; the unit it had, if it still matters, failed on it."""
        failure = self.fail(worker, now, error=error)
        state = self._workers.pop(worker)
        self._open(state, None)
        self.nodes.leave(state.node, now)
        return failure

    def finish(self, worker: str, now: float, *, is_done: bool = True, note: str = "") -> bool:
        """Take a result; return whether it is the first of its unit, and so counts.

        Parameters
        ----------
        is_done
            False where the result is that no worker can do the unit: what waits for it is not done
            either.
        note
            What units of later stages of its sample are given.
        """
        state = self._workers[worker]
        unit, state.unit = state.unit, None
        if unit is None:
            return False
        self.nodes.dropped(state.node, unit)
        self.nodes.succeeded(state.node, unit, state.since)
        if unit not in self._holders:
            return False
        del self._holders[unit]
        self._failed_on.pop(unit, None)
        if is_done:
            self._free(self._sequels.done(unit, note))
        else:
            self._sequels.set_aside(unit)
        self._note_duration(now - state.since)
        return True

    def fail(
        self, worker: str, now: float, *, error: str = "", is_refused: bool = False
    ) -> Failure | None:
        """Take a failure; None where the worker had no unit, or one that is done already.

        A unit that another worker still has is neither tried a third time meanwhile nor set aside.

        Parameters
        ----------
        is_refused
            Whether the unit is set aside as soon as another node says the same.
        """
        state = self._workers[worker]
        unit, state.unit = state.unit, None
        if unit is None:
            return None
        self.nodes.dropped(state.node, unit)
        if unit not in self._holders:
            return None
        others = len(self._fresh) > 1 or any(
            other.sample != unit.sample for other in (*self._fresh_units(), *self._holders)
        )
        self.nodes.failed(state.node, unit, now, error=error, other_samples=others)
        attempts = self._failed_on.setdefault(unit, [])
        attempts.append(_Attempt(worker, state.node, now, is_refused))
        holders = self._holders[unit]
        holders.remove(worker)
        if holders:
            return Failure(unit, worker, is_final=False)
        del self._holders[unit]
        is_final = self._is_at_fault(attempts)
        if is_final:
            del self._failed_on[unit]
            self._sequels.set_aside(unit)
        else:
            self._retries.append(_Retry(unit, now + pause_s(len(attempts))))
        return Failure(unit, worker, is_final=is_final, is_refused=is_final and is_refused)

    def _fresh_units(self) -> Iterator[Unit]:
        """Yield a unit of each sample that waits, of two at most: that is enough to know."""
        yield from (units[0] for units in islice(self._fresh.values(), 2))

    def _is_at_fault(self, attempts: Sequence[_Attempt]) -> bool:
        """Whether it is the unit that fails, and not the nodes it was tried on."""
        nodes = {attempt.node for attempt in attempts}
        can_ask = bool(self.nodes.others(nodes, float("-inf")))
        n_needed = _MIN_NODES if can_ask else 1
        if attempts[-1].is_refused:
            return len({a.node for a in attempts if a.is_refused}) >= n_needed
        if len(attempts) < MAX_FAILURES or len(nodes) < n_needed:
            return False
        counted = {a.node for a in attempts if self.nodes.has_worked_since(a.node, a.time)}
        # Near the end there is nothing by which nodes could prove themselves.
        if self.n_open < MOST_IN_A_ROW or len(attempts) >= 2 * MAX_FAILURES:
            counted |= {node for node in nodes if self.nodes.is_trusted(node)}
        return len(counted) >= n_needed

    def give_up(self) -> list[Unit]:
        """Set everything aside that waits, and return it."""
        left = [unit for units in self._fresh.values() for unit in units]
        left += [retry.unit for retry in self._retries]
        for unit in left:
            self._failed_on.pop(unit, None)
            self._sequels.set_aside(unit)
        self._fresh.clear()
        self._retries.clear()
        self._n_fresh = 0
        return left

    def assign(self, now: float) -> list[tuple[str, Unit]]:
        """Give idle workers what they can take, and return who got what."""
        given = []
        for name in self.idle:
            worker = self._workers[name]
            if not self.nodes.may_take(worker.node, now):
                continue
            unit = self._take_retry(name, now) or self._take_fresh(worker, now)
            if unit is None and not self.n_waiting:
                unit = self._straggler(name, now)
            if unit is None:
                continue
            self._open(worker, unit.sample)
            worker.unit, worker.since = unit, now
            self._holders.setdefault(unit, []).append(name)
            self.nodes.took(worker.node, unit)
            given.append((name, unit))
        return given

    def overdue(self, now: float) -> list[str]:
        """Return the workers that have had their unit for too long."""
        return [
            name
            for name, worker in self._workers.items()
            if worker.unit is not None and now - worker.since > self._unit_timeout_s
        ]

    def unsuited(self, now: float, *, n_coming: int) -> list[str]:
        """Return idle workers to replace, so that units can be tried that failed on all the idle.

        Nothing waits for a busy worker: that may be long, or none.

        Parameters
        ----------
        n_coming
            Workers that are starting; they can take such units as well.
        """
        due = [r.unit for r in self._retries if r.due <= now and not self._waits(r, now)]
        stuck, n_others = [], 0
        for name in self.idle if due else ():
            if self.nodes.rests(self._workers[name].node, now):
                continue
            if all(self._has_failed(name, unit) for unit in due):
                stuck.append(name)
            else:
                n_others += 1
        return stuck[: max(0, len(due) - n_others - n_coming)]

    def n_surplus(self, *, n_coming: int) -> int:
        """Return how many workers, starting or idle, will not be missed.

        Near the end one is kept for each unit in flight: it may fail, or be a straggler. So is one
        for each unit that is held back.
        """
        if self.n_waiting:
            return 0
        n_needed = self.n_in_flight + self._sequels.n_held(self._stages)
        return max(0, n_coming + len(self.idle) - n_needed)

    def _free(self, units: Sequence[Unit]) -> None:
        """Let units be taken that need not wait any longer, each by those who take its stage."""
        self._add_fresh([unit for unit in units if unit.stage in self._stages])
        if self._other is not None:
            self._other._add_fresh([u for u in units if u.stage in self._other._stages])

    def _add_fresh(self, units: Sequence[Unit]) -> None:
        for unit in units:
            self._fresh.setdefault(unit.sample, deque()).append(unit)
        self._n_fresh += len(units)

    def _take_retry(self, name: str, now: float) -> Unit | None:
        node = self._workers[name].node
        for i, retry in enumerate(self._retries):
            unit = retry.unit
            if retry.due > now or self._has_failed(name, unit):
                continue
            if node in self._failed_nodes(unit) and self._waits(retry, now):
                continue
            if self.nodes.may_take_of(node, unit.sample, now):
                return self._retries.pop(i).unit
        return None

    def _waits(self, retry: _Retry, now: float) -> bool:
        """Whether a unit that failed waits for a node on which it has not."""
        is_early = now < retry.due + _ELSEWHERE_S
        return is_early and self.nodes.others(self._failed_nodes(retry.unit), now)

    def _failed_nodes(self, unit: Unit) -> set[str]:
        return {attempt.node for attempt in self._failed_on[unit]}

    def _has_failed(self, worker: str, unit: Unit) -> bool:
        return any(attempt.worker == worker for attempt in self._failed_on.get(unit, ()))

    def _take_fresh(self, worker: _Worker, now: float) -> Unit | None:
        sample = worker.sample
        if sample not in self._fresh or not self.nodes.may_take_of(worker.node, sample, now):
            sample = self._next_sample(worker.node, now)
        if sample is None:
            return None
        waiting = self._fresh[sample]
        unit = waiting.popleft()
        self._n_fresh -= 1
        if not waiting:
            del self._fresh[sample]
        return unit

    def _next_sample(self, node: str, now: float) -> str | None:
        """Return a sample nobody has open; else that with most units for each who has.

        Looks at no more samples than there are workers, so that its time does not grow with the
        samples of a run; those from which the node rests are passed over.
        """
        engaged = []
        for sample in self._fresh:
            if not self.nodes.may_take_of(node, sample, now):
                continue
            if sample not in self._n_engaged:
                return sample
            engaged.append(sample)
        return max(engaged, key=lambda s: len(self._fresh[s]) / self._n_engaged[s], default=None)

    def _note_duration(self, seconds: float) -> None:
        if len(self._last) == _N_DURATIONS:
            del self._durations[bisect_left(self._durations, self._last.popleft())]
        self._last.append(seconds)
        insort(self._durations, seconds)

    def _straggler(self, name: str, now: float) -> Unit | None:
        """Return the unit that has taken longest, if that is clearly longer than is usual."""
        if not self._may_copy or not self._durations:
            return None
        usual = self._durations[len(self._durations) // 2]
        began_before = now - max(_STRAGGLER_LEAST_S, _STRAGGLER_FACTOR * usual)
        since = {
            unit: self._workers[holders[0]].since
            for unit, holders in self._holders.items()
            if len(holders) < MAX_COPIES
            and unit.stage not in EXTRACTION
            and not self._has_failed(name, unit)
        }
        slowest = min(since, key=since.__getitem__, default=None)
        return slowest if slowest is not None and since[slowest] < began_before else None

    def _open(self, worker: _Worker, sample: str | None) -> None:
        if worker.sample is not None:
            self._n_engaged[worker.sample] -= 1
            if not self._n_engaged[worker.sample]:
                del self._n_engaged[worker.sample]
        worker.sample = sample
        if sample is not None:
            self._n_engaged[sample] = self._n_engaged.get(sample, 0) + 1


@dataclass(slots=True)
class Restarts:
    """When workers may be started after setbacks: at once, then after ever longer pauses.

    Setbacks that fall into a pause are one: a node that goes takes all its workers.
    """

    n_failed_starts: int = 0
    """In a row: workers that never became ready."""
    n_losses: int = 0
    """Workers lost since one last answered for its unit."""
    _level: int = 0
    _not_before: float = float("-inf")

    def may_start(self, now: float) -> bool:
        """Whether the pause is over."""
        return now >= self._not_before

    def started(self) -> None:
        """Count a worker that became ready."""
        self.n_failed_starts = 0

    def progressed(self) -> None:
        """Count an answer of a worker: whatever kills workers, it does not kill all."""
        self.n_losses = self._level = 0

    def failed_to_start(self, now: float) -> None:
        """Count a worker that never became ready."""
        self.n_failed_starts += 1
        self._set_back(now)

    def lost(self, now: float) -> None:
        """Count a worker that died or hung."""
        self.n_losses += 1
        self._set_back(now)

    def _set_back(self, now: float) -> None:
        if self.may_start(now):
            self._level += 1
            self._not_before = now + pause_s(self._level)
