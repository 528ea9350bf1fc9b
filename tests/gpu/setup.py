"""What the script runs on, and for how long."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from finemo_dist.core.config import MotifConfig, SolverConfig
from finemo_dist.core.records import MotifSet, ScoreKind
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.testing.motifs import SimulatedMotifs, random_motifs
from finemo_dist.testing.regions import SimulationSettings
from finemo_dist.testing.source import SimulatedSource

REGION_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done."""

    strands: tuple[int, ...]
    equal_regions: int
    """Regions whose hits are compared with those of the CPU."""
    dense_steps: int
    """Steps of the dense solver that are compared."""
    rate_regions: int
    """Regions of a batch whose rate is measured."""
    rate_s: float
    """Time of each rate."""
    run_regions: int
    """Regions of the whole run."""
    finemo_regions: int
    finemo_batch: int


FULL = Sizes((48, 100, 704, 2_000), 512, 1_000, 2_048, 5.0, 400_000, 4_096, 2_000)
QUICK = Sizes((16,), 4, 400, 16, 0.1, 64, 8, 8)


@dataclass(frozen=True, slots=True)
class Setup:
    """What every section is given."""

    device: str
    """``cuda``, ``cpu`` or ``fake``: CUDA tensors without data, on which nothing is timed."""
    sizes: Sizes
    work: Path
    finemo: Path | None
    """An executable of finemo 0.41."""
    ends_at: float
    """``time.monotonic`` at which no further section begins."""

    @property
    def remaining_s(self) -> float:
        """Time that is left."""
        return self.ends_at - time.monotonic()

    @property
    def torch_device(self) -> torch.device:
        """Where real tensors lie."""
        return torch.device("cuda" if self.device == "cuda" else "cpu")

    def wait(self) -> None:
        """Wait until the device has done all it was asked."""
        if self.device == "cuda":
            torch.cuda.synchronize()


Section = Callable[[Setup], dict[str, object]]


def simulated(
    n_strands: int, n_regions: int, kind: ScoreKind
) -> tuple[SimulatedMotifs, SimulatedSource]:
    """Return motifs and regions that hold sites of them."""
    motifs = random_motifs(np.random.default_rng(n_strands), n_strands // 2)
    settings = SimulationSettings(width=REGION_WIDTH)
    source = SimulatedSource(
        motifs, n_regions, score_kind=kind, settings=settings, stride=REGION_WIDTH + 200
    )
    return motifs, source


def motif_set(motifs: SimulatedMotifs, solver: SolverConfig) -> MotifSet:
    """Return the motifs as a solver takes them."""
    patterns = [
        Pattern(*columns)
        for columns in zip(motifs.name, motifs.cwm, motifs.hypothetical, strict=True)
    ]
    return build_motif_set(patterns, MotifConfig(), solver.mode)


def tensors(source: SimulatedSource, n_regions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return sequences and contributions of the first regions, on the CPU."""
    batch = source.read(0, n_regions)
    return torch.from_numpy(batch.sequence), torch.from_numpy(batch.contributions).float()
