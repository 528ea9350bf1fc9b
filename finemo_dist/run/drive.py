"""Driving a plan to its end: passes on events, and keeps the record and the log."""

import os
import platform
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from finemo_dist import __version__
from finemo_dist.core.errors import FinemoDistError, IncompleteRunError, RunError
from finemo_dist.core.events import RunEvent, UnitDone, UnitFailed, WorkersReady
from finemo_dist.core.protocols import Executor
from finemo_dist.core.records import EXTRACTION, Stage, Unit
from finemo_dist.core.ticker import every
from finemo_dist.core.words import be, count
from finemo_dist.hits.outputs import missing_outputs
from finemo_dist.hits.read import standing_shards, survey_run
from finemo_dist.record.lease import require_held
from finemo_dist.record.run_log import HEARTBEAT_S, new_invocation_id
from finemo_dist.record.run_record import Invocation, RunRecord, RunStatus
from finemo_dist.run.driver_log import RunLog
from finemo_dist.run.leftovers import tidied
from finemo_dist.run.plan import RunPlan, now, read_plan
from finemo_dist.run.roster import Roster
from finemo_dist.storage.locations import is_local

_MANIFEST_S: Final = 300.0


@dataclass(slots=True)
class RunTotals:
    """What a run has done so far in this process; a unit that was done twice counts once.

    A unit that one worker failed and another did is done.
    """

    n_workers: int = 0
    n_regions: int = 0
    n_hits: int = 0
    n_not_converged: int = 0
    max_gap: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    """Summed over workers, by stage."""
    failures: dict[str, str] = field(default_factory=dict)
    done: set[Unit] = field(default_factory=set, repr=False)
    n_units: int = 0
    """Shards that were called; files for other tools count in ``done`` alone. A number, because the
    heartbeat thread reads it while ``done`` grows."""

    def add(self, event: RunEvent) -> None:
        """Count an event."""
        match event:
            case UnitDone():
                self._add_done(event)
            # A sample that cannot be extracted is left out: its shards are not missing.
            case UnitFailed(is_final=True) if not (
                event.unit in self.done or event.unit.stage in EXTRACTION
            ):
                self.failures[str(event.unit)] = event.error
            case WorkersReady():
                self.n_workers = event.n_workers

    def _add_done(self, event: UnitDone) -> None:
        for stage, seconds in event.seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        if event.unit in self.done:
            return
        self.done.add(event.unit)
        self.failures.pop(str(event.unit), None)
        if event.unit.stage is not Stage.CALL:
            return
        self.n_units += 1
        self.n_regions += event.n_regions
        self.n_hits += event.n_hits
        self.n_not_converged += event.n_not_converged
        self.max_gap = max(self.max_gap, event.max_gap)


def drive(
    plan: RunPlan,
    executor: Executor,
    *,
    on_event: Callable[[RunEvent], None],
    command: str | None = None,
    roster: Roster | None = None,
) -> RunTotals:
    """Run the pending units, keep record and log of the run true, and return what was done.

    Where stores are made, the run begins when the first is whole.

    Parameters
    ----------
    on_event
        Called with each event, after it is logged.
    command
        What the user typed, for the record.
    roster
        Of the samples whose stores are made.

    Raises
    ------
    IncompleteRunError
        Units could not be finished, or another driver took over; what is committed is kept.
    KeyboardInterrupt
        Passed on, after the record says so; committed units stay.
    """
    totals, roster = RunTotals(), roster or Roster(plan)

    def take(event: RunEvent) -> None:
        require_held(plan.run_dir)
        totals.add(event)
        roster.add(event)

    with tidied(plan.run_dir), closing(_events(plan, executor)) as events:
        is_done = plan.record.status == "complete"
        while is_done or roster.is_empty:
            if (event := next(events, None)) is None:
                return totals
            take(event)
            on_event(event)
        _drive(plan, executor, events, totals, roster, command, take=take, on_event=on_event)
    return totals


def _events(plan: RunPlan, executor: Executor) -> Generator[RunEvent]:
    if plan.work:
        yield from executor.run(plan.work)


def _drive(
    plan: RunPlan,
    executor: Executor,
    events: Iterator[RunEvent],
    totals: RunTotals,
    roster: Roster,
    command: str | None,
    *,
    take: Callable[[RunEvent], None],
    on_event: Callable[[RunEvent], None],
) -> None:
    """Drive a run that has a sample to its end, or as far as its units can be done."""
    invocation = _invocation(executor, command)
    roster.begin(invocation)
    with RunLog(plan.run_dir, invocation.id) as log, log.with_messages():
        _log_start(log, plan, invocation)
        close = partial(_close, plan, roster, totals, log, time.perf_counter())
        try:
            with (
                every(HEARTBEAT_S, partial(_log_life, log, totals)),
                every(_MANIFEST_S, partial(_update_manifest, plan)),
            ):
                for event in events:
                    take(event)
                    log.add_event(event)
                    on_event(event)
        except KeyboardInterrupt:
            with suppress(OSError):
                close("interrupted", "interrupted")
            raise
        except BaseException as error:
            # Where the record cannot be written either, what came first is said.
            with suppress(OSError):
                close("incomplete", str(error))
            raise
        missing = _missing(plan, roster, totals.done)
        close("incomplete" if missing else "complete")
    if missing:
        raise IncompleteRunError(_missing_message(roster.record, plan.run_dir, totals, missing))


def _invocation(executor: Executor, command: str | None) -> Invocation:
    return Invocation(
        id=new_invocation_id(),
        command=command,
        directory=str(Path.cwd()),
        version=__version__,
        host=platform.node(),
        pid=os.getpid(),
        executor=dict(executor.describe()),
        started=now(),
    )


def _missing(plan: RunPlan, roster: Roster, done: set[Unit]) -> tuple[Unit, ...]:
    """Return the units that are not committed: what counts is what stands on disk.

    Where every pending unit was told done, that their parts stand is asked by name alone: the plan
    has read those that stood before, and a name is given only to a whole part. Otherwise every
    footer is read. Files for other tools are looked at in the same way.
    """
    record = roster.settle()
    samples = record.samples
    told = done.issuperset(unit for unit in plan.work if roster.is_expected(unit))
    if (
        told
        and all(
            standing_shards(plan.run_dir, sample.name).issuperset(range(sample.n_shards))
            for sample in samples
        )
        and not missing_outputs(plan.run_dir, record, dict.fromkeys(s.name for s in samples))
    ):
        return ()
    return read_plan(plan.run_dir).work


def _close(
    plan: RunPlan,
    roster: Roster,
    totals: RunTotals,
    log: RunLog,
    started: float,
    status: RunStatus,
    error: str | None = None,
) -> None:
    wall = round(time.perf_counter() - started, 3)
    record = roster.settle()
    last = record.invocations[-1].model_copy(
        update={
            "status": status,
            "error": error,
            "finished": now(),
            "n_units": totals.n_units,
            "seconds": wall,
        }
    )
    seconds = {stage: round(value, 3) for stage, value in totals.seconds.items()}
    record.model_copy(
        update={
            "status": status,
            "finished": last.finished,
            "seconds": seconds | {"wall": wall},
            "failures": totals.failures,
            "warnings": _warnings(plan, record, totals),
            "invocations": (*_others(plan.run_dir, record, last.id), last),
        }
    ).save_joined(plan.run_dir)
    log.add("run_finished", {"status": status, **_progress(totals), "error": error})


def _others(run_dir: Path, record: RunRecord, own: str) -> tuple[Invocation, ...]:
    """Return the invocations but our own; another driver may have begun beside us."""
    try:
        standing = RunRecord.load(run_dir)
    except RunError:
        standing = record
    return tuple(i for i in standing.invocations if i.id != own)


def _log_start(log: RunLog, plan: RunPlan, invocation: Invocation) -> None:
    told = invocation.model_dump(include={"version", "command", "host", "pid", "executor"})
    log.add("run_started", {**told, "n_shards": plan.n_units, "n_committed": plan.n_committed})


def _log_life(log: RunLog, totals: RunTotals) -> None:
    log.add("heartbeat", _progress(totals))


def _update_manifest(plan: RunPlan) -> None:
    """Have the manifest know what was committed, so that a resume need not read it."""
    names = [sample.name for sample in plan.record.samples]
    # Of objects, bytes are not read twice.
    with suppress(OSError, FinemoDistError):
        survey_run(plan.run_dir, names, check_bytes=is_local(plan.run_dir))


def _progress(totals: RunTotals) -> dict[str, int]:
    return {
        "n_done": totals.n_units,
        "n_regions": totals.n_regions,
        "n_hits": totals.n_hits,
        "n_failed": len(totals.failures),
    }


def _warnings(plan: RunPlan, record: RunRecord, totals: RunTotals) -> dict[str, int]:
    n_not_converged = plan.n_not_converged + totals.n_not_converged
    found = {"not_converged": n_not_converged} if n_not_converged else {}
    return record.warnings | found


def _missing_message(
    record: RunRecord, run_dir: Path, totals: RunTotals, missing: Sequence[Unit]
) -> str:
    first = next(iter(totals.failures.items()), None)
    reason = f" The first to fail was {first[0]}: {first[1]}" if first else ""
    n = sum(unit.stage is Stage.CALL for unit in missing)
    n_units = sum(sample.n_shards for sample in record.samples)
    what = f"{n:,} of {count(n_units, 'shard')} {be(n)} missing."
    if not n:
        n_samples = count(len(record.samples), "sample")
        what = f"the output files of {len(missing):,} of {n_samples} are missing."
    return (
        f"{run_dir}: {what}{reason} "
        "Committed shards are kept; run the same command again to finish the rest."
    )
