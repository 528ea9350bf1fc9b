"""Repeated timings of one program, and the rate without its start."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.programs import Caller
from tests.benchmarks.tables import number, spread

NOT_SEPARABLE = "lost in the start"

_LEAST_WORK = 0.2
"""Share of the start that work must take where nothing says by how much the start varies."""
_ONE_STEP = ("-S", 1)


@dataclass(slots=True)
class Timings:
    """One program on one set of regions."""

    caller: Caller
    regions: Path
    one_region: Path
    n_regions: int
    wall_s: list[float] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    peak_bytes: int = 0

    def run(self, modisco_h5: Path, out_dir: Path) -> None:
        """Time the start and the whole once."""
        start = self.caller.call(self.one_region, modisco_h5, out_dir, options=_ONE_STEP)
        whole = self.caller.call(self.regions, modisco_h5, out_dir)
        self.start_s.append(start.wall_s)
        self.wall_s.append(whole.wall_s)
        self.peak_bytes = max(self.peak_bytes, whole.peak_bytes)

    @property
    def rates(self) -> list[float]:
        """Regions a second of each repeat; none when work is lost in the start."""
        return [self.n_regions / seconds for seconds in work_seconds(self.wall_s, self.start_s)]


def work_seconds(wall_s: Sequence[float], start_s: Sequence[float]) -> list[float]:
    """Return the wall times less the median start; none when one is too short to be told.

    Work is told when it takes longer than the start varies, which three starts show.
    """
    start = statistics.median(start_s)
    noise = max(start_s) - min(start_s) if len(start_s) >= 3 else _LEAST_WORK * start
    work = [wall - start for wall in wall_s]
    return work if min(work) > noise else []


def spread_or_lost(values: Sequence[float]) -> str:
    """Return median and range, or that there are none."""
    return spread(values) if values else NOT_SEPARABLE


def times(values: Sequence[float], reference: Sequence[float]) -> str:
    """Return the ratio of two medians, where both are known."""
    if not values or not reference:
        return "-"
    return number(statistics.median(values) / statistics.median(reference))
