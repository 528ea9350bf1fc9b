"""How far a run is, counted from its events; how that is shown is elsewhere.

Each event costs the same however many samples, shards and workers there are. Times are seconds on
any clock that does not go back.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final, Self

from finemo_dist.core.events import (
    CallPlanned,
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
from finemo_dist.core.records import Stage, Unit

_WINDOW: Final = 256
"""Shards over which the rate is taken: a few for each worker of a large pool."""


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """What a worker does and did."""

    name: str
    node: str
    unit: Unit | None
    """What it works on; None when it waits."""
    seconds: float
    """For how long it has worked or waited."""
    n_done: int
    regions_per_second: float | None
    """While it worked; None before its first shard."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a run is at one moment."""

    n_units: int
    n_done: int
    """Units committed, earlier ones too."""
    n_samples: int
    n_samples_done: int
    """Those of which every shard is committed and all files are written."""
    n_regions: int
    """Of units committed since the board was made, as hits and the rest."""
    n_hits: int
    n_not_converged: int
    n_failed: int
    """Units set aside."""
    n_outputs_left: int
    """Samples whose files for other tools are to be written."""
    n_to_extract: int
    """Shards of stores that are to be written."""
    n_lost: int
    """Workers lost."""
    resting: tuple[str, ...]
    """Nodes that are given nothing for a while."""
    n_workers: int
    n_busy: int
    regions_per_second: float | None
    seconds_left: float | None
    workers: tuple[WorkerRow, ...]
    """Those that have worked longest on one unit first, then those that wait."""
    n_hidden: int
    """Workers that are not among ``workers``."""


@dataclass(slots=True)
class _Worker:
    node: str
    since: float
    """When it took its unit, or began to wait."""
    unit: Unit | None = None
    n_done: int = 0
    n_regions: int = 0
    seconds: float = 0.0

    @property
    def rank(self) -> tuple[bool, float]:
        """Smallest for the worker that has been longest on one unit."""
        return self.unit is None, self.since


class Board:
    """Counts events.

    Parameters
    ----------
    pending
        The units to do.
    shard_regions
        Sample to regions in one of its shards, for the time left.
    n_units
        Units of the whole run; those that are not pending are done.
    now
        When the work began.
    pending_outputs
        The units that write the files of a sample.
    pending_extraction
        The units that make stores.
    """

    def __init__(
        self,
        pending: Sequence[Unit],
        shard_regions: Mapping[str, float],
        *,
        n_units: int,
        now: float,
        pending_outputs: Sequence[Unit] = (),
        pending_extraction: Sequence[Unit] = (),
    ) -> None:
        self._left = set(pending)
        self._to_extract = {u for u in pending_extraction if u.stage is Stage.EXTRACT}
        self._left_of = Counter(unit.sample for unit in (*pending, *pending_outputs))
        """Units by sample, shards and files."""
        self._shard_regions = shard_regions
        self._regions_left = sum(shard_regions[unit.sample] for unit in pending)
        self._n_units = n_units
        self._outputs_left = set(pending_outputs)
        self._failed: set[Unit] = set()
        self._workers: dict[str, _Worker] = {}
        self._lost: set[str] = set()
        self._resting: set[tuple[str, str | None]] = set()
        self._recent: deque[tuple[float, int]] = deque()
        self._recent_regions = 0
        self._recent_since = now
        self._n_regions = self._n_hits = self._n_not_converged = 0

    @classmethod
    def of_plan(cls, plan: CallPlanned, now: float) -> Self:
        """Return the board of a run that begins."""
        return cls(
            plan.pending, plan.shard_regions, n_units=plan.n_units, now=now,
            pending_outputs=plan.pending_outputs, pending_extraction=plan.pending_extraction,
        )  # fmt: skip

    def add(self, event: RunEvent, now: float) -> None:
        """Count an event that happened now."""
        match event:
            case WorkerStarted():
                self._worker(event.worker, now).node = event.node
            case WorkerLost():
                self._workers.pop(event.worker, None)
                self._lost.add(event.worker)
            case NodeRests():
                self._resting.add((event.node, event.sample))
            case NodeWorks():
                self._resting.discard((event.node, event.sample))
            case WorkersReady():
                # Until here workers were started, which says nothing of how fast they are.
                if not self._recent:
                    self._recent_since = now
            case UnitStarted():
                # What it had before is over, told or not: another may have done it first.
                worker = self._worker(event.worker, now)
                worker.unit, worker.since = event.unit, now
            case UnitDone():
                self._add_done(event, now)
            case UnitFailed():
                self._put_down(event.worker, event.unit, now)
                open_units = (self._left, self._outputs_left, self._to_extract)
                if event.is_final and any(event.unit in units for units in open_units):
                    self._failed.add(event.unit)

    def snapshot(self, now: float, *, n_rows: int) -> Snapshot:
        """Return how far the run is now, with at most ``n_rows`` workers."""
        workers = self._workers
        shown = nsmallest(n_rows, workers, key=lambda name: workers[name].rank)
        rate = self._rate(now)
        failed = self._failed & self._left
        failed_regions = sum(self._shard_regions[unit.sample] for unit in failed)
        left = max(0.0, self._regions_left - failed_regions)
        return Snapshot(
            n_units=self._n_units,
            n_done=self._n_units - len(self._left),
            n_samples=len(self._shard_regions),
            n_samples_done=len(self._shard_regions) - len(self._left_of),
            n_regions=self._n_regions,
            n_hits=self._n_hits,
            n_not_converged=self._n_not_converged,
            n_failed=len(self._failed),
            n_outputs_left=len(self._outputs_left),
            n_to_extract=len(self._to_extract - self._failed),
            n_lost=len(self._lost),
            resting=tuple(sorted({node for node, _ in self._resting})),
            n_workers=len(workers),
            n_busy=sum(worker.unit is not None for worker in workers.values()),
            regions_per_second=rate,
            seconds_left=left / rate if rate else None,
            workers=tuple(_row(name, workers[name], now) for name in shown),
            n_hidden=len(workers) - len(shown),
        )

    def _worker(self, name: str, now: float) -> _Worker:
        return self._workers.setdefault(name, _Worker(node="", since=now))

    def _put_down(self, name: str, unit: Unit, now: float) -> None:
        worker = self._workers.get(name)
        if worker is not None and worker.unit == unit:
            worker.unit, worker.since = None, now

    def _add_done(self, event: UnitDone, now: float) -> None:
        self._put_down(event.worker, event.unit, now)
        if event.unit.stage is not Stage.CALL:
            self._to_extract.discard(event.unit)
            if event.unit in self._outputs_left:
                self._outputs_left.discard(event.unit)
                self._finish(event.unit)
            return
        if event.worker not in self._lost:
            worker = self._worker(event.worker, now)
            worker.n_done += 1
            worker.n_regions += event.n_regions
            worker.seconds += sum(event.seconds.values())
        # Near the end two workers may have had it.
        if event.unit not in self._left:
            return
        self._left.discard(event.unit)
        self._finish(event.unit)
        self._regions_left -= self._shard_regions[event.unit.sample]
        self._n_regions += event.n_regions
        self._n_hits += event.n_hits
        self._n_not_converged += event.n_not_converged
        self._recent.append((now, event.n_regions))
        self._recent_regions += event.n_regions
        if len(self._recent) > _WINDOW:
            self._recent_since, n_regions = self._recent.popleft()
            self._recent_regions -= n_regions

    def _finish(self, unit: Unit) -> None:
        self._failed.discard(unit)
        self._left_of[unit.sample] -= 1
        if not self._left_of[unit.sample]:
            del self._left_of[unit.sample]

    def _rate(self, now: float) -> float | None:
        seconds = now - self._recent_since
        return self._recent_regions / seconds if self._recent and seconds > 0 else None


def _row(name: str, worker: _Worker, now: float) -> WorkerRow:
    return WorkerRow(
        name=name,
        node=worker.node,
        unit=worker.unit,
        seconds=max(0.0, now - worker.since),
        n_done=worker.n_done,
        regions_per_second=worker.n_regions / worker.seconds if worker.seconds else None,
    )
