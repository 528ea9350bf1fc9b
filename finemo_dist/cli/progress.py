"""What a user sees while work goes on: a live view on a terminal, log lines elsewhere."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from finemo_dist.cli.board import Board, Snapshot
from finemo_dist.cli.live import LiveView, summary_line
from finemo_dist.cli.messages import is_json_wanted
from finemo_dist.core.events import (
    CallPlanned,
    ExtractionPlanned,
    NodeRests,
    NodeWorks,
    OnEvent,
    RunEvent,
    StageEnded,
    UnitFailed,
    WorkerLost,
    WorkersReady,
    WorkEvent,
)
from finemo_dist.core.records import Stage
from finemo_dist.core.ticker import every
from finemo_dist.record.run_log import EventEntries, log_time

logger = logging.getLogger(__name__)

_LOG_EVERY_S: Final = 30.0
_DRAWN_PER_SECOND: Final = 4


@contextmanager
def shown_progress() -> Iterator[OnEvent]:
    """Yield the function that shows events; each stage has a view of its own while it lasts."""
    with ExitStack() as stage:
        views: list[Callable[[Any], None]] = []

        def begin(view: AbstractContextManager[Callable[[Any], None]]) -> None:
            views[:] = [stage.enter_context(view)]

        def show(event: WorkEvent) -> None:
            match event:
                case CallPlanned():
                    begin(call_progress(event))
                case ExtractionPlanned():
                    begin(extraction_progress(event.n_shards))
                case StageEnded():
                    views.clear()
                    stage.close()
                case _:
                    for view in views:
                        view(event)

        yield show


def call_progress(plan: CallPlanned) -> AbstractContextManager[Callable[[RunEvent], None]]:
    """Return the view of a call of hits."""
    return board_progress(Board.of_plan(plan, time.monotonic()), "call")


@contextmanager
def board_progress(board: Board, stage: str) -> Iterator[Callable[[RunEvent], None]]:
    """Yield the function that counts events on a board and shows it."""
    # The view is drawn from another thread than events come from.
    lock = threading.Lock()
    entries = EventEntries()
    is_json = is_json_wanted()

    def look(n_rows: int) -> Snapshot:
        with lock:
            return board.snapshot(time.monotonic(), n_rows=n_rows)

    def show(event: RunEvent) -> None:
        with lock:
            board.add(event, time.monotonic())
        if is_json:
            _tell_as_json(entries, event)
        else:
            _tell(event)

    with _shown(stage, look, is_json=is_json):
        yield show


@contextmanager
def _shown(stage: str, look: Callable[[int], Snapshot], *, is_json: bool) -> Iterator[None]:
    console = Console(stderr=True)
    if console.is_terminal and not is_json:
        view = LiveView(stage, look)
        # Lines that are logged meanwhile go through the console and stay above the view.
        with Live(
            view,
            console=console,
            refresh_per_second=_DRAWN_PER_SECOND,
            transient=True,
            redirect_stdout=False,
        ):
            yield
    else:
        with every(_LOG_EVERY_S, lambda: logger.info("%s: %s", stage, summary_line(look(1)))):
            yield


def _tell(event: RunEvent) -> None:
    """Say what a user has to know at once."""
    match event:
        case WorkersReady():
            logger.info("%s", event.description)
        case WorkerLost():
            logger.warning("%s was lost: %s", event.worker, event.reason)
        case NodeRests():
            of = "" if event.sample is None else f" of sample {event.sample}"
            logger.warning(
                "node %s is given nothing%s for %.0f s, because one shard after another failed "
                "there: %s", event.node, of, event.seconds, event.error,
            )  # fmt: skip
        case NodeWorks():
            logger.info("node %s works again", event.node)
        case UnitFailed():
            again = "is set aside" if event.is_final else "will be tried again"
            what = "shard" if event.unit.stage is Stage.CALL else "unit"
            logger.warning(
                "%s %s failed on %s and %s: %s",
                what, event.unit, event.worker, again, event.error,
            )  # fmt: skip


def _tell_as_json(entries: EventEntries, event: RunEvent) -> None:
    """Say everything, for programs that read the lines."""
    entry = entries.entry(event, log_time())
    level = logging.WARNING if entry["level"] == "warning" else logging.INFO
    logger.log(level, "%s", entry["event"], extra={"entry": entry})


@contextmanager
def extraction_progress(n_shards: int) -> Iterator[Callable[[object], None]]:
    """Yield the function that is called after each shard of regions that is written."""
    console = Console(stderr=True)
    if not console.is_terminal or is_json_wanted():
        yield _log_line("extract", n_shards)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("shards"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("extract", total=n_shards)
        yield lambda _event: progress.update(task, advance=1)


def _log_line(stage: str, n_shards: int) -> Callable[[object], None]:
    """Return a function that logs at most twice a minute."""
    n_done = 0
    said = time.monotonic()

    def advance(_event: object) -> None:
        nonlocal n_done, said
        n_done += 1
        if time.monotonic() - said >= _LOG_EVERY_S:
            said = time.monotonic()
            logger.info("%s: %d of %d shards", stage, n_done, n_shards)

    return advance
