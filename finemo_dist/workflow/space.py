"""Disk and memory checked before long work: what it will take against what is free."""

import logging
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from finemo_dist.core.config import ResourceConfig, SolverConfig
from finemo_dist.core.memory import region_bytes
from finemo_dist.core.protocols import RegionReader, Source
from finemo_dist.core.records import MotifSet
from finemo_dist.core.space import Need, call_bytes, gpu_bytes, readable, store_bytes, worker_bytes
from finemo_dist.run import space
from finemo_dist.storage.locations import is_local

if TYPE_CHECKING:
    from finemo_dist.run.extraction import BegunStore

logger = logging.getLogger(__name__)

_STORE_CURE: Final = "Free some, choose an output on another disk (-o), or extract fewer regions."


def require_disk_for_store(source: Source, out_path: Path) -> None:
    """Refuse an extraction whose output does not fit the disk.

    Of object storage nothing is asked.

    Raises
    ------
    UsageError
        Less is free than the output takes.
    """
    if not is_local(out_path):
        return
    needed = store_bytes(len(source.regions), source.region_width, source.score_kind)
    what = "the region store"
    if out_path.suffix == ".npz":
        what, needed = "the regions file and the store it is made from", 2 * needed
    space.require(Need(what, str(out_path), needed, _STORE_CURE), space.free_disk(out_path))


def require_disk_for_stores(folder: Path, begun: "Sequence[BegunStore]") -> None:
    """Refuse extractions whose shards that are not written yet do not fit the disk together.

    Of object storage nothing is asked.

    Raises
    ------
    UsageError
        Less is free than they take.
    """
    needed = sum(store_bytes(s.n_pending_regions, s.region_width, s.score_kind) for s in begun)
    what = "the region store" if len(begun) == 1 else f"{len(begun)} region stores"
    if begun and is_local(folder):
        space.require(Need(what, str(folder), needed, _STORE_CURE), space.free_disk(folder))


def require_disk_for_call(run_dir: Path, samples: Iterable[tuple[RegionReader, MotifSet]]) -> None:
    """Refuse a call of hits whose output does not fit the disk; what stands there counts.

    Of object storage nothing is asked.

    Raises
    ------
    UsageError
        Less is free than the output takes.
    """
    if not is_local(run_dir):
        return
    whole = sum(
        call_bytes(store.n_regions, store.region_width, len(motifs), motifs.width)
        for store, motifs in samples
    )
    cure = "Free some, or choose a run directory on another disk (-o)."
    need = Need("the hits", str(run_dir), max(whole - _standing_bytes(run_dir), 0), cure)
    space.require(need, space.free_disk(run_dir))


def _standing_bytes(run_dir: Path) -> int:
    parts = chain.from_iterable(run_dir.glob(f"{table}/*/*") for table in ("hits", "peaks_qc"))
    return sum(part.stat().st_size for part in parts)


def workers_that_fit(
    n_workers: int,
    resources: ResourceConfig,
    solver: SolverConfig,
    *,
    motifs: MotifSet,
    region_width: int,
) -> int:
    """Return how many of ``n_workers`` on this machine's CPUs its memory holds.

    Fewer than were chosen for the user are said in a warning; fewer than the user asked for are
    refused.

    Raises
    ------
    UsageError
        Not one fits, or not as many as were asked for.
    """
    free_bytes = space.free_memory()
    if free_bytes is None or resources.ray_address is not None:
        return n_workers
    per_region = _region_bytes(solver, motifs, region_width)
    each = worker_bytes(resources.batch_regions, per_region)
    n_fitting = int(free_bytes // each)
    if n_fitting < n_workers and n_fitting and resources.n_workers is None:
        logger.warning(
            "%d of %d workers are used: each takes about %s of memory, and %s are free.",
            n_fitting, n_workers, readable(each), readable(free_bytes),
        )  # fmt: skip
        return n_fitting
    what = f"{n_workers} workers" if n_workers > 1 else "a worker"
    cure = (
        f"Ask for --workers {n_fitting}." if n_fitting else
        "Ask for more memory, or for a smaller batch (-b)."
    )  # fmt: skip
    space.require(Need(what, "Memory", n_workers * each, cure), free_bytes)
    return n_workers


def require_gpu_memory(
    resources: ResourceConfig, solver: SolverConfig, *, motifs: MotifSet, region_width: int
) -> None:
    """Refuse a call of hits when a GPU of this machine that it would use cannot hold a region.

    Larger batches are made to fit later, so only one region counts.

    Raises
    ------
    UsageError
        Less is free on a GPU than a worker takes with one region.
    """
    free_bytes = space.free_gpu_memory()
    if free_bytes is None or resources.ray_address is not None:
        return
    needed = gpu_bytes(_region_bytes(solver, motifs, region_width))
    n_used = 1 if resources.executor == "serial" else resources.n_workers
    for gpu, free in enumerate(free_bytes[:n_used]):
        cure = (
            "Free some, choose another GPU with CUDA_VISIBLE_DEVICES, take fewer motifs or "
            "narrower regions, or use --device cpu."
        )
        space.require(Need("a worker with a single region", f"GPU {gpu}", needed, cure), free)


def _region_bytes(solver: SolverConfig, motifs: MotifSet, region_width: int) -> int:
    return region_bytes(
        solver.name,
        n_motifs=len(motifs),
        region_width=region_width,
        motif_width=motifs.width,
        is_hypothetical=solver.mode.contributions_are_hypothetical,
    )
