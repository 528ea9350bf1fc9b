"""Progress where there is no terminal: plain lines, not too many."""

import logging
from types import SimpleNamespace

import pytest

from finemo_dist.cli import progress
from finemo_dist.cli.progress import run_progress, shard_progress
from finemo_dist.core.events import UnitDone, UnitFailed, WorkersReady
from finemo_dist.core.records import Unit
from finemo_dist.run.drive import RunTotals

PLAN = SimpleNamespace(n_units=10, n_committed=4)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="finemo_dist")
    return lambda: [record.getMessage() for record in caplog.records]


def done(shard):
    return UnitDone(Unit("a", shard), "w", 1000, 50, 0, 0.0, {})


def test_lines_count_what_was_committed_before(lines, monkeypatch):
    monkeypatch.setattr(progress, "_LOG_EVERY_S", 0.0)
    totals = RunTotals()
    with run_progress(PLAN) as show:
        for shard in range(2):
            totals.add(done(shard))
            show(done(shard), totals)

    assert [line.split(" regions")[0] for line in lines()] == [
        "call: 5 of 10 shards 1,000",
        "call: 6 of 10 shards 2,000",
    ]
    assert lines()[1].endswith("100 hits")


def test_lines_are_few(lines):
    with run_progress(PLAN) as show:
        for shard in range(100):
            show(done(shard), RunTotals())

    assert lines() == []


@pytest.mark.parametrize(("is_final", "word"), [(True, "set aside"), (False, "tried again")])
def test_a_failure_is_always_told(lines, is_final, word):
    with run_progress(PLAN) as show:
        show(UnitFailed(Unit("a", 3), "worker-1", "disk on fire", is_final), RunTotals())

    assert lines() == [f"shard a[3] failed on worker-1 and is {word}: disk on fire"]


def test_workers_are_told_when_they_are_ready(lines):
    with run_progress(PLAN) as show:
        show(WorkersReady(2, "2 Ray workers on cuda"), RunTotals())

    assert lines() == ["2 Ray workers on cuda"]


def test_shards_of_an_extraction_are_counted(lines, monkeypatch):
    monkeypatch.setattr(progress, "_LOG_EVERY_S", 0.0)
    with shard_progress("extract") as on_shard:
        on_shard(None)
        on_shard(None)

    assert [line.strip() for line in lines()] == ["extract: 1 shards", "extract: 2 shards"]


def test_a_terminal_gets_a_live_line_that_goes_away(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with run_progress(PLAN) as show:
        show(done(0), RunTotals(n_regions=1000, n_hits=50))

    said = capsys.readouterr()
    assert said.out == ""
    assert "5/10" in said.err
    assert "50 hits" in said.err
