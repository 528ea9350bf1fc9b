"""The log of a run: the paths of its files, and its entries for what happens during a run.

``RUN/log/run-20260102T030405Z-1a2b3c4d.jsonl`` is the log of one invocation: one JSON object a
line, only ever added to. Parts carry no times, because a unit that runs twice must leave the same
bytes; when and how long a shard was worked on is here.
"""

import math
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

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
from finemo_dist.core.records import Stage, Unit
from finemo_dist.storage.locations import location

HEARTBEAT_S: Final = 30.0
"""Between two signs of life of a driver."""

_DIRECTORY: Final = "log"
_NAME: Final = re.compile(r"run-(\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8})\.jsonl")

Entry = dict[str, Any]
"""One line: ``time``, ``level`` and ``event``, and what the event has of ``worker``, ``node``,
``sample``, ``shard``, ``n_regions``, ``n_hits``, ``n_not_converged``, ``max_gap``, ``seconds`` by
stage, ``started``, ``error``."""

TIMING_FIELDS: Final[Mapping[str, str]] = {
    "time": "VARCHAR",
    "event": "VARCHAR",
    "worker": "VARCHAR",
    "node": "VARCHAR",
    "sample": "VARCHAR",
    "shard": "INTEGER",
    "n_regions": "BIGINT",
    "n_hits": "BIGINT",
    "seconds": "MAP(VARCHAR, DOUBLE)",
    "started": "VARCHAR",
}
"""What the catalog reads of an entry, with SQL types."""


def new_invocation_id() -> str:
    """Return a name for an invocation that no other has; names sort by time."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{uuid.uuid4().hex[:8]}"


def log_path(run_dir: str | Path, invocation: str) -> Path:
    """Return where the log of an invocation lies."""
    return location(run_dir) / _DIRECTORY / f"run-{invocation}.jsonl"


def log_files(run_dir: str | Path) -> list[Path]:
    """Return the logs of a run, oldest first; files of others in their folder are passed over."""
    folder = location(run_dir) / _DIRECTORY
    try:
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def remove_logs(run_dir: str | Path) -> None:
    """Remove the logs of a run; files of others, such as those of a batch system, stay."""
    for path in log_files(run_dir):
        path.unlink(missing_ok=True)
    folder = location(run_dir) / _DIRECTORY
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def log_time() -> str:
    """Return the time in UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class EventEntries:
    """Turns events into entries; remembers where workers run and since when on which unit."""

    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}
        self._started: dict[str, tuple[Unit, str]] = {}

    def entry(self, event: RunEvent, time: str) -> Entry:
        """Return the entry of an event that was seen at ``time``."""
        match event:
            case WorkersReady():
                fields: Entry = {
                    "event": "workers_ready",
                    "n_workers": event.n_workers,
                    "message": event.description,
                }
            case WorkerStarted():
                self._nodes[event.worker] = event.node
                fields = {"event": "worker_started", **self._where(event.worker)}
            case WorkerLost():
                fields = {
                    "event": "worker_lost",
                    **self._where(event.worker),
                    "error": event.reason,
                }
                self._nodes.pop(event.worker, None)
                self._started.pop(event.worker, None)
            case UnitStarted():
                self._started[event.worker] = event.unit, time
                fields = {
                    "event": f"{_noun(event.unit)}_started",
                    **self._what(event.worker, event.unit),
                }
            case UnitDone():
                fields = self._done(event)
            case UnitFailed():
                fields = {
                    "event": f"{_noun(event.unit)}_failed",
                    **self._what(event.worker, event.unit),
                    "started": self._since(event.worker, event.unit),
                    "error": event.error,
                    "is_final": event.is_final,
                }
            case NodeRests():
                fields = {
                    "event": "node_rests",
                    "node": event.node,
                    "sample": event.sample,
                    "rest_s": event.seconds,
                    "error": event.error,
                }
            case NodeWorks():
                fields = {"event": "node_works", "node": event.node, "sample": event.sample}
        is_bad = isinstance(event, UnitFailed | WorkerLost | NodeRests)
        level = "warning" if is_bad else "info"
        return {"time": time, "level": level, **fields}

    def _done(self, event: UnitDone) -> Entry:
        if event.unit.stage is not Stage.CALL:
            return {
                "event": f"{_noun(event.unit)}_done",
                **self._what(event.worker, event.unit),
                "seconds": _rounded(event.seconds),
                "started": self._since(event.worker, event.unit),
            }
        return {
            "event": "shard_done",
            **self._what(event.worker, event.unit),
            "n_regions": event.n_regions,
            "n_hits": event.n_hits,
            "n_not_converged": event.n_not_converged,
            # JSON has no infinity.
            "max_gap": event.max_gap if math.isfinite(event.max_gap) else None,
            "seconds": _rounded(event.seconds),
            "started": self._since(event.worker, event.unit),
        }

    def _since(self, worker: str, unit: Unit) -> str | None:
        given, time = self._started.get(worker, (None, None))
        return time if given == unit else None

    def _what(self, worker: str, unit: Unit) -> Entry:
        shard = {"shard": unit.shard} if unit.stage in _OF_SHARDS else {}
        return {**self._where(worker), "sample": unit.sample, **shard}

    def _where(self, worker: str) -> Entry:
        return {"worker": worker, "node": self._nodes.get(worker)}


_OF_SHARDS: Final = frozenset({Stage.EXTRACT, Stage.CALL})


def _noun(unit: Unit) -> str:
    """Return what events of a unit are called by."""
    return "shard" if unit.stage is Stage.CALL else unit.stage.value


def event_of_unit(entry: Entry) -> tuple[Unit, str] | None:
    """Return the unit of an entry and what happened to it; None where it is of no unit."""
    match entry:
        case {"event": str(event), "worker": str(), "sample": str(name)}:
            noun, _, what = event.rpartition("_")
            if noun in _STAGES and isinstance(shard := entry.get("shard", 0), int):
                return Unit(name, shard, _STAGES[noun]), what
    return None


_STAGES: Final = {_noun(Unit("", 0, stage)): stage for stage in Stage}


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(value, 6) for stage, value in seconds.items()}
