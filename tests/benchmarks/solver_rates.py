"""Regions a second, side by side with finemo, and against one dense pass."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.datasets import (
    ABSENT,
    CopiedSource,
    Dataset,
    bench_datasets,
    spaced_rows,
    write_regions,
)
from tests.benchmarks.efforts import Effort
from tests.benchmarks.finemo_default import AtDefault, run_at_default
from tests.benchmarks.finemo_env import Finemo
from tests.benchmarks.gaps import gaps_of_hits
from tests.benchmarks.probe import run_probe
from tests.benchmarks.programs import Caller, DistCaller, FinemoCaller, summary
from tests.benchmarks.tables import megabytes, number, spread, table
from tests.benchmarks.timings import Timings, spread_or_lost, times

_MAX_WORK_REGIONS = 200_000
_COMPENDIUM_REGIONS = 200
_WORKER_STAGES = ("worker.read", "worker.solve", "worker.write")

_NOTE = """Whole processes less their start, `(regions) / (wall - start)`, medians of the repeats
with their range; the start is the same command on one region and one step, timed beside every run.
All programs run alternately, with their own defaults for threads, on the same regions; finemo-dist
is given copies of them, so that its work lasts long enough to be timed. finemo steps all slots of
its batch until the last region has stopped, so it is given the batch size that is fastest here, and
once its default of 2,000, with copies of the regions that fill the slots; it is stopped after
{limit_s:.0f} s, and its rate is then below what it would be had it been done. The gap is the true
duality gap over L, computed densely in float64 from the coefficients each program wrote: median and
largest over {gap_regions} regions or fewer.
Memory is the largest resident set of the process, with Ray the sum over its processes.
"""


def measure_solver(
    effort: Effort, work: Path, *, finemo: Finemo | None, shared: Path, n_workers: int
) -> str:
    """Return the tables of all data sets that are here."""
    parts = [_NOTE.format(gap_regions=effort.gap_regions, limit_s=effort.default_limit_s)]
    rows, floors = [], []
    n_simulated = effort.finemo_regions["simulated"]
    for dataset in bench_datasets(
        work, shared, n_simulated=n_simulated, n_compendium=_COMPENDIUM_REGIONS
    ):
        click.echo(f"solver: {dataset.title}, {dataset.n_strands} motif-strands", err=True)
        folder = work / dataset.name
        folder.mkdir(parents=True, exist_ok=True)
        rows += _side_by_side(dataset, effort, folder, finemo=finemo, n_workers=n_workers)
        floors.append(_against_one_pass(dataset, effort, folder))
    if not shared.is_dir():
        parts.append(f"Only simulated regions: {ABSENT}.\n")
    parts += [
        table(
            ["regions, motif-strands", "program", "timed", "regions/s", "times its best -b",
             "times its default", "wall s", "start s", "gap median; max", "peak"],
            rows,
        ),
        "\nSolver against one dense float32 `conv1d` pass of all untrimmed CWMs, in the same "
        "process on the same regions, one thread, fastest of the repeats and of three batch "
        "sizes:\n",
        table(
            ["regions, motif-strands", "solver regions/s", "one pass regions/s",
             "solver / pass", "one pass, all cores", "read us", "solve us", "write us"],
            floors,
        ),
    ]  # fmt: skip
    return "\n".join(parts)


def _side_by_side(
    dataset: Dataset, effort: Effort, folder: Path, *, finemo: Finemo | None, n_workers: int
) -> list[list[str]]:
    files = _write_inputs(dataset, effort, folder)
    timings: list[Timings] = []
    if finemo is not None:
        n_regions = len(_rows(dataset, effort))
        caller = _fastest_finemo(finemo, effort, dataset, files["npz"], folder)
        timings.append(Timings(caller, files["npz"], files["one_npz"], n_regions))
    work, n_work = _write_work(dataset, effort, folder)
    timings += [
        Timings(DistCaller(workers), work, files["one_store"], n_work)
        for workers in sorted({1, n_workers})
    ]
    for repeat in range(effort.repeats):
        click.echo(f"  repeat {repeat + 1} of {effort.repeats}", err=True)
        for timing in timings:
            timing.run(dataset.modisco_h5, folder / _folder_name(timing.caller))
    default = None
    if finemo is not None and effort.default_regions[dataset.name]:
        default = run_at_default(dataset, effort, folder, finemo, files["one_npz"])
    rows = [
        _row(dataset, timing, timings[0], default, _gap(timing.caller, dataset, files, folder))
        for timing in timings
    ]
    return rows if default is None else [*rows[:1], _default_row(dataset, default), *rows[1:]]


def _rows(dataset: Dataset, effort: Effort) -> NDArray[np.intp]:
    """Return the rows that every program gets."""
    return spaced_rows(len(dataset.source.regions), effort.finemo_regions[dataset.name])


def _write_work(dataset: Dataset, effort: Effort, folder: Path) -> tuple[Path, int]:
    """Write as many copies of the regions as take one worker long enough; return their number."""
    rows = _rows(dataset, effort)
    n_trial = -(-effort.trial_regions // len(rows))
    trial = write_regions(CopiedSource(dataset.source, rows, n_trial), folder / "trial.zarr")
    seconds = summary(DistCaller(1).call(trial, dataset.modisco_h5, folder / "trial"))["seconds"]
    per_copy_s = sum(seconds[stage] for stage in _WORKER_STAGES) / n_trial
    n_copies = min(int(np.ceil(effort.work_s / per_copy_s)), _MAX_WORK_REGIONS // len(rows))
    path = folder / "work.zarr"
    return write_regions(CopiedSource(dataset.source, rows, n_copies), path), len(rows) * n_copies


def _write_inputs(dataset: Dataset, effort: Effort, folder: Path) -> dict[str, Path]:
    """Write the regions finemo takes, a few for gaps, and one; each as a store and as npz."""
    rows = _rows(dataset, effort)
    sizes = {"": len(rows), "gap_": effort.gap_regions, "one_": 1}
    files = {}
    for prefix, size in sizes.items():
        some = CopiedSource(dataset.source, rows[spaced_rows(len(rows), size)], 1)
        files[f"{prefix}npz"] = write_regions(some, folder / f"{prefix}regions.npz")
        files[f"{prefix}store"] = write_regions(some, folder / f"{prefix}regions.zarr")
    return files


def _fastest_finemo(
    finemo: Finemo, effort: Effort, dataset: Dataset, npz: Path, folder: Path
) -> FinemoCaller:
    """Return finemo with the batch size that is fastest on these regions."""
    callers = [FinemoCaller(finemo, batch) for batch in effort.finemo_batches[dataset.name]]
    if len(callers) == 1:
        return callers[0]
    wall_s = []
    for caller in callers:
        wall_s.append(caller.call(npz, dataset.modisco_h5, folder / "trial").wall_s)
        click.echo(f"  trial of {caller.label}: {wall_s[-1]:.1f} s", err=True)
    return callers[wall_s.index(min(wall_s))]


def _gap(caller: Caller, dataset: Dataset, files: dict[str, Path], folder: Path) -> str:
    out = folder / f"gap-{_folder_name(caller)}"
    regions = files["gap_npz" if isinstance(caller, FinemoCaller) else "gap_store"]
    caller.call(regions, dataset.modisco_h5, out, options=("-f",))
    gaps = gaps_of_hits(out / "hits.tsv", files["gap_store"], dataset.modisco_h5)
    return f"{float(gaps.median()):.0e}; {float(gaps.max()):.0e}"


def _folder_name(caller: Caller) -> str:
    return caller.label.replace(" ", "-").replace(",", "")


def _row(
    dataset: Dataset, timing: Timings, other: Timings, default: AtDefault | None, gap: str
) -> list[str]:
    is_finemo = isinstance(other.caller, FinemoCaller)
    return [
        f"{dataset.title}, {dataset.n_strands}",
        timing.caller.label,
        f"{timing.n_regions:,}",
        spread_or_lost(timing.rates),
        times(timing.rates, other.rates) if is_finemo else "-",
        default.times(timing.rates) if default else "-",
        spread(timing.wall_s),
        spread(timing.start_s),
        gap,
        megabytes(timing.peak_bytes),
    ]


def _default_row(dataset: Dataset, default: AtDefault) -> list[str]:
    return [
        f"{dataset.title}, {dataset.n_strands}",
        default.label,
        f"{default.n_regions:,}",
        default.rate_text,
        "-",
        "1",
        default.wall_text,
        number(default.start_s),
        "-",
        "-" if default.peak_bytes is None else megabytes(default.peak_bytes),
    ]


def _against_one_pass(dataset: Dataset, effort: Effort, folder: Path) -> Sequence[str]:
    n_regions = len(dataset.source.regions)
    n_copies = max(1, round(_probe_regions(dataset, effort) / n_regions))
    source = CopiedSource(dataset.source, np.arange(n_regions), n_copies)
    store = write_regions(source, folder / "probe.zarr")
    found = run_probe(store, dataset.modisco_h5, repeats=effort.repeats)
    return [
        f"{dataset.title}, {dataset.n_strands}",
        number(1 / found.solve_s),
        number(1 / found.pass_s),
        f"{found.solve_s / found.pass_s:.2f}",
        number(1 / found.pass_all_cores_s),
        *(number(1e6 * seconds) for seconds in (found.read_s, found.solve_s, found.write_s)),
    ]


def _probe_regions(dataset: Dataset, effort: Effort) -> int:
    """Return about how many regions to probe: fewer where there are many motifs."""
    return max(1, effort.probe_regions * 100 // max(100, dataset.n_strands))
