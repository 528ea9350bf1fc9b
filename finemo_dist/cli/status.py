"""``status``: how far a run is, and whether a driver is working on it."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import one_line, resume_of
from finemo_dist.cli.options import EXISTING_PATH, json_option
from finemo_dist.core.words import be, count

if TYPE_CHECKING:
    from rich.console import Group

    from finemo_dist.core.records import Unit
    from finemo_dist.workflow.standing import Standing

_STATES: Final = {"n_running": "running", "n_failed": "failed", "n_missing": "missing"}
_MOST_ROWS: Final = 30
_WIDTH_OF_FILES: Final = 200
_MOST_FAILURES: Final = 10
_WATCH_EVERY_S: Final = 5.0


@click.command(
    "status",
    short_help="Show how far a run is.",
    cls=HelpfulCommand,
    examples=("finemo-dist status demo/run",),
)
@click.argument("run", type=EXISTING_PATH)
@click.option("--all", "is_all", is_flag=True, help="List every sample, including complete ones.")
@click.option("--watch", is_flag=True, help="Refresh every few seconds until no driver is working.")
@json_option
def status(*, run: Path, is_all: bool, watch: bool, as_json: bool) -> None:
    """Show committed, running, failed and missing shards of each sample.

    Exits with status 3 if any shard is not committed or if output files of a sample are missing.
    Samples that need attention come first.
    """
    from finemo_dist.core.errors import IncompleteRunError
    from finemo_dist.workflow.standing import standing_of

    if watch and as_json:
        raise click.UsageError("--watch is for people and --json is for programs. Give only one.")
    look = _watch(run) if watch else standing_of(run)
    if as_json:
        click.echo(json.dumps(_content(look), indent=2))
    else:
        _print(look, most_rows=len(look.samples) if is_all else _MOST_ROWS)
    if look.is_open or look.record.refused:
        raise IncompleteRunError(_open_message(look))


def _watch(run: Path) -> "Standing":
    """Look again and again until nobody works on the run, or there is nothing left to do."""
    from rich.console import Console
    from rich.live import Live

    from finemo_dist.workflow.standing import standing_of

    look = standing_of(run)
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        while look.state == "running":
            if live.console.is_terminal:
                live.update(_table(look, most_rows=max(5, live.console.height - 6)), refresh=True)
            time.sleep(_WATCH_EVERY_S)
            look = standing_of(run)
    return look


def _content(look: "Standing") -> dict[str, Any]:
    return {
        "status": look.record.status,
        "state": look.state,
        "last_sign_of_life": look.activity.last_sign,
        "committed": sum(s.summary.n_shards_committed for s in look.samples),
        "running": look.total("n_running"),
        "failed": look.total("n_failed"),
        "missing": look.total("n_missing"),
        "outputs": look.record.outputs,
        "outputs_missing": look.n_open_files,
        "failures": look.failures,
        "refused": look.record.refused,
        "compacted": sorted(look.compacted),
        "compacted_by_place": look.is_placed,
        "in_flight": [
            {**_unit(found.unit), "worker": found.worker, "node": found.node, "since": found.since}
            for found in look.activity.in_flight
        ],
        "resting": [asdict(found) for found in look.activity.resting],
        "resume": _resume(look),
        "invocations": [i.model_dump() for i in look.record.invocations],
        "samples": [
            {
                **asdict(s.summary),
                "n_shards_running": s.n_running,
                "n_shards_failed": s.n_failed,
                "n_shards_missing": s.n_missing,
                "outputs": s.files,
            }
            for s in sorted(look.samples, key=lambda s: s.summary.sample)
        ],
    }


def _unit(unit: "Unit") -> dict[str, Any]:
    return {"sample": unit.sample, "shard": unit.shard, "stage": unit.stage}


def _print(look: "Standing", *, most_rows: int) -> None:
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH_OF_FILES
    console = Console(markup=False, highlight=False, width=width)
    console.print(_table(look, most_rows=most_rows))
    if look.is_placed or look.compacted:
        of = count(len(look.compacted), "sample") if look.compacted else ""
        kinds = [f"of {of}" if of else "", "of all samples by place" if look.is_placed else ""]
        click.echo(f"compacted files: {' and '.join(filter(None, kinds))}")
    for node in look.activity.resting:
        of = "" if node.sample is None else f" from sample {one_line(node.sample)}"
        click.echo(f"node {one_line(node.node)} rests{of}: {one_line(node.error)}")
    for what, found in (("failed", look.failures), ("refused", look.record.refused)):
        for name, why in list(found.items())[:_MOST_FAILURES]:
            click.echo(f"{what} {one_line(name)}: {one_line(why)}")
        if len(found) > _MOST_FAILURES:
            click.echo(f"and {count(len(found) - _MOST_FAILURES, 'other')} (--json lists all)")
    if look.ended_by is not None:
        click.echo(f"ended by {one_line(look.ended_by)}")
    click.echo(f"{one_line(str(look.run_dir))}: {_state_line(look)}")


def _table(look: "Standing", *, most_rows: int) -> "Group":
    """Return a table that fits 80 columns; what is no shard's state is left out where space is."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    states = [name for name in _STATES if look.total(name)]
    has_files = look.n_open_files > 0
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("sample", overflow="fold", min_width=12)
    names = ("shards", *(_STATES[name] for name in states), "regions", "hits", "not conv.")
    last = "files" if has_files else "largest gap"
    for name in (*names, *([] if states and not has_files else [last])):
        table.add_column(name, justify="right", no_wrap=True)
    for s in look.samples[:most_rows]:
        found = s.summary
        table.add_row(
            Text(one_line(found.sample)),
            f"{found.n_shards_committed}/{found.n_shards}",
            *(f"{getattr(s, name):,}" for name in states),
            f"{found.n_regions_committed:,}",
            f"{found.n_hits:,}",
            f"{found.n_not_converged:,}",
            *([s.files] if has_files else [] if states else [f"{found.max_gap:.1e}"]),
        )
    rest = look.samples[most_rows:]
    n_complete = sum(s.is_complete for s in rest)
    others = f"and {count(len(rest), 'other')}, {n_complete:,} of them complete (--all lists them)"
    return Group(table, *([others] if rest else []))


def _state_line(look: "Standing") -> str:
    complete = sum(s.is_complete for s in look.samples)
    counts = f"{complete:,} of {count(len(look.samples), 'sample')} complete"
    if look.state == "running":
        return f"running, last sign of life {look.activity.last_sign}; {counts}"
    if look.state == "stopped":
        return f"stopped, no sign of life since {look.activity.last_sign}; {counts}"
    if look.state == "complete" and look.record.status != "complete":
        counts += (
            "; the end of the run was not recorded: run the same command again to write its tables"
        )
    return f"{look.state}; {counts}"


def _open_message(look: "Standing") -> str:
    n, failed = look.n_open, look.total("n_failed")
    n_refused = len(look.record.refused)
    if not n and look.n_open_files:
        files = f"the output files of {count(look.n_open_files, 'sample')} are"
        if look.state == "running":
            return f"{look.run_dir}: {files} left; a driver is working on the run."
        return (
            f"{look.run_dir}: {files} missing (the run is {look.state}). "
            f"Finish with: {_resume(look) or 'the command that made the run'}"
        )
    if not n:
        return (
            f"{look.run_dir}: {count(n_refused, 'sample')} {be(n_refused)} not called. Once what "
            f"is wrong is mended, finish with: {_resume(look) or 'the command that made the run'}"
        )
    also = f", {failed:,} of them failed" if failed else ""
    if look.state == "running":
        return (
            f"{look.run_dir}: {count(n, 'shard')} {be(n)} left{also}; a driver is working on the "
            "run."
        )
    return (
        f"{look.run_dir}: {count(n, 'shard')} {be(n)} missing{also} (the run is {look.state}). "
        f"Finish with: {_resume(look) or 'the command that made the run'}"
    )


def _resume(look: "Standing") -> str | None:
    """Return the line that finishes the run, from any directory; None where it is not known."""
    is_open = look.is_open or look.record.refused
    if not is_open or look.state == "running" or not look.record.invocations:
        return None
    last = look.record.invocations[-1]
    return resume_of(last.command, last.directory) if last.command else None


COMMANDS: Final = {"status": status}
