"""The region stores of the samples of a run: those that are given, and those to be extracted."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from finemo_dist.core.config import ResourceConfig
from finemo_dist.core.events import OnEvent
from finemo_dist.core.protocols import Executor
from finemo_dist.core.records import Mode
from finemo_dist.hits.layout import folder_name
from finemo_dist.run.extraction import (
    BegunStore,
    ExtractionPlan,
    begin_samples,
    extract_samples,
)
from finemo_dist.run.extraction_worker import ExtractionSpec, SampleExtraction, Stage
from finemo_dist.run.left_out import LeftOut
from finemo_dist.run.plan import Extraction
from finemo_dist.run.resources import Machine, choose_extractor, n_core_workers
from finemo_dist.run.space import is_same_disk, pending_bytes, require_disk_for_stores
from finemo_dist.sources.make import make_source
from finemo_dist.storage.locations import location
from finemo_dist.store import staging
from finemo_dist.workflow.config import ExtractionInput, SampleConfig


@dataclass(frozen=True, slots=True)
class ComingStores:
    """Stores that are made in the run in which hits are called in them."""

    spec: ExtractionSpec | None = None
    """What makes workers that write their shards; None where there is none."""
    begun: Mapping[str, BegunStore] = field(default_factory=dict)
    """By sample."""

    @property
    def extraction(self) -> Extraction:
        """What is left to do."""
        units = tuple(unit for store in self.begun.values() for unit in store.units)
        return Extraction(units, sum(store.n_pending_bases for store in self.begun.values()))

    def bytes_beside(self, path: Path) -> int:
        """Return what the stores are going to take of the disk of a path."""
        stores = self.begun.values()
        return pending_bytes(s for s in stores if is_same_disk(path, location(s.path)))


def stores_of(
    samples: Sequence[SampleConfig],
    folder: Path,
    resources: ResourceConfig,
    machine: Machine,
    *,
    modes: Mapping[str, Mode],
    session: ExitStack,
    check: Callable[[BegunStore], None],
    force: bool,
    is_first: bool,
    on_event: OnEvent,
) -> tuple[dict[str, Path], ComingStores, LeftOut]:
    """Return the store of each sample that is whole, and what makes the others.

    The other samples are those that could not be extracted.

    Parameters
    ----------
    folder
        Of the stores that are extracted.
    modes
        Of each sample: a store has only the scores that its mode needs.
    session
        Where Ray's session is kept open, once it is needed, for what comes after.
    check
        Refuses a sample that cannot be called, before its store is written or replaced.
    force
        Whether stores of other inputs are replaced.
    is_first
        Whether all stores are made before anything else.
    on_event
        Called with the events of the extraction.

    Raises
    ------
    UsageError
        The stores do not fit the disk.
    """
    paths = {s.name: s.regions or folder / f"{folder_name(s.name)}.zarr" for s in samples}
    to_extract = {
        s.name: _extraction(s.name, inputs, paths[s.name], None if is_first else modes[s.name])
        for s in samples
        if (inputs := s.extracted_for(modes[s.name])) is not None
    }

    def check_all(begun: Sequence[BegunStore]) -> None:
        require_disk_for_stores(folder, begun)

    def executor_for(plan: ExtractionPlan) -> Executor:
        executor = choose_extractor(resources, plan, machine)
        if executor.describe()["kind"] == "ray":
            _keep_ray(resources, machine, session)
        return executor

    if is_first:
        left_out = extract_samples(
            to_extract, executor_for=executor_for, check=check_all, check_one=check,
            on_event=on_event, overwrite=force,
        )  # fmt: skip
        coming = ComingStores()
    else:
        begun, left_out = begin_samples(
            to_extract, executor_for=executor_for, check=check_all, check_one=check,
            overwrite=force,
        )  # fmt: skip
        names = [store.name for store in begun]
        spec = ExtractionSpec(Stage.WRITE, {name: to_extract[name] for name in names}, force)
        coming = ComingStores(spec, {store.name: store for store in begun})
    others = left_out.errors.keys() | coming.begun.keys()
    return {name: p for name, p in paths.items() if name not in others}, coming, left_out


def _extraction(
    name: str, inputs: ExtractionInput, path: Path, mode: Mode | None
) -> SampleExtraction:
    # Workers may have another working directory.
    path = path.absolute()
    make = partial(make_source, inputs.kind, dict(inputs))
    return SampleExtraction(make, str(path), str(staging.claim(path)), name, mode)


def _keep_ray(resources: ResourceConfig, machine: Machine, session: ExitStack) -> None:
    from finemo_dist.run.ray_session import ray_session

    n_cores = max(n_core_workers(resources, machine) or machine.n_cores, machine.n_gpus)
    session.enter_context(
        ray_session(resources.ray_address, n_cores=n_cores, n_gpus=machine.n_gpus)
    )
