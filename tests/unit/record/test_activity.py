"""Whether somebody works on a run, from its record and its log."""

import dataclasses
import os
import platform
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.events import NodeRests, NodeWorks
from finemo_dist.core.processes import Process
from finemo_dist.core.records import Unit
from finemo_dist.record import lease, liveness
from finemo_dist.record.activity import Activity, Resting, read_activity
from finemo_dist.record.lease import LEASE_NAME, SILENCE_S, Holder, Timing, driving
from finemo_dist.record.run_log import EventEntries, event_of_unit
from finemo_dist.record.run_record import Invocation
from finemo_dist.storage.claims import claim
from tests.unit.catalog.builder import write_log, write_record

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
ID = "20260102T110000.000Z-00000000"


def ago(seconds):
    return (NOW - timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def started(shard, worker="w0", seconds=5, sample="a"):
    return {
        "time": ago(seconds), "event": "shard_started", "sample": sample, "shard": shard,
        "worker": worker, "node": "n",
    }  # fmt: skip


def invocation(**given):
    return Invocation(
        **{"id": ID, "directory": "/", "version": "0", "host": "elsewhere", "pid": 1,
           "started": ago(3600)} | given
    )  # fmt: skip


def running(run, **given):
    record = write_record(run, {"a": 9}).begun(invocation(**given))
    record.save(run)
    return record


def look(run, record):
    return read_activity(run, record)


def set_age(path, seconds):
    """Have a file be of that age by the clock of its file system."""
    time = path.stat().st_mtime - seconds
    os.utime(path, (time, time))


def held_elsewhere(run):
    """The lease of a driver on another machine."""
    holder = Holder(Process("other-host", "0" * 12, 4711, 99), ago(5), 0)
    return claim(run / LEASE_NAME, holder.text(), over=None), holder


def test_a_run_that_was_heard_of_is_alive_and_has_shards_in_flight(tmp_path):
    record = running(tmp_path)
    write_log(
        tmp_path,
        [
            started(0), started(1, "w1"), started(2, "w2"), started(3, "w3"), started(4, "w4"),
            {**started(0), "event": "shard_done"},
            {**started(1, "w1"), "event": "shard_failed", "is_final": False, "error": "x"},
            {**started(2, "w2"), "event": "shard_failed", "is_final": True, "error": "poison"},
            {"time": ago(4), "event": "worker_lost", "worker": "w3"},
            # Another did it first, and nothing was told of this worker.
            started(5, "w5"), started(6, "w5"),
            {"time": ago(3), "event": "heartbeat"},
        ],
        name=ID,
    )  # fmt: skip

    found = look(tmp_path, record)
    assert (found.is_alive, found.last_sign) == (True, ago(3))
    one, other = found.in_flight
    assert other.unit == Unit("a", 6)
    assert (one.unit, one.worker, one.node, one.since) == (Unit("a", 4), "w4", "n", ago(5))
    assert found.failures == {"a[2]": "poison"}


def test_nodes_rest_until_they_work_again(tmp_path):
    """Told by the very lines that a driver writes."""
    record, lines = running(tmp_path), EventEntries()
    told = [
        NodeRests("x", 5.0, "disk full"), NodeRests("y", 5.0, "not mounted", sample="a"),
        NodeRests("y", 5.0, "no space"), NodeRests("z", 5.0, "gone"), NodeWorks("z"),
        # All but this one sample is done again there.
        NodeWorks("y"), NodeWorks("never heard of"),
    ]  # fmt: skip
    log = [lines.entry(event, ago(60 - i)) for i, event in enumerate(told)]
    write_log(tmp_path, [*log, {"event": "node_rests", "node": 3, "error": "odd"}], name=ID)

    assert look(tmp_path, record).resting == (
        Resting("x", None, "disk full", ago(60)), Resting("y", "a", "not mounted", ago(59)),
    )  # fmt: skip
    set_age(tmp_path / "log" / f"run-{ID}.jsonl", 2 * SILENCE_S)
    assert look(tmp_path, record).resting == (), "nobody drives it"


@pytest.mark.parametrize(
    "entry",
    [
        {"event": "odd_done", "worker": "w", "sample": "a", "shard": 0},
        {"event": "shard_started", "worker": "w", "sample": "a", "shard": "zero"},
        {"event": "shard_started", "worker": "w", "shard": 0},
        {"event": "heartbeat"},
    ],
)
def test_a_line_of_no_unit_starts_none(tmp_path, entry):
    """Of a later release, or damaged."""
    record = running(tmp_path)
    write_log(tmp_path, [{"time": ago(1), **entry}], name=ID)

    assert event_of_unit(entry) is None
    assert look(tmp_path, record).in_flight == ()


@pytest.mark.parametrize("silence", [SILENCE_S - 20, SILENCE_S + 20])
@pytest.mark.parametrize("has_lease", [True, False])
@pytest.mark.parametrize("told", [-7200, 7200])
def test_a_run_that_says_nothing_for_long_is_dead_whatever_its_clock_says(
    tmp_path, silence, has_lease, told
):
    """Runs of earlier releases have no lease, and a log that is added to."""
    record = running(tmp_path)
    path = write_log(tmp_path, [started(0, seconds=told)], name=ID)
    if has_lease:
        held_elsewhere(tmp_path)
        path = tmp_path / LEASE_NAME
    set_age(path, silence)

    found = look(tmp_path, record)
    assert found.is_alive == (silence < SILENCE_S)
    assert len(found.in_flight) == found.is_alive
    assert found.last_sign == ago(told)


def test_a_run_whose_driver_is_on_this_machine_is_known_at_once(tmp_path):
    record = running(tmp_path)
    with driving(tmp_path):
        set_age(tmp_path / LEASE_NAME, 10 * SILENCE_S)
        assert look(tmp_path, record).is_alive
    gone = Process.this()
    dead = Holder(Process(gone.host, gone.machine, gone.pid, gone.start + 1), ago(5), 0)
    claim(tmp_path / LEASE_NAME, dead.text(), over=None)
    write_log(tmp_path, [started(0)], name=ID)
    assert not look(tmp_path, record).is_alive


@pytest.mark.parametrize("lives", [True, False])
def test_where_nothing_can_be_made_the_lease_is_watched(tmp_path, monkeypatch, lives):
    monkeypatch.setattr(liveness, "file_system_time", lambda _: None)
    monkeypatch.setattr(lease, "timing", Timing(beat_s=0.1, look_s=0.01))
    record = running(tmp_path)
    own, holder = held_elsewhere(tmp_path)
    set_age(tmp_path / LEASE_NAME, -SILENCE_S if not lives else 10 * SILENCE_S)
    if lives:
        beat = dataclasses.replace(holder, beat=1).text()
        threading.Timer(0.05, own.renew, args=(beat,)).start()

    assert look(tmp_path, record).is_alive == lives


def test_a_look_leaves_nothing(tmp_path):
    record = running(tmp_path)
    held_elsewhere(tmp_path)
    look(tmp_path, record)

    assert {path.name for path in tmp_path.iterdir()} == {LEASE_NAME, "run.json"}


def test_a_process_of_this_machine_that_is_gone_is_dead_at_once(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_log(tmp_path, [started(0)], name=ID)
    here = platform.node()

    assert not look(tmp_path, running(tmp_path, host=here, pid=gone.pid)).is_alive
    assert look(tmp_path, running(tmp_path, host=here, pid=os.getpid())).is_alive
    assert look(tmp_path, running(tmp_path, host="elsewhere", pid=gone.pid)).is_alive


def test_only_the_log_of_the_last_invocation_is_read(tmp_path):
    write_log(tmp_path, [started(0)], name="20260102T100000.000Z-00000001")
    record = running(tmp_path)

    found = look(tmp_path, record)
    assert (found.is_alive, found.last_sign, found.in_flight) == (False, ago(3600), ())


def test_a_run_that_ended_is_not_alive_whatever_its_log_says(tmp_path):
    write_log(tmp_path, [started(0)], name=ID)
    record = running(tmp_path).model_copy(
        update={"status": "incomplete", "finished": ago(1), "failures": {"a[1]": "disk"}}
    )

    found = look(tmp_path, record)
    assert (found.is_alive, found.last_sign, found.failures) == (False, ago(1), {"a[1]": "disk"})


def test_a_record_of_before_there_were_invocations(tmp_path):
    record = write_record(tmp_path, {"a": 1}).model_copy(update={"status": "running"})

    assert look(tmp_path, record).is_alive
    set_age(tmp_path / "run.json", SILENCE_S + 20)
    assert not look(tmp_path, record).is_alive


def test_a_run_that_is_planned_and_not_begun_lives_as_its_lease_does(tmp_path):
    record = write_record(tmp_path, {"a": 1}).model_copy(update={"status": "running"})
    set_age(tmp_path / "run.json", SILENCE_S + 20)
    held_elsewhere(tmp_path)

    assert look(tmp_path, record) == Activity(is_alive=True, last_sign=record.created)
    set_age(tmp_path / LEASE_NAME, SILENCE_S + 20)
    set_age(tmp_path / "run.json", -SILENCE_S)
    assert not look(tmp_path, record).is_alive


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20).filter(lambda b: b"\n" not in b),
            st.sampled_from([b"3", b"[]", b"null", b'{"event": 3}', b'{"time": [], "event": "x"}',
                             b'{"event": "shard_started", "sample": 1, "shard": 0, "worker": "w"}',
                             b'{"time": "2026-01-02T11:59:59", "event": "heartbeat"}']),
        )
    )
)  # fmt: skip
def test_no_damage_to_a_log_is_an_error(tmp_path_factory, lines):
    run = tmp_path_factory.mktemp("run")
    record = running(run)
    write_log(run, [started(7)], name=ID, tail=b"\n".join(lines))

    found = look(run, record)
    assert found.is_alive
    assert [f.unit for f in found.in_flight] == [Unit("a", 7)]
