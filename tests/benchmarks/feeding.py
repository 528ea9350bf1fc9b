"""Whether workers keep a GPU busy, on a GPU that is not there.

The device is fake and exclusive: a solve takes it, holds it for a time that does not use the
processor, and returns the hits that the real solver found in the same regions. All else is what a
worker with a GPU does: it opens the store, reads, makes tables, and writes and commits parts. The
time of a solve is what two workers on two cores take to read and write the same regions where
solving takes no time, so neither can hide behind the other.
"""

import fcntl
import json
import os
import shutil
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click
import torch
from torch import Tensor

from finemo_dist.core.config import CallConfig
from finemo_dist.core.events import ignore
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.run.drive import drive
from finemo_dist.run.plan import PlannedSample, plan_run
from finemo_dist.run.ray_pool import RayExecutor
from finemo_dist.run.ray_session import ray_session
from finemo_dist.run.serial import SerialExecutor
from finemo_dist.run.solving import make_caller
from finemo_dist.run.worker import RegionWorker
from finemo_dist.run.worker_spec import SampleSpec, WorkerSpec
from finemo_dist.solver.solution import Solution
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from tests.benchmarks.datasets import CopiedSource, Dataset, bench_datasets, spaced_rows
from tests.benchmarks.efforts import Effort
from tests.benchmarks.tables import number, spread, table

_SHARDS = 128
_SHARD_REGIONS = 1024
"""The largest shard that is not a multiple of it."""
_HOST_CORES = 2
_SHARING = (1, 2, 3, 4)
"""Workers per GPU."""

_NOTE = f"""A GPU that is not there: a solve holds it for as long as {_HOST_CORES} workers on as
many cores take to read and write the same regions where solving takes no time. It does not use the
processor, and only one worker has it at a time.
Everything else is the product's own work: store, tables, parts, Ray. *Busy* is the share of the
time in which some worker held the device, from when all workers have begun to when the first has
nothing left. *Host* is what one core takes for a region without solving; *fed by* is how many cores
keep a GPU busy whose solve takes {{solve:.1f}} us a region, which is the estimate for an A100 with
48 motif-strands.
"""
_A100_SOLVE_US = 8.1
"""From ``gpu-estimate``."""


@dataclass(frozen=True, slots=True)
class FakeDevice:
    """A solver whose answers are known and whose device is a file that one process can lock."""

    folder: Path
    seconds_per_region: float
    answer: Solution
    """For the regions of a shard; all shards hold the same."""

    def solve(self, sequence: Tensor, contributions: Tensor) -> Solution:
        """Hold the device for the time of a solve, and note when."""
        del contributions
        if len(sequence) != len(self.answer.fit.nll):
            raise ValueError(f"expected a whole shard, found {len(sequence)} regions")
        with (self.folder / "device").open("a") as device:
            fcntl.flock(device, fcntl.LOCK_EX)
            started = time.monotonic()
            time.sleep(self.seconds_per_region * len(sequence))
            ended = time.monotonic()
            device.write(json.dumps([os.getpid(), started, ended]) + "\n")
            device.flush()
        return self.answer


@dataclass(frozen=True, slots=True)
class FedMaker:
    """Makes workers whose device is the fake one; a ``WorkerMaker``."""

    spec: WorkerSpec
    folder: str
    seconds_per_region: float
    device: str = "cpu"
    may_run_twice: bool = True

    def make_worker(self, name: str) -> RegionWorker:
        """Return the product's worker with its solver replaced."""
        worker = self.spec.make_worker(name)
        (sample,) = self.spec.samples.values()
        motifs = read_motifs(self.spec.run_dir, sample.motif_folder)
        caller = make_caller(motifs, sample.solver, torch.device("cpu"))
        answer = torch.load(Path(self.folder) / "answer.pt", weights_only=False)
        solver = FakeDevice(Path(self.folder), self.seconds_per_region, answer)
        worker._caller = replace(caller, solver=solver)
        worker._motif_folder = sample.motif_folder
        return worker


@dataclass(frozen=True, slots=True)
class Fed:
    """What one run took."""

    busy: float
    """Share of the time in which the device was held."""
    regions_per_s: float


def measure_feeding(effort: Effort, work: Path, *, shared: Path) -> str:
    """Return the table of workers that share a GPU."""
    work.mkdir(parents=True, exist_ok=True)
    dataset = next(
        iter(bench_datasets(work, shared, n_simulated=effort.gpu_regions, n_compendium=1))
    )
    n_regions = effort.gpu_regions
    rows_read = spaced_rows(len(dataset.source.regions), min(n_regions, _SHARD_REGIONS))
    store = work / "fed.zarr"
    # Copies of one shard: the answer for one is the answer for all.
    encode(CopiedSource(dataset.source, rows_read, _SHARDS), store, shard_regions=len(rows_read),
           overwrite=True)  # fmt: skip
    _keep_answer(work, store, dataset)
    host_s = statistics.median(_host_seconds(work, store, dataset) for _ in range(effort.repeats))
    solve_s = 1 / statistics.median(
        _run(work, store, dataset, seconds_per_region=0.0, n_sharing=_HOST_CORES).regions_per_s
        for _ in range(effort.repeats)
    )
    found: dict[int, list[Fed]] = {n: [] for n in _SHARING}
    for repeat in range(effort.repeats):
        for n_sharing in _SHARING:
            click.echo(f"feeding: repeat {repeat + 1}, {n_sharing} workers on the GPU", err=True)
            found[n_sharing].append(
                _run(work, store, dataset, seconds_per_region=solve_s, n_sharing=n_sharing)
            )
    n_all = len(rows_read) * _SHARDS
    rows = [
        [
            str(n),
            spread([100 * fed.busy for fed in feds]),
            spread([fed.regions_per_s for fed in feds]),
        ]
        for n, feds in found.items()
    ]
    return "\n".join(
        [
            _NOTE.format(solve=_A100_SOLVE_US),
            f"{dataset.title}, {n_all:,} regions in shards of {len(rows_read):,}. Host: "
            f"{number(1e6 * host_s)} us a region on one core; the fake solve "
            f"{number(1e6 * solve_s)} us; fed by {number(1e6 * host_s / _A100_SOLVE_US)} cores.\n",
            table(["workers on the GPU", "busy %", "regions/s"], rows),
        ]
    )


def _keep_answer(work: Path, store: Path, dataset: Dataset) -> None:
    """Solve one shard for good."""
    config = CallConfig()
    motifs = build_motif_set(read_patterns(dataset.modisco_h5), config.motifs, config.solver.mode)
    opened = open_store(store)
    rows = opened.shard_rows(0)
    batch = opened.read(rows.start, rows.stop)
    solver = make_caller(motifs, config.solver, torch.device("cpu")).solver
    answer = solver.solve(torch.from_numpy(batch.sequence), torch.from_numpy(batch.contributions))
    torch.save(answer, work / "answer.pt")


def _host_seconds(work: Path, store: Path, dataset: Dataset) -> float:
    """Return what a region takes on one core where solving takes no time."""
    run_dir = work / "run"
    shutil.rmtree(run_dir, ignore_errors=True)
    maker, plan = _planned(run_dir, work, store, dataset, seconds_per_region=0.0)
    started = time.perf_counter()
    drive(plan, SerialExecutor(maker), on_event=ignore)
    return (time.perf_counter() - started) / open_store(store).n_regions


def _planned(run_dir, work, store, dataset, *, seconds_per_region):
    config = CallConfig()
    motifs = build_motif_set(read_patterns(dataset.modisco_h5), config.motifs, config.solver.mode)
    plan = plan_run(run_dir, {"fed": PlannedSample(open_store(store), motifs, config)})
    (sample,) = plan.record.samples
    spec = WorkerSpec(
        run_dir=str(run_dir),
        samples={
            "fed": SampleSpec(
                sample.store, sample.store_digest, solver=config.solver,
                config_digest=plan.record.config_digest_of(sample),
                motif_folder=plan.record.set_of(sample).folder,
            )
        },
        device="cpu",
        # One shard is one solve.
        batch_regions=len(open_store(store).shard_rows(0)),
    )  # fmt: skip
    return FedMaker(spec, str(work), seconds_per_region), plan


def _run(
    work: Path, store: Path, dataset: Dataset, *, seconds_per_region: float, n_sharing: int
) -> Fed:
    run_dir = work / "run"
    shutil.rmtree(run_dir, ignore_errors=True)
    (work / "device").unlink(missing_ok=True)
    maker, plan = _planned(run_dir, work, store, dataset, seconds_per_region=seconds_per_region)
    with ray_session(None, n_cores=n_sharing, n_gpus=1):
        executor = RayExecutor(
            maker, n_workers=n_sharing, address=None, unit_timeout_s=600.0, resource="GPU",
            workers_per_gpu=n_sharing,
        )  # fmt: skip
        drive(plan, executor, on_event=ignore)
    held = [json.loads(line) for line in (work / "device").read_text().splitlines()]
    return _fed(held, len(open_store(store).shard_rows(0)))


def _fed(held: list[tuple[int, float, float]], n_regions: int) -> Fed:
    """Return what the device did while every worker had work; each solve had so many regions."""
    workers = {pid for pid, _, _ in held}
    first = max(min(start for pid, start, _ in held if pid == own) for own in workers)
    last = min(max(end for pid, _, end in held if pid == own) for own in workers)
    within = [(start, end) for _, start, end in held if start >= first and end <= last]
    busy_s = sum(end - start for start, end in within)
    return Fed(busy_s / (last - first), n_regions * len(within) / (last - first))
