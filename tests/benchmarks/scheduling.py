"""What an atlas costs its driver, and what Ray costs against one process."""

import shutil
import statistics
from pathlib import Path

import click

from finemo_dist.store.layout import MAX_CHUNK_REGIONS
from finemo_dist.store.staging import encode
from tests.benchmarks.datasets import simulated_dataset
from tests.benchmarks.efforts import Effort
from tests.benchmarks.scheduling_probe import Scheduled, run_scheduling
from tests.benchmarks.tables import megabytes, number, spread, table

_REGIONS_PER_SAMPLE = 2_000
_SHARDS_PER_SAMPLE = 25
_ATLAS_SAMPLES = 1_500
_N_STRANDS = 100
_SHARDS_SOLVED = 32
_EXECUTORS = {0: "in process", 1: "Ray, 1 worker", 2: "Ray, 2 workers"}

_NOTE = f"""Samples of {_REGIONS_PER_SAMPLE:,} regions in {_SHARDS_PER_SAMPLE} shards, planned and
run by a driver whose workers solve nothing and commit parts without hits; seconds of the driver.
*resume* plans the finished run again and reads every part against its checksum; *tables* opens its
tables; *peak* is the largest resident set of the driver alone. The lines of {_ATLAS_SAMPLES:,}
samples are drawn through the first and the last that were measured.
"""


def measure_scheduling(effort: Effort, work: Path) -> str:
    """Return the table of the driver, and that of Ray against one process."""
    work.mkdir(parents=True, exist_ok=True)
    return "\n".join(
        [
            _NOTE,
            _with_samples(effort, work),
            f"\nThe solver at work ({effort.speedup_regions:,} simulated regions of 1,000 bases, "
            f"{_N_STRANDS} motif-strands): from the first shard given to the last done, and until "
            "the first is given.\n",
            _with_workers(effort, work),
        ]
    )


def _with_samples(effort: Effort, work: Path) -> str:
    dataset = simulated_dataset(
        work, n_regions=_REGIONS_PER_SAMPLE, n_strands=_N_STRANDS, width=200
    )
    store = work / "sample.zarr"
    shard_regions = _REGIONS_PER_SAMPLE // _SHARDS_PER_SAMPLE
    encode(dataset.source, store, shard_regions=shard_regions, overwrite=True)
    rows = []
    # How many workers solve nothing hardly matters to their driver: none beside it, and two.
    for n_workers in (0, 2):
        label = _EXECUTORS[n_workers]
        found: dict[int, Scheduled] = {}
        for n_samples in effort.atlas_samples:
            click.echo(f"scheduling: {n_samples} samples, {label}", err=True)
            found[n_samples] = _run(
                work, store, dataset.modisco_h5, n_samples=n_samples, n_workers=n_workers,
                is_stub=True,
            )  # fmt: skip
            rows.append([f"{n_samples:,}, {label}", *_cells(_figures(found[n_samples]))])
            click.echo(f"  {', '.join(rows[-1])}", err=True)
        rows.append([f"{_ATLAS_SAMPLES:,} (drawn), {label}", *_cells(_drawn(found))])
    header = ["samples, executor", "shards", "open s", "plan s", "ms a shard", "resume s",
              "tables s", "peak"]  # fmt: skip
    return table(header, rows)


Figures = tuple[float, float, float, float, float, float, float]


def _figures(done: Scheduled) -> Figures:
    return (
        done.n_shards, done.open_s, done.plan_s, done.work_s, done.resume_s, done.catalog_s,
        done.peak_bytes,
    )  # fmt: skip


def _drawn(found: dict[int, Scheduled]) -> Figures:
    """Return the figures of an atlas on the lines through the first and the last measured."""
    first, last = min(found), max(found)
    share = (_ATLAS_SAMPLES - first) / max(1, last - first)
    pairs = zip(_figures(found[first]), _figures(found[last]), strict=True)
    n_shards, open_s, plan_s, work_s, resume_s, catalog_s, peak_bytes = (
        a + share * (b - a) for a, b in pairs
    )
    return n_shards, open_s, plan_s, work_s, resume_s, catalog_s, peak_bytes


def _cells(figures: Figures) -> list[str]:
    n_shards, open_s, plan_s, work_s, *seconds, peak_bytes = figures
    shown = (open_s, plan_s, 1e3 * work_s / n_shards, *seconds)
    return [f"{n_shards:,.0f}", *map(number, shown), megabytes(peak_bytes)]


def _with_workers(effort: Effort, work: Path) -> str:
    n_regions = effort.speedup_regions
    dataset = simulated_dataset(work, n_regions=n_regions, n_strands=_N_STRANDS)
    store = work / "solved.zarr"
    # As many shards as the store of a sample of an atlas has: both workers end together.
    shard_regions = min(MAX_CHUNK_REGIONS, max(1, n_regions // _SHARDS_SOLVED))
    encode(dataset.source, store, shard_regions=shard_regions, overwrite=True)
    done: dict[int, list[Scheduled]] = {n: [] for n in _EXECUTORS}
    for repeat in range(effort.repeats):
        for n_workers, label in _EXECUTORS.items():
            click.echo(f"scheduling: solver, repeat {repeat + 1}, {label}", err=True)
            done[n_workers].append(
                _run(work, store, dataset.modisco_h5, n_samples=1, n_workers=n_workers,
                     is_stub=False)
            )  # fmt: skip
    base = {n: statistics.median(s.work_s for s in done[n]) for n in done}
    rows = [
        [
            label,
            spread([s.start_s for s in done[n]]),
            spread([s.work_s for s in done[n]]),
            spread([n_regions / s.work_s for s in done[n]]),
            number(base[0] / base[n]),
            number(base[1] / base[n]),
        ]
        for n, label in _EXECUTORS.items()
    ]
    header = ["executor", "start s", "work s", "regions/s", "times in process",
              "times one Ray worker"]  # fmt: skip
    return table(header, rows)


def _run(
    work: Path, store: Path, modisco_h5: Path, *, n_samples: int, n_workers: int, is_stub: bool
) -> Scheduled:
    run_dir = work / "run"
    shutil.rmtree(run_dir, ignore_errors=True)
    try:
        return run_scheduling(
            run_dir, store, modisco_h5, n_samples=n_samples, n_workers=n_workers, is_stub=is_stub
        )
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)
