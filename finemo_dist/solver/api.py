"""The one way in: a motif set and a configuration become a solver."""

from typing import Protocol

import torch
from torch import Tensor

from finemo_dist.core.config import SolverConfig, SolverName
from finemo_dist.core.records import MotifSet
from finemo_dist.solver.cwms import build_cwms
from finemo_dist.solver.dense import DenseSolver
from finemo_dist.solver.solution import Solution
from finemo_dist.solver.working_set import WorkingSetSolver


class Solver(Protocol):
    """Finds the hits of batches of regions; made once for a motif set."""

    def solve(self, sequence: Tensor, contributions: Tensor) -> Solution:
        """Return hits and fits; those of a region do not depend on the rest of the batch.

        Parameters
        ----------
        sequence : (R, L) uint8
            Codes 0-3 for A, C, G, T and 4 for any other base.
        contributions : (R, L) or (R, 4, L) floating
            Projected or hypothetical scores, on the device of the solver.
        """
        ...


def make_solver(motifs: MotifSet, config: SolverConfig, device: torch.device) -> Solver:
    """Return the solver that the configuration names, with its CWMs on ``device``."""
    cwms = build_cwms(motifs, device, use_sqrt_transform=config.use_sqrt_transform)
    if config.name is SolverName.DENSE:
        return DenseSolver(cwms, config)
    return WorkingSetSolver(cwms, config)
