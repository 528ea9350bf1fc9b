"""The report against finemo's on the same hits, and how its memory grows with regions."""

import shutil
from pathlib import Path

import click

from tests.benchmarks.datasets import ABSENT, simulated_dataset, write_regions
from tests.benchmarks.efforts import Effort
from tests.benchmarks.finemo_env import Finemo
from tests.benchmarks.processes import Measured, measure
from tests.benchmarks.programs import DistCaller, finemo_dist
from tests.benchmarks.tables import megabytes, number, spread, table
from tests.benchmarks.timings import times

_WINDOW_BP = 500
_FEW, _MANY = 1_000, 20_000
_N_STRANDS = 48

_NOTE = """`report` with seqlets (`-m`, `-W 500`) on what finemo 0.41 called with its defaults in
`yeast_mini` (224 regions, 24 motifs), whole processes, alternately; both read the same `.npz`.
"""


def measure_reports(effort: Effort, work: Path, *, finemo: Finemo | None, shared: Path) -> str:
    """Return the table of both programs, and that of memory."""
    work.mkdir(parents=True, exist_ok=True)
    compared = (
        _against_finemo(effort, work, finemo, shared / "yeast_mini")
        if shared.is_dir()
        else f"Not measured: {ABSENT}."
    )
    return "\n".join(
        [
            _NOTE,
            compared,
            f"\nWith regions (simulated, 1,000 bases, {_N_STRANDS} motif-strands, runs of "
            "finemo-dist):\n",
            _with_regions(work),
        ]
    )


def _against_finemo(effort: Effort, work: Path, finemo: Finemo | None, data: Path) -> str:
    regions = work / "regions.npz"
    finemo_dist(
        "extract-regions-modisco-fmt", "-s", data / "ohe.npz", "-a", data / "attr.npz",
        "-p", data / "peaks.narrowPeak", "-o", regions, "--force",
    )  # fmt: skip
    words = [
        "report", "-r", regions, "-H", data / "finemo-0.41/default",
        "-m", data / "modisco_results.h5", "-W", _WINDOW_BP,
    ]  # fmt: skip
    programs = ["finemo-dist"] if finemo is None else [f"finemo {finemo.versions['finemo']}"]
    programs += [] if finemo is None else ["finemo-dist"]
    done: dict[str, list[Measured]] = {name: [] for name in programs}
    sizes = {}
    for repeat in range(effort.repeats):
        for name in programs:
            click.echo(f"report: repeat {repeat + 1}, {name}", err=True)
            out = work / "report"
            shutil.rmtree(out, ignore_errors=True)
            if name == "finemo-dist":
                done[name].append(finemo_dist(*words, "-o", out))
            else:
                assert finemo is not None
                done[name].append(measure([finemo.executable, *words, "-o", out]))
            sizes[name] = _size(out)
    first = [m.wall_s for m in done[programs[0]]]
    rows = []
    for name, measured in done.items():
        walls = [m.wall_s for m in measured]
        n_files, n_bytes, page = sizes[name]
        rows.append(
            [
                name,
                spread(walls),
                times(first, walls) if len(programs) > 1 else "-",
                megabytes(max(m.peak_bytes for m in measured)),
                f"{n_files:,}",
                f"{n_bytes / 1e6:.1f} MB",
                f"{page / 1e6:.1f} MB",
            ]
        )
    return table(
        ["program", "wall s", "times finemo", "peak", "files", "size", "report.html alone"], rows
    )


def _with_regions(work: Path) -> str:
    rows = []
    for n_regions in (_FEW, _MANY):
        click.echo(f"report: {n_regions:,} regions", err=True)
        dataset = simulated_dataset(work, n_regions=n_regions, n_strands=_N_STRANDS)
        store = write_regions(dataset.source, work / "grown.zarr")
        DistCaller(1).call(store, dataset.modisco_h5, work / "run")
        out = work / "grown-report"
        done = finemo_dist("report", "-H", work / "run", "-o", out, "--force")
        rows.append([f"{n_regions:,}", number(done.wall_s), megabytes(done.peak_bytes)])
        for name in ("grown.zarr", "run", "grown-report"):
            shutil.rmtree(work / name, ignore_errors=True)
    return table(["regions", "wall s", "peak"], rows)


def _size(folder: Path) -> tuple[int, int, int]:
    """Return files, bytes of all, and bytes of the page."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    page = (folder / "report.html").stat().st_size
    return len(paths), sum(path.stat().st_size for path in paths), page
