"""The regions that are called: opened and checked, and written into the run where they must be."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from finemo_dist.core.config import CallConfig, SampleSettings
from finemo_dist.core.errors import InputError, RunError, UsageError
from finemo_dist.core.events import OnEvent
from finemo_dist.hits.layout import folder_name
from finemo_dist.record.run_record import RunRecord
from finemo_dist.run.plan import OWN_ENTRIES, check_regions, check_scores
from finemo_dist.sources.finemo_npz import FinemoRegionsSource
from finemo_dist.storage.files import remove_tree
from finemo_dist.store.read import RegionStore, open_store
from finemo_dist.workflow.regions import (
    Coordinates,
    OpenRegions,
    is_written,
    open_regions,
    write_regions,
)
from finemo_dist.workflow.sample_motifs import SampleMotifs


def opened_regions(
    regions: Mapping[str, Path],
    settings: Mapping[str, SampleSettings],
    motifs: Mapping[str, SampleMotifs],
    coordinates: Mapping[str, Coordinates],
) -> dict[str, OpenRegions]:
    """Return the regions of each sample, in which its motifs can be called."""
    opened = {name: open_regions(path, coordinates.get(name)) for name, path in regions.items()}
    for name, found in opened.items():
        called = motifs[name].motifs
        check_regions(name, regions[name], found, motifs=called, config=settings[name].call)
        if not isinstance(found, FinemoRegionsSource):
            check_scores(name, regions[name], found.report, settings[name].call)
    return opened


def as_store(
    regions: OpenRegions, name: str, run_dir: Path, config: CallConfig, on_event: OnEvent
) -> RegionStore:
    """Return a store; finemo's ``.npz``, and coordinates, are first written into the run."""
    if isinstance(regions, RegionStore):
        return regions
    staged = run_dir / "regions" / f"{folder_name(name)}.zarr"
    if staged.exists():
        store = open_store(staged)
        if is_written(regions, store):
            check_scores(name, store.path, store.meta.report, config)
            return store
    if (run_dir / "run.json").exists() and (
        staged.exists() or RunRecord.load(run_dir).sample(name) is None
    ):
        raise RunError(
            f"{run_dir}: holds another run: the regions of sample {name!r} have changed or are "
            "new. "
            "Choose another directory, or replace the run with --force."
        )
    is_new = not run_dir.exists()
    store = write_regions(regions, staged, on_event=on_event)
    try:
        check_scores(name, regions.inputs[0].path, store.meta.report, config)
    except InputError:
        for made in (staged, *([staged.parent, run_dir] if is_new else [])):
            remove_tree(made)
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
