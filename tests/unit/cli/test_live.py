"""The view on a terminal: the facts, on few lines, at any width."""

import io

import pytest
from rich.console import Console

from finemo_dist.cli.board import Snapshot, WorkerRow
from finemo_dist.cli.live import MOST_WORKERS, LiveView, summary_line
from finemo_dist.core.records import Unit


def snapshot(n_workers=8, n_rows=MOST_WORKERS, **given):
    rows = tuple(
        WorkerRow(
            f"worker-{i}", f"node-{i // 4}.cluster.example",
            Unit("K562 ATAC", i) if i % 2 else None, 61.0 + i, 1000 + i, 350.5,
        )
        for i in range(min(n_workers, n_rows))
    )  # fmt: skip
    values = {
        "n_units": 37_500, "n_done": 1_234, "n_samples": 1_500, "n_samples_done": 49,
        "n_regions": 2_000_000, "n_hits": 45_678_901, "n_not_converged": 3, "n_failed": 2,
        "n_outputs_left": 1_460, "n_to_extract": 0,
        "n_lost": 1, "resting": ("node-3",), "n_workers": n_workers, "n_busy": n_workers // 2,
        "regions_per_second": 2812.3, "seconds_left": 86_399.0, "workers": rows,
        "n_hidden": n_workers - len(rows),
    }  # fmt: skip
    return Snapshot(**values | given)


def drawn(look, width=80, height=40):
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None
    )
    console.print(LiveView("call", look))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 200])
def test_all_facts_are_there(width):
    head, facts, workers, names, *rows = drawn(lambda n: snapshot(n_rows=n), width)

    assert head.startswith("call ")
    assert head.endswith("1,234/37,500 shards · 49/1,500 samples")
    assert facts == "2,812 regions/s · 45,678,901 hits · 3 not converged · 2 failed · 23:59:59 left"
    assert workers.startswith("4 of 8 workers busy, 1 lost")
    assert names.split() == ["worker", "node", "shard", "for", "shards", "regions/s"]
    assert len(rows) == 8
    assert rows[1].split()[-3:] == ["1:02", "1,001", "350"]
    assert "waits" in rows[0]
    for i, row in enumerate(rows):
        assert row.startswith(f"worker-{i} ")
    if width == 200:
        assert "node-1.cluster.example" in rows[5]
        assert "K562 ATAC[5]" in rows[5]


@pytest.mark.parametrize("width", [20, 40, 79, 80, 81, 133, 200])
@pytest.mark.parametrize("n_workers", [0, 1, 2, 200])
def test_no_line_is_wider_than_the_terminal_and_there_are_few(width, n_workers):
    lines = drawn(lambda n: snapshot(n_workers, n), width)

    assert max(map(len, lines)) <= width
    assert len(lines) <= 3 + 1 + MOST_WORKERS + 1


def test_one_worker_is_three_lines():
    row = WorkerRow("serial", "laptop", Unit("liver", 12), 42.0, 3, 320.0)
    found = snapshot(
        1, n_busy=1, workers=(row,), n_samples=1, n_not_converged=0, n_failed=0, n_lost=0,
        resting=(), seconds_left=None,
    )  # fmt: skip

    head, facts, worker = drawn(lambda _n: found)
    assert head.endswith(" 1,234/37,500 shards")
    assert facts == "2,812 regions/s · 45,678,901 hits"
    assert worker == "serial: liver[12] for 0:42"


@pytest.mark.parametrize("height", [5, 8, 12, 24, 50])
def test_two_hundred_workers_fit_the_terminal(height):
    asked = []

    def look(n_rows):
        asked.append(n_rows)
        return snapshot(200, n_rows)

    lines = drawn(look, height=height)
    assert len(lines) <= max(4, height - 1)
    assert asked[0] == max(0, min(MOST_WORKERS, height - 6))
    if asked[0]:
        assert lines[-1].strip() == f"and {200 - asked[0]} others"
    assert lines[2].startswith("100 of 200 workers busy")


def test_before_any_worker_there_is_something_to_say():
    found = snapshot(
        0, n_busy=0, regions_per_second=None, seconds_left=None, n_lost=0, resting=(),
        n_hits=0, n_not_converged=0, n_failed=0,
    )  # fmt: skip

    assert drawn(lambda _n: found)[1:] == ["0 hits", "waiting for workers"]


def test_a_name_that_is_an_escape_sequence_or_markup_is_text():
    unit = Unit("\x1b[2J[bold]x\n", 0)
    rows = (
        WorkerRow("w\x1b[0m", "\x07n", unit, 1.0, 0, None),
        WorkerRow("v", "n", None, 1.0, 0, None),
    )
    said = "\n".join(drawn(lambda _n: snapshot(2, workers=rows), 200))

    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\\x1b[2J[bold]x [0]" in said


def test_the_line_of_a_log_has_the_same_facts():
    row = WorkerRow("worker-3", "n", Unit("liver", 12), 602.0, 3, 320.0)
    line = summary_line(snapshot(8, n_busy=7, workers=(row,), n_hidden=7))

    assert line == (
        "1,234 of 37,500 shards, 49 of 1,500 samples, 2,812 regions/s, 45,678,901 hits, "
        "3 not converged, 2 failed, 23:59:59 left, 7 of 8 workers busy, 1 lost, "
        "node node-3 resting, slowest worker-3: liver[12] for 10:02"
    )


@pytest.mark.parametrize(
    ("given", "said", "unsaid"),
    [
        ({"n_to_extract": 1}, "1 shard to extract", "files of"),
        ({"n_to_extract": 20}, "20 shards to extract", "files of"),
        # Files are what is left once all is called; until then they say nothing new.
        ({"n_done": 37_500}, "files of 1,460 samples left", "to extract"),
        ({"n_done": 37_500, "n_outputs_left": 0}, "45,678,901 hits", "files of"),
        ({"resting": ("x", "y", "z")}, "node x and 2 more resting", "to extract"),
    ],
)
def test_what_else_is_left_is_told_while_there_is_any(given, said, unsaid):
    line = summary_line(snapshot(**given))

    assert f", {said}" in line
    assert unsaid not in line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0:00"), (59.6, "1:00"), (3599.0, "59:59"), (3600.0, "1:00:00"), (200_000.0, "2 d 7 h")],
)
def test_durations(seconds, text):
    assert f", {text} left" in summary_line(snapshot(seconds_left=seconds))
