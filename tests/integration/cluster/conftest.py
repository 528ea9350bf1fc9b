"""A cluster of three nodes on this machine, with GPUs that are not there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from finemo_dist.core.events import UnitDone, ignore
from finemo_dist.core.protocols import WorkerMaker
from finemo_dist.run.drive import drive
from finemo_dist.run.plan import read_plan
from finemo_dist.run.serial import SerialExecutor
from tests.command import PROJECT, files_of, wait_until
from tests.integration.cluster.workers import (
    MAKERS,
    N_REGIONS,
    SAMPLES,
    begin_run,
    words,
    write_stub_unit,
)
from tests.processes import is_alive
from tests.ray_node import FRUGAL, SELDOM_REPORTS
from tests.unit.run.runs import parts, spec_of, write_inputs

WAIT_S = 240.0
"""No wait of a test is longer: the machines that run this are shared, and Ray starts slowly."""
_FAST_NOTICE = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 5,
}
_OBJECT_STORE_BYTES = 80 << 20


class Nodes:
    """Three nodes: a head with one GPU, one with one and one with two."""

    def __init__(self) -> None:
        # Ray's sockets lie below; their paths may have 107 bytes.
        self.folder = tempfile.mkdtemp(prefix="fdc-", dir="/tmp")
        self.cluster = Cluster()
        self._add(1, **FRUGAL, _system_config=_FAST_NOTICE)
        self.others = [self._add(n) for n in (1, 2)]
        self.cluster.wait_for_nodes(WAIT_S)

    @property
    def address(self) -> str:
        return self.cluster.address

    def _add(self, n_gpus: int, **options):
        return self.cluster.add_node(
            num_cpus=n_gpus, num_gpus=n_gpus, temp_dir=self.folder,
            object_store_memory=_OBJECT_STORE_BYTES, **options,
        )  # fmt: skip

    def add(self, n_gpus: int) -> None:
        try:
            self.others.append(self._add(n_gpus))
        except Exception:
            # Ray raises nothing more special where a node on a busy machine does not hear of the
            # others in time; a second one joins.
            self.others.append(self._add(n_gpus))

    def remove(self, node) -> None:
        """End a node as a machine ends that loses its power."""
        self.others.remove(node)
        self.cluster.remove_node(node, allow_graceful=False)

    def restore(self) -> None:
        """Have three nodes again."""
        while len(self.others) > 2:
            self.remove(self.others[-1])
        while len(self.others) < 2:
            self.add(1 + len(self.others))
        self.cluster.wait_for_nodes(WAIT_S)

    def close(self) -> None:
        self.cluster.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="package")
def nodes():
    patch = pytest.MonkeyPatch()
    # Otherwise whoever on this machine asks for the cluster that is there would join this one.
    patch.setattr(ray._private.utils, "write_ray_address", lambda *_: None)
    # Beside other work Ray's workers, which it makes nice, would hardly start.
    patch.setenv("RAY_worker_niceness", "0")
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv(*SELDOM_REPORTS)
    found = Nodes()
    yield found
    found.close()
    patch.undo()


class Job:
    """A driver in a process of its own, and the workers it made."""

    def __init__(self, address: str, kind: str, maker: WorkerMaker, options: dict) -> None:
        self.run, self.word = Path(maker.run), Path(maker.word)
        given = [json.dumps(value) for value in (address, options, kind, asdict(maker))]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.cluster.driver", *given],
            cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    @property
    def n_committed(self) -> int:
        return len(files_of(self.run, "peaks_qc/sample=*/part-*.parquet"))

    @property
    def live_pids(self) -> list[int]:
        return sorted(word["pid"] for word in words(self.word) if is_alive(word["pid"]))

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def ends(self) -> dict:
        """Wait for the driver, and return what it did."""
        out, err = self.process.communicate(timeout=WAIT_S)
        assert self.process.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    def kill(self) -> None:
        """End the driver without a word; its workers must end by themselves."""
        self.process.kill()
        self.process.communicate(timeout=WAIT_S)
        wait_until(lambda: not self.live_pids)


@pytest.fixture
def start(nodes, solved_inputs, tmp_path):
    """Return a function that starts a driver; a second one goes on with the run of the first.

    ``kind`` says which workers it has: those that solve nothing, or those that solve.
    """
    (tmp_path / "word").mkdir()
    jobs = []

    def begin(
        *,
        kind: str = "stub",
        n_workers: int | None = None,
        unit_timeout_s: float = WAIT_S,
        **options,
    ) -> Job:
        run = tmp_path / "run"
        if not run.exists():
            begin_run(run) if kind == "stub" else solved_inputs.plan(run)
        maker = MAKERS[kind](str(run), str(tmp_path / "word"), **options)
        chosen = {"n_workers": n_workers, "unit_timeout_s": unit_timeout_s}
        jobs.append(Job(nodes.address, kind, maker, chosen))
        return jobs[-1]

    yield begin
    for job in jobs:
        if not job.is_over():
            job.kill()
    nodes.restore()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The bytes of every part, as one undisturbed worker in one process writes them."""
    run = begin_run(tmp_path_factory.mktemp("undisturbed"))

    class Serial:
        def describe(self):
            return {"kind": "serial", "n_workers": 1, "device": "cpu"}

        def run(self, units):
            for unit in units:
                write_stub_unit(run, unit)
                yield UnitDone(unit, "serial", 2, 1, 0, 0.0, {})

    drive(read_plan(run), Serial(), on_event=ignore)
    return parts(run)


@pytest.fixture(scope="session")
def solved_inputs(tmp_path_factory):
    """As many regions and shards as those that solve nothing have."""
    (n_shards,) = set(SAMPLES.values())
    return write_inputs(
        tmp_path_factory.mktemp("inputs"), samples=tuple(SAMPLES),
        n_regions=N_REGIONS * n_shards, shard_regions=N_REGIONS,
    )  # fmt: skip


@pytest.fixture(scope="session")
def solved(solved_inputs, tmp_path_factory):
    """An undisturbed run by one worker in this process, which solves."""
    plan = solved_inputs.plan(tmp_path_factory.mktemp("solved"))
    drive(plan, SerialExecutor(spec_of(plan)), on_event=ignore)
    return plan.run_dir


def kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
