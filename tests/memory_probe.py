"""How much memory solving a batch really takes: ``python -m tests.memory_probe``.

The resident set of a process says it as the machine sees it. Linux lets a process reset the
largest one seen (``/proc/self/clear_refs``, see ``proc(5)``), so the peak of one batch can be told
from what came before.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from finemo_dist.core.config import MotifConfig, SolverConfig
from finemo_dist.core.memory import region_bytes
from finemo_dist.core.records import Mode, ScoreKind
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.solver.api import make_solver
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.testing.regions import SimulationSettings
from finemo_dist.testing.source import SimulatedSource

_WARM_UP_REGIONS = 4


def measure(
    solver: str, mode: str, *, n_strands: int, width: int, n_regions: int
) -> tuple[float, float]:
    """Return the bytes of a region as predicted, and as measured in this process."""
    motifs = random_motifs(np.random.default_rng(n_strands), n_strands // 2)
    patterns = [
        Pattern(*columns)
        for columns in zip(motifs.name, motifs.cwm, motifs.hypothetical, strict=True)
    ]
    motif_set = build_motif_set(patterns, MotifConfig(), Mode(mode))
    config = SolverConfig(name=solver, mode=mode, max_steps=3)
    is_hypothetical = config.mode.contributions_are_hypothetical
    kind = ScoreKind.HYPOTHETICAL if is_hypothetical else ScoreKind.PROJECTED
    settings = SimulationSettings(width=width)
    source = SimulatedSource(motifs, n_regions, score_kind=kind, settings=settings)
    batch = source.read(0, n_regions)
    arrays = torch.from_numpy(batch.sequence), torch.from_numpy(batch.contributions).float()
    fast = make_solver(motif_set, config, torch.device("cpu"))
    fast.solve(*(array[:_WARM_UP_REGIONS] for array in arrays))
    before = _reset_peak()
    fast.solve(*arrays)
    predicted = region_bytes(
        config.name,
        n_motifs=n_strands,
        region_width=width,
        motif_width=motif_set.width,
        is_hypothetical=is_hypothetical,
    )
    return float(predicted), (_status_bytes("VmHWM") - before) / n_regions


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _status_bytes("VmRSS")


def _status_bytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    torch.set_num_threads(1)
    solver, mode, *numbers = sys.argv[1:]
    n_strands, width, n_regions = map(int, numbers)
    found = measure(solver, mode, n_strands=n_strands, width=width, n_regions=n_regions)
    print(json.dumps(found))  # noqa: T201
