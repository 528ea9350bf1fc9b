"""The worker: takes a unit, reads its regions, solves them, commits its parts.

A unit is what is committed, not what is solved: shards of a small store hold few regions, and few
regions take as many operations as many do. Shards that are going to be asked for next are solved in
the same batch. The answer for a region does not depend on its batch, so this shows in no part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch

from finemo_dist.core.clock import Clock
from finemo_dist.core.errors import FinemoDistError, StoreError
from finemo_dist.core.events import UnitDone
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import Unit
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.hits.write import write_unit
from finemo_dist.run.solving import Caller, RegionCaller, make_caller, memory_budget
from finemo_dist.run.worker_spec import SampleSpec, WorkerSpec
from finemo_dist.solver.solution import Solution, split
from finemo_dist.store.read import RegionStore, open_store
from finemo_dist.store.sampled import sampled


class RegionWorker:
    """Processes units one after another; keeps motifs, solver and store of the sample it is at."""

    def __init__(self, spec: WorkerSpec, name: str) -> None:
        self._spec = spec
        self._name = name
        self._device = torch.device(spec.device)
        self._caller: Caller | None = None
        self._motif_folder = ""
        self._sample: _Sample | None = None

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone:
        """Solve one unit and commit it; doing so twice leaves the same bytes.

        Parameters
        ----------
        coming
            Units that this worker is likely to be given next, in order.

        Raises
        ------
        StoreError
            The region store is damaged or not the one the run was planned on.
        OSError
            The parts cannot be written.
        """
        sample = self._open(unit)
        rows = sample.reader.shard_rows(unit.shard)
        try:
            solved = sample.solved.pop(unit.shard, None) or self._solve(sample, unit, coming)
            clock = Clock()
            hits, qc = sample.regions.tables(solved.solution, rows)
        except StoreError:
            # What looks like damage may be another store in its place.
            self._check(sample)
            raise
        # Between opening and here another store may have taken its place.
        self._check(sample)
        footer = write_unit(
            self._spec.run_dir,
            unit,
            hits=hits,
            qc=qc,
            config_digest=sample.spec.config_digest,
            store_digest=sample.reader.digest,
        )
        clock.lap("write")
        return UnitDone(
            unit=unit,
            worker=self._name,
            n_regions=footer.n_regions,
            n_hits=footer.n_rows,
            n_not_converged=footer.n_not_converged,
            max_gap=footer.max_gap,
            seconds={**solved.seconds, **clock.seconds},
        )

    def _solve(self, sample: "_Sample", unit: Unit, coming: Sequence[Unit]) -> "_Solved":
        """Return the answer for a unit, and keep those for the shards solved in its batch."""
        sample.solved.clear()
        shards = _together(sample, unit, coming)
        if len(shards) > 1:
            try:
                first, *others = self._solve_shards(sample, shards)
            except (FinemoDistError, OSError):
                # Whatever is wrong with another shard is told when that one is asked for.
                pass
            else:
                sample.solved.update(zip(shards[1:], others, strict=True))
                return first
        (alone,) = self._solve_shards(sample, shards[:1])
        return alone

    def _solve_shards(self, sample: "_Sample", shards: range) -> list["_Solved"]:
        """Return the answers for consecutive shards, each with its share of the time."""
        clock = Clock()
        of_shard = [sample.reader.shard_rows(shard) for shard in shards]
        rows = range(of_shard[0].start, of_shard[-1].stop)
        solved = _kept(sample.regions.solve(rows, clock), sample.spec.first_kept_motif)
        parts = split(solved, [len(own) for own in of_shard])
        clock.lap("solve")
        return [
            _Solved(
                solution,
                {stage: s * len(own) / len(rows) for stage, s in clock.seconds.items()},
            )
            for solution, own in zip(parts, of_shard, strict=True)
        ]

    def _open(self, unit: Unit) -> "_Sample":
        name = unit.sample
        if self._sample is not None and self._sample.name == name:
            self._check(self._sample)
        else:
            planned = self._spec.samples[name]
            store = open_store(planned.store)
            if store.digest != (planned.store_digest or unit.note):
                raise StoreError(
                    f"{planned.store}: is not the store that the run was planned with; it has been "
                    "rewritten since. Start the run again."
                )
            reader = sampled(store, planned.share)
            self._sample = _Sample(
                name=name,
                spec=planned,
                store=store,
                reader=reader,
                regions=RegionCaller(
                    self._caller_of(planned),
                    reader,
                    budget_bytes=self._budget_bytes,
                    batch_size=self._spec.batch_regions,
                ),
            )
        return self._sample

    def _check(self, sample: "_Sample") -> None:
        """Refuse a store that was replaced; the next unit opens what is there by then."""
        try:
            sample.store.check_unchanged()
        except StoreError:
            self._sample = None
            raise

    def _caller_of(self, sample: SampleSpec) -> Caller:
        """Return motifs and solver of a sample, those at hand where it shares them."""
        held = self._caller
        if held and (self._motif_folder, held.config) == (sample.motif_folder, sample.solver):
            return held
        motifs = read_motifs(self._spec.run_dir, sample.motif_folder)
        self._caller = make_caller(motifs, sample.solver, self._device)
        self._motif_folder = sample.motif_folder
        return self._caller

    @cached_property
    def _budget_bytes(self) -> int:
        """Looked up once: later, what is free is less what PyTorch keeps for us."""
        return memory_budget(self._device, n_sharing=self._spec.workers_per_gpu)


@dataclass(frozen=True, slots=True)
class _Solved:
    """The answer for a shard that is not committed yet."""

    solution: Solution
    seconds: dict[str, float]
    """Its share of the time that its batch took, by stage."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """What a worker keeps of the sample it works on."""

    name: str
    spec: SampleSpec
    store: RegionStore
    reader: RegionReader
    """The regions that are called: those of the store, or a share of them."""
    regions: RegionCaller
    solved: dict[int, _Solved] = field(default_factory=dict)
    """Answers by shard, for shards that were solved in the batch of another."""


def _kept(solution: Solution, first_motif: int) -> Solution:
    """Return a solution without the hits of motifs that only compete."""
    if not first_motif:
        return solution
    rows = (solution.hits.motif >= first_motif).nonzero()[:, 0]
    return replace(solution, hits=solution.hits[rows])


def _together(sample: _Sample, unit: Unit, coming: Sequence[Unit]) -> range:
    """Return the shards to solve with a unit: those that follow and come next, up to a batch."""
    first = unit.shard
    n_regions, stop = len(sample.reader.shard_rows(first)), first + 1
    for other in coming:
        if (other.sample, other.shard, other.stage) != (unit.sample, stop, unit.stage):
            break
        n_regions += len(sample.reader.shard_rows(stop))
        if n_regions > sample.regions.batch_regions:
            break
        stop += 1
    return range(first, stop)
