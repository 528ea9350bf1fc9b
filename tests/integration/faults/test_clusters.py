"""Faults of a cluster, made to happen through the command line."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from finemo_dist.record.run_record import RunRecord
from tests.command import PROJECT, finemo_dist, wait_until
from tests.conftest import skip_or_fail
from tests.integration.launch.conftest import daemon, free_ports
from tests.processes import ACTOR, signal_below
from tests.ray_node import FRUGAL_WORDS
from tests.unit.run.runs import n_parts, parts, write_inputs

START = "from finemo_dist.cli.main import main; main()"
RAY = str(Path(sys.executable).with_name("ray"))
HEAD = ("gcs_server", "raylet")
WORKER = "ray::"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Enough shards for two workers to be at work when something happens."""
    return write_inputs(tmp_path_factory.mktemp("many"), n_regions=200, shard_regions=1)


@pytest.fixture(scope="module")
def undisturbed(many, tmp_path_factory):
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    finemo_dist(*call(many, run), "--executor", "serial")
    return parts(run)


def call(inputs, run):
    store, motifs = inputs.stores["a"], inputs.modisco_h5
    return ["call-hits", "-r", str(store), "-m", str(motifs), "-o", str(run)]


@dataclass(frozen=True)
class RayHead:
    """A Ray of our own, which ends with the block that started it."""

    pid: int
    folder: Path
    address: str
    env: dict[str, str]

    @contextmanager
    def node(self, before: str) -> Iterator[None]:
        """Have a node of one core join that sees the disks as they are after a command."""
        words = [RAY, "start", f"--address={self.address}", "--block", "--disable-usage-stats",
                 "--num-cpus=1", f"--object-store-memory={80 << 20}"]  # fmt: skip
        script = f"{before} && exec {shlex.join(words)}"
        apart = ["unshare", "--mount", "bash", "-c", script]
        log = self.folder / "node.log"
        with daemon(apart, log, self.env):
            await_ray(log)
            yield


def await_ray(log: Path) -> None:
    """Wait for what ``ray start`` says; to ask Ray takes a second of the processor each time."""
    wait_until(lambda: "Ray runtime started" in log.read_text(), what="Ray")


@contextmanager
def a_head(n_cores: int) -> Iterator[RayHead]:
    """Start a Ray, which ``auto`` means in its environment."""
    # Sockets lie below it, and their paths end at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="fd", dir="/tmp"))
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    words = [
        RAY, "start", "--head", "--block", "--disable-usage-stats", f"--temp-dir={folder}",
        "--node-ip-address=127.0.0.1", f"--port={port}", "--include-dashboard=false",
        f"--num-cpus={n_cores}", f"--object-store-memory={80 << 20}", *FRUGAL_WORDS,
    ]  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    # Beside other work Ray's workers, which it makes nice, would hardly start.
    kept |= {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}
    try:
        with daemon(words, folder / "log", kept) as head:
            await_ray(folder / "log")
            yield RayHead(head.pid, folder, address, {**kept, "RAY_ADDRESS": address})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def begin(words, environment=os.environ):
    return subprocess.Popen(
        [sys.executable, "-c", START, *words], cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**environment, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("where", ["started", "joined"])
def test_F4_a_run_whose_head_of_Ray_is_killed_ends_in_order(
    many, undisturbed, tmp_path, capsys, where
):
    run = tmp_path / "run"
    with a_head(2) if where == "joined" else nullcontext() as head:
        options = ["--address", "auto"] if where == "joined" else ["--workers", "2"]
        words = [*call(many, run), "--executor", "ray", *options]
        driver = begin(words, os.environ if head is None else head.env)
        wait_until(lambda: n_parts(run) > 10 or driver.poll() is not None, what="parts")
        above = driver.pid if head is None else head.pid
        # Workers that have a unit do not need the head: these must not end the run before it is
        # missed. Of a cluster that is joined, `ray start` ends the rest.
        stopped = signal_below(above, signal.SIGSTOP, WORKER)
        killed = time.monotonic()
        assert signal_below(above, signal.SIGKILL, *(HEAD if head is None else HEAD[:1]))
        out, said = driver.communicate(timeout=240)
        seconds = time.monotonic() - killed
    for pid in stopped:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    assert len(stopped) >= 2

    assert (driver.returncode, out) == (3, ""), said
    assert "Traceback" not in said
    assert seconds < 60
    (error,) = (line for line in said.splitlines() if line.startswith("Error: "))
    assert "the head of the Ray cluster has not answered for 1" in error
    assert shlex.split(error.split("resume with: ")[1]) == ["finemo-dist", *words]
    with pytest.raises(Exception, match="are missing"):
        finemo_dist("status", run, "--json")
    look = json.loads(capsys.readouterr().out)
    assert look["state"] == "incomplete"
    assert "the head of the Ray cluster" in look["invocations"][-1]["error"]

    before = parts(run)
    assert before.items() <= undisturbed.items()
    finemo_dist(*call(many, run), "--executor", "serial")
    assert parts(run) == undisturbed


@pytest.mark.slow
@pytest.mark.ray
def test_F1_a_node_with_a_full_disk_costs_no_unit(tmp_path):
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        skip_or_fail("slurm", "only root may give a node a disk of its own")
    inputs = write_inputs(tmp_path, n_regions=320, shard_regions=10)
    run = tmp_path / "run"
    words = [*call(inputs, run), "--solver", "dense", "-b", "10"]
    finemo_dist(*words, "--executor", "serial")
    whole = parts(run)
    for name in whole:
        (run / name).unlink()
    RunRecord.load(run).model_copy(update={"status": "incomplete"}).save(run)
    full = " && ".join(f"mount -t tmpfs -o size=4k none {run / t}" for t in ("hits", "peaks_qc"))
    full += f" && ! dd if=/dev/zero of={run}/hits/filled bs=8k count=1"

    with a_head(1) as head, head.node(full):
        driver = begin([*words, "--executor", "ray", "--address", "auto"], head.env)

        def rests() -> bool:
            """Have the head's own worker wait: it might do all before the node has failed often."""
            signal_below(head.pid, signal.SIGSTOP, ACTOR)
            return '"node_rests"' in log_of(run) or driver.poll() is not None

        wait_until(rests, what="a rest of the node", pause_s=0.1)
        signal_below(head.pid, signal.SIGCONT, ACTOR)
        _, said = driver.communicate(timeout=240)

    assert driver.returncode == 0, said
    assert len(whole) == 2 * 32
    assert parts(run) == whole
    entries = [json.loads(line) for line in log_of(run).splitlines()]
    failed = [e for e in entries if e["event"] == "shard_failed"]
    rests = [e for e in entries if e["event"] == "node_rests"]
    assert failed, said
    assert all("no space" in e["error"].lower() for e in failed), failed
    assert not any(e["is_final"] for e in failed)
    assert rests, entries


def log_of(run: Path) -> str:
    """Return the log of the last driver."""
    return max(run.glob("log/*.jsonl"), key=lambda p: p.stat().st_mtime_ns).read_text()
