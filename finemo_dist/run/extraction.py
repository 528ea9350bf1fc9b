"""Extracting the regions of many samples on workers: what is done, and in which order.

First every store is begun, so that all inputs are checked, and all sizes known, before hours of
work; then the shards of all are written; and a store is finished, and takes its name, as soon as
its last shard stands. A sample that cannot be extracted holds up none of the others.

A run takes ``begin_samples`` alone: the shards are units of its schedule, beside those that call
hits in stores that are whole (``roster.py``).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from finemo_dist.core.errors import FinemoDistError, InputError, StoreError
from finemo_dist.core.events import (
    ExtractionPlanned,
    NodeRests,
    OnEvent,
    RunEvent,
    ShardExtracted,
    StageEnded,
    UnitDone,
    UnitFailed,
)
from finemo_dist.core.protocols import Executor
from finemo_dist.core.records import RegionTable, ScoreKind, Unit
from finemo_dist.core.records import Stage as UnitStage
from finemo_dist.run.extraction_worker import (
    ExtractionSpec,
    SampleExtraction,
    Stage,
    cannot_be_written,
)
from finemo_dist.run.left_out import LeftOut
from finemo_dist.storage.locations import location
from finemo_dist.store import staging

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BegunStore:
    """What is known of a store before its shards are written; satisfies ``RegionOutline``."""

    name: str
    """Of the sample."""
    path: str
    n_regions: int
    region_width: int
    score_kind: ScoreKind
    shard_regions: int
    n_shards: int
    pending: tuple[int, ...]
    """Shards that are not written yet."""
    chrom_names: tuple[str, ...] = ()
    chrom_lengths: tuple[int, ...] = ()
    digest: str = ""
    """Not known yet."""

    def table(self, start: int, stop: int) -> RegionTable:
        """Return no region, on the chromosomes that all lie on."""
        assert start == stop
        nothing = RegionTable.without_coordinates(0)
        return replace(nothing, chrom_names=self.chrom_names, chrom_lengths=self.chrom_lengths)

    @property
    def units(self) -> tuple[Unit, ...]:
        """What is left to do until the store is whole."""
        shards = (Unit(self.name, shard, UnitStage.EXTRACT) for shard in self.pending)
        return (*shards, Unit(self.name, 0, UnitStage.STORE))

    @property
    def n_pending_bases(self) -> int:
        """Bases in pending shards, at most."""
        return self.n_pending_regions * self.region_width

    @property
    def n_pending_regions(self) -> int:
        """Regions in pending shards, at most."""
        return min(self.n_regions, len(self.pending) * self.shard_regions)


@dataclass(frozen=True, slots=True)
class ExtractionPlan:
    """The units of a stage and all that is known of the work, for the choice of an executor."""

    spec: ExtractionSpec
    units: tuple[Unit, ...]
    n_bases: int
    """In the regions to be written; 0 while stores are begun."""


def extract_samples(
    samples: Mapping[str, SampleExtraction],
    *,
    executor_for: Callable[[ExtractionPlan], Executor],
    check: Callable[[Sequence[BegunStore]], None],
    on_event: OnEvent,
    check_one: Callable[[BegunStore], None] = lambda _store: None,
    overwrite: bool = False,
) -> LeftOut:
    """Extract every sample whose store does not stand; goes on where an earlier call stopped.

    Returns the samples that could not be extracted; all others are.

    Parameters
    ----------
    executor_for
        Called once a stage.
    on_event
        Called with ``ExtractionPlanned``, ``ShardExtracted`` for each shard, and ``StageEnded``.
    check
        Called with the stores that are to be written before the first shard is; what it raises
        leaves none of those that had no shard.
    check_one
        Called with each of them before; an ``InputError`` leaves that sample out.
    overwrite
        Whether stores of other inputs are replaced, each when its new one is complete.
    """
    begun, failures = begin_samples(
        samples, executor_for=executor_for, check=check, check_one=check_one, overwrite=overwrite
    )
    _write(samples, begun, executor_for, failures, on_event, overwrite=overwrite)
    return failures


def begin_samples(
    samples: Mapping[str, SampleExtraction],
    *,
    executor_for: Callable[[ExtractionPlan], Executor],
    check: Callable[[Sequence[BegunStore]], None],
    check_one: Callable[[BegunStore], None] = lambda _store: None,
    overwrite: bool = False,
) -> tuple[Sequence[BegunStore], LeftOut]:
    """Begin every store that does not stand, and return those, and the samples that are left out.

    Parameters are those of ``extract_samples``.
    """
    failures = LeftOut()
    opening = ExtractionSpec(Stage.OPEN, samples, overwrite)
    units = tuple(Unit(name, 0) for name in samples)
    for _ in _run(executor_for, ExtractionPlan(opening, units, 0), failures):
        pass
    begun = [store for store in _begun(samples, failures) if store.name not in failures.errors]
    begun = [store for store in begun if _is_wanted(store, check_one, failures)]
    try:
        check(begun)
    except FinemoDistError:
        for store in begun:
            _discard_empty(store)
        raise
    return begun, failures


def _is_wanted(
    store: BegunStore, check_one: Callable[[BegunStore], None], failures: LeftOut
) -> bool:
    try:
        check_one(store)
    except InputError as error:
        failures.add(store.name, str(error), is_refused=True)
        _discard_empty(store)
        return False
    return True


def _discard_empty(store: BegunStore) -> None:
    """Remove a store in the making that no shard was written to."""
    if len(store.pending) == store.n_shards:
        path = location(store.path)
        staging.discard(path)
        staging.remove_empty(path.parent)


def _run(
    executor_for: Callable[[ExtractionPlan], Executor], plan: ExtractionPlan, failures: LeftOut
) -> Iterator[RunEvent]:
    if not plan.units:
        return
    for event in executor_for(plan).run(plan.units):
        match event:
            case UnitFailed(is_final=True):
                failures.add(event.unit.sample, event.error, is_refused=event.is_refused)
            case NodeRests():
                logger.warning(
                    "node %s extracts nothing for %.0f s: %s",
                    event.node, event.seconds, event.error,
                )  # fmt: skip
        yield event


def _begun(samples: Mapping[str, SampleExtraction], failures: LeftOut) -> Iterator[BegunStore]:
    """Yield what is to be written; the store of any other sample stands."""
    for name, sample in samples.items():
        staged = location(sample.staged)
        if name in failures.errors or not staged.exists():
            continue
        try:
            meta, pending = staging.staged_meta(staged), staging.unwritten(staged)
        except StoreError as error:
            failures.add(name, str(error))
            continue
        if meta.is_complete and sample.staged == sample.path:
            continue
        yield BegunStore(
            name=name,
            path=sample.path,
            n_regions=meta.n_regions,
            region_width=meta.region_width,
            score_kind=meta.score_kind,
            shard_regions=meta.shard_regions,
            n_shards=meta.n_shards,
            pending=tuple(pending),
            chrom_names=meta.chrom_names,
            chrom_lengths=meta.chrom_lengths,
        )


def _write(
    samples: Mapping[str, SampleExtraction],
    begun: Sequence[BegunStore],
    executor_for: Callable[[ExtractionPlan], Executor],
    failures: LeftOut,
    on_event: OnEvent,
    *,
    overwrite: bool,
) -> None:
    pending = {store.name: set(store.pending) for store in begun}
    for name in [name for name, shards in pending.items() if not shards]:
        _finish(name, samples[name], failures)
    plan = ExtractionPlan(
        ExtractionSpec(Stage.WRITE, {name: samples[name] for name in pending}, overwrite),
        tuple(Unit(store.name, shard) for store in begun for shard in store.pending),
        sum(store.n_pending_bases for store in begun),
    )
    if not plan.units:
        return
    on_event(ExtractionPlanned(len(plan.units)))
    try:
        for event in _run(executor_for, plan, failures):
            if not isinstance(event, UnitDone):
                continue
            name, left = event.unit.sample, pending[event.unit.sample]
            left.remove(event.unit.shard)
            if not left:
                _finish(name, samples[name], failures)
            on_event(ShardExtracted(event.unit))
    finally:
        on_event(StageEnded("extract"))


def _finish(name: str, sample: SampleExtraction, failures: LeftOut) -> None:
    try:
        staging.put_in_place(location(sample.staged), location(sample.path))
    except OSError as error:
        failures.add(name, str(cannot_be_written(sample.path, error)))
    except InputError as error:
        failures.add(name, str(error), is_refused=True)
    except StoreError as error:
        failures.add(name, str(error))
