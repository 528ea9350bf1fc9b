"""The worker: takes a unit, reads its regions, solves them, commits its parts.

Numpy outside, torch inside: this is where they cross.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from finemo_dist.core.clock import Clock
from finemo_dist.core.config import SolverConfig
from finemo_dist.core.errors import StoreError
from finemo_dist.core.events import UnitDone
from finemo_dist.core.memory import CPU_BUDGET_BYTES, MAX_BATCH_REGIONS, batch_regions, region_bytes
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet, Unit
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.hits.write import write_unit
from finemo_dist.run.allocator import keep_freed_memory
from finemo_dist.run.fitting import BatchFitter
from finemo_dist.run.loading import load_batches
from finemo_dist.run.palindromes import merge_palindromes
from finemo_dist.run.tables import hit_columns, qc_columns
from finemo_dist.solver.api import Solver, make_solver
from finemo_dist.solver.solution import Solution, concatenate
from finemo_dist.store.read import open_store

_CUDA_SHARE = 0.5
"""Of the free device memory: the allocator and the library need the rest."""
_MOST_REGIONS_ON_GPU = 2048
"""A quarter of the largest shard, so that reading overlaps with solving."""


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """Where the regions of a sample lie, and how hits are called in them."""

    store: str
    store_digest: str
    solver: SolverConfig
    config_digest: str
    """Of its settings and motifs; goes into the footers of its parts."""
    motif_folder: str = ""
    """Of its motif set in ``RUN/motifs``."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """Everything about a run but its list of units; motifs are read from the run directory.

    Satisfies ``WorkerMaker``.
    """

    run_dir: str
    samples: dict[str, SampleSpec]
    device: str
    """``cpu`` or ``cuda``."""
    batch_regions: int | None
    """Regions solved together; from the memory model when None."""

    @property
    def may_run_twice(self) -> bool:
        """A part is committed by one rename, so two workers leave what one does."""
        return True

    def make_worker(self, name: str) -> "RegionWorker":
        """Return a worker that solves; sets the allocator of this process."""
        keep_freed_memory()
        return RegionWorker(self, name)


class RegionWorker:
    """Processes units one after another; keeps motifs, solver and store of the sample it is at."""

    def __init__(self, spec: WorkerSpec, name: str) -> None:
        self._spec = spec
        self._name = name
        self._device = torch.device(spec.device)
        self._caller: _Caller | None = None
        self._sample: _Sample | None = None

    def process(self, unit: Unit) -> UnitDone:
        """Solve one unit and commit it; doing so twice leaves the same bytes.

        Raises
        ------
        StoreError
            The region store is damaged or not the one the run was planned on.
        OSError
            The parts cannot be written.
        """
        clock = Clock()
        sample = self._open(unit.sample)
        store = sample.store
        rows = store.shard_rows(unit.shard)
        with one_thread():
            solution = sample.caller.merged(concatenate(list(self._solve(sample, rows, clock))))
        regions = store.table(rows.start, rows.stop)
        footer = write_unit(
            self._spec.run_dir,
            unit,
            hits=hit_columns(solution, regions, sample.caller.motifs),
            qc=qc_columns(solution, regions),
            config_digest=sample.spec.config_digest,
            store_digest=sample.spec.store_digest,
        )
        clock.lap("write")
        return UnitDone(
            unit=unit,
            worker=self._name,
            n_regions=footer.n_regions,
            n_hits=footer.n_rows,
            n_not_converged=footer.n_not_converged,
            max_gap=footer.max_gap,
            seconds=clock.seconds,
        )

    def _solve(self, sample: "_Sample", rows: range, clock: Clock) -> Iterator[Solution]:
        size = sample.batch_regions
        for batch in load_batches(sample.store, rows, size=size, device=self._device):
            clock.lap("read")
            yield sample.fitter.solve(*batch)
            clock.lap("solve")

    def _open(self, name: str) -> "_Sample":
        if self._sample is None or self._sample.name != name:
            planned = self._spec.samples[name]
            store = open_store(planned.store)
            if store.digest != planned.store_digest:
                raise StoreError(
                    f"{planned.store}: is not the store the run was planned on; it was written "
                    "anew since. Start the run again."
                )
            caller = self._caller_of(planned)
            per_region = caller.region_bytes(store)
            self._sample = _Sample(
                name=name,
                spec=planned,
                store=store,
                caller=caller,
                fitter=BatchFitter(caller.solver, per_region),
                batch_regions=self._spec.batch_regions
                or batch_regions(per_region, self._budget_bytes, most=self._most_regions),
            )
        return self._sample

    def _caller_of(self, sample: SampleSpec) -> "_Caller":
        """Return motifs and solver of a sample, those at hand where it shares them."""
        if self._caller is None or self._caller.key != (sample.motif_folder, sample.solver):
            motifs = read_motifs(self._spec.run_dir, sample.motif_folder)
            self._caller = _Caller(
                key=(sample.motif_folder, sample.solver),
                motifs=motifs,
                solver=make_solver(motifs, sample.solver, self._device),
            )
        return self._caller

    @property
    def _most_regions(self) -> int:
        return MAX_BATCH_REGIONS if self._device.type == "cpu" else _MOST_REGIONS_ON_GPU

    @cached_property
    def _budget_bytes(self) -> int:
        """Looked up once: later, what is free is less what PyTorch keeps for us."""
        if self._device.type == "cpu":
            return CPU_BUDGET_BYTES
        free_bytes, _ = torch.cuda.mem_get_info(self._device)
        return int(free_bytes * _CUDA_SHARE)


@contextmanager
def one_thread() -> Iterator[None]:
    """Solve on one thread: tensors are too small to share, and sums keep their order."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


@dataclass(frozen=True, slots=True)
class _Caller:
    """What calls hits: kept from sample to sample while they share motifs and settings."""

    key: tuple[str, SolverConfig]
    motifs: MotifSet
    solver: Solver

    def merged(self, solution: Solution) -> Solution:
        """Return a solution with the strands of palindromes as one, where that is asked for."""
        if not self.key[1].merge_palindromes:
            return solution
        return replace(solution, hits=merge_palindromes(solution.hits, self.motifs))

    def region_bytes(self, store: RegionReader) -> int:
        """Return what solving one region takes."""
        return region_bytes(
            self.key[1].name,
            n_motifs=len(self.motifs),
            region_width=store.region_width,
            motif_width=self.motifs.width,
            is_hypothetical=self.key[1].mode.contributions_are_hypothetical,
        )


@dataclass(frozen=True, slots=True)
class _Sample:
    """What a worker keeps of the sample it works on."""

    name: str
    spec: SampleSpec
    store: RegionReader
    caller: _Caller
    fitter: BatchFitter
    batch_regions: int
