"""Workers that begin as copies of one process: what becomes of them, and of it."""

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from finemo_dist.core.errors import RunError
from finemo_dist.core.events import UnitDone, UnitFailed, WorkerLost, WorkersReady
from finemo_dist.core.processes import Process
from finemo_dist.core.records import Unit
from finemo_dist.run import process_parent as module
from finemo_dist.run.process_parent import Parent
from finemo_dist.run.process_pool import ProcessExecutor
from tests.command import wait_until
from tests.processes import pids_below
from tests.unit.run.workers import VICTIM, Disturbed, Unmakeable, Unstartable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are copies on Linux alone")

UNITS = [Unit("a", shard) for shard in range(3)]


@dataclass(frozen=True)
class Telling:
    """Makes workers whose notes tell what they are."""

    device = "cpu"
    may_run_twice = True

    def make_worker(self, name):
        return self

    def process(self, unit, coming=()):
        note = f"{os.getppid()} {os.environ['OMP_NUM_THREADS']} {'colorsys' in sys.modules}"
        return UnitDone(unit, "", 1, 0, 0, 0.0, {}, note)


def pid_of(parent: Parent) -> int:
    return parent._process.pid


def run(maker, parent, *, n_workers=1, units=UNITS):
    executor = ProcessExecutor(maker, n_workers=n_workers, unit_timeout_s=60.0, parent=parent)
    return list(executor.run(units))


def notes(events):
    return {e.note for e in events if isinstance(e, UnitDone)}


def test_workers_are_children_of_the_parent_with_what_it_has_loaded():
    parent = Parent(["colorsys"])
    assert notes(run(Telling(), parent, n_workers=2)) == {f"{pid_of(parent)} 1 True"}
    assert notes(run(Telling(), None)) == {f"{os.getpid()} 1 False"}


def test_one_parent_serves_several_runs():
    parent = Parent([])
    assert notes(run(Telling(), parent)) == notes(run(Telling(), parent))


def test_a_module_that_cannot_be_loaded_is_left_to_the_workers():
    assert len(notes(run(Telling(), Parent(["no_such_module", "colorsys"])))) == 1


def test_a_parent_with_another_thread_starts_workers_anew(tmp_path, monkeypatch):
    (tmp_path / "has_a_thread.py").write_text(
        "import threading, colorsys; threading.Thread(target=threading.Event().wait).start()"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    parent = Parent(["has_a_thread"])
    # Nothing of what was loaded is there, because a copy would have lacked the thread.
    assert notes(run(Telling(), parent)) == {f"{pid_of(parent)} 1 False"}


def test_a_copy_that_dies_is_told_of_and_replaced(tmp_path):
    marker = tmp_path / "died"
    maker = Disturbed(Telling(), "die before", marker)
    events = run(maker, Parent([]))

    assert [e.unit for e in events if isinstance(e, UnitFailed)] == [VICTIM]
    (lost,) = (e for e in events if isinstance(e, WorkerLost))
    assert lost.reason == "died (exit status 1)"
    assert {e.unit for e in events if isinstance(e, UnitDone)} == set(UNITS)


@pytest.mark.parametrize(
    ("maker", "why"),
    [
        (Unmakeable(), "could not start: motif_cwms.npy: no array and more. Use"),
        (Unstartable(), r"died \(exit status 7\)\. Use"),
    ],
)
def test_copies_that_cannot_be_made_workers_end_the_run_with_the_reason(maker, why, monkeypatch):
    monkeypatch.setattr("finemo_dist.run.pool._LEAST_TRYING_S", 0.0)
    monkeypatch.setattr("finemo_dist.run.schedule._FIRST_PAUSE_S", 0.01)
    with pytest.raises(RunError, match=f"No worker could be started; the last one {why}"):
        run(maker, Parent([]))


def test_workers_are_killed_when_a_run_is_left(tmp_path):
    parent = Parent([])
    executor = ProcessExecutor(
        Disturbed(Telling(), "hang", tmp_path / "hung"),
        n_workers=2, unit_timeout_s=60.0, parent=parent,
    )  # fmt: skip
    events = executor.run(UNITS)
    for event in events:
        if isinstance(event, WorkersReady):
            break
    wait_until(lambda: pids_below(pid_of(parent)))
    events.close()
    assert not pids_below(pid_of(parent))


def test_where_the_parent_has_died_workers_begin_without_it():
    parent = Parent([])
    os.kill(pid_of(parent), signal.SIGKILL)
    parent._process.wait()
    assert notes(run(Telling(), parent)) == {f"{os.getpid()} 1 False"}


def test_a_parent_that_dies_while_it_loads_costs_a_worker_and_no_unit(tmp_path, monkeypatch):
    (tmp_path / "deadly.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert notes(run(Telling(), Parent(["deadly"]))) == {f"{os.getpid()} 1 False"}


def test_nothing_waits_for_a_parent_that_loads(tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text("import time; time.sleep(60)")
    monkeypatch.syspath_prepend(str(tmp_path))
    begun = time.monotonic()
    executor = ProcessExecutor(Telling(), n_workers=2, unit_timeout_s=60.0, parent=Parent(["slow"]))
    crew = executor.pool(None)._crew
    for name in ("one", "two"):
        crew.start(name, None)
    assert list(crew.answers(0.01)) == []
    for name in ("one", "two"):
        crew.end(name)
    del executor, crew
    gc.collect()
    assert time.monotonic() - begun < 30


def test_a_parent_ends_with_its_object():
    parent = Parent([])
    here = Process.this()
    pid = pid_of(parent)
    assert Process(here.host, here.machine, pid, 0).is_alive()
    del parent
    gc.collect()
    assert not Process(here.host, here.machine, pid, 0).is_alive()


class EndedError(Exception):
    """In the place of the end of this process."""


@pytest.fixture
def asked(monkeypatch):
    """Return what has a parent in this process answer: what it is asked, and with which files."""

    def leave(status):
        raise EndedError(status)

    monkeypatch.setattr(module.os, "_exit", leave)
    monkeypatch.setattr(module.gc, "freeze", lambda: None)
    monkeypatch.setattr(module, "_ended", lambda pid: -pid)

    def ask(*messages, modules=()):
        driver, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with driver, theirs, contextlib.ExitStack() as files:
            given = []
            for message in messages:
                pipes = [os.pipe() for _ in range(2)] if message == b"copy" else []
                own = [write for _, write in pipes]
                socket.send_fds(driver, [message], own)
                for descriptor in own:
                    os.close(descriptor)
                given += [files.enter_context(os.fdopen(read, "rb")) for read, _ in pipes]
            driver.shutdown(socket.SHUT_WR)
            with pytest.raises(EndedError, match=r"^0$"):
                module.be_parent(theirs, modules)
            answers = [int(driver.recv(64)) for _ in messages]
            # Nobody else holds what a worker was given: it ends with the driver.
            assert [file.read() for file in given] == [b""] * len(given)
        return answers

    return ask


def refuse(*_args):
    raise BlockingIOError(11, "Resource temporarily unavailable")


def test_a_parent_loads_what_it_can_and_answers_until_its_driver_is_gone(asked, monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    monkeypatch.setattr(module, "_is_alone", lambda: True)
    pids = iter([4711, 4712])
    monkeypatch.setattr(module.os, "fork", lambda: next(pids))

    found = asked(b"copy", b"4711", b"copy", modules=["no_such_module", "colorsys"])

    assert found == [4711, -4711, 4712]
    assert "colorsys" in sys.modules


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_system_that_starts_no_process_is_told_of(asked, monkeypatch, is_alone):
    """The number of processes of a user is limited."""
    monkeypatch.setattr(module, "_is_alone", lambda: is_alone)
    monkeypatch.setattr(module.os if is_alone else module, "fork" if is_alone else
                        "started_process", refuse)  # fmt: skip

    assert asked(b"copy", b"copy") == [0, 0]


def test_a_parent_that_is_not_alone_starts_a_process(asked, monkeypatch):
    monkeypatch.setattr(module, "_is_alone", lambda: False)
    monkeypatch.setattr(module.os, "fork", lambda: pytest.fail("a copy lacks the other threads"))
    begun = SimpleNamespace(pid=4713)
    monkeypatch.setattr(module, "started_process", lambda program, *_: begun)

    assert asked(b"copy") == [4713]


def test_a_copy_becomes_a_worker_on_its_own_connection(monkeypatch):
    """The other side of the fork."""
    became = []
    monkeypatch.setattr(module, "_is_alone", lambda: True)
    monkeypatch.setattr(module.os, "fork", lambda: 0)

    def be_copy(*given):
        became.append(given)
        raise EndedError

    monkeypatch.setattr(module, "_be_copy", be_copy)
    (descriptor, _), (said, _) = pipes = [os.pipe(), os.pipe()]
    try:
        with pytest.raises(EndedError):
            module._begun("the driver", descriptor, said)
    finally:
        for _, write in pipes:
            os.close(write)

    assert became == [("the driver", descriptor, said)]


@pytest.mark.parametrize("answer", [b"-9", None])
def test_of_a_copy_whose_parent_dies_the_end_of_the_parent_is_told(monkeypatch, answer):
    """It could not say how the copy ended."""
    theirs = []

    def started(_program, descriptor, _said):
        theirs.append(socket.socket(fileno=os.dup(descriptor)))
        return SimpleNamespace(poll=lambda: -15, kill=lambda: None, wait=lambda: None)

    monkeypatch.setattr(module, "started_process", started)
    parent = Parent([])
    with theirs[0], Path(os.devnull).open("wb") as said:
        assert json.loads(theirs[0].recv(1 << 20))[1] == []
        copy = parent.start(said.fileno(), said)
        message, given, _, _ = socket.recv_fds(theirs[0], 64, 2)
        for descriptor in given:
            os.close(descriptor)
        assert message == b"copy"
        theirs[0].send(b"4711")
        parent.learn_of(copy, waits=True)
        if answer is None:
            theirs[0].shutdown(socket.SHUT_WR)
        else:
            theirs[0].send(answer)

        assert copy.wait() == (-15 if answer is None else -9)
        assert theirs[0].recv(64) == b"4711"
