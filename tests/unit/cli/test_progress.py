"""Progress: a live view on a terminal alone, elsewhere plain lines, not too many, or JSON."""

import json
import logging
import threading

import click
import pytest

from finemo_dist.cli import progress
from finemo_dist.cli.main import cli
from finemo_dist.cli.progress import call_progress, extraction_progress
from finemo_dist.core.events import (
    CallPlanned,
    NodeRests,
    NodeWorks,
    UnitDone,
    UnitFailed,
    UnitStarted,
    WorkerLost,
    WorkersReady,
    WorkerStarted,
)
from finemo_dist.core.records import Unit

PLAN = CallPlanned(
    pending=tuple(Unit("a", shard) for shard in range(4, 10)), n_units=10, shard_regions={"a": 1000}
)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="finemo_dist")
    return lambda: [record.getMessage() for record in caplog.records]


def done(shard):
    return UnitDone(Unit("a", shard), "w", 1000, 50, 0, 0.0, {"solve": 1.0})


def test_a_line_counts_what_was_committed_before(caplog, monkeypatch):
    said = threading.Event()
    caplog.set_level(logging.INFO, logger="finemo_dist")
    monkeypatch.setattr(progress, "_LOG_EVERY_S", 0.01)
    monkeypatch.setattr(caplog.handler, "emit", lambda record: (records.append(record), said.set()))
    records = []
    with call_progress(PLAN) as show:
        for shard in (4, 5):
            show(done(shard))
        said.clear()
        assert said.wait(60)
        assert said.wait(60)

    line = records[-1].getMessage()
    assert line.startswith("call: 6 of 10 shards, ")
    assert "100 hits" in line
    assert "regions/s" in line


def test_lines_are_few(lines):
    with call_progress(PLAN) as show:
        for shard in range(4, 10):
            show(UnitStarted(Unit("a", shard), "w"))
            show(done(shard))

    assert lines() == []


@pytest.mark.parametrize(
    ("is_final", "word"), [(True, "is set aside"), (False, "will be tried again")]
)
def test_a_failure_is_always_told(lines, is_final, word):
    with call_progress(PLAN) as show:
        show(UnitFailed(Unit("a", 5), "worker-1", "disk on fire", is_final))

    assert lines() == [f"shard a[5] failed on worker-1 and {word}: disk on fire"]


def test_a_worker_that_is_lost_is_always_told(lines):
    with call_progress(PLAN) as show:
        show(WorkerStarted("worker-1", "node"))
        show(WorkerLost("worker-1", "its node went"))

    assert lines() == ["worker-1 was lost: its node went"]


@pytest.mark.parametrize(
    ("event", "level", "line"),
    [
        (
            NodeRests("x", 40.0, "no space is left"), logging.WARNING,
            "node x is given nothing for 40 s, because one shard after another failed there: no "
            "space is left",
        ),
        (
            NodeRests("x", 5.0, "not mounted", sample="a"), logging.WARNING,
            "node x is given nothing of sample a for 5 s, because one shard after another failed "
            "there: not mounted",
        ),
        (NodeWorks("x"), logging.INFO, "node x works again"),
    ],
)  # fmt: skip
def test_a_node_that_rests_or_works_again_is_told(caplog, lines, event, level, line):
    with call_progress(PLAN) as show:
        show(event)

    assert lines() == [line]
    assert caplog.records[0].levelno == level


def test_workers_are_told_when_they_are_ready(lines):
    with call_progress(PLAN) as show:
        show(WorkersReady(2, "2 Ray workers on cuda"))

    assert lines() == ["2 Ray workers on cuda"]


def test_shards_of_an_extraction_are_counted(lines, monkeypatch):
    monkeypatch.setattr(progress, "_LOG_EVERY_S", 0.0)
    with extraction_progress(5) as on_shard:
        on_shard(None)
        on_shard(None)

    assert [line.strip() for line in lines()] == [
        "extract: 1 of 5 shards",
        "extract: 2 of 5 shards",
    ]


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def test_a_terminal_gets_a_live_view_that_goes_away(terminal, capsys):
    with call_progress(PLAN) as show:
        show(WorkerStarted("w", "node"))
        show(done(4))

    said = capsys.readouterr()
    assert said.out == ""
    assert "5/10 shards" in said.err
    assert "50 hits" in said.err
    # Cleared at its end: the cursor goes up over every line.
    assert "\x1b[1A\x1b[2K" in said.err


def test_an_extraction_on_a_terminal_is_a_bar_that_goes_away(terminal, lines, capsys):
    with extraction_progress(2) as on_shard:
        on_shard(None)
        on_shard(None)

    said = capsys.readouterr()
    assert (said.out, lines()) == ("", [])
    assert "2/2" in said.err
    assert said.err.endswith("\x1b[2K")


def as_command(command, *options):
    """Run a function as a command of the group, after the group's own options."""

    @click.command("probe")
    def probe():
        command()

    with cli.make_context("finemo-dist", [*options, "status"]) as context:
        context.invoke(cli.callback, **context.params)
        with click.Context(probe, parent=context):
            command()


def test_a_line_that_is_logged_under_the_view_stays_above_it(terminal, capsys):
    def command():
        with call_progress(PLAN) as show:
            show(UnitFailed(Unit("a", 5), "w", "disk on fire", is_final=True))

    as_command(command)

    said = capsys.readouterr().err
    line = "WARNING: shard a[5] failed on w and is set aside: disk on fire"
    assert line in said
    # The view was cleared for it, and drawn again below.
    assert "\x1b[2K" in said.split(line)[0]
    assert "shards" in said.split(line)[1]


def test_json_is_every_event_even_on_a_terminal(terminal, capsys):
    events = [
        WorkerStarted("w", "node"), WorkersReady(1, "one"), UnitStarted(Unit("a", 4), "w"), done(4),
        UnitFailed(Unit("a", 5), "w", "disk", is_final=False), WorkerLost("w", "died"),
    ]  # fmt: skip

    def command():
        with call_progress(PLAN) as show:
            for event in events:
                show(event)
        logging.getLogger("finemo_dist.x").warning("a\nb")

    as_command(command, "--log-format", "json")

    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [e["event"] for e in entries] == [
        "worker_started", "workers_ready", "shard_started", "shard_done", "shard_failed",
        "worker_lost", "message",
    ]  # fmt: skip
    assert [e["level"] for e in entries] == ["info"] * 4 + ["warning"] * 3
    assert (entries[3]["sample"], entries[3]["shard"], entries[3]["node"]) == ("a", 4, "node")
    assert entries[6]["message"] == "a\nb"
