"""What a run is doing now, according to its record and its log."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from finemo_dist.core.records import Unit
from finemo_dist.record.liveness import is_driven, is_heard_of
from finemo_dist.record.run_log import Entry, event_of_unit, log_path
from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage.locations import location


@dataclass(frozen=True, slots=True)
class InFlight:
    """A unit that a worker has and has not committed."""

    unit: Unit
    worker: str
    node: str | None
    since: str


@dataclass(frozen=True, slots=True)
class Resting:
    """A node that is given nothing for a while, or nothing of one sample."""

    node: str
    sample: str | None
    error: str
    since: str


@dataclass(frozen=True, slots=True)
class Activity:
    """Whether somebody works on a run, on what, and what was set aside."""

    is_alive: bool
    last_sign: str | None
    """When the driver was last heard of, ISO 8601."""
    in_flight: tuple[InFlight, ...] = ()
    """Nothing unless it is alive."""
    failures: dict[str, str] = field(default_factory=dict)
    """Unit, as text, to the error that set it aside."""
    resting: tuple[Resting, ...] = ()
    """Nothing unless it is alive."""


def read_activity(run_dir: str | Path, record: RunRecord) -> Activity:
    """Return what a run does; damaged lines of its log are passed over.

    A driver is alive when its record says running and the holder of its lease is alive. One of an
    earlier release has none, and is alive if it was heard of lately and its process is there, if
    that is known.
    """
    place = location(run_dir)
    if record.status != "running":
        return Activity(is_alive=False, last_sign=record.finished, failures=record.failures)
    last = record.invocations[-1] if record.invocations else None
    if last is None or last.status != "running":
        # Planned, and not begun.
        is_alive = is_driven(place)
        if is_alive is None:
            is_alive = is_heard_of(place / "run.json")
        return Activity(is_alive=is_alive, last_sign=record.created)
    seen = _Replay()
    log = log_path(run_dir, last.id)
    seen.add(_entries(log))
    sign = seen.last_sign or last.started
    is_alive = is_driven(place)
    if is_alive is None:
        is_alive = is_heard_of(log, last)
    in_flight = tuple(seen.in_flight.values()) if is_alive else ()
    resting = tuple(seen.resting.values()) if is_alive else ()
    return Activity(is_alive, sign, in_flight, seen.failures, resting)


class _Replay:
    """What the entries of a log come to."""

    def __init__(self) -> None:
        self.last_sign: str | None = None
        self.in_flight: dict[str, InFlight] = {}
        """By worker, which has one unit at a time."""
        self.failures: dict[str, str] = {}
        self.resting: dict[tuple[str, object], Resting] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            time = str(entry.get("time"))
            if _parsed(time) is not None:
                self.last_sign = time
            match entry:
                case {"event": "node_rests", "node": str(node), "error": str(error)}:
                    sample = entry.get("sample")
                    self.resting[node, sample] = Resting(node, sample, error, time)
                case {"event": "node_works", "node": str(node)}:
                    self.resting.pop((node, entry.get("sample")), None)
                case {"event": "worker_lost", "worker": str(worker)}:
                    self.in_flight.pop(worker, None)
            if (found := event_of_unit(entry)) is not None:
                self._add_unit(*found, entry, time)

    def _add_unit(self, unit: Unit, what: str, entry: Entry, time: str) -> None:
        worker = entry["worker"]
        if what == "started":
            node = entry.get("node")
            self.in_flight[worker] = InFlight(unit, worker, node, time)
            return
        if (found := self.in_flight.get(worker)) is not None and found.unit == unit:
            del self.in_flight[worker]
        if what == "done":
            self.failures.pop(str(unit), None)
        elif what == "failed" and entry.get("is_final"):
            self.failures[str(unit)] = str(entry.get("error"))


def _entries(path: Path) -> Iterator[Entry]:
    try:
        with path.open("rb") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    yield entry
    except OSError:
        # A run goes on without its log, and is then known by its record alone.
        return


def _parsed(time: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(time)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
