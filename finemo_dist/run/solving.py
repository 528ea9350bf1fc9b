"""From regions to hits: read batches, solve them, and join what was found.

Workers use this for stores and ``workflow.finding`` uses it for arrays: one path, so that the same
regions have the same hits. Callers see numpy and the solver sees torch: here they meet.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from finemo_dist.core.clock import Clock
from finemo_dist.core.config import SolverConfig
from finemo_dist.core.errors import UsageError
from finemo_dist.core.memory import CPU_BUDGET_BYTES, MAX_BATCH_REGIONS, batch_regions, region_bytes
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.hits.columns import ColumnValues
from finemo_dist.run.fitting import BatchFitter
from finemo_dist.run.loading import load_batches
from finemo_dist.run.palindromes import merge_palindromes, motif_offsets
from finemo_dist.run.tables import hit_columns, qc_columns
from finemo_dist.solver.api import Solver, make_solver
from finemo_dist.solver.cwms import build_cwms
from finemo_dist.solver.residual import residual
from finemo_dist.solver.solution import Solution, concatenate
from finemo_dist.solver.target import build_target

_CUDA_SHARE = 0.5
"""Of the free device memory: the allocator and the library need the rest."""
_MOST_REGIONS_ON_GPU = 2048
"""A quarter of the largest shard, so that reading overlaps with solving."""

Columns = Mapping[str, ColumnValues]


@dataclass(frozen=True, slots=True)
class Caller:
    """What calls hits: kept from sample to sample while they share motifs and settings."""

    motifs: MotifSet
    config: SolverConfig
    solver: Solver
    device: torch.device
    palindromes: Tensor | None
    """(M,) of ``motif_offsets``; None where the strands of palindromes are not merged."""


def make_caller(motifs: MotifSet, config: SolverConfig, device: torch.device) -> Caller:
    """Return a caller of these motifs with these settings, whose CWMs are on the device."""
    palindromes = motif_offsets(motifs).to(device) if config.merge_palindromes else None
    return Caller(motifs, config, make_solver(motifs, config, device), device, palindromes)


class RegionCaller:
    """Calls hits in the rows of one reader, in batches that fit memory.

    Parameters
    ----------
    caller
        Motifs and solver.
    reader
        The regions.
    budget_bytes
        What a batch may take.
    batch_size
        Regions solved together; from the memory model when None. Changes no answer.
    most_regions
        The most that the memory model may choose.
    """

    def __init__(
        self,
        caller: Caller,
        reader: RegionReader,
        *,
        budget_bytes: int,
        batch_size: int | None = None,
        most_regions: int = MAX_BATCH_REGIONS,
    ) -> None:
        per_region = region_bytes(
            caller.config.name,
            n_motifs=len(caller.motifs),
            region_width=reader.region_width,
            motif_width=caller.motifs.width,
            is_hypothetical=caller.config.mode.contributions_are_hypothetical,
        )
        if caller.device.type != "cpu":
            most_regions = min(most_regions, _MOST_REGIONS_ON_GPU)
        self._caller = caller
        self._reader = reader
        self._fitter = BatchFitter(caller.solver, per_region)
        self._size = batch_size or batch_regions(per_region, budget_bytes, most=most_regions)

    @property
    def batch_regions(self) -> int:
        """The most regions that are solved together."""
        return self._size

    def solve(self, rows: range, clock: Clock) -> Solution:
        """Return the hits and fits of consecutive rows.

        Raises
        ------
        StoreError, InputError
            The regions cannot be read.
        RunError
            Memory cannot hold a single region.
        """
        with _one_thread():
            solution = concatenate(list(self._solutions(rows, clock)))
        palindromes = self._caller.palindromes
        if palindromes is None:
            return solution
        hits = merge_palindromes(solution.hits, self._caller.motifs, palindromes)
        return replace(solution, hits=hits)

    def tables(self, solution: Solution, rows: range) -> tuple[Columns, Columns]:
        """Return the columns of ``HIT_COLUMNS`` and ``QC_COLUMNS`` for solved rows."""
        regions = self._reader.table(rows.start, rows.stop)
        return (
            hit_columns(solution, regions, self._caller.motifs),
            qc_columns(solution, regions),
        )

    def residual(self, solution: Solution, row: int) -> NDArray[np.float64]:
        """Return what the hits of a row leave of its contributions, (L,) or in modes ph, hh (4, L).

        In units of the contributions, or of their signed square roots where the solver takes
        those.

        Parameters
        ----------
        solution
            Of all rows of the reader.
        """
        batch = self._reader.read(row, row + 1)
        config, device = self._caller.config, self._caller.device
        target = build_target(
            torch.from_numpy(batch.sequence).to(device),
            torch.from_numpy(batch.contributions).to(device),
            is_hypothetical=config.mode.contributions_are_hypothetical,
            use_sqrt_transform=config.use_sqrt_transform,
        )
        cwms = build_cwms(self._caller.motifs, device, use_sqrt_transform=config.use_sqrt_transform)
        hits = solution.hits[(solution.hits.region == row).nonzero()[:, 0]]
        left = residual(target, cwms, replace(hits, region=torch.zeros_like(hits.region)))
        values: NDArray[np.float64] = (left * target.scale[:, None, None])[0].T.cpu().numpy()
        return values[0] if len(values) == 1 else values

    def _solutions(self, rows: range, clock: Clock) -> Iterator[Solution]:
        device = self._caller.device
        for batch in load_batches(self._reader, rows, size=self._size, device=device):
            clock.lap("read")
            yield self._fitter.solve(*batch)
            clock.lap("solve")


def memory_budget(device: torch.device, *, n_sharing: int = 1) -> int:
    """Return the bytes a batch may take; ask once, before PyTorch keeps memory for us.

    Parameters
    ----------
    n_sharing
        Workers on the same GPU, which all ask at about the same time.
    """
    if device.type == "cpu":
        return CPU_BUDGET_BYTES
    free_bytes, _ = torch.cuda.mem_get_info(device)
    return int(free_bytes * _CUDA_SHARE / n_sharing)


def device_here(asked: str) -> torch.device:
    """Return the device of this process: ``auto`` is the first GPU where there is one.

    Raises
    ------
    UsageError
        No such device is here.
    """
    has_gpu = torch.cuda.is_available()
    if asked not in ("auto", "cpu", "cuda"):
        raise UsageError(f"device {asked!r}: expected 'auto', 'cpu' or 'cuda'.")
    if asked == "cuda" and not has_gpu:
        raise UsageError("device 'cuda': PyTorch sees no CUDA device here. Use 'cpu'.")
    return torch.device("cuda" if has_gpu and asked != "cpu" else "cpu")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Solve on one thread: tensors are too small to share, and sums keep their order."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
