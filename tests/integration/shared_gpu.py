"""Two workers on one GPU that is not there, in a process and a Ray of their own."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.core.events import WorkerStarted, ignore
from finemo_dist.run.drive import drive
from finemo_dist.run.ray_pool import RayExecutor
from finemo_dist.run.ray_session import ray_session
from finemo_dist.run.serial import SerialExecutor
from finemo_dist.run.worker_spec import WorkerSpec
from tests.command import wait_until
from tests.unit.run.runs import parts, write_inputs


@dataclass(frozen=True)
class Meeting:
    """Makes workers that begin when both are there: one alone could do all before."""

    spec: WorkerSpec
    folder: str
    device: str = "cpu"
    may_run_twice: bool = True

    def make_worker(self, name):
        return Met(self.spec.make_worker(name), Path(self.folder), name)


class Met:
    def __init__(self, worker, folder, name):
        self.worker, self.folder, self.name = worker, folder, name

    def process(self, unit, coming=()):
        (self.folder / self.name).touch()
        wait_until(lambda: len(list(self.folder.iterdir())) == 2)
        return self.worker.process(unit, coming)


def run(folder: Path) -> dict:
    """Call the same hits by one worker, and by two that share a GPU."""
    inputs = write_inputs(folder)
    alone, shared = inputs.plan(folder / "alone"), inputs.plan(folder / "shared")
    drive(alone, SerialExecutor(inputs.spec(alone)), on_event=ignore)
    events = []
    met = folder / "met"
    met.mkdir()
    with ray_session(None, n_cores=2, n_gpus=1):
        executor = RayExecutor(
            Meeting(inputs.spec(shared), str(met)), n_workers=2, address=None,
            unit_timeout_s=120.0, resource="GPU", workers_per_gpu=2,
        )  # fmt: skip
        drive(shared, executor, on_event=events.append)
    return {
        "n_started": len([e for e in events if isinstance(e, WorkerStarted)]),
        # Whoever is slow may find that the other has done its unit as well.
        "met": sorted(path.name for path in met.iterdir()),
        "are_equal": parts(shared.run_dir) == parts(alone.run_dir),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]))) + "\n")
