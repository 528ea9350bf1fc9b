"""``status``: committed, running, failed and missing shards, of runs alive and dead."""

import io
import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.summary import SampleSummary
from finemo_dist.cli import status as module
from finemo_dist.core.config import OutputKind
from finemo_dist.core.records import Unit
from finemo_dist.record.activity import Activity, InFlight
from finemo_dist.record.run_record import Invocation, RunRecord
from finemo_dist.workflow.standing import in_order, open_failures, standing_of, standings
from tests.unit.catalog.builder import hit, region, write_log, write_record, write_shard

ID = "20260102T110000.000Z-00000000"
SHARDS = st.sets(st.tuples(st.sampled_from("ab"), st.integers(0, 4)))


def summary(name, n_committed, n_shards=5):
    return SampleSummary(name, 10 * n_shards, n_shards, n_committed, 10 * n_committed, 7, 0, 0.0)


@given(SHARDS, SHARDS, SHARDS)
def test_every_shard_is_in_one_state(committed, running, failed):
    """What stands on disk counts first, then what is worked on, then what failed."""
    by_sample = {name: {i for s, i in committed if s == name} for name in "ab"}
    activity = Activity(
        is_alive=True,
        last_sign="t",
        in_flight=tuple(
            InFlight(Unit(*u), worker, None, "t") for u in sorted(running) for worker in "vw"
        ),
        failures={str(Unit(*u)): "disk" for u in failed},
    )
    summaries = [summary(name, len(by_sample[name])) for name in "ab"]

    for found in standings(summaries, by_sample, activity):
        name = found.summary.sample
        at_work = {u for u in running - committed if u[0] == name}
        set_aside = {u for u in failed - running - committed if u[0] == name}
        rest = {(name, i) for i in range(5)} - committed - running - failed
        assert (found.n_running, found.n_failed, found.n_missing) == (
            len(at_work), len(set_aside), len(rest),
        )  # fmt: skip
    assert set(open_failures(activity.failures, by_sample)) == {
        str(Unit(*u)) for u in failed - committed
    }


def test_samples_that_need_looking_at_come_first():
    activity = Activity(
        is_alive=True,
        last_sign="t",
        in_flight=(InFlight(Unit("running", 4), "w", None, "t"),),
        failures={"failed[4]": "disk"},
    )
    names = ("z", "running", "missing", "failed", "a")
    n_committed = {"z": 5, "a": 5}
    summaries = [summary(name, n_committed.get(name, 4)) for name in names]
    committed = {name: set(range(n_committed.get(name, 4))) for name in names}

    order = [s.summary.sample for s in in_order(standings(summaries, committed, activity))]
    assert order == ["failed", "running", "missing", "a", "z"]


def ago(seconds):
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


@pytest.fixture
def run(tmp_path):
    """Sample ``done`` is complete; of ``half`` shards 0 and 2 of 4 are committed."""
    record = write_record(tmp_path, {"done": 1, "half": 4})
    for sample, shards in (("done", [0]), ("half", [0, 2])):
        for shard in shards:
            write_shard(tmp_path, sample, shard, [hit()], [region()])
    invocation = Invocation(
        id=ID, command="finemo-dist run a.yaml --force -o out", directory="/some dir", version="0",
        host="elsewhere", pid=1, started=ago(3600),
    )  # fmt: skip
    record.begun(invocation).save(tmp_path)
    return tmp_path


def log_of(run, seconds):
    """A log that ends so many seconds ago, with two shards that were begun and not ended."""
    shards = [
        {"time": ago(seconds), "event": "shard_started", "sample": "half", "shard": shard,
         "worker": f"worker-{shard}", "node": "node-3"}
        for shard in (2, 3)
    ]  # fmt: skip
    failed = {**shards[0], "shard": 1, "event": "shard_failed", "is_final": True, "error": "poison"}
    log = write_log(run, [failed, *shards], name=ID)
    set_age(log, seconds)


def set_age(path, seconds):
    """Have a file be of that age by the clock of its file system."""
    time = path.stat().st_mtime - seconds
    os.utime(path, (time, time))


def rows_of(said):
    header, *rows = (line.split() for line in said.splitlines())
    return header, {row[0]: row[1:] for row in rows}


def test_a_run_that_is_alive(command, run):
    log_of(run, seconds=10)
    answer = command("status", run)

    header, rows = rows_of(answer.out)
    assert answer.status == 3
    assert header[:6] == ["sample", "shards", "running", "failed", "regions", "hits"]
    assert rows["half"][:5] == ["2/4", "1", "1", "2", "2"]
    assert rows["done"][:5] == ["1/1", "0", "0", "1", "1"]
    assert "failed half[1]: poison" in answer.out
    assert "running, last sign of life" in answer.out
    assert "2 shards are left, 1 of them failed; a driver is working on the run." in answer.err


def test_a_run_whose_driver_was_killed(command, run):
    log_of(run, seconds=1000)
    answer = command("status", run)

    header, rows = rows_of(answer.out)
    assert answer.status == 3
    assert header[:5] == ["sample", "shards", "failed", "missing", "regions"]
    assert rows["half"][:4] == ["2/4", "1", "1", "2"]
    assert "stopped, no sign of life since" in answer.out
    assert answer.err.endswith(
        "(the run is stopped). Finish with: cd '/some dir' && finemo-dist run a.yaml -o out\n"
    )


def test_the_same_as_json(command, run):
    log_of(run, seconds=10)
    content = json.loads(command("status", run, "--json").out)

    counts = {k: content[k] for k in ("committed", "running", "failed", "missing")}
    assert counts == {"committed": 3, "running": 1, "failed": 1, "missing": 0}
    assert (content["status"], content["state"], content["resume"]) == ("running", "running", None)
    assert content["failures"] == {"half[1]": "poison"}
    assert {(f["sample"], f["shard"], f["worker"], f["node"]) for f in content["in_flight"]} == {
        ("half", 2, "worker-2", "node-3"), ("half", 3, "worker-3", "node-3"),
    }  # fmt: skip
    assert [s["sample"] for s in content["samples"]] == ["done", "half"]
    assert content["samples"][1]["n_shards_running"] == 1
    assert [i["id"] for i in content["invocations"]] == [ID]


def test_a_run_that_ended_with_holes_and_lost_another_part_since(command, run):
    record = RunRecord.load(run)
    record.model_copy(
        update={"status": "incomplete", "failures": {"half[1]": "disk\non fire", "half[0]": "old"}}
    ).save(run)
    answer = command("status", run)

    assert answer.status == 3
    assert "failed half[1]: disk on fire" in answer.out
    # It was committed since.
    assert "half[0]" not in answer.out
    assert "incomplete; 1 of 2 samples complete" in answer.out


def test_a_run_that_is_whole_but_was_killed_before_it_said_so(command, run):
    for shard in (1, 3):
        write_shard(run, "half", shard, [], [region()])
    log_of(run, seconds=1000)
    answer = command("status", run)

    assert answer.status == 0
    assert "complete; 2 of 2 samples complete; the end of the run was not recorded" in answer.out


@pytest.mark.parametrize("is_all", [True, False])
def test_of_many_samples_the_incomplete_are_shown_and_the_rest_counted(command, tmp_path, is_all):
    names = [f"sample-{i:03}" for i in range(60)]
    write_record(tmp_path, dict.fromkeys(names, 1))
    for name in names[:-3]:
        write_shard(tmp_path, name, 0, [], [region()])
    answer = command("status", tmp_path, *["--all"] * is_all)

    lines = answer.out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == names[-3:]
    if is_all:
        assert len(lines) == 1 + 60 + 1
    else:
        assert len(lines) == 1 + 30 + 1 + 1
        assert "and 30 others, 30 of them complete (--all lists them)" in lines[31]


def test_the_table_fits_eighty_columns(run):
    from rich.console import Console

    log_of(run, seconds=10)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(module._table(standing_of(run), most_rows=30))

    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_watching_ends_when_nobody_works(command, run, monkeypatch):
    log_of(run, seconds=10)
    waits = []

    def wait(seconds):
        waits.append(seconds)
        log_of(run, seconds=1000)

    monkeypatch.setattr(module.time, "sleep", wait)
    answer = command("status", run, "--watch")

    assert (answer.status, len(waits)) == (3, 1)
    assert "stopped" in answer.out


def test_watching_is_not_for_programs(refused, run):
    assert "Give only one" in refused("status", run, "--watch", "--json")


def edit_record(run, **changes):
    RunRecord.load(run).model_copy(update=changes).save(run)


def test_what_a_person_has_to_know_is_below_the_table(command, run):
    """Nodes that rest, what was set aside or refused, and what ended the run."""
    (last,) = RunRecord.load(run).invocations
    ended = last.model_copy(
        update={"status": "incomplete", "error": "No worker\ncould be started."}
    )
    edit_record(
        run, status="incomplete", invocations=(ended,),
        failures={"half[1]": "disk"} , refused={f"s{i:02}": "a.bw: damaged." for i in range(12)},
    )  # fmt: skip

    lines = command("status", run).out.splitlines()

    at = lines.index("failed half[1]: disk")
    assert lines[at + 1 : at + 11] == [f"refused s{i:02}: a.bw: damaged." for i in range(10)]
    assert lines[at + 11 : at + 13] == [
        "and 2 others (--json lists all)", "ended by No worker could be started.",
    ]  # fmt: skip


def test_nodes_that_rest_are_named_with_what_they_rest_from(command, run):
    resting = [
        {
            "time": ago(9),
            "event": "node_rests",
            "node": node,
            "sample": sample,
            "error": "no\nspace",
        }
        for node, sample in (("x", None), ("y", "half"))
    ]
    write_log(run, resting, name=ID)

    said = command("status", run).out

    assert "node x rests: no space\n" in said
    assert "node y rests from sample half: no space\n" in said


@pytest.mark.parametrize(
    ("is_running", "said"),
    [
        (True, "the output files of 2 samples are left; a driver is working on the run.\n"),
        (
            False,
            "the output files of 2 samples are missing (the run is stopped). Finish with: "
            "cd '/some dir' && finemo-dist run a.yaml -o out\n",
        ),
    ],
)
def test_files_for_other_tools_that_are_left_are_told(command, run, is_running, said):
    for shard in (1, 3):
        write_shard(run, "half", shard, [], [region()])
    edit_record(run, outputs=OutputKind.FINEMO)
    log_of(run, seconds=10 if is_running else 1000)

    answer = command("status", run)

    assert answer.status == 3
    assert answer.err.endswith(said)


def test_on_a_terminal_the_table_is_drawn_while_it_is_watched(command, run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    log_of(run, seconds=10)
    monkeypatch.setattr(module.time, "sleep", lambda _seconds: log_of(run, seconds=1000))

    answer = command("status", run, "--watch")

    assert "half" in answer.err.split("\x1b[2K")[0]
    assert "stopped" in answer.out
