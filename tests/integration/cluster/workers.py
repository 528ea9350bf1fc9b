"""Workers that leave word of where they run: some solve nothing, some solve.

To those that solve nothing a unit is two regions and a hit that follow from its name, so that
parts are the same bytes whoever writes them. Without a solver a worker starts in a second or two,
which is what a test that kills many of them needs; and they can be told to misbehave. Those that
solve are the workers of ``call-hits``, only slower, so that there is time to kill them.
"""

import errno
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ray

from finemo_dist.core.events import UnitDone
from finemo_dist.core.protocols import Worker
from finemo_dist.core.records import Unit
from finemo_dist.hits.motifs import write_motifs
from tests.unit.catalog.builder import hit, motif_set, region, write_record, write_shard

SAMPLES = {"a": 8, "b": 8}
N_UNITS = sum(SAMPLES.values())
N_REGIONS = 2


def begin_run(run: Path, samples: dict[str, int] | None = None) -> Path:
    """Record a run of which nothing is done."""
    samples = samples or SAMPLES
    record = write_record(run, samples, n_regions=N_REGIONS * max(samples.values()))
    record.model_copy(update={"status": "running"}).save(run)
    write_motifs(run, motif_set())
    return run


@dataclass(frozen=True)
class StubMaker:
    """Makes workers; satisfies ``WorkerMaker``."""

    run: str
    word: str
    """Folder in which each worker leaves a file of what it is."""
    seconds: float = 0.0
    """For each unit."""
    n_together: int = 0
    """Workers that wait for each other before the first begins."""
    poison: str = ""
    """Name of the unit that kills its worker."""
    hangs: str = ""
    """Name of the unit that never ends; only at first where ``word/hung`` can be made."""
    full_disk: bool = False
    """Whether commits fail for want of space as long as ``word/full`` stands."""

    device = "cpu"
    may_run_twice = True

    def make_worker(self, name: str) -> "StubWorker":
        leave_word(Path(self.word), name)
        return StubWorker(self, name)


@dataclass(frozen=True)
class SolverMaker:
    """Makes workers that solve; satisfies ``WorkerMaker``."""

    run: str
    word: str
    seconds: float = 0.0
    """Before each unit."""

    device = "cpu"
    may_run_twice = True

    def make_worker(self, name: str) -> "SlowWorker":
        # Workers that solve nothing need neither, and are many.
        from finemo_dist.run.plan import read_plan
        from tests.unit.run.runs import spec_of

        leave_word(Path(self.word), name)
        worker = spec_of(read_plan(Path(self.run))).make_worker(name)
        return SlowWorker(worker, self.seconds)


@dataclass(frozen=True)
class SlowWorker:
    """A worker that waits before each unit."""

    worker: Worker
    seconds: float

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone:
        time.sleep(self.seconds)
        return self.worker.process(unit)


MAKERS = {"stub": StubMaker, "solver": SolverMaker}


def leave_word(folder: Path, name: str) -> None:
    word = {
        "pid": os.getpid(),
        "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "node": ray.get_runtime_context().get_node_id(),
        "name": name,
    }
    temporary = folder / f".{os.getpid()}"
    temporary.write_text(json.dumps(word))
    temporary.rename(folder / f"{os.getpid()}.json")


def words(folder: Path) -> list[dict]:
    """What the workers said that were ever made."""
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]


class StubWorker:
    def __init__(self, maker: StubMaker, name: str) -> None:
        self._maker = maker
        self._name = name

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone:
        maker, word = self._maker, Path(self._maker.word)
        while len(list(word.glob("*.json"))) < maker.n_together:
            time.sleep(0.05)
        if str(unit) == maker.poison:
            os._exit(1)
        if str(unit) == maker.hangs and not (word / "hung").exists():
            (word / "hung").touch()
            time.sleep(3600)
        time.sleep(maker.seconds)
        node = ray.get_runtime_context().get_node_id()
        if (word / "full").exists() or (word / f"full-{node}").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), maker.run)
        footer = write_stub_unit(Path(maker.run), unit)
        return UnitDone(unit, self._name, N_REGIONS, footer.n_rows, 0, 0.0, {})


def write_stub_unit(run: Path, unit: Unit):
    first = N_REGIONS * unit.shard
    regions = [region(peak_id=first + i, peak_region_start=50 * first + i) for i in range(2)]
    return write_shard(run, unit.sample, unit.shard, [hit(peak_id=first, start=first)], regions)
