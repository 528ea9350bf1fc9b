"""A head of Ray and a SLURM of our own, on this machine, that see the program on their PATH."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import PROJECT, finemo_dist
from tests.unit.run.runs import parts, write_inputs

PROGRAM = (
    "import sys; sys.path.insert(0, {project!r})\nfrom finemo_dist.cli.main import main\nmain()"
)


@dataclass(frozen=True)
class Config:
    """A configuration of one sample and its run directory."""

    path: Path
    run: Path

    def undisturbed(self) -> dict[str, bytes]:
        """Return the parts of a run by one worker in this process."""
        out = self.path.parent / "undisturbed"
        finemo_dist("run", self.path, "-o", out, "--executor", "serial")
        return parts(out)


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> dict[str, str]:
    """The environment in which a shell finds ``finemo-dist`` and ``ray``."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "finemo-dist"
    script.write_text(f"#!{sys.executable}\n{PROGRAM.format(project=str(PROJECT))}\n")
    script.chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return {**kept, "PATH": path, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def write_config(tmp_path_factory) -> Callable[[int], Config]:
    """Return a function that writes a configuration of as many shards, a region each."""

    def write(n_shards: int) -> Config:
        folder = tmp_path_factory.mktemp("config")
        inputs = write_inputs(folder, n_regions=n_shards, shard_regions=1)
        path = folder / "config.yaml"
        path.write_text(
            f"output: run\nmodisco_h5: {inputs.modisco_h5.name}\n"
            f"samples: [{{name: a, regions: {inputs.stores['a'].name}}}]\n"
        )
        return Config(path, folder / "run")

    return write


def wait_until(happened: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < deadline, f"no {what} after {timeout_s} s"
        time.sleep(0.05)


def free_ports(n: int) -> list[int]:
    """Return ports that nobody listens on; all are held until the last is found."""
    sockets = [socket.socket() for _ in range(n)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def daemon(words: list[str], log: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in the background, in a session of its own, and end it by its process."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            words, env=env, stdout=said, stderr=said, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=60)


@dataclass(frozen=True)
class RayHead:
    """A head of Ray that takes jobs from those who have its token."""

    address: str
    env: dict[str, str]


@pytest.fixture(scope="session")
def ray_head(program) -> Iterator[RayHead]:
    # Sockets lie below it, and their paths end at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="fd", dir="/tmp"))
    env = {
        **program, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": os.urandom(32).hex(),
        # Nothing waits for a node that ends; a job that is stopped has time to say so.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0", "RAY_JOB_STOP_WAIT_TIME_S": "60",
    }  # fmt: skip
    port, dashboard, agent = free_ports(3)
    words = [
        "ray", "start", "--head", "--block", "--disable-usage-stats", f"--temp-dir={folder}",
        "--node-ip-address=127.0.0.1", f"--port={port}", "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}",
        "--num-cpus=2", "--num-gpus=0", f"--object-store-memory={80 << 20}",
    ]  # fmt: skip
    address = f"http://127.0.0.1:{dashboard}"
    log = folder / "head.log"
    try:
        with daemon(words, log, env) as process:
            listed = ["ray", "job", "list", "--address", address]

            def takes_jobs() -> bool:
                assert process.poll() is None, log.read_text()
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", dashboard)):
                        return False
                asked = subprocess.run(listed, env=env, capture_output=True, check=False)
                return asked.returncode == 0

            wait_until(takes_jobs, 180, "Ray head")
            yield RayHead(address, env)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
