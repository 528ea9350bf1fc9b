"""What a user sees while work goes on: a live line on a terminal, log lines elsewhere."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from finemo_dist.core.events import RunEvent, UnitDone, UnitFailed, WorkersReady

if TYPE_CHECKING:
    from finemo_dist.run.drive import RunTotals
    from finemo_dist.run.plan import RunPlan

logger = logging.getLogger(__name__)

_LOG_EVERY_S: Final = 30.0


@contextmanager
def run_progress(plan: "RunPlan") -> "Iterator[Callable[[RunEvent, RunTotals], None]]":
    """Yield the function that shows the events of a run."""
    started = time.monotonic()
    with _bar("call", plan.n_units, plan.n_committed) as advance:

        def show(event: RunEvent, totals: "RunTotals") -> None:
            match event:
                case WorkersReady():
                    logger.info("%s", event.description)
                case UnitFailed():
                    again = "set aside" if event.is_final else "tried again"
                    logger.warning(
                        "shard %s failed on %s and is %s: %s",
                        event.unit, event.worker, again, event.error,
                    )  # fmt: skip
                case UnitDone():
                    rate = totals.n_regions / max(time.monotonic() - started, 1e-9)
                    advance(f"{totals.n_regions:,} regions, {rate:,.0f}/s, {totals.n_hits:,} hits")

        yield show


@contextmanager
def shard_progress(stage: str) -> Iterator[Callable[[object], None]]:
    """Yield the function that is called after each shard that was written."""
    with _bar(stage, None, 0) as advance:
        yield lambda _shard: advance("")


@contextmanager
def _bar(stage: str, total: int | None, done: int) -> Iterator[Callable[[str], None]]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _log_line(stage, total, done)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("shards {task.fields[detail]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(stage, total=total, completed=done, detail="")
        yield lambda detail: progress.update(task, advance=1, detail=detail)


def _log_line(stage: str, total: int | None, done: int) -> Callable[[str], None]:
    """Return a function that logs at most twice a minute."""
    state = {"done": done, "said": time.monotonic()}

    def advance(detail: str) -> None:
        state["done"] += 1
        if time.monotonic() - state["said"] >= _LOG_EVERY_S:
            state["said"] = time.monotonic()
            of_total = "" if total is None else f" of {total}"
            logger.info("%s: %d%s shards %s", stage, state["done"], of_total, detail)

    return advance
