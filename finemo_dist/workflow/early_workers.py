"""Workers that get ready while the driver still prepares a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from finemo_dist.core.config import ResourceConfig
from finemo_dist.run.process_parent import Parent
from finemo_dist.run.resources import parent_for_new_run
from finemo_dist.sources.finemo_npz import FinemoRegionsSource
from finemo_dist.store.placed import PlacedRegions
from finemo_dist.workflow.regions import OpenRegions
from finemo_dist.workflow.stores import ComingStores

if TYPE_CHECKING:
    from finemo_dist.workflow.calling import Prepared

_EXTRACT: Final = ("finemo_dist.run.extraction_worker",)
_CALL: Final = ("finemo_dist.run.worker", "finemo_dist.workflow.outputs")
"""Modules that do these units; they import the libraries they need."""


def parent_of_workers(
    run_dir: Path,
    opened: Mapping[str, OpenRegions],
    coming: ComingStores,
    resources: ResourceConfig,
    prepared: "Prepared",
) -> Parent | None:
    """Start a process that loads what workers need, if this is a new run that will use several.

    Parameters
    ----------
    opened, coming
        The regions of the run.
    """
    if (run_dir / "run.json").exists():
        # How much work is left is not known yet.
        return None
    sizes = {name: (_n_regions(found), found.region_width) for name, found in opened.items()}
    sizes |= {name: (s.n_regions, s.region_width) for name, s in coming.begun.items()}
    motifs = prepared.motifs
    return parent_for_new_run(
        resources, prepared.machine, prepared.device,
        [(*size, len(motifs[name].motifs)) for name, size in sizes.items()],
        modules=_CALL if coming.spec is None else (*_EXTRACT, *_CALL),
    )  # fmt: skip


def _n_regions(found: OpenRegions) -> int:
    if isinstance(found, FinemoRegionsSource):
        return len(found.regions)
    return len(found.table) if isinstance(found, PlacedRegions) else found.n_regions
