"""Processes by machine, number and start."""

import dataclasses
import os
import signal
import subprocess
import sys

import pytest

from finemo_dist.core import processes
from finemo_dist.core.processes import Process
from tests.command import wait_until

ASK = "from finemo_dist.core.processes import Process; p = Process.this(); print(p.pid, p.start)"


def test_this_process_is_alive():
    this = Process.this()

    assert (this.pid, this.is_alive()) == (os.getpid(), True)
    assert this == Process.this()


def test_a_process_is_told_from_a_later_one_of_its_number():
    this = Process.this()

    assert dataclasses.replace(this, start=this.start + 1).is_alive() is False


def test_a_process_that_nobody_has_waited_for_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    _, start = processes._state_of(child.pid)
    process = dataclasses.replace(Process.this(), pid=child.pid, start=start)
    assert process.is_alive()

    child.send_signal(signal.SIGSTOP)
    wait_until(lambda: processes._state_of(child.pid)[0] == "T")
    assert process.is_alive(), "a stopped process may go on"
    child.kill()

    wait_until(lambda: processes._state_of(child.pid)[0] == "Z")
    assert process.is_alive() is False
    child.wait()
    assert process.is_alive() is False


def test_a_process_of_another_machine_is_known_to_that_machine_alone():
    elsewhere = dataclasses.replace(Process.this(), machine="0" * 12)

    assert elsewhere.is_alive() is None


def test_another_process_calls_itself_by_what_is_seen_of_it():
    child = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    pid, start = map(int, child.stdout.split())

    assert pid != os.getpid()
    assert start >= Process.this().start
    assert dataclasses.replace(Process.this(), pid=pid, start=start).is_alive() is False


def test_a_copy_of_a_process_is_another_process():
    this = Process.this()
    ask, answer = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(answer, str(Process.this().start).encode())
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    _, start = processes._state_of(pid)
    os.waitpid(pid, 0)
    assert int(os.read(ask, 99)) == start > this.start
    os.close(ask)
    os.close(answer)


@pytest.mark.parametrize("pid", [0x3FFFFF, 10**30])
def test_where_the_kernel_shows_no_processes_a_signal_tells(monkeypatch, tmp_path, pid):
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    processes._own_start.cache_clear()
    this = Process.this()
    processes._own_start.cache_clear()

    assert (this.start, this.is_alive()) == (0, True)
    assert dataclasses.replace(this, pid=pid).is_alive() is False
