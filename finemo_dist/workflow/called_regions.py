"""The regions that are called: opened and checked, and written into the run where they must be."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from finemo_dist.core.config import CallConfig, SampleSettings
from finemo_dist.core.errors import InputError, RunError, StoreError, UsageError
from finemo_dist.core.events import OnEvent
from finemo_dist.core.records import ScoreKind
from finemo_dist.hits.layout import folder_name
from finemo_dist.record.run_record import SampleRecord
from finemo_dist.run.left_out import LeftOut
from finemo_dist.run.region_checks import check_regions, check_scores
from finemo_dist.run.remains import OWN_ENTRIES, standing_record
from finemo_dist.sources.finemo_npz import FinemoRegionsSource
from finemo_dist.storage.files import remove_tree
from finemo_dist.store.read import RegionStore, open_store
from finemo_dist.store.staging import remove_empty
from finemo_dist.workflow.regions import (
    Coordinates,
    OpenRegions,
    is_written,
    open_regions,
    write_regions,
)
from finemo_dist.workflow.sample_motifs import SampleMotifs

_Made = TypeVar("_Made")


def store_called_in(sample: SampleRecord) -> RegionStore:
    """Return the store in which the hits of a sample of a run were called.

    Raises
    ------
    StoreError
        It is not there, or damaged.
    RunError
        Another is at its place.
    """
    store = open_store(sample.store)
    if store.digest != sample.store_digest:
        raise RunError(
            f"{sample.store}: is not the store in which the hits of sample {sample.name!r} were "
            "called; it has been rewritten since. Call the hits again."
        )
    return store


def opened_regions(
    regions: Mapping[str, Path],
    settings: Mapping[str, SampleSettings],
    motifs: Mapping[str, SampleMotifs],
    coordinates: Mapping[str, Coordinates],
    left_out: LeftOut,
) -> dict[str, OpenRegions]:
    """Return the regions of each sample in which its motifs can be called.

    The others are added to those left out.
    """

    def opened(name: str, path: Path) -> OpenRegions:
        config = settings[name].call
        needs_all = config.solver.mode.contributions_are_hypothetical
        kind = None if needs_all else ScoreKind.PROJECTED
        found = open_regions(path, coordinates.get(name), kind=kind)
        check_regions(name, path, found, motifs=motifs[name].motifs, config=config)
        if not isinstance(found, FinemoRegionsSource):
            check_scores(name, path, found.report, config.solver.mode)
        return found

    return _each({name: partial(opened, name, path) for name, path in regions.items()}, left_out)


def stores_in_run(
    opened: Mapping[str, OpenRegions],
    settings: Mapping[str, SampleSettings],
    run_dir: Path,
    on_event: OnEvent,
    left_out: LeftOut,
    *,
    replaces: bool,
) -> dict[str, RegionStore]:
    """Return a store of each sample; finemo's ``.npz``, and coordinates, are written into the run.

    Samples that are refused are added to those left out. Stores of another run are replaced if
    that is said.
    """

    def made(name: str, regions: OpenRegions) -> RegionStore:
        config = settings[name].call
        return _as_store(regions, name, run_dir, config, on_event, replaces=replaces)

    return _each({name: partial(made, name, found) for name, found in opened.items()}, left_out)


def _each(make: Mapping[str, Callable[[], _Made]], left_out: LeftOut) -> dict[str, _Made]:
    """Return what is made of each sample; one that is refused holds up none of the others."""
    made: dict[str, _Made] = {}
    for name, make_one in make.items():
        try:
            made[name] = make_one()
        except (InputError, StoreError) as error:
            # The only sample is refused in its own words, by its own error.
            if len(make) + len(left_out.errors) == 1:
                raise
            left_out.add(name, str(error), is_refused=True, what="called")
    return made


def _as_store(
    regions: OpenRegions,
    name: str,
    run_dir: Path,
    config: CallConfig,
    on_event: OnEvent,
    *,
    replaces: bool,
) -> RegionStore:
    if isinstance(regions, RegionStore):
        return regions
    staged = run_dir / "regions" / f"{folder_name(name)}.zarr"
    if staged.exists():
        store = open_store(staged)
        if is_written(regions, store):
            check_scores(name, store.path, store.meta.report, config.solver.mode)
            return store
    standing = None if replaces else standing_record(run_dir)[0]
    if (
        standing is not None
        and name not in standing.refused
        and (staged.exists() or standing.sample(name) is None)
    ):
        raise RunError(
            f"{run_dir}: holds another run: the regions of sample {name!r} have changed or are "
            "new. "
            "Choose another directory, or replace the run with --force."
        )
    store = write_regions(regions, staged, on_event=on_event)
    try:
        check_scores(name, regions.inputs[0].path, store.meta.report, config.solver.mode)
    except InputError:
        remove_tree(staged)
        remove_empty(staged.parent)
        raise
    return store


def check_outlives(run_dir: Path, inputs: Iterable[Path]) -> None:
    """Refuse to replace a run that an input lies in."""
    cleared = [(run_dir / name).resolve() for name in OWN_ENTRIES]
    for path in inputs:
        if any(path.resolve().is_relative_to(entry) for entry in cleared):
            raise UsageError(
                f"{path}: is among the files that --force removes from {run_dir}. Choose another "
                "output directory, or move the input."
            )
