"""Driving a plan to its end: events out, and the record of how it went."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from finemo_dist.core.errors import IncompleteRunError
from finemo_dist.core.events import RunEvent, UnitDone, UnitFailed, WorkersReady
from finemo_dist.core.protocols import Executor
from finemo_dist.core.run_record import RunRecord, RunStatus
from finemo_dist.run.plan import RunPlan, now, read_plan


@dataclass(slots=True)
class RunTotals:
    """What a run has done so far in this process."""

    n_workers: int = 0
    n_units: int = 0
    n_regions: int = 0
    n_hits: int = 0
    n_not_converged: int = 0
    max_gap: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    """Summed over workers, by stage."""
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, event: RunEvent) -> None:
        """Count an event."""
        match event:
            case UnitDone():
                self.n_units += 1
                self.n_regions += event.n_regions
                self.n_hits += event.n_hits
                self.n_not_converged += event.n_not_converged
                self.max_gap = max(self.max_gap, event.max_gap)
                for stage, seconds in event.seconds.items():
                    self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
            case UnitFailed(is_final=True):
                self.failures[str(event.unit)] = event.error
            case WorkersReady():
                self.n_workers = event.n_workers


def drive(
    plan: RunPlan, executor: Executor, *, on_event: Callable[[RunEvent, RunTotals], None]
) -> RunTotals:
    """Run the pending units, keep the record of the run true, and return what was done.

    ``on_event`` is called with each event and the totals that include it.

    Raises
    ------
    IncompleteRunError
        Units could not be finished; the others are committed.
    KeyboardInterrupt
        Passed on, after the record says so; committed units stay.
    """
    totals = RunTotals()
    if plan.record.status == "complete":
        return totals
    started = time.perf_counter()
    record = plan.record.model_copy(update={"executor": dict(executor.describe())})
    try:
        for event in executor.run(plan.pending) if plan.pending else ():
            totals.add(event)
            on_event(event, totals)
    except KeyboardInterrupt:
        _close(plan, record, "interrupted", totals, started)
        raise
    except BaseException:
        _close(plan, record, "incomplete", totals, started)
        raise
    # What counts is what stands on disk, not what the events said.
    missing = read_plan(plan.run_dir).pending
    _close(plan, record, "incomplete" if missing else "complete", totals, started)
    if missing:
        raise IncompleteRunError(_missing_message(plan, totals, len(missing)))
    return totals


def _close(
    plan: RunPlan, record: RunRecord, status: RunStatus, totals: RunTotals, started: float
) -> None:
    seconds = {**totals.seconds, "wall": time.perf_counter() - started}
    record.model_copy(
        update={
            "status": status,
            "finished": now(),
            "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
            "failures": totals.failures,
            "warnings": _warnings(plan, totals),
        }
    ).save(plan.run_dir)


def _warnings(plan: RunPlan, totals: RunTotals) -> dict[str, int]:
    n_not_converged = plan.n_not_converged + totals.n_not_converged
    found = {"not_converged": n_not_converged} if n_not_converged else {}
    return plan.record.warnings | found


def _missing_message(plan: RunPlan, totals: RunTotals, n_missing: int) -> str:
    first = next(iter(totals.failures.items()), None)
    reason = f" The first that failed, {first[0]}: {first[1]}" if first else ""
    return (
        f"{plan.run_dir}: {n_missing} of {plan.n_units} shards are missing.{reason} "
        "Committed shards are kept; run the same command again to finish the rest."
    )
