"""finemo with its default batch, which may take hours: timed once, or stopped."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tests.benchmarks.datasets import CopiedSource, Dataset, spaced_rows, write_regions
from tests.benchmarks.efforts import Effort
from tests.benchmarks.finemo_env import Finemo
from tests.benchmarks.processes import TimeLimitError
from tests.benchmarks.programs import FinemoCaller
from tests.benchmarks.tables import number


@dataclass(frozen=True, slots=True)
class AtDefault:
    """One run, whole or stopped."""

    label: str
    n_regions: int
    wall_s: float
    """Until it ended or was stopped."""
    start_s: float
    """Of the same command on one region and one step."""
    is_whole: bool
    peak_bytes: int | None
    """None where it was stopped."""

    @property
    def rate(self) -> float:
        """Regions a second less the start; of a run that was stopped, more than it does."""
        return self.n_regions / (self.wall_s - self.start_s)

    @property
    def rate_text(self) -> str:
        """The rate, or what it is below."""
        return self._bound("<", self.rate)

    @property
    def wall_text(self) -> str:
        """The wall time, or what it is above."""
        return self._bound(">", self.wall_s)

    def times(self, rates: Sequence[float]) -> str:
        """Return how many times as fast the median of other rates is, or at least is."""
        return self._bound(">", statistics.median(rates) / self.rate) if rates else "-"

    def _bound(self, sign: str, value: float) -> str:
        return number(value) if self.is_whole else f"{sign} {number(value)}"


def run_at_default(
    dataset: Dataset, effort: Effort, folder: Path, finemo: Finemo, one_region: Path
) -> AtDefault:
    """Time finemo with its default batch once, on copies of regions that fill it."""
    n_wanted, n_here = effort.default_regions[dataset.name], len(dataset.source.regions)
    n_copies = -(-n_wanted // n_here)
    rows = spaced_rows(n_here, n_wanted // n_copies)
    n_regions = len(rows) * n_copies
    npz = write_regions(CopiedSource(dataset.source, rows, n_copies), folder / "default.npz")
    caller = FinemoCaller(finemo, None, limit_s=effort.default_limit_s)
    click.echo(f"  {caller.label}: {n_regions:,} regions", err=True)
    out = folder / "default"
    start = FinemoCaller(finemo, 1).call(one_region, dataset.modisco_h5, out, options=("-S", 1))
    try:
        whole = caller.call(npz, dataset.modisco_h5, out)
    except TimeLimitError:
        stopped_s = effort.default_limit_s
        return AtDefault(caller.label, n_regions, stopped_s, start.wall_s, False, None)
    return AtDefault(caller.label, n_regions, whole.wall_s, start.wall_s, True, whole.peak_bytes)
