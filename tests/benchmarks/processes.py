"""Running a command to its end, with its wall time and the memory it took."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.processes import pids_below

PROJECT = Path(__file__).resolve().parents[2]

_THREAD_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
_SAMPLE_S = 0.25
_TAIL_CHARACTERS = 2000

# The kernel counts memory that a process had before it became another program, and a process that
# is forked begins with the memory of its parent: this one, with torch loaded. So a small one forks.
_LAUNCHER = """
import json, os, sys, time
started = time.perf_counter()
pid = os.fork()
if not pid:
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    except OSError as error:
        print(sys.argv[2], error, file=sys.stderr, flush=True)
        os._exit(127)
_, status, usage = os.wait4(pid, 0)
report = [time.perf_counter() - started, os.waitstatus_to_exitcode(status), usage.ru_maxrss]
with open(sys.argv[1], "w") as file:
    json.dump(report, file)
"""


class BenchmarkError(Exception):
    """A measurement could not be made; its text is meant for whoever asked for it."""


class TimeLimitError(BenchmarkError):
    """A command was stopped because it took longer than it was given."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One process that ended well."""

    wall_s: float
    peak_bytes: int
    """Of the process; of all its descendants together where those were followed."""
    output: str
    """Its standard output."""


def measure(
    words: Sequence[object],
    *,
    environment: Mapping[str, str] | None = None,
    follows_children: bool = False,
    limit_s: float | None = None,
) -> Measured:
    """Run a command and return what it took.

    Limits on threads are lifted and GPUs hidden: both programs run with their own defaults on the
    cores there are. A process alone is measured exactly, by the kernel; with ``follows_children``
    the proportional set sizes of the whole tree are summed every quarter of a second.

    Raises
    ------
    BenchmarkError
        The command fails.
    TimeLimitError
        It was stopped after ``limit_s`` seconds.
    """
    with (
        tempfile.NamedTemporaryFile("w+") as report,
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryFile("w+") as errors,
    ):
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, report.name, *map(str, words)],
            env=_environment(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        sampler = _TreeSampler(process.pid) if follows_children else None
        is_stopped = not _ends_within(process, limit_s)
        tree_bytes = sampler.stop() if sampler else 0
        if is_stopped:
            raise TimeLimitError(f"stopped after {limit_s} s: {_command(words)}")
        output.seek(0)
        errors.seek(0)
        wall_s, status, peak_kib = json.loads(report.read() or "[0, -1, 0]")
        if status:
            raise BenchmarkError(_failure(words, status, errors.read()))
        return Measured(wall_s, max(tree_bytes, peak_kib << 10), output.read())


def _ends_within(process: subprocess.Popen[str], limit_s: float | None) -> bool:
    """Wait for a process, stop it and all it started where it takes too long; whether it ended."""
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        # It leads a session of its own.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False
    return True


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _THREAD_LIMITS}
    return {**kept, "CUDA_VISIBLE_DEVICES": "", **extra}


def _failure(words: Sequence[object], status: int, errors: str) -> str:
    return f"exit status {status}: {_command(words)}\n{errors[-_TAIL_CHARACTERS:]}"


def _command(words: Sequence[object]) -> str:
    return " ".join(str(word) for word in words)


class _TreeSampler:
    """Keeps the largest sum of memory over the descendants of a process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak_bytes = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the largest sum seen, bytes."""
        self._is_over.set()
        self._thread.join()
        return self._peak_bytes

    def _watch(self) -> None:
        while not self._is_over.wait(_SAMPLE_S):
            total = sum(_proportional_bytes(pid) for pid in pids_below(self._pid))
            self._peak_bytes = max(self._peak_bytes, total)


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
