"""Solving batches that may turn out too large for the available memory."""

import logging

import torch
from torch import Tensor

from finemo_dist.core.errors import RunError
from finemo_dist.core.memory import MAX_BATCH_REGIONS
from finemo_dist.solver.api import Solver
from finemo_dist.solver.solution import Solution, concatenate

logger = logging.getLogger(__name__)


class BatchFitter:
    """Solves batches; halves one that memory cannot hold, and keeps to that size from then on.

    The answer for a region does not depend on its batch, so halving never changes one.

    Parameters
    ----------
    solver
        What solves them.
    region_bytes
        What the memory model predicts for a region, for the message when not even one fits.
    """

    def __init__(self, solver: Solver, region_bytes: int) -> None:
        self._solver = solver
        self._region_bytes = region_bytes
        self._most_regions = MAX_BATCH_REGIONS

    def solve(self, sequence: Tensor, contributions: Tensor) -> Solution:
        """Return hits and fits of a batch of regions.

        Raises
        ------
        RunError
            Memory cannot hold a single region.
        """
        parts: list[Solution] = []
        first = 0
        while first < len(sequence):
            part = slice(first, first + self._most_regions)
            solution = self._try(sequence[part], contributions[part])
            if solution is None:
                self._halve(len(sequence[part]), sequence.device)
                continue
            parts.append(solution)
            first = part.stop
        return concatenate(parts)

    def _try(self, sequence: Tensor, contributions: Tensor) -> Solution | None:
        """Return None where memory ran out: what was taken for the try is free again then."""
        try:
            return self._solver.solve(sequence, contributions)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _halve(self, n_regions: int, device: torch.device) -> None:
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if n_regions == 1:
            raise RunError(
                f"One region takes about {self._region_bytes / 2**20:,.0f} MiB to solve, and "
                f"{_free(device)}. Use a machine with more memory, fewer motifs or "
                "narrower regions."
            )
        self._most_regions = n_regions // 2
        logger.warning(
            "Out of memory with batches of %d regions; continuing with %d. Set --batch-size to "
            "start with that.",
            n_regions,
            self._most_regions,
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; on a CPU, PyTorch has no class of its own."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "DefaultCPUAllocator" in str(
        error
    )


def _free(device: torch.device) -> str:
    if device.type != "cuda":
        return "this machine has no more memory"
    free_bytes, total_bytes = torch.cuda.mem_get_info(device)
    return f"{free_bytes / 2**20:,.0f} of {total_bytes / 2**20:,.0f} MiB of the GPU are free"
