"""Calling hits in the regions of one or many samples."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.summary import SampleSummary, remember_counts, summarise
from finemo_dist.core.clock import Clock
from finemo_dist.core.command import TypedCommand
from finemo_dist.core.config import CallConfig, OutputKind, ResourceConfig, SampleSettings
from finemo_dist.core.events import CallPlanned, OnEvent, StageEnded, ignore
from finemo_dist.core.memory import Demand
from finemo_dist.core.protocols import Executor, RegionOutline, WorkerMaker
from finemo_dist.core.records import Stage
from finemo_dist.hits.layout import check_sample_name
from finemo_dist.record.lease import by_one_driver
from finemo_dist.run.drive import RunTotals, drive
from finemo_dist.run.left_out import LeftOut
from finemo_dist.run.plan import (
    PlannedSample,
    RunPlan,
    plan_run,
)
from finemo_dist.run.process_parent import Parent
from finemo_dist.run.remains import check_output, clear_run
from finemo_dist.run.resources import (
    Machine,
    choose_executor,
    cores_of_each,
    find_machine,
    resolve_device,
)
from finemo_dist.run.roster import Roster
from finemo_dist.run.space import (
    require_disk_for_call,
    workers_per_gpu_that_fit,
    workers_that_fit,
)
from finemo_dist.run.staged import StagedSpec
from finemo_dist.run.worker_spec import SampleSpec, WorkerSpec
from finemo_dist.storage.locations import location
from finemo_dist.workflow.called_regions import check_outlives, opened_regions, stores_in_run
from finemo_dist.workflow.early_workers import parent_of_workers
from finemo_dist.workflow.no_hits import warn_of_samples_without_hits
from finemo_dist.workflow.outputs import (
    OutputSpec,
    warn_of_files_without_meaning,
    written_files,
)
from finemo_dist.workflow.regions import Coordinates
from finemo_dist.workflow.sample_motifs import SampleMotifs, read_sample_motifs, split_palindromes
from finemo_dist.workflow.settings import available_cores
from finemo_dist.workflow.stores import ComingStores

logger = logging.getLogger(__name__)

_COUNTED_HITS: Final = 20_000_000
_COUNTED_PARTS: Final = 8_000
"""Of a run whose motifs are counted at its end: a second or so, and 6 kB of the driver a part."""


@dataclass(frozen=True, slots=True)
class Call:
    """The result of calling hits: what this process did, and what is committed now."""

    run_dir: Path
    n_shards: int
    n_shards_done: int
    """Shards committed by this process; earlier ones committed the others."""
    n_regions: int
    n_hits: int
    n_not_converged: int
    max_gap: float
    files: tuple[Path, ...]
    executor: Mapping[str, str | int]
    seconds: Mapping[str, float]
    """Wall time by stage of the program; stages of workers are summed over them.

    ``start`` is everything before the call: loading libraries and, for ``run``, extraction.
    """
    top_motifs: tuple[tuple[str, int], ...] = ()
    """The factors or motifs of most hits, with their hits; empty for very large runs."""
    palindromes: tuple[str, ...] = ()
    """Motifs whose two strands share a coefficient at each site; empty if strands are merged."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What settings and resources ask for, resolved and checked; only regions may be wrong now."""

    motifs: Mapping[str, SampleMotifs]
    """By sample."""
    machine: Machine
    device: str
    """``cpu`` or ``cuda``."""


def prepare(settings: Mapping[str, SampleSettings], resources: ResourceConfig) -> Prepared:
    """Read the motifs of every sample and find the machine and its device.

    Raises
    ------
    InputError
        A modisco file cannot be read, or lacks what the settings name.
    UsageError
        A sample name is not allowed, or there is no such device.
    RunError
        No cluster answers at the address.
    """
    for name in settings:
        check_sample_name(name)
    machine, device = found_machine(resources)
    return Prepared(read_sample_motifs(settings), machine, device)


def found_machine(resources: ResourceConfig) -> tuple[Machine, str]:
    """Return the machine or cluster, and the device that hits are called on.

    Raises
    ------
    UsageError
        There is no such device.
    RunError
        No cluster answers at the address.
    """
    machine = find_machine(resources, n_cores=available_cores())
    return machine, resolve_device(resources.device, machine, resources.executor)


def call_hits(
    regions: str | Path,
    modisco_h5: str | Path | Sequence[str | Path],
    out_dir: str | Path,
    *,
    sample: str | None = None,
    config: CallConfig | None = None,
    resources: ResourceConfig | None = None,
    peaks: str | Path | None = None,
    chrom_order: str | Path | None = None,
    force: bool = False,
    command: TypedCommand | None = None,
    on_event: OnEvent = ignore,
) -> Call:
    """Call hits in one sample and write a run directory with finemo's files beside it.

    Repeat the call to resume where an earlier one stopped.

    Parameters
    ----------
    regions
        A region store, or finemo's ``.npz``.
    modisco_h5
        The motifs: TF-MoDISco, MEME or JASPAR, one file or several.
    out_dir
        Run directory to write; ``open_run`` reads it.
    sample
        Name of the sample in the tables; the stem of ``regions`` when None.
    config
        What is called and how; finemo's defaults with the exact solver when None.
    resources
        Where the work is done; never changes a hit.
    peaks
        Coordinates for regions that have none; those of others are compared with them.
    chrom_order
        Chromosome names in output order, in the first column of a file; of use beside ``peaks``.
    force
        Replace an earlier run in the directory.
    command
        What the user typed, for the record.
    on_event
        Called with every event of the work.

    Raises
    ------
    InputError, StoreError, RunError
        An input is wrong, or the directory holds another run or has another driver.
    UsageError
        The work does not fit the machine.
    IncompleteRunError
        Some shards could not be finished; the others are committed.
    """
    regions = location(regions)
    if chrom_order is not None and peaks is None:
        logger.warning("%s: is ignored, because an order of chromosomes needs peaks", chrom_order)
    given = None if peaks is None else Coordinates(location(peaks), chrom_order)
    name = sample or regions.name.split(".")[0]
    files = [modisco_h5] if isinstance(modisco_h5, str | Path) else modisco_h5
    settings = SampleSettings(modisco_h5=tuple(map(location, files)), call=config or CallConfig())
    return call(
        location(out_dir), {name: regions}, {name: settings}, resources or ResourceConfig(),
        coordinates={} if given is None else {name: given}, force=force, command=command,
        on_event=on_event,
    )  # fmt: skip


@by_one_driver
def call(
    run_dir: Path,
    regions: Mapping[str, Path],
    settings: Mapping[str, SampleSettings],
    resources: ResourceConfig,
    *,
    coordinates: Mapping[str, Coordinates] | None = None,
    prepared: Prepared | None = None,
    coming: ComingStores | None = None,
    left_out: LeftOut | None = None,
    outputs: OutputKind = OutputKind.FINEMO,
    force: bool = False,
    command: TypedCommand | None = None,
    on_event: OnEvent = ignore,
) -> Call:
    """Call hits in samples and write their tables; goes on with the same run where it stopped.

    Parameters
    ----------
    regions
        Sample name to region store or finemo ``.npz``.
    settings
        Of the same samples.
    coordinates
        Of samples whose regions have none, or are to be compared with them.
    prepared
        What ``prepare`` found for the same settings and resources; found here when None.
    coming
        Stores of further samples, which are made in the run.
    left_out
        Samples of the settings that have no regions, with why.
    outputs
        Files for other tools. With one sample they are written into the run directory, with
        several into a directory of each below ``samples``.
    force
        Replace an earlier run. Parts that match are kept.
    command
        What the user typed, for the record.
    on_event
        Called with every event of the work.

    Raises
    ------
    InputError, StoreError, RunError
        An input is wrong, or the directory holds another run or has another driver. A sample that
        is refused holds up none of the others.
    IncompleteRunError
        Some shards could not be finished; the others are committed.
    """
    clock = Clock(since=command.at if command else None)
    clock.lap("start")
    left_out, coming = left_out or LeftOut(), coming or ComingStores()
    prepared = prepared or prepare(settings, resources)
    motifs = prepared.motifs
    opened = opened_regions(regions, settings, motifs, coordinates or {}, left_out)
    if not (opened or coming.begun):
        left_out.raise_any(len(settings))
    # Only now: what is refused must leave an earlier run as it is.
    _make_way(run_dir, regions, settings, force=force)
    parent = parent_of_workers(run_dir, opened, coming, resources, prepared)
    stores = stores_in_run(opened, settings, run_dir, on_event, left_out, replaces=force)
    outlines: dict[str, RegionOutline] = {**stores, **coming.begun}
    outlines = {name: outlines[name] for name in settings if name in outlines}
    if not outlines:
        left_out.raise_any(len(settings))
    wanted = [(outlines[name], motifs[name].motifs) for name in outlines]
    require_disk_for_call(run_dir, wanted, n_more_bytes=coming.bytes_beside(run_dir))
    largest = _largest(settings, motifs, outlines)
    resources = that_fit(resources, prepared.machine, prepared.device, largest)
    clock.lap("prepare")
    samples = _samples(outlines, settings, motifs)
    reports = {name: store.report for name, store in stores.items()}
    plan = plan_run(
        run_dir, samples, reports=reports, refused=left_out.errors, outputs=outputs,
        replaces=force, extraction=coming.extraction,
    )  # fmt: skip
    executor = _executor(plan, settings, resources, coming, prepared, largest, parent)
    _log_what_is_left(plan)
    roster = Roster(plan, samples=samples, reports=reports, left_out=left_out)
    totals = driven(plan, executor, on_event, command, roster)
    if roster.is_empty:
        left_out.raise_any(len(settings))
    clock.lap("call")
    plan = replace(plan, record=roster.record)
    files = written_files(plan.run_dir, plan.record)
    counted, top_motifs = _counted(run_dir)
    warn_of_samples_without_hits(counted, stores | roster.stores, motifs)
    clock.lap("summary")
    stages = {**clock.seconds, **{f"worker.{k}": v for k, v in totals.seconds.items()}}
    done = _result(plan, totals.n_units, counted, files, executor.describe(), stages)
    left_out.raise_any(len(settings), run_dir=run_dir)
    return replace(
        done, top_motifs=top_motifs, palindromes=split_palindromes(plan.record, settings, motifs)
    )


def _make_way(
    run_dir: Path,
    regions: Mapping[str, Path],
    settings: Mapping[str, SampleSettings],
    *,
    force: bool,
) -> None:
    """Remove what an earlier run left, if that is asked for; else refuse what is no run."""
    if not force:
        check_output(run_dir)
        return
    check_outlives(
        run_dir, [*(p for s in settings.values() for p in s.modisco_h5), *regions.values()]
    )
    clear_run(run_dir, keep=settings)


def _counted(run_dir: Path) -> tuple[tuple[SampleSummary, ...], tuple[tuple[str, int], ...]]:
    """Return the numbers of every sample, and the most frequent motifs of a small run."""
    # Only footers are read: each sample was read against its checksums when it was written.
    with open_catalog(run_dir, allow_damaged=True) as catalog:
        samples = summarise(catalog)
        n_hits = sum(sample.n_hits for sample in samples)
        is_small = n_hits <= _COUNTED_HITS and catalog.parts.n_units <= _COUNTED_PARTS
        top_motifs = tuple(catalog.run("top_motifs")) if is_small else ()
        remember_counts(catalog)
    return samples, top_motifs


def _executor(
    plan: RunPlan,
    settings: Mapping[str, SampleSettings],
    resources: ResourceConfig,
    coming: ComingStores,
    prepared: Prepared,
    largest: Demand,
    parent: Parent | None,
) -> Executor:
    """Return what makes the stores of a plan, calls its hits and writes its files."""
    n_threads = cores_of_each(len(plan.pending_outputs), resources, prepared.machine)
    writing = OutputSpec.of_plan(plan, settings, resources, n_threads)
    makers: dict[Stage, WorkerMaker] = {Stage.OUTPUTS: writing}
    if coming.spec is not None:
        makers |= {Stage.EXTRACT: coming.spec, Stage.STORE: coming.spec}
    others = StagedSpec.of(makers, device="cpu")
    calling = _worker_spec(plan, settings, resources, device=prepared.device)
    spec = StagedSpec.of({**makers, Stage.CALL: calling}, device=prepared.device)
    return executor_that_fits(
        resources, plan, spec, prepared.machine, largest, others=others, parent=parent
    )


def driven(
    plan: RunPlan,
    executor: Executor,
    on_event: OnEvent,
    command: TypedCommand | None,
    roster: Roster | None = None,
) -> RunTotals:
    """Run the pending units of a plan, with the events of a call, and return what was done."""
    shard_regions = {s.name: s.n_regions / max(1, s.n_shards) for s in plan.record.samples}
    on_event(
        CallPlanned(
            plan.pending, plan.n_units, shard_regions, plan.pending_outputs, plan.extraction.units
        )
    )
    line = None if command is None else command.line
    try:
        return drive(plan, executor, on_event=on_event, command=line, roster=roster)
    finally:
        on_event(StageEnded("call"))


def _largest(
    settings: Mapping[str, SampleSettings],
    motifs: Mapping[str, SampleMotifs],
    stores: Mapping[str, RegionOutline],
) -> Demand:
    """Return the sample that asks most of a worker, which may be given any."""
    demands = (
        Demand(settings[name].call.solver, motifs[name].motifs, store.region_width)
        for name, store in stores.items()
    )
    return max(demands, key=lambda demand: demand.region_bytes)


def that_fit(
    resources: ResourceConfig, machine: Machine, device: str, largest: Demand
) -> ResourceConfig:
    """Return the resources with what memory decides; refuse what cannot run, before a record."""
    if device == "cpu":
        # The number of workers that nobody asked for is chosen later.
        workers_that_fit(resources.n_workers or 1, resources, largest)
        return resources
    n_sharing = workers_per_gpu_that_fit(
        resources, largest, n_cores_per_gpu=machine.n_cores_per_gpu
    )
    return resources.model_copy(update={"workers_per_gpu": n_sharing})


def executor_that_fits(
    resources: ResourceConfig,
    plan: RunPlan,
    spec: WorkerMaker,
    machine: Machine,
    largest: Demand,
    *,
    others: WorkerMaker | None = None,
    parent: Parent | None = None,
) -> Executor:
    """Return the executor of the chosen number of workers, or of as many as memory holds.

    Parameters
    ----------
    others, parent
        See ``choose_executor``.
    """
    executor = choose_executor(resources, plan, spec, machine, others=others, parent=parent)
    if resources.ray_address is not None or spec.device != "cpu" or not plan.work:
        return executor
    n_workers = int(executor.describe()["n_workers"])
    n_fitting = workers_that_fit(n_workers, resources, largest)
    if n_fitting == n_workers:
        return executor
    fewer = resources.model_copy(update={"n_workers": n_fitting})
    return choose_executor(fewer, plan, spec, machine, parent=parent)


def _worker_spec(
    plan: RunPlan,
    settings: Mapping[str, SampleSettings],
    resources: ResourceConfig,
    *,
    device: str,
) -> WorkerSpec:
    record = plan.record
    return WorkerSpec(
        run_dir=str(plan.run_dir.resolve()),
        samples={
            sample.name: SampleSpec(
                store=sample.store,
                store_digest=sample.store_digest,
                solver=settings[sample.name].call.solver,
                config_digest=record.config_digest_of(sample),
                motif_folder=record.set_of(sample).folder,
            )
            for sample in record.samples
            if sample.name in settings
        },
        device=device,
        batch_regions=resources.batch_regions,
        workers_per_gpu=resources.workers_per_gpu or 1,
    )


def _samples(
    outlines: Mapping[str, RegionOutline],
    settings: Mapping[str, SampleSettings],
    motifs: Mapping[str, SampleMotifs],
) -> dict[str, PlannedSample]:
    return {
        name: PlannedSample(
            outline,
            motifs[name].motifs,
            settings[name].call,
            motifs[name].modisco,
            motifs[name].files,
        )
        for name, outline in outlines.items()
    }


def _log_what_is_left(plan: RunPlan) -> None:
    warn_of_files_without_meaning(plan)
    for problem in plan.damaged:
        logger.warning("%s", problem)
    if plan.n_committed:
        logger.info(
            "%s: %d of %d shards are committed, %d are left",
            plan.run_dir, plan.n_committed, plan.n_units, len(plan.pending),
        )  # fmt: skip


def _result(
    plan: RunPlan,
    n_shards_done: int,
    samples: Sequence[SampleSummary],
    files: tuple[Path, ...],
    executor: Mapping[str, str | int],
    seconds: Mapping[str, float],
) -> Call:
    return Call(
        run_dir=plan.run_dir,
        n_shards=plan.n_units,
        n_shards_done=n_shards_done,
        n_regions=sum(s.n_regions for s in samples),
        n_hits=sum(s.n_hits for s in samples),
        n_not_converged=sum(s.n_not_converged for s in samples),
        max_gap=max((s.max_gap for s in samples), default=0.0),
        files=files,
        executor=executor,
        seconds=seconds,
    )
