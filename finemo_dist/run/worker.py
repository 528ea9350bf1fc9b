"""The worker: takes a unit, reads its regions, solves them, commits its parts.

Numpy outside, torch inside: this is where they cross.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch

from finemo_dist.core.clock import Clock
from finemo_dist.core.errors import StoreError
from finemo_dist.core.events import UnitDone
from finemo_dist.core.memory import CPU_BUDGET_BYTES, batch_regions, region_bytes
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import Unit
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.hits.write import write_unit
from finemo_dist.run.palindromes import merge_palindromes
from finemo_dist.run.spec import WorkerSpec
from finemo_dist.run.tables import hit_columns, qc_columns
from finemo_dist.solver.api import make_solver
from finemo_dist.solver.solution import Solution, concatenate
from finemo_dist.store.read import open_store

_CUDA_SHARE = 0.5
"""Of the free device memory: the allocator and the library need the rest."""


class RegionWorker:
    """Processes units one after another; keeps its solver and the store it last read."""

    def __init__(self, spec: WorkerSpec, name: str) -> None:
        self._spec = spec
        self._name = name
        self._device = torch.device(spec.device)
        self._motifs = read_motifs(spec.run_dir)
        self._solver = make_solver(self._motifs, spec.solver, self._device)
        self._store: tuple[str, RegionReader] | None = None

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
        store = self._open(unit.sample)
        rows = store.shard_rows(unit.shard)
        solution = self._merged(concatenate(list(self._solve(store, rows, clock))))
        regions = store.table(rows.start, rows.stop)
        footer = write_unit(
            self._spec.run_dir,
            unit,
            hits=hit_columns(solution, regions, self._motifs),
            qc=qc_columns(solution, regions),
            config_digest=self._spec.config_digest,
            store_digest=self._spec.samples[unit.sample].store_digest,
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

    def _solve(self, store: RegionReader, rows: range, clock: Clock) -> Iterator[Solution]:
        size = self._batch_regions(store)
        for start in range(rows.start, rows.stop, size):
            batch = store.read(start, min(start + size, rows.stop))
            clock.lap("read")
            sequence = torch.from_numpy(batch.sequence).to(self._device)
            contributions = torch.from_numpy(batch.contributions).to(self._device)
            yield self._solver.solve(sequence, contributions)
            clock.lap("solve")

    def _merged(self, solution: Solution) -> Solution:
        if not self._spec.solver.merge_palindromes:
            return solution
        return replace(solution, hits=merge_palindromes(solution.hits, self._motifs))

    def _open(self, sample: str) -> RegionReader:
        if self._store is None or self._store[0] != sample:
            planned = self._spec.samples[sample]
            store = open_store(planned.store)
            if store.digest != planned.store_digest:
                raise StoreError(
                    f"{planned.store}: is not the store the run was planned on; it was written "
                    "anew since. Start the run again."
                )
            self._store = (sample, store)
        return self._store[1]

    def _batch_regions(self, store: RegionReader) -> int:
        if self._spec.batch_regions is not None:
            return self._spec.batch_regions
        per_region = region_bytes(
            self._spec.solver.name,
            n_motifs=len(self._motifs),
            region_width=store.region_width,
            motif_width=self._motifs.width,
            is_hypothetical=self._spec.solver.mode.contributions_are_hypothetical,
        )
        return batch_regions(per_region, self._budget_bytes())

    def _budget_bytes(self) -> int:
        if self._device.type == "cpu":
            return CPU_BUDGET_BYTES
        free_bytes, _ = torch.cuda.mem_get_info(self._device)
        return int(free_bytes * _CUDA_SHARE)
