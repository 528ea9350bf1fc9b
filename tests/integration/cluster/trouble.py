"""A command that is run again until it ends well, and what happens to it meanwhile."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from finemo_dist.record.lease import read_holder
from tests.command import files_of, wait_until
from tests.integration.cluster.conftest import Nodes, kill
from tests.integration.faults.test_damage import start
from tests.processes import ACTOR, is_alive, pids_below

STAGES = {
    "extraction": "run.regions/**/sequence/c.*",
    "calling": "run/peaks_qc/*/part-*.parquet",
    "outputs": "run/outputs/*/written.json",
    "compaction": "run/compact/*/*.parquet",
}
"""The files that a stage commits one after the other."""

ACTS = (
    "kill the driver", "pause the driver", "start a second driver", "kill it and start two",
    "cut the record", "fill the disk",
)  # fmt: skip
WITH_WORKERS = ("kill a worker", "kill all workers", "pause a worker")
ON_RAY = ("lose a node",)

DISK_BYTES = 48 << 20
MOST_STARTS = 20


@dataclass(frozen=True)
class Act:
    """What happens when a stage has committed so many files, and how long after that."""

    what: str
    stage: str
    n_files: int
    delay_s: float

    def __str__(self) -> str:
        return f"{self.what} after {self.n_files} of {self.stage}"


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Have a disk in memory at a folder; gives False where none may be mounted."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    try:
        is_there = not subprocess.run(words, check=False, capture_output=True).returncode
    except FileNotFoundError:
        is_there = False
    try:
        yield is_there
    finally:
        if is_there:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Undertaking:
    """A command that writes ``run`` below a folder, with its temporary files in ``tmp``."""

    def __init__(self, words: list[object], root: Path, rng: random.Random, nodes: Nodes | None):
        self.run, self.root = root / "run", root
        self._words = words
        self._rng = rng
        self._nodes = nodes
        self._started: list[subprocess.Popen[str]] = []
        self._cramped: set[int] = set()
        """Drivers that met a full disk."""
        self._begun = time.monotonic()
        self.seen: set[int] = set()
        """Every process of it that was ever seen."""
        self.process = self.start()

    def say(self, what: str) -> None:
        print(f"{time.monotonic() - self._begun:6.2f} s: {what}")  # noqa: T201

    def start(self) -> subprocess.Popen[str]:
        assert len(self._started) < MOST_STARTS, "it never ends well"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TMPDIR", str(self.root / "tmp"))
            process = start(self._words)
        self._started.append(process)
        self.seen.add(process.pid)
        return process

    def kill_all(self) -> None:
        """End what a test that failed has left."""
        for process in self._started:
            process.kill()
            process.communicate()

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def is_at_work(self) -> bool:
        """Whether the driver has begun: it has the lease."""
        holder = read_holder(self.run)
        return holder is not None and holder.process.pid == self.process.pid

    def workers(self) -> list[int]:
        if self._nodes is None:
            found = pids_below(self.process.pid)
        else:
            found = pids_below(os.getpid(), ACTOR)
        self.seen |= set(found)
        return found

    def await_files(self, act: Act) -> bool:
        """Wait until a stage has come so far; returns whether the driver is at work then."""
        while True:
            wait_until(lambda: self.is_over() or (self.is_at_work() and self._has_files(act)))
            if not self.is_over():
                time.sleep(act.delay_s)
                self.workers()
                return not self.is_over()
            if self.ends() == 0:
                return False
            self.process = self.start()

    def _has_files(self, act: Act) -> bool:
        return len(files_of(self.root, STAGES[act.stage])) >= act.n_files

    def ends(self, process: subprocess.Popen[str] | None = None) -> int:
        """Wait for a driver that nobody killed; returns its status."""
        process = process or self.process
        _, said = process.communicate(timeout=240)
        status = process.returncode
        self.say(f"{process.pid} ended with {status}: {said}")
        assert "Traceback" not in said
        assert "Unhandled error" not in said
        assert status in {0, 2, 3}
        assert sum(line.startswith("Error: ") for line in said.splitlines()) == (status != 0)
        if status == 2 and process is self.process:
            # It looked for space before it began.
            assert process.pid in self._cramped
            assert " bytes are free. Free some space, " in said
        elif status == 2:
            assert "another driver (process " in said
            assert len(said.splitlines()) == 1
        return status

    def finishes(self) -> None:
        """Let it run, again and again, until it ends well."""
        while self.ends() != 0:
            self.process = self.start()

    def suffers(self, act: Act) -> None:
        is_at_work = self.await_files(act)
        self.say(f"{act}{'' if is_at_work else ': too late'}")
        match act.what:
            case "cut the record":
                self._kill_driver()
                self._cut_record()
                self.process = self.start()
            case _ if not is_at_work:
                return
            case "kill the driver":
                self._kill_driver()
                self.process = self.start()
            case "kill it and start two":
                self._kill_driver()
                self._start_two()
            case "start a second driver":
                self._start_second()
            case "pause the driver":
                self._pause(self.process.pid)
            case "pause a worker":
                self._pause(*self._some_worker())
            case "kill a worker":
                kill(self._some_worker())
            case "kill all workers":
                kill(self.workers())
            case "fill the disk":
                self._fill_disk()
            case "lose a node" if self._nodes is not None and self._nodes.others:
                self._nodes.remove(self._rng.choice(self._nodes.others))

    def _some_worker(self) -> list[int]:
        found = self.workers()
        return self._rng.sample(found, min(1, len(found)))

    def _kill_driver(self) -> None:
        """End the driver without a word; its workers must end by themselves."""
        workers = self.workers()
        self.process.kill()
        self.process.communicate(timeout=240)
        wait_until(lambda: not any(map(is_alive, workers)), what="the end of workers")

    def _cut_record(self) -> None:
        """Leave a part of the record, or nothing of it, as a power cut may."""
        record = self.run / "run.json"
        if record.exists():
            size = record.stat().st_size
            kept = self._rng.choice((0, self._rng.randint(0, size)))
            self.say(f"{kept} of {size} bytes are left")
            os.truncate(record, kept)

    def _start_two(self) -> None:
        """Whichever is first goes on; the other is refused, unless the first is done by then."""
        two = [self.start(), self.start()]
        wait_until(lambda: any(p.poll() is not None for p in two))
        over = next(p for p in two if p.poll() is not None)
        (self.process,) = (p for p in two if p is not over)
        self.ends(over)

    def _start_second(self) -> None:
        is_paused = self._rng.random() < 0.5
        if is_paused:
            self.process.send_signal(signal.SIGSTOP)
        try:
            status = self.ends(self.start())
        finally:
            self.process.send_signal(signal.SIGCONT)
        assert status == 2 or (self.is_over() and not is_paused)

    def _pause(self, *pids: int) -> None:
        seconds = self._rng.uniform(0.05, 0.5)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _fill_disk(self) -> None:
        """Leave no byte, until the driver ends or for some seconds."""
        self._cramped.add(self.process.pid)
        ballast = self.root / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        until = time.monotonic() + self._rng.uniform(0.2, 4)
        wait_until(lambda: self.is_over() or time.monotonic() > until)
        ballast.unlink()
