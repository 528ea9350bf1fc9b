"""The command lines that are compared."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.benchmarks.finemo_env import Finemo
from tests.benchmarks.processes import PROJECT, Measured, measure

MAIN = "from finemo_dist.cli.main import main; main()"


class Caller(Protocol):
    """Something that calls hits."""

    @property
    def label(self) -> str:
        """Its name in the tables."""
        ...

    def call(
        self, regions: Path, modisco_h5: Path, out_dir: Path, *, options: Sequence[object] = ()
    ) -> Measured:
        """Call hits into a directory."""
        ...


@dataclass(frozen=True, slots=True)
class FinemoCaller:
    """``finemo call-hits``; regions come as ``.npz``."""

    finemo: Finemo
    batch_regions: int | None
    """Regions stepped together; finemo's default (2,000) when None."""
    limit_s: float | None = None
    """When it is stopped."""

    @property
    def label(self) -> str:
        """Its name in the tables."""
        batch = "default -b" if self.batch_regions is None else f"-b {self.batch_regions}"
        return f"finemo {self.finemo.versions['finemo']}, {batch}"

    def call(
        self, regions: Path, modisco_h5: Path, out_dir: Path, *, options: Sequence[object] = ()
    ) -> Measured:
        """Call hits into a directory."""
        words = [self.finemo.executable, "call-hits", "-r", regions, "-m", modisco_h5]
        batch = () if self.batch_regions is None else ("-b", self.batch_regions)
        return measure([*words, "-o", out_dir, *batch, *options], limit_s=self.limit_s)

    def extract(self, words: Sequence[object], out_path: Path) -> Measured:
        """Extract regions."""
        return measure([self.finemo.executable, *words, "-o", out_path])


@dataclass(frozen=True, slots=True)
class DistCaller:
    """``finemo-dist call-hits``; one worker in its process, or several on Ray."""

    n_workers: int | None
    """The program's own choice of workers and executor when None."""

    @property
    def label(self) -> str:
        """Its name in the tables."""
        if self.n_workers is None:
            return "finemo-dist"
        return "finemo-dist, " + (
            "one worker" if self.n_workers == 1 else f"{self.n_workers} Ray workers"
        )

    def call(
        self, regions: Path, modisco_h5: Path, out_dir: Path, *, options: Sequence[object] = ()
    ) -> Measured:
        """Call hits into a directory; the output is the summary as JSON."""
        executor: tuple[object, ...] = ()
        if self.n_workers is not None:
            kind = "serial" if self.n_workers == 1 else "ray"
            executor = ("--executor", kind, "--workers", self.n_workers)
        return finemo_dist(
            "call-hits", "-r", regions, "-m", modisco_h5, "-o", out_dir, "--force", "--json",
            "--device", "cpu", *executor, *options,
            follows_children=self.n_workers != 1,
        )  # fmt: skip

    def extract(self, words: Sequence[object], out_path: Path) -> Measured:
        """Extract regions; the output is the summary as JSON."""
        return finemo_dist(*words, "-o", out_path, "--force", "--json")


def finemo_dist(*words: object, follows_children: bool = False) -> Measured:
    """Run a command of this package, as checked out."""
    return measure(
        [sys.executable, "-c", MAIN, *words],
        environment={"PYTHONPATH": str(PROJECT)},
        follows_children=follows_children,
    )


def summary(measured: Measured) -> dict[str, Any]:
    """Return the summary that ``--json`` printed."""
    content: dict[str, Any] = json.loads(measured.output)
    return content
