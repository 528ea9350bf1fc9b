"""One driver of a run of many samples: ``python -m tests.benchmarks.scheduling_probe``.

All samples share one store under different names: what is measured is the driver, not the regions.
"""

import json
import logging
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.config import CallConfig
from finemo_dist.core.events import RunEvent, UnitDone, UnitStarted
from finemo_dist.core.protocols import Executor, WorkerMaker
from finemo_dist.core.records import Unit
from finemo_dist.core.schema import HIT_COLUMNS
from finemo_dist.hits.columns import Categorical, ColumnValues
from finemo_dist.hits.write import write_unit
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.run.drive import drive
from finemo_dist.run.plan import PlannedSample, RunPlan, plan_run
from finemo_dist.run.serial import SerialExecutor
from finemo_dist.run.worker_spec import SampleSpec, WorkerSpec
from finemo_dist.store.read import RegionStore, open_store
from tests.benchmarks.processes import PROJECT, measure


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What a run took."""

    n_shards: int
    open_s: float
    """Opening the stores of all samples."""
    plan_s: float
    start_s: float
    """Until the first shard is given to a worker."""
    work_s: float
    """From the first shard given to the last one done."""
    resume_s: float
    """Planning again, with every part read against its checksum."""
    catalog_s: float
    """Opening the tables of the run."""
    peak_bytes: int
    """Largest resident set of the driver, before the tables are opened."""


@dataclass(frozen=True)
class StubMaker:
    """Makes workers that solve nothing and commit parts without hits; a ``WorkerMaker``."""

    run_dir: str
    store: str
    store_digest: str
    config_digest: str

    device = "cpu"
    may_run_twice = True

    def make_worker(self, name: str) -> "StubWorker":
        return StubWorker(self, name)


class StubWorker:
    def __init__(self, maker: StubMaker, name: str) -> None:
        self._maker = maker
        self._name = name
        self._store: tuple[str, RegionStore] | None = None

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone:
        # As the worker that solves does: the store is opened for each sample anew.
        if self._store is None or self._store[0] != unit.sample:
            self._store = (unit.sample, open_store(self._maker.store))
        store = self._store[1]
        rows = store.shard_rows(unit.shard)
        footer = write_unit(
            self._maker.run_dir,
            unit,
            hits=_no_hits(),
            qc=_qc(store, rows),
            config_digest=self._maker.config_digest,
            store_digest=self._maker.store_digest,
        )
        return UnitDone(unit, self._name, len(rows), footer.n_rows, 0, 0.0, {})


def _no_hits() -> Mapping[str, ColumnValues]:
    kinds = {"dictionary": object, "string": object}
    return {c.name: np.zeros(0, kinds.get(c.type, c.type)) for c in HIT_COLUMNS}


def _qc(store: RegionStore, rows: range) -> Mapping[str, ColumnValues]:
    table, n = store.table(rows.start, rows.stop), len(rows)
    zero = np.zeros(n)
    return {
        **dict.fromkeys(("nll", "dual_gap", "step_size", "global_scale"), zero),
        "num_steps": np.ones(n, np.int64),
        "peak_id": table.peak_id,
        "chr": Categorical(table.chrom_id, table.chrom_names),
        "peak_region_start": table.start,
        "peak_name": table.peak_name,
        "converged": np.ones(n, bool),
        "n_hits": np.zeros(n, np.int32),
        "chr_id": table.chrom_id,
    }


def run_scheduling(
    run_dir: Path, store: Path, modisco_h5: Path, *, n_samples: int, n_workers: int, is_stub: bool
) -> Scheduled:
    """Measure in a process of its own; see ``scheduling``."""
    words = [run_dir, store, modisco_h5, n_samples, n_workers, *(["--stub"] if is_stub else [])]
    measured = measure(
        [sys.executable, "-m", "tests.benchmarks.scheduling_probe", *words],
        environment={"PYTHONPATH": str(PROJECT)},
    )
    return Scheduled(**json.loads(measured.output))


def scheduling(
    run_dir: Path, store: Path, modisco_h5: Path, *, n_samples: int, n_workers: int, is_stub: bool
) -> Scheduled:
    """Measure in this process; 0 workers are one in this process, others run on Ray."""
    logging.getLogger("finemo_dist").setLevel(logging.ERROR)
    config = CallConfig()
    motifs = build_motif_set(read_patterns(modisco_h5), config.motifs, config.solver.mode)
    started = time.perf_counter()
    stores = {f"sample{i:04d}": open_store(store) for i in range(n_samples)}
    opened = time.perf_counter()
    samples = {name: PlannedSample(store, motifs, config) for name, store in stores.items()}
    plan = plan_run(run_dir, samples)
    planned = time.perf_counter()
    executor = _executor(plan, config, n_workers=n_workers, is_stub=is_stub)
    given: list[float] = []
    done: list[float] = []

    def note(event: RunEvent) -> None:
        if isinstance(event, UnitStarted) and not given:
            given.append(time.perf_counter())
        elif isinstance(event, UnitDone):
            done[:] = [time.perf_counter()]

    drive(plan, executor, on_event=note)
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    before = time.perf_counter()
    again = plan_run(run_dir, samples)
    resumed = time.perf_counter()
    assert not again.pending
    with open_catalog(run_dir):
        shown = time.perf_counter()
    return Scheduled(
        n_shards=plan.n_units,
        open_s=opened - started,
        plan_s=planned - opened,
        start_s=given[0] - planned,
        work_s=done[0] - given[0],
        resume_s=resumed - before,
        catalog_s=shown - resumed,
        peak_bytes=peak_bytes,
    )


def _executor(plan: RunPlan, config: CallConfig, *, n_workers: int, is_stub: bool) -> Executor:
    sample = plan.record.samples[0]
    maker: WorkerMaker
    if is_stub:
        maker = StubMaker(
            str(plan.run_dir), sample.store, sample.store_digest, plan.record.config_digest
        )
    else:
        maker = WorkerSpec(
            run_dir=str(plan.run_dir),
            samples={
                s.name: SampleSpec(
                    s.store,
                    s.store_digest,
                    solver=config.solver,
                    config_digest=plan.record.config_digest,
                )
                for s in plan.record.samples
            },
            device="cpu",
            batch_regions=None,
        )
    if not n_workers:
        return SerialExecutor(maker)
    from finemo_dist.run.ray_pool import RayExecutor

    return RayExecutor(maker, n_workers=n_workers, address=None, unit_timeout_s=3600.0)


@click.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.argument("store", type=click.Path(exists=True, path_type=Path))
@click.argument("modisco_h5", type=click.Path(exists=True, path_type=Path))
@click.argument("n_samples", type=click.IntRange(min=1))
@click.argument("n_workers", type=click.IntRange(min=0))
@click.option("--stub", is_flag=True, help="Solve nothing.")
def main(
    *, run_dir: Path, store: Path, modisco_h5: Path, n_samples: int, n_workers: int, stub: bool
) -> None:
    """Print what a run took, as JSON."""
    done = scheduling(
        run_dir, store, modisco_h5, n_samples=n_samples, n_workers=n_workers, is_stub=stub
    )
    click.echo(json.dumps(asdict(done)))


if __name__ == "__main__":
    main()
