"""Running commands as a user does, in this process or in one of their own."""

import csv
import glob
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from finemo_dist.cli.main import cli, main

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


@contextmanager
def kept_signal_handlers() -> Iterator[None]:
    """Put back what signals do: a command takes them for itself."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def answer_of(capsys: pytest.CaptureFixture[str], *words: object) -> Answer:
    """Run a command as ``finemo-dist`` does, but in this process."""
    capsys.readouterr()
    with kept_signal_handlers(), pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return Answer(caught.value.code, said.out, said.err)


def finemo_dist(*words: object) -> None:
    """Run a command in this process; its errors are raised."""
    cli.main([str(word) for word in words], prog_name="finemo-dist", standalone_mode=False)


def run_process(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    code = "from finemo_dist.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def files_of(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a pattern in a folder that others write to."""
    # Path.glob fails where a folder goes while it looks.
    found = glob.glob(pattern, root_dir=folder, recursive=True, include_hidden=True)  # noqa: PTH207
    return [folder / name for name in found]


def wait_until(
    is_so: Callable[[], object],
    timeout_s: float = 240.0,
    what: str = "it",
    *,
    pause_s: float = 0.01,
) -> None:
    """Wait for a condition; the time is for what will never be, on a machine that is busy.

    What takes long is asked after more seldom, as others need the processor for it.
    """
    deadline = time.monotonic() + timeout_s
    longest_s = max(pause_s, 0.1)
    while not is_so():
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        time.sleep(pause_s)
        pause_s = min(1.05 * pause_s, longest_s)


def read_tsv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def hit_keys(path: Path) -> dict[tuple[int, str, str, int], float]:
    """Coefficient by (peak_id, motif, strand, start_untrimmed)."""
    return {
        (int(r["peak_id"]), r["motif_name"], r["strand"], int(r["start_untrimmed"])): float(
            r["hit_coefficient"]
        )
        for r in read_tsv(path)
    }


def jaccard(a: dict, b: dict) -> float:
    return len(a.keys() & b.keys()) / max(1, len(a.keys() | b.keys()))


def extract_words(kind: str, data: Path) -> list[object]:
    """The words of the extract command that reads one kind of input of the reference data."""
    inputs = {
        "bw": ["-f", data / "genome.fa", "-b", data / "contribs.bw"],
        "chrombpnet-h5": ["-c", data / "chrombpnet_contribs.h5"],
        "bpnet-h5": ["-c", data / "bpnet_contribs.h5"],
        "modisco-fmt": ["-s", data / "ohe.npz", "-a", data / "attr.npz"],
    }
    return [f"extract-regions-{kind}", *inputs[kind], "-p", data / "peaks.narrowPeak"]
