"""How far a run is, drawn for a terminal: a few lines whatever the number of workers."""

from collections.abc import Callable, Iterator
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from finemo_dist.cli.board import Snapshot, WorkerRow
from finemo_dist.cli.messages import one_line
from finemo_dist.core.words import count

MOST_WORKERS: Final = 10
_HEAD_LINES: Final = 6
"""Lines that are not of workers: three of totals, the header, the rest counted, the cursor."""


class LiveView:
    """Draws what ``look`` returns, for at most so many workers, each time it is asked.

    Text that comes from files (names of samples) is spelt out, so that none moves the cursor.
    """

    def __init__(self, stage: str, look: Callable[[int], Snapshot]) -> None:
        self._stage = stage
        self._look = look

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        n_rows = max(0, min(MOST_WORKERS, console.height - _HEAD_LINES))
        snapshot = self._look(n_rows)
        yield _head(self._stage, snapshot)
        for line in (" · ".join(_facts(snapshot)), _workers_line(snapshot)):
            yield Text(line, no_wrap=True, overflow="ellipsis")
        if snapshot.n_workers > 1 and snapshot.workers:
            yield _worker_table(snapshot)


def summary_line(snapshot: Snapshot) -> str:
    """Return the same facts as one line, for a log."""
    shards = f"{snapshot.n_done:,} of {count(snapshot.n_units, 'shard')}"
    samples = (
        [f"{snapshot.n_samples_done:,} of {snapshot.n_samples:,} samples"]
        if snapshot.n_samples > 1
        else []
    )
    return ", ".join([shards, *samples, *_facts(snapshot), _workers_line(snapshot)])


def _head(stage: str, snapshot: Snapshot) -> Table:
    counts = f"{snapshot.n_done:,}/{count(snapshot.n_units, 'shard')}"
    if snapshot.n_samples > 1:
        counts += f" · {snapshot.n_samples_done:,}/{snapshot.n_samples:,} samples"
    bar = ProgressBar(total=max(1, snapshot.n_units), completed=snapshot.n_done)
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1, min_width=8)
    grid.add_column(no_wrap=True)
    grid.add_row(stage, bar, counts)
    return grid


def _facts(snapshot: Snapshot) -> Iterator[str]:
    if snapshot.regions_per_second is not None:
        yield f"{_rate(snapshot.regions_per_second)} regions/s"
    yield count(snapshot.n_hits, "hit")
    if snapshot.n_not_converged:
        yield f"{snapshot.n_not_converged:,} not converged"
    if snapshot.n_to_extract:
        yield f"{count(snapshot.n_to_extract, 'shard')} to extract"
    if snapshot.n_outputs_left and snapshot.n_done == snapshot.n_units:
        yield f"files of {count(snapshot.n_outputs_left, 'sample')} left"
    if snapshot.n_failed:
        yield f"{snapshot.n_failed:,} failed"
    if snapshot.seconds_left is not None:
        yield f"{_duration(snapshot.seconds_left)} left"


def _workers_line(snapshot: Snapshot) -> str:
    """Say how many work, and what the one does that has been longest at a shard."""
    if not snapshot.n_workers:
        return "waiting for workers" + _lost(snapshot)
    slowest = snapshot.workers[0] if snapshot.workers else None
    doing = f": {_doing(slowest)}" if slowest and slowest.unit else ""
    if snapshot.n_workers == 1:
        return f"{one_line(slowest.name) if slowest else '1 worker'}{doing}{_lost(snapshot)}"
    longest = f", slowest {one_line(slowest.name)}{doing}" if slowest and doing else ""
    return f"{snapshot.n_busy} of {snapshot.n_workers} workers busy{_lost(snapshot)}{longest}"


def _lost(snapshot: Snapshot) -> str:
    lost = f", {snapshot.n_lost} lost" if snapshot.n_lost else ""
    if not snapshot.resting:
        return lost
    more = f" and {len(snapshot.resting) - 1} more" if len(snapshot.resting) > 1 else ""
    return f"{lost}, node {one_line(snapshot.resting[0])}{more} resting"


def _doing(row: WorkerRow) -> str:
    return f"{one_line(str(row.unit))} for {_duration(row.seconds)}"


def _worker_table(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    names = ("worker", "node", "shard", "for", "shards", "regions/s")
    for name, ratio in zip(names, (2, 2, 3, None, None, None), strict=True):
        table.add_column(
            name,
            no_wrap=True,
            overflow="ellipsis",
            ratio=ratio,
            justify="left" if ratio else "right",
        )
    table.add_row(*(Text(name, style="dim") for name in names))
    for row in snapshot.workers:
        cells = (row.name, row.node, "waits" if row.unit is None else str(row.unit))
        rate = "" if row.regions_per_second is None else _rate(row.regions_per_second)
        table.add_row(
            *(Text(one_line(cell)) for cell in cells),
            _duration(row.seconds),
            f"{row.n_done:,}",
            rate,
        )
    if snapshot.n_hidden:
        table.add_row(Text(f"and {count(snapshot.n_hidden, 'other')}", style="dim"))
    return table


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
