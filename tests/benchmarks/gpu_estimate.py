"""What a GPU is expected to do: counted on tensors that are not there, never measured.

The whole solve of one batch runs on the CPU, with the sizes set for a GPU, and notes what depends
on data: rounds, windows left, nominees, clusters and their sizes, steps. Then it runs again on fake
CUDA tensors with those numbers, and every operation is counted. Public peak figures and stated
assumptions turn counts into time.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch

from finemo_dist.core.config import CallConfig, ResourceConfig, SampleSettings
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.solver.api import make_solver
from finemo_dist.store.staging import encode
from finemo_dist.workflow.calling import call
from tests.benchmarks.datasets import (
    ABSENT,
    CopiedSource,
    Dataset,
    bench_datasets,
    spaced_rows,
)
from tests.benchmarks.efforts import Effort
from tests.benchmarks.tables import number, table
from tests.fake_cuda import Launch, Log, solve_on_fake_cuda

_LAUNCH_S = 5e-6
_WAIT_S = 10e-6
_MEMORY_SHARE = 0.6
_COMPUTE_SHARE = 0.5
_COMPENDIUM_REGIONS = 200


@dataclass(frozen=True, slots=True)
class Gpu:
    """Public peak figures of a device."""

    name: str
    fp32: float
    """FLOP/s, without TF32, which the solver does not use."""
    fp64: float
    """FLOP/s, without tensor cores."""
    memory: float
    """bytes/s."""
    bus: float
    """bytes/s from the host, of pinned memory."""


GPUS = (
    Gpu("A100 SXM 40 GB", fp32=19.5e12, fp64=9.7e12, memory=1.555e12, bus=25e9),
    Gpu("H100 SXM", fp32=67e12, fp64=34e12, memory=3.35e12, bus=50e9),
)

STAGES = {
    "target.build_target": "normalise",
    "working_set._start": "normalise",
    "screening.first": "screen windows",
    "screening.again": "screen windows",
    "screening._left": "screen windows",
    "screening._compare": "compare products",
    "products.times": "gather and multiply",
    "working_set._violators": "certify",
    "working_set._gap": "certify",
    "working_set.solve": "certify",
    "clusters.solve_clusters": "Gram matrices",
    "clusters.find_clusters": "Gram matrices",
    "quadratic.solve_nonnegative": "active set",
    "working_set._solve_restricted": "update",
    "working_set._finish": "finish",
    "working_set._continue": "finish",
    "working_set._solution": "finish",
}
"""Stage by the innermost of these functions that asked for an operation."""

_NOTE = f"""**An estimate, not a measurement: nothing here has run on a GPU.** Batches of
{{n_regions:,}} regions of 1,000 bases. What depends on data (rounds, windows left by the bound,
nominees, clusters and their sizes, steps) comes from a solve of these very regions on the CPU with
the sizes set for a GPU; the same solve then runs on fake CUDA tensors, and a dispatch mode counts
its operations (`tests/fake_cuda.py`, `tests/launch_costs.py`).

An operation takes the longest of three times, one after another: {1e6 * _LAUNCH_S:.0f} us to
launch each of its kernels; its bytes at {_MEMORY_SHARE:.0%} of the memory's peak; its FLOPs at
{_COMPUTE_SHARE:.0%} of the peak of its precision. A place where the host waits adds
{1e6 * _WAIT_S:.0f} us. Peaks are the makers' (A100 SXM 40 GB: 19.5 TFLOP/s fp32, 9.7 fp64,
1.555 TB/s, PCIe 25 GB/s; H100 SXM: 67, 34, 3.35, 50); TF32 (156 and 494.7 TFLOP/s) is off, because
it would nominate too coarsely. The shares, the launches and the kernels behind an operation
(a sort counts as 10) are assumptions. "Bound" is where most of a stage's time goes.
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Time of some operations on a device, by what bounds each, seconds."""

    by_bound: Counter[str]

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(self.by_bound.values())

    @property
    def bound(self) -> str:
        """Where most of it goes."""
        return max(self.by_bound, key=lambda name: self.by_bound[name])


@dataclass(frozen=True, slots=True)
class Host:
    """What one core of this machine takes for a region, seconds."""

    read_s: float
    write_s: float


def measure_gpu_estimate(effort: Effort, work: Path, *, shared: Path) -> str:
    """Return the tables of all data sets that are here."""
    parts = [_NOTE.format(n_regions=effort.gpu_regions)]
    if not shared.is_dir():
        parts.append(f"Only simulated regions: {ABSENT}.\n")
    totals = []
    for dataset in bench_datasets(
        work, shared, n_simulated=effort.gpu_regions, n_compendium=_COMPENDIUM_REGIONS
    ):
        title = f"{dataset.title}, {dataset.n_strands}"
        click.echo(f"gpu-estimate: {title} motif-strands", err=True)
        source = _batch_source(dataset, effort.gpu_regions)
        log = _count(dataset, source, effort.gpu_regions)
        parts += [f"{title} motif-strands:\n", _stage_table(log, effort.gpu_regions), ""]
        totals += _totals(title, log, source, _host(dataset, source, work))
    parts += [
        "A worker with its GPU: reading and sending overlap with solving, writing does not. What "
        "the host takes is measured on one core of this machine. Memory is the most that tensors "
        "of one batch hold at once, counted on the fake device:\n",
        table(
            ["regions, motif-strands", "GPU", "solve us", "regions/s, solve alone", "send us",
             "read us", "write us", "regions/s, worker", "bound", "memory"],
            totals,
        ),
    ]  # fmt: skip
    return "\n".join(parts)


def _batch_source(dataset: Dataset, n_regions: int) -> CopiedSource:
    rows = spaced_rows(len(dataset.source.regions), n_regions)
    return CopiedSource(dataset.source, np.resize(rows, n_regions), 1)


def _count(dataset: Dataset, source: CopiedSource, n_regions: int) -> Log:
    """Return what solving one batch does on a GPU."""
    config = CallConfig()
    motifs = build_motif_set(read_patterns(dataset.modisco_h5), config.motifs, config.solver.mode)
    solver = make_solver(motifs, config.solver, torch.device("cpu"))
    batch = source.read(0, n_regions)
    _, faked = solve_on_fake_cuda(
        solver, torch.from_numpy(batch.sequence), torch.from_numpy(batch.contributions).float()
    )
    return faked


def _host(dataset: Dataset, source: CopiedSource, work: Path) -> Host:
    """Read and write the same regions, as a worker does, on the CPU."""
    store = work / "gpu.zarr"
    encode(source, store, shard_regions=len(source.regions), overwrite=True)
    resources = ResourceConfig(executor="serial", device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run"
        settings = {"gpu": SampleSettings(modisco_h5=dataset.modisco_h5, call=CallConfig())}
        done = call(run_dir, {"gpu": store}, settings, resources)
    n_regions = len(source.regions)
    return Host(
        read_s=done.seconds["worker.read"] / n_regions,
        write_s=done.seconds["worker.write"] / n_regions,
    )


def stage_of(path: str) -> str:
    """Return the stage of an operation from the functions that asked for it.

    Raises
    ------
    KeyError
        None of them is known.
    """
    names = path.split("/")
    return STAGES[next((name for name in reversed(names) if name in STAGES), names[-1])]


def cost(launches: Iterable[Launch], n_waits: int, gpu: Gpu) -> Cost:
    """Return what operations take on a device."""
    by_bound: Counter[str] = Counter()
    for launch in launches:
        peak = gpu.fp64 if launch.dtype is torch.float64 else gpu.fp32
        times = {
            "launch": launch.n_kernels * _LAUNCH_S,
            "memory": launch.n_bytes / (_MEMORY_SHARE * gpu.memory),
            "compute": launch.n_flops / (_COMPUTE_SHARE * peak),
        }
        longest = max(times, key=lambda name: times[name])
        by_bound[longest] += times[longest]
    by_bound["wait"] += n_waits * _WAIT_S
    return Cost(by_bound)


def _stage_table(log: Log, n_regions: int) -> str:
    rows = []
    waits = Counter(map(stage_of, log.waits))
    for stage in dict.fromkeys(STAGES.values()):
        launches = [launch for launch in log.launches if stage_of(launch.stage) == stage]
        rows.append(_stage_row(stage, launches, waits[stage], n_regions))
    rows.append(_stage_row("**all**", log.launches, len(log.waits), n_regions))
    costs = [column for gpu in GPUS for column in (f"{gpu.name.split()[0]} us", "bound")]
    return table(["stage", "operations", "kernels", "waits", "MFLOP", "kB", *costs], rows)


def _stage_row(stage: str, launches: list[Launch], n_waits: int, n_regions: int) -> list[str]:
    found = [cost(launches, n_waits, gpu) for gpu in GPUS]
    return [
        stage,
        f"{len(launches):,}",
        f"{sum(launch.n_kernels for launch in launches):,}",
        str(n_waits),
        number(sum(launch.n_flops for launch in launches) / n_regions / 1e6),
        number(sum(launch.n_bytes for launch in launches) / n_regions / 1e3),
        *(cell for each in found for cell in (number(1e6 * each.seconds / n_regions), each.bound)),
    ]


def _totals(title: str, log: Log, source: CopiedSource, host: Host) -> list[list[str]]:
    n_regions = len(source.regions)
    batch = source.read(0, n_regions)
    # As the store is read: codes of a byte, contributions as float32.
    sent_bytes = batch.sequence.size + 4 * batch.contributions.size
    rows = []
    for gpu in GPUS:
        solve_s = cost(log.launches, len(log.waits), gpu).seconds / n_regions
        send_s = sent_bytes / n_regions / gpu.bus
        beside = {"solve": solve_s, "send": send_s, "host reads": host.read_s}
        whole_s = max(beside.values()) + host.write_s
        slowest = {**beside, "host writes": host.write_s}
        rows.append(
            [
                title,
                gpu.name,
                number(1e6 * solve_s),
                number(1 / solve_s),
                *(number(1e6 * value) for value in (send_s, host.read_s, host.write_s)),
                number(1 / whole_s),
                max(slowest, key=lambda name: slowest[name]),
                f"{log.peak_bytes / 1e6:,.0f} MB",
            ]
        )
    return rows
