"""What a run is doing now, according to its record and its log."""

import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from finemo_dist.core.records import Unit
from finemo_dist.record.run_log import HEARTBEAT_S, Entry, event_of_unit, log_path
from finemo_dist.record.run_record import Invocation, RunRecord

SILENCE_S: Final = 3 * HEARTBEAT_S
"""Without a sign of life, after which a driver is taken for dead."""


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


def read_activity(run_dir: str | Path, record: RunRecord, *, now: datetime) -> Activity:
    """Return what a run does; damaged lines of its log are passed over.

    A driver is alive when its record says running, it was heard of in the last ``SILENCE_S``
    seconds and, where it runs on this machine, its process is there.
    """
    if record.status != "running":
        return Activity(is_alive=False, last_sign=record.finished, failures=record.failures)
    last = record.invocations[-1] if record.invocations else None
    if last is None or last.status != "running":
        # Planned, and not begun.
        is_alive = _seconds(record.created, now) < SILENCE_S
        return Activity(is_alive=is_alive, last_sign=record.created)
    seen = _Replay()
    seen.add(_entries(log_path(run_dir, last.id)))
    sign = seen.last_sign or last.started
    is_alive = _seconds(sign, now) < SILENCE_S and not _is_gone(last)
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


def _seconds(time: str, now: datetime) -> float:
    parsed = _parsed(time)
    return float("inf") if parsed is None else (now - parsed).total_seconds()


def _parsed(time: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(time)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def _is_gone(invocation: Invocation) -> bool:
    """Whether its process is known not to be there, which only its own machine can know."""
    if invocation.host != platform.node():
        return False
    try:
        # Signal 0 asks and sends nothing.
        os.kill(invocation.pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
