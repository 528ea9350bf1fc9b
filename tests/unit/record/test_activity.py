"""Whether somebody works on a run, from its record and its log."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.records import Unit
from finemo_dist.record.activity import SILENCE_S, read_activity
from finemo_dist.record.run_record import Invocation
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
    return read_activity(run, record, now=NOW)


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


@pytest.mark.parametrize("silence", [SILENCE_S - 1, SILENCE_S + 1])
def test_a_run_that_says_nothing_for_long_is_dead(tmp_path, silence):
    record = running(tmp_path)
    write_log(tmp_path, [started(0, seconds=silence)], name=ID)

    found = look(tmp_path, record)
    assert found.is_alive == (silence < SILENCE_S)
    assert len(found.in_flight) == found.is_alive
    assert found.last_sign == ago(silence)


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
    record = write_record(tmp_path, {"a": 1})

    old = record.model_copy(update={"status": "running", "created": "2026-01-01T00:00:00"})
    new = old.model_copy(update={"created": ago(1)})
    assert not look(tmp_path, old).is_alive
    assert look(tmp_path, new).is_alive


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
