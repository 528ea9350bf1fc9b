"""Which worker takes which unit, and when: the queue of a run without Ray, processes or clocks.

The caller of a ``Schedule`` reports what happened and the time, in seconds of any clock that does
not go back; the schedule returns what to do. Every unit ends exactly once: done, or set aside after
it failed on three workers.
"""

from bisect import insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from finemo_dist.core.records import Unit

MAX_FAILURES: Final = 3
"""Different workers on which a unit may fail before it is set aside."""
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
    # The exponent is bounded, because a float is.
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(n_failures - 1, 20))


@dataclass(frozen=True, slots=True)
class Failure:
    """A unit that failed on a worker."""

    unit: Unit
    worker: str
    is_final: bool
    """Whether it is set aside; otherwise another worker tries it, or is trying it."""


@dataclass(slots=True)
class _Worker:
    unit: Unit | None = None
    since: float = 0.0
    """When it took its unit."""
    sample: str | None = None
    """Which it has open."""


@dataclass(slots=True)
class _Retry:
    unit: Unit
    due: float


class Schedule:
    """The units of a run and the workers that take them.

    A worker has at most one unit. It is given one of the sample it has open as long as there is
    one, then of a sample nobody works on, then of the one with most units waiting. A unit that
    failed comes first once its pause is over, and never goes back to a worker it failed on. When
    nothing waits, an idle worker is given a second copy of a straggler.

    Parameters
    ----------
    units
        Each once, in the order in which samples are begun.
    unit_timeout_s
        After which a worker that has a unit counts as hung.
    may_copy
        Whether two workers may do one unit at the same time.
    """

    def __init__(
        self, units: Sequence[Unit], *, unit_timeout_s: float, may_copy: bool = True
    ) -> None:
        self._may_copy = may_copy
        self._unit_timeout_s = unit_timeout_s
        self._fresh: dict[str, deque[Unit]] = {}
        for unit in units:
            self._fresh.setdefault(unit.sample, deque()).append(unit)
        self._n_fresh = len(units)
        self._retries: list[_Retry] = []
        self._failed_on: dict[Unit, list[str]] = {}
        self._workers: dict[str, _Worker] = {}
        self._holders: dict[Unit, list[str]] = {}
        """Who has each unit in flight; a worker whose unit another one finished is in no list."""
        self._n_engaged: dict[str, int] = {}
        """Workers by the sample they have open."""
        self._durations: list[float] = []
        """Of finished units, ascending."""

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
        """Units that are neither done nor set aside."""
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
    def idle(self) -> list[str]:
        """Workers that have no unit, in the order in which they joined."""
        return [name for name, worker in self._workers.items() if worker.unit is None]

    def join(self, worker: str) -> None:
        """Count on a worker; names are never used again."""
        self._workers[worker] = _Worker()

    def leave(self, worker: str, now: float) -> Failure | None:
        """Forget a worker that is gone; the unit it had, if it still matters, failed on it."""
        failure = self.fail(worker, now)
        self._open(self._workers.pop(worker), None)
        return failure

    def finish(self, worker: str, now: float) -> bool:
        """Take a result; return whether it is the first of its unit, and so counts."""
        state = self._workers[worker]
        unit, state.unit = state.unit, None
        if unit is None or unit not in self._holders:
            return False
        del self._holders[unit]
        self._failed_on.pop(unit, None)
        insort(self._durations, now - state.since)
        return True

    def fail(self, worker: str, now: float) -> Failure | None:
        """Take a failure; None where the worker had no unit, or one that is done already.

        A unit that another worker still has is neither tried a third time meanwhile nor set aside.
        """
        state = self._workers[worker]
        unit, state.unit = state.unit, None
        if unit is None or unit not in self._holders:
            return None
        failed_on = self._failed_on.setdefault(unit, [])
        failed_on.append(worker)
        holders = self._holders[unit]
        holders.remove(worker)
        if holders:
            return Failure(unit, worker, is_final=False)
        del self._holders[unit]
        is_final = len(failed_on) >= MAX_FAILURES
        if is_final:
            del self._failed_on[unit]
        else:
            self._retries.append(_Retry(unit, now + pause_s(len(failed_on))))
        return Failure(unit, worker, is_final=is_final)

    def give_up(self) -> list[Unit]:
        """Set everything aside that waits, and return it."""
        left = [unit for units in self._fresh.values() for unit in units]
        left += [retry.unit for retry in self._retries]
        for unit in left:
            self._failed_on.pop(unit, None)
        self._fresh.clear()
        self._retries.clear()
        self._n_fresh = 0
        return left

    def assign(self, now: float) -> list[tuple[str, Unit]]:
        """Give idle workers what they can take, and return who got what."""
        given = []
        for name in self.idle:
            worker = self._workers[name]
            unit = self._take_retry(name, now) or self._take_fresh(worker)
            if unit is None and not self.n_waiting:
                unit = self._straggler(name, now)
            if unit is None:
                continue
            self._open(worker, unit.sample)
            worker.unit, worker.since = unit, now
            self._holders.setdefault(unit, []).append(name)
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
        due = [retry.unit for retry in self._retries if retry.due <= now]
        stuck, n_others = [], 0
        for name in self.idle if due else ():
            if all(name in self._failed_on[unit] for unit in due):
                stuck.append(name)
            else:
                n_others += 1
        return stuck[: max(0, len(due) - n_others - n_coming)]

    def n_surplus(self, *, n_coming: int) -> int:
        """Return how many workers, starting or idle, will not be missed.

        Near the end one is kept for each unit in flight: it may fail, or be a straggler.
        """
        if self.n_waiting:
            return 0
        return max(0, n_coming + len(self.idle) - self.n_in_flight)

    def _take_retry(self, name: str, now: float) -> Unit | None:
        for i, retry in enumerate(self._retries):
            if retry.due <= now and name not in self._failed_on[retry.unit]:
                return self._retries.pop(i).unit
        return None

    def _take_fresh(self, worker: _Worker) -> Unit | None:
        if not self._fresh:
            return None
        sample = worker.sample if worker.sample in self._fresh else self._next_sample()
        assert sample is not None
        waiting = self._fresh[sample]
        unit = waiting.popleft()
        self._n_fresh -= 1
        if not waiting:
            del self._fresh[sample]
        return unit

    def _next_sample(self) -> str:
        """Return a sample nobody has open; else that with most units for each who has.

        Looks at no more samples than there are workers, so that its time does not grow with the
        samples of a run.
        """
        for sample in self._fresh:
            if sample not in self._n_engaged:
                return sample
        return max(self._fresh, key=lambda s: len(self._fresh[s]) / self._n_engaged[s])

    def _straggler(self, name: str, now: float) -> Unit | None:
        """Return the unit that has taken longest, if that is clearly longer than is usual."""
        if not self._may_copy or not self._durations:
            return None
        usual = self._durations[len(self._durations) // 2]
        began_before = now - max(_STRAGGLER_LEAST_S, _STRAGGLER_FACTOR * usual)
        since = {
            unit: self._workers[holders[0]].since
            for unit, holders in self._holders.items()
            if len(holders) < MAX_COPIES and name not in self._failed_on.get(unit, ())
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
