"""The region stores of the samples of a run: those that are given, and those to be extracted."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from finemo_dist.cli.progress import shard_progress
from finemo_dist.core.config import ResourceConfig
from finemo_dist.core.protocols import Executor, Source
from finemo_dist.hits.layout import folder_name
from finemo_dist.run.extraction import BegunStore, ExtractionPlan, extract_samples
from finemo_dist.run.extraction_worker import SampleExtraction
from finemo_dist.run.resources import Machine, choose_extractor
from finemo_dist.store import staging
from finemo_dist.workflow.config import SampleConfig
from finemo_dist.workflow.space import require_disk_for_stores


def stores_of(
    samples: Sequence[SampleConfig],
    folder: Path,
    resources: ResourceConfig,
    machine: Machine,
    *,
    session: ExitStack,
    check: Callable[[BegunStore], None],
    force: bool,
) -> dict[str, Path]:
    """Return the store of each sample, extracted unless it stands from the same inputs.

    Parameters
    ----------
    folder
        Of the stores that are extracted.
    session
        Where Ray's session is kept open, once it is needed, for what comes after.
    check
        Refuses what cannot be called, before any store is written or replaced.
    force
        Whether stores of other inputs are replaced.

    Raises
    ------
    InputError
        Inputs were refused; the other samples are extracted.
    IncompleteRunError
        Samples could not be extracted; the others are.
    UsageError
        The stores do not fit the disk.
    """
    paths = {s.name: s.regions or folder / f"{folder_name(s.name)}.zarr" for s in samples}
    to_extract = {s.name: _extraction(s, paths[s.name]) for s in samples if s.regions is None}

    def check_all(begun: Sequence[BegunStore]) -> None:
        for store in begun:
            check(store)
        require_disk_for_stores(folder, begun)

    def executor_for(plan: ExtractionPlan) -> Executor:
        executor = choose_extractor(resources, plan, machine)
        if executor.describe()["kind"] == "ray":
            _keep_ray(resources, machine, session)
        return executor

    with shard_progress("extract") as on_shard:
        extract_samples(
            to_extract,
            executor_for=executor_for,
            check=check_all,
            on_shard=on_shard,
            overwrite=force,
        )
    return paths


def _extraction(sample: SampleConfig, path: Path) -> SampleExtraction:
    # Workers may have another working directory.
    path = path.absolute()
    return SampleExtraction(partial(make_source, sample), str(path), str(staging.claim(path)))


def make_source(sample: SampleConfig) -> Source:
    """Return the source that a sample names.

    Raises
    ------
    InputError, UsageError
        A file is missing or damaged, or the inputs do not fit each other.
    """
    from finemo_dist.sources.arrays import ModiscoArraysSource
    from finemo_dist.sources.bigwig import BigWigSource
    from finemo_dist.sources.h5 import BpnetSource, ChromBpnetSource

    if sample.bigwig is not None:
        return BigWigSource(**dict(sample.bigwig))
    if sample.chrombpnet_h5 is not None:
        return ChromBpnetSource(**dict(sample.chrombpnet_h5))
    if sample.bpnet_h5 is not None:
        return BpnetSource(**dict(sample.bpnet_h5))
    assert sample.modisco_arrays is not None
    return ModiscoArraysSource(**dict(sample.modisco_arrays))


def _keep_ray(resources: ResourceConfig, machine: Machine, session: ExitStack) -> None:
    from finemo_dist.run.ray_pool import ray_session

    n_cores = max(resources.n_workers or machine.n_cores, machine.n_gpus)
    session.enter_context(
        ray_session(resources.ray_address, n_cores=n_cores, n_gpus=machine.n_gpus)
    )
