"""Calling hits in the regions of samples: what ``call-hits``, ``run`` and ``demo`` share."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.summary import SampleSummary, summarise
from finemo_dist.cli.extraction import encode_store
from finemo_dist.cli.messages import current_command
from finemo_dist.cli.parameters import write_parameters
from finemo_dist.cli.progress import run_progress
from finemo_dist.cli.settings import available_cores
from finemo_dist.cli.space import (
    require_disk_for_call,
    require_disk_for_store,
    require_gpu_memory,
    workers_that_fit,
)
from finemo_dist.core.clock import Clock
from finemo_dist.core.config import CallConfig, ResourceConfig
from finemo_dist.core.errors import InputError, RunError, UsageError
from finemo_dist.core.files import describe_input
from finemo_dist.core.locations import location
from finemo_dist.core.palindromes import NO_PALINDROME, palindrome_offsets
from finemo_dist.core.protocols import Executor, RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.core.run_record import RunRecord
from finemo_dist.exports.finemo_files import write_finemo_files
from finemo_dist.hits.layout import check_sample_name, folder_name
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.run.drive import drive
from finemo_dist.run.plan import (
    OWN_ENTRIES,
    RunPlan,
    check_output,
    check_regions,
    clear_run,
    plan_run,
)
from finemo_dist.run.resources import Machine, choose_executor, find_machine, resolve_device
from finemo_dist.run.spec import SampleSpec, WorkerSpec
from finemo_dist.sources.finemo_npz import FinemoRegionsSource
from finemo_dist.store.read import RegionStore, open_store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What ``call`` did, and what stands now."""

    run_dir: Path
    n_shards: int
    n_shards_done: int
    """In this process; the others were committed before."""
    n_regions: int
    n_hits: int
    n_not_converged: int
    max_gap: float
    files: tuple[Path, ...]
    executor: Mapping[str, str | int]
    seconds: Mapping[str, float]
    """Wall time by stage of the program; stages of workers are summed over them."""
    palindromes: tuple[str, ...] = ()
    """Motifs whose two strands share a coefficient at each site; none where they are merged."""


def call(
    run_dir: Path,
    regions: Mapping[str, Path],
    modisco_h5: Path,
    config: CallConfig,
    resources: ResourceConfig,
    *,
    force: bool = False,
) -> Call:
    """Call hits in samples and write their tables; goes on with the same run where it stopped.

    Parameters
    ----------
    regions
        Sample name to region store or finemo ``.npz``. With one sample finemo's files are written
        into the run directory, with several into a directory of each below ``samples``.

    Raises
    ------
    InputError, StoreError, RunError
        An input is wrong, or the directory holds another run.
    IncompleteRunError
        Some shards could not be finished; the others are committed.
    """
    clock = Clock()
    machine = find_machine(resources, n_cores=available_cores())
    motifs, device = check_settings(regions, modisco_h5, config, resources, machine=machine)
    opened = {name: _open_regions(path) for name, path in regions.items()}
    for name, found in opened.items():
        check_regions(name, regions[name], found, motifs=motifs, config=config)
    inputs = [describe_input(modisco_h5)]
    # Only now: what is refused must leave an earlier run as it is.
    if force:
        _check_outlives(run_dir, [modisco_h5, *regions.values()])
        clear_run(run_dir)
    check_output(run_dir)
    stores = {name: _as_store(found, name, run_dir) for name, found in opened.items()}
    require_disk_for_call(run_dir, stores.values(), motifs)
    fits = _fits(resources, config, motifs, stores)
    _require_memory(device, resources, config, motifs, stores)
    clock.lap("prepare")
    plan = plan_run(
        run_dir, stores, motifs, config, inputs=inputs,
        reports={name: store.meta.report for name, store in stores.items()},
    )  # fmt: skip
    spec = _worker_spec(plan, config, resources, stores, device=device)
    executor = _executor_that_fits(resources, plan, spec, machine, fits=fits)
    _say_what_is_left(plan)
    with run_progress(plan) as on_event:
        totals = drive(plan, executor, on_event=on_event, command=current_command())
    clock.lap("call")
    with open_catalog(run_dir) as catalog:
        files = _write_files(catalog, plan, modisco_h5, config, resources)
        samples = summarise(catalog)
    clock.lap("outputs")
    stages = {**clock.seconds, **{f"worker.{k}": v for k, v in totals.seconds.items()}}
    done = _result(plan, totals.n_units, samples, files, executor.describe(), stages)
    return replace(done, palindromes=_split_palindromes(motifs, config))


def check_settings(
    names: Iterable[str],
    modisco_h5: Path,
    config: CallConfig,
    resources: ResourceConfig,
    *,
    machine: Machine | None = None,
) -> tuple[MotifSet, str]:
    """Return motifs and device of a call, of which nothing but the regions may still be wrong.

    Raises
    ------
    InputError
        The modisco file cannot be read, or does not hold what the settings name.
    UsageError
        A sample name cannot be, or there is no such device.
    """
    for name in names:
        check_sample_name(name)
    machine = machine or find_machine(resources, n_cores=available_cores())
    return _motifs(modisco_h5, config), resolve_device(resources.device, machine)


def _motifs(modisco_h5: Path, config: CallConfig) -> MotifSet:
    patterns = read_patterns(modisco_h5)
    try:
        return build_motif_set(patterns, config.motifs, config.solver.mode)
    except InputError as error:
        raise InputError(f"{modisco_h5}: {error}") from error


def _split_palindromes(motifs: MotifSet, config: CallConfig) -> tuple[str, ...]:
    if config.solver.merge_palindromes:
        return ()
    offsets = palindrome_offsets(motifs)[::2].tolist()
    names = motifs.name[::2]
    return tuple(n for n, d in zip(names, offsets, strict=True) if d != NO_PALINDROME)


def _fits(
    resources: ResourceConfig,
    config: CallConfig,
    motifs: MotifSet,
    stores: Mapping[str, RegionStore],
) -> Callable[[int], int]:
    """Return the function from workers wanted to workers that memory holds."""
    return partial(
        workers_that_fit,
        resources=resources,
        solver=config.solver,
        motifs=motifs,
        region_width=_widest(stores.values()),
    )


def _require_memory(
    device: str,
    resources: ResourceConfig,
    config: CallConfig,
    motifs: MotifSet,
    stores: Mapping[str, RegionStore],
) -> None:
    """Refuse what cannot run, before anything is recorded; of CPU workers those asked for."""
    if device == "cpu":
        # How many there will be without being asked for is known only later.
        _fits(resources, config, motifs, stores)(resources.n_workers or 1)
        return
    widest = _widest(stores.values())
    require_gpu_memory(resources, config.solver, motifs=motifs, region_width=widest)


def _widest(stores: Iterable[RegionReader]) -> int:
    return max(store.region_width for store in stores)


def _executor_that_fits(
    resources: ResourceConfig,
    plan: RunPlan,
    spec: WorkerSpec,
    machine: Machine,
    *,
    fits: Callable[[int], int],
) -> Executor:
    """Return the executor of the chosen number of workers, or of as many as memory holds."""
    executor = choose_executor(resources, plan, spec, machine)
    if resources.ray_address is not None:
        return executor
    n_workers = int(executor.describe()["n_workers"])
    n_fitting = fits(n_workers) if spec.device == "cpu" and plan.pending else n_workers
    if n_fitting == n_workers:
        return executor
    fewer = resources.model_copy(update={"n_workers": n_fitting})
    return choose_executor(fewer, plan, spec, machine)


def _worker_spec(
    plan: RunPlan,
    config: CallConfig,
    resources: ResourceConfig,
    stores: Mapping[str, RegionReader],
    *,
    device: str,
) -> WorkerSpec:
    return WorkerSpec(
        run_dir=str(plan.run_dir.resolve()),
        samples={
            name: SampleSpec(str(location(store.path).resolve()), store.digest)
            for name, store in stores.items()
        },
        solver=config.solver,
        config_digest=plan.record.config_digest,
        device=device,
        batch_regions=resources.batch_regions,
    )


def _open_regions(path: Path) -> RegionStore | FinemoRegionsSource:
    return FinemoRegionsSource(path) if path.suffix == ".npz" else open_store(path)


def _as_store(regions: RegionStore | FinemoRegionsSource, name: str, run_dir: Path) -> RegionStore:
    """Return a store; finemo's ``.npz`` is first written into the run directory as one."""
    if isinstance(regions, RegionStore):
        return regions
    staged = run_dir / "regions" / f"{folder_name(name)}.zarr"
    if staged.exists():
        store = open_store(staged)
        if store.meta.is_made_from(regions.inputs):
            return store
    if (run_dir / "run.json").exists() and (
        staged.exists() or RunRecord.load(run_dir).sample(name) is None
    ):
        raise RunError(
            f"{run_dir}: holds another run: the regions of sample {name!r} changed or are new. "
            "Choose another directory, or replace the run with --force."
        )
    made = [folder for folder in (staged.parent, run_dir) if not folder.exists()]
    try:
        require_disk_for_store(regions, staged)
        return encode_store(regions, staged, None, force=True)
    except BaseException:
        # What is refused leaves nothing, not even the folders on the way.
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _check_outlives(run_dir: Path, inputs: Iterable[Path]) -> None:
    """Refuse to replace a run that an input lies in."""
    cleared = [(run_dir / name).resolve() for name in OWN_ENTRIES]
    for path in inputs:
        if any(path.resolve().is_relative_to(entry) for entry in cleared):
            raise UsageError(
                f"{path}: lies in what --force removes from {run_dir}. Choose another output "
                "directory, or move the input."
            )


def _write_files(
    catalog: Catalog,
    plan: RunPlan,
    modisco_h5: Path,
    config: CallConfig,
    resources: ResourceConfig,
) -> tuple[Path, ...]:
    written: list[Path] = []
    is_only = len(plan.record.samples) == 1
    for sample in plan.record.samples:
        out = plan.run_dir if is_only else plan.run_dir / "samples" / folder_name(sample.name)
        written += write_finemo_files(catalog, sample.name, out)
        written += write_parameters(out, sample, modisco_h5, config, resources, plan.record)
    return tuple(written)


def _say_what_is_left(plan: RunPlan) -> None:
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
