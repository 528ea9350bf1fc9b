"""``python -m tests.benchmarks``: measure, print Markdown, and write it into a file of results."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from tests.benchmarks import machine
from tests.benchmarks.confidence import measure_confidence
from tests.benchmarks.datasets import SHARED_DATA
from tests.benchmarks.efforts import FULL, QUICK, SHORT, Effort
from tests.benchmarks.end_to_end import measure_end_to_end
from tests.benchmarks.extraction import measure_extraction
from tests.benchmarks.feeding import measure_feeding
from tests.benchmarks.finemo_env import Finemo, find_finemo
from tests.benchmarks.gpu_estimate import measure_gpu_estimate
from tests.benchmarks.growth import measure_growth
from tests.benchmarks.hit_catalog import measure_catalog
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.reporting import measure_reports
from tests.benchmarks.scheduling import measure_scheduling
from tests.benchmarks.solver_rates import measure_solver
from tests.benchmarks.tables import write_section


@dataclass(frozen=True, slots=True)
class Settings:
    """What every benchmark is given."""

    effort: Effort
    work: Path
    finemo: Finemo | None
    shared: Path
    n_workers: int


def _solver(settings: Settings) -> str:
    return measure_solver(
        settings.effort,
        settings.work / "solver",
        finemo=settings.finemo,
        shared=settings.shared,
        n_workers=settings.n_workers,
    )


def _growth(settings: Settings) -> str:
    return measure_growth(settings.effort, settings.work / "growth", n_workers=settings.n_workers)


def _gpu_estimate(settings: Settings) -> str:
    return measure_gpu_estimate(
        settings.effort, settings.work / "gpu-estimate", shared=settings.shared
    )


def _feeding(settings: Settings) -> str:
    return measure_feeding(settings.effort, settings.work / "feeding", shared=settings.shared)


def _extraction(settings: Settings) -> str:
    return measure_extraction(settings.effort, settings.work / "extraction", shared=settings.shared)


def _end_to_end(settings: Settings) -> str:
    return measure_end_to_end(
        settings.effort,
        settings.work / "end-to-end",
        finemo=settings.finemo,
        shared=settings.shared,
    )


def _report(settings: Settings) -> str:
    return measure_reports(
        settings.effort, settings.work / "report", finemo=settings.finemo, shared=settings.shared
    )


def _catalog(settings: Settings) -> str:
    return measure_catalog(settings.effort, settings.work / "catalog", finemo=settings.finemo)


def _confidence(settings: Settings) -> str:
    return measure_confidence(settings.effort, settings.work / "confidence", shared=settings.shared)


def _scheduling(settings: Settings) -> str:
    return measure_scheduling(settings.effort, settings.work / "scheduling")


BENCHMARKS: Final[dict[str, tuple[str, Callable[[Settings], str]]]] = {
    "solver": ("Solver", _solver),
    "growth": ("Growth", _growth),
    "gpu-estimate": ("On a GPU: an estimate", _gpu_estimate),
    "feeding": ("Feeding a GPU", _feeding),
    "extraction": ("Extraction", _extraction),
    "end-to-end": ("End to end", _end_to_end),
    "report": ("Report", _report),
    "catalog": ("Catalog", _catalog),
    "scheduling": ("Scheduling", _scheduling),
    "confidence": ("Confidence", _confidence),
}
"""Name to title and function, in the order of ``all``."""

_ALONE: Final = ("growth", "gpu-estimate", "feeding", "extraction", "scheduling", "confidence")
"""Benchmarks without finemo."""


def run_benchmark(name: str, settings: Settings, out: Path | None) -> str:
    """Return the section of one benchmark, also written into ``out``."""
    title, measure = BENCHMARKS[name]
    others = settings.finemo.versions if settings.finemo else {}
    description = "\n".join(f"- {line}" for line in machine.describe(others))
    section = f"## {title}\n\n{description}\n\n{measure(settings)}\n"
    if out is not None:
        write_section(out, name, section)
    return section


@click.command()
@click.argument("name", type=click.Choice(["all", *BENCHMARKS]), default="all")
@click.option("--quick", is_flag=True, help="Small sizes: does it run? The figures mean little.")
@click.option("--short", is_flag=True, help="One repeat of smaller runs: a quarter of an hour.")
@click.option(
    "--repeats", type=click.IntRange(min=1),
    help="Alternations of all programs, instead of as many as the effort has.",
)  # fmt: skip
@click.option(
    "--finemo", "finemo_path", type=click.Path(path_type=Path),
    help="An executable of finemo 0.41; one is installed in an environment of its own otherwise.",
)  # fmt: skip
@click.option("--no-finemo", is_flag=True, help="Measure finemo-dist alone.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path),
    help="Markdown file whose generated sections are replaced; the rest of it stays.",
)  # fmt: skip
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path),
    help="Directory for inputs and runs of one effort, kept (30 GB with catalog); else temporary.",
)  # fmt: skip
@click.option(
    "--workers", "n_workers", type=click.IntRange(min=1), default=2, show_default=True,
    help="Workers of the runs on Ray.",
)  # fmt: skip
def main(
    *,
    name: str,
    quick: bool,
    short: bool,
    repeats: int | None,
    finemo_path: Path | None,
    no_finemo: bool,
    out: Path | None,
    work: Path | None,
    n_workers: int,
) -> None:
    """Run one benchmark, or all; tables go to standard output, progress to standard error."""
    try:
        finemo = None if no_finemo or name in _ALONE else find_finemo(finemo_path)
        with tempfile.TemporaryDirectory(prefix="finemo-dist-bench-") as temporary:
            effort = QUICK if quick else SHORT if short else FULL
            settings = Settings(
                effort=replace(effort, repeats=repeats or effort.repeats),
                work=work or Path(temporary),
                finemo=finemo,
                shared=SHARED_DATA,
                n_workers=n_workers,
            )
            for benchmark in BENCHMARKS if name == "all" else (name,):
                click.echo(run_benchmark(benchmark, settings, out))
    except BenchmarkError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
