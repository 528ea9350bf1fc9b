"""The log of a run: lines of JSON, whatever happens to them."""

import errno
import json
import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.events import (
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
from finemo_dist.core.ticker import every
from finemo_dist.record.run_log import EventEntries, log_files, log_path, new_invocation_id
from finemo_dist.run.driver_log import RunLog

UNITS = st.builds(Unit, st.text(), st.integers(0, 10**6))
NUMBERS = st.integers(0, 10**9)
EVENTS = st.one_of(
    st.builds(WorkerStarted, st.text(), st.text()),
    st.builds(WorkerLost, st.text(), st.text()),
    st.builds(WorkersReady, NUMBERS, st.text()),
    st.builds(NodeRests, st.text(), st.floats(0, 1e6), st.text(), st.none() | st.text()),
    st.builds(NodeWorks, st.text(), st.none() | st.text()),
    st.builds(UnitStarted, UNITS, st.text()),
    st.builds(UnitFailed, UNITS, st.text(), st.text(), st.booleans()),
    st.builds(
        UnitDone,
        UNITS,
        st.text(),
        NUMBERS,
        NUMBERS,
        NUMBERS,
        st.floats(),
        st.dictionaries(st.sampled_from(["read", "solve", "write"]), st.floats(0, 1e6)),
    ),
)


def entries(run, invocation="20260101T000000.000Z-00000000"):
    lines = log_path(run, invocation).read_bytes().split(b"\n")
    assert lines.pop() == b""
    return [json.loads(line, parse_constant=pytest.fail) for line in lines]


def opened(run):
    return RunLog(run, "20260101T000000.000Z-00000000")


@given(st.lists(EVENTS, max_size=8))
def test_every_event_is_one_line_of_json_whatever_its_names(tmp_path_factory, events):
    run = tmp_path_factory.mktemp("run")
    with opened(run) as log:
        for event in events:
            log.add_event(event)

    found = entries(run)
    assert len(found) == len(events)
    for entry, event in zip(found, events, strict=True):
        assert entry.keys() >= {"time", "level", "event"}
        if isinstance(event, UnitDone | UnitFailed | UnitStarted):
            assert Unit(entry["sample"], entry["shard"]) == event.unit
            assert entry["worker"] == event.worker


def test_a_shard_is_told_with_its_node_and_since_when_it_was_worked_on():
    lines = EventEntries()
    lines.entry(WorkerStarted("w", "node-1"), "t0")
    lines.entry(UnitStarted(Unit("a", 3), "w"), "t1")
    lines.entry(UnitStarted(Unit("a", 3), "v"), "t2")
    done = UnitDone(Unit("a", 3), "w", 5, 7, 1, 1e-9, {"read": 0.5})

    assert lines.entry(done, "t3") == {
        "time": "t3", "level": "info", "event": "shard_done", "worker": "w", "node": "node-1",
        "sample": "a", "shard": 3, "n_regions": 5, "n_hits": 7, "n_not_converged": 1,
        "max_gap": 1e-9, "seconds": {"read": 0.5}, "started": "t1",
    }  # fmt: skip
    failed = lines.entry(UnitFailed(Unit("a", 3), "v", "disk", is_final=True), "t4")
    assert (failed["started"], failed["level"], failed["error"]) == ("t2", "warning", "disk")
    assert (failed["node"], failed["is_final"]) == (None, True)


@pytest.mark.parametrize(
    ("event", "entry"),
    [
        (
            NodeRests("n", 5.0, "disk full", sample="a"),
            {"level": "warning", "event": "node_rests", "node": "n", "sample": "a", "rest_s": 5.0,
             "error": "disk full"},
        ),
        (
            NodeWorks("n"),
            {"level": "info", "event": "node_works", "node": "n", "sample": None},
        ),
    ],
)  # fmt: skip
def test_the_rest_of_a_node_is_told(event, entry):
    assert EventEntries().entry(event, "t0") == {"time": "t0", **entry}


def test_an_entry_can_be_read_as_soon_as_it_is_written(tmp_path):
    with opened(tmp_path) as log:
        log.add("heartbeat", {"n_done": 3})

        assert [e["n_done"] for e in entries(tmp_path)] == [3]


def test_lines_of_several_threads_do_not_mix(tmp_path):
    with opened(tmp_path) as log:
        threads = [
            threading.Thread(target=lambda i=i: [log.add("x", {"i": i}) for _ in range(200)])
            for i in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(entries(tmp_path)) == 800


def test_warnings_of_the_package_are_logged_too(tmp_path):
    with opened(tmp_path) as log, log.with_messages():
        logging.getLogger("finemo_dist.run.x").warning("part %d\nis damaged", 3)
        logging.getLogger("finemo_dist.run.x").info("all is well")
    logging.getLogger("finemo_dist.run.x").warning("later")

    (entry,) = entries(tmp_path)
    assert (entry["event"], entry["level"]) == ("message", "warning")
    assert (entry["logger"], entry["message"]) == ("finemo_dist.run.x", "part 3\nis damaged")


class FullDisk:
    """A file on a disk that is full after some lines."""

    def __init__(self, n_lines):
        self.n_left = n_lines

    def write(self, _line):
        if not self.n_left:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.n_left -= 1

    def close(self):
        pass


def test_a_full_disk_is_told_once_and_stops_nothing(tmp_path, caplog):
    with opened(tmp_path) as log, log.with_messages():
        log._file.close()
        log._file = FullDisk(2)
        for _ in range(5):
            log.add("heartbeat", {})

    assert [r.getMessage() for r in caplog.records] == [
        f"{log_path(tmp_path, '20260101T000000.000Z-00000000')}: the log cannot be written "
        "(No space left on device); the run continues without it"
    ]


def test_a_log_that_cannot_be_made_stops_nothing(tmp_path, caplog):
    (tmp_path / "log").write_text("a file where the folder should be")
    with opened(tmp_path) as log:
        log.add("heartbeat", {})

    assert "the run continues without it" in caplog.text
    assert log_files(tmp_path) == []


def test_files_of_others_are_no_logs(tmp_path):
    with opened(tmp_path):
        pass
    for name in ("slurm-3.out", "run-x.jsonl", ".run-20260101T000000.000Z-00000000.jsonl"):
        (tmp_path / "log" / name).touch()

    (log,) = log_files(tmp_path)
    assert log.name == "run-20260101T000000.000Z-00000000.jsonl"


def test_invocations_have_names_of_their_own_that_are_names_of_logs(tmp_path):
    names = {new_invocation_id() for _ in range(100)}
    for name in names:
        with RunLog(tmp_path, name):
            pass

    assert len(names) == len(log_files(tmp_path)) == 100


def test_what_is_done_again_and_again_ends_with_its_context():
    calls = threading.Semaphore(0)
    with every(0.001, calls.release):
        for _ in range(3):
            assert calls.acquire(timeout=60)

    assert not [t for t in threading.enumerate() if t.name == "finemo_dist-ticker"]
