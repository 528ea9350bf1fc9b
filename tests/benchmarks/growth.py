"""How time and memory grow with regions, motifs and region length; simulated regions."""

import shutil
from pathlib import Path

import click

from tests.benchmarks.datasets import Dataset, simulated_dataset, write_regions
from tests.benchmarks.efforts import Effort
from tests.benchmarks.programs import DistCaller, summary
from tests.benchmarks.tables import megabytes, number, table
from tests.benchmarks.timings import NOT_SEPARABLE, work_seconds

_STAGES = ("worker.read", "worker.solve", "worker.write")
_N_STRANDS = 100

_NOTE = """Simulated regions with planted sites of all motifs, made and stored block by block
before the clock runs. Microseconds are a worker's own timers over the regions. Wall times are
whole processes from store to `hits.tsv`; memory with Ray is the sum over its processes
(proportional set sizes), with one worker the largest resident set of the process.
"""


def measure_growth(effort: Effort, work: Path, *, n_workers: int) -> str:
    """Return three tables."""
    work.mkdir(parents=True, exist_ok=True)
    return "\n".join(
        [
            _NOTE,
            f"With regions ({_N_STRANDS} motif-strands, 1,000 bases):\n",
            _with_regions(effort, work, n_workers),
            f"\nWith motifs ({effort.growth_sample:,} regions of 1,000 bases, one worker):\n",
            _with_strands(effort, work),
            f"\nWith length ({effort.growth_sample:,} regions, {_N_STRANDS} motif-strands, one "
            "worker):\n",
            _with_length(effort, work),
        ]
    )


def _with_regions(effort: Effort, work: Path, n_workers: int) -> str:
    callers = [DistCaller(workers) for workers in sorted({1, n_workers})]
    one = simulated_dataset(work, n_regions=1, n_strands=_N_STRANDS)
    one_store = write_regions(one.source, work / "one.zarr")
    start_s = [c.call(one_store, one.modisco_h5, work / "run").wall_s for c in callers]
    rows = []
    for n_regions in effort.growth_regions:
        dataset = simulated_dataset(work, n_regions=n_regions, n_strands=_N_STRANDS)
        store = write_regions(dataset.source, work / "grown.zarr")
        for caller, start in zip(callers, start_s, strict=True):
            click.echo(f"growth: {n_regions:,} regions, {caller.label}", err=True)
            done = caller.call(store, dataset.modisco_h5, work / "run")
            seconds = summary(done)["seconds"]
            worked = work_seconds([done.wall_s], [start])
            rows.append(
                [
                    f"{n_regions:,}",
                    caller.label,
                    number(done.wall_s),
                    number(n_regions / worked[0]) if worked else NOT_SEPARABLE,
                    *(_microseconds(seconds[stage], n_regions) for stage in _STAGES),
                    number(seconds["outputs"]),
                    megabytes(done.peak_bytes),
                ]
            )
        _clear(work)
    return table(
        ["regions", "program", "wall s", "regions/s less start", "read us", "solve us",
         "write us", "outputs s", "peak"],
        rows,
    )  # fmt: skip


def _with_strands(effort: Effort, work: Path) -> str:
    rows = []
    for n_strands in effort.growth_strands:
        dataset = simulated_dataset(work, n_regions=effort.growth_sample, n_strands=n_strands)
        solve, peak = _one_worker(dataset, work)
        rows.append([f"{n_strands:,}", number(solve), number(solve / n_strands), peak])
    return table(["motif-strands", "solve us/region", "us/region/motif-strand", "peak"], rows)


def _with_length(effort: Effort, work: Path) -> str:
    rows = []
    for width in effort.growth_lengths:
        dataset = simulated_dataset(
            work, n_regions=effort.growth_sample, n_strands=_N_STRANDS, width=width
        )
        solve, peak = _one_worker(dataset, work)
        rows.append([f"{width:,}", number(solve), number(1000 * solve / width), peak])
    return table(["bases", "solve us/region", "ns/base", "peak"], rows)


def _one_worker(dataset: Dataset, work: Path) -> tuple[float, str]:
    """Return microseconds in the solver for each region, and peak memory."""
    source = dataset.source
    click.echo(f"growth: {dataset.n_strands:,} strands, {source.region_width:,} bases", err=True)
    store = write_regions(source, work / "grown.zarr")
    done = DistCaller(1).call(store, dataset.modisco_h5, work / "run")
    _clear(work)
    solve_s = summary(done)["seconds"]["worker.solve"]
    return 1e6 * solve_s / len(source.regions), megabytes(done.peak_bytes)


def _microseconds(seconds: float, n_regions: int) -> str:
    return number(1e6 * seconds / n_regions)


def _clear(work: Path) -> None:
    """Remove what is large."""
    for name in ("grown.zarr", "run"):
        shutil.rmtree(work / name, ignore_errors=True)
