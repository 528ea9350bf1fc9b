"""Asks the machine what is free, and refuses work that would run out of it half-way."""

import logging
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from finemo_dist.core.config import ResourceConfig
from finemo_dist.core.errors import UsageError
from finemo_dist.core.memory import (
    Demand,
    Need,
    call_bytes,
    gpu_bytes,
    readable,
    store_bytes,
    worker_bytes,
    workers_per_gpu,
)
from finemo_dist.core.protocols import RegionOutline, Source
from finemo_dist.core.records import MotifSet
from finemo_dist.storage.locations import is_local

if TYPE_CHECKING:
    from finemo_dist.run.extraction import BegunStore

logger = logging.getLogger(__name__)

_MEMINFO: Final = Path("/proc/meminfo")
_GROUP: Final = Path("/sys/fs/cgroup")
_NVIDIA_SMI: Final = (
    "nvidia-smi", "--query-gpu=index,uuid,memory.free", "--format=csv,noheader,nounits",
)  # fmt: skip
_NVIDIA_SMI_TIMEOUT_S: Final = 20.0
_STORE_CURE: Final = (
    "Free some space, choose an output on another disk (-o), or extract fewer regions."
)


def free_disk(path: Path) -> int:
    """Return the bytes free to this user on the disk that ``path`` is, or would be, on."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def free_memory() -> int | None:
    """Return the bytes of memory that can be had without swapping; None where nothing says so.

    The smaller of what Linux calls available and what a control group (a SLURM job, a container)
    leaves.
    """
    known = [n for n in (_available(), _left_in_group()) if n is not None]
    return min(known) if known else None


def free_gpu_memory() -> tuple[int, ...] | None:
    """Return the bytes free on each GPU that CUDA shows here; None where nothing says so.

    The driver's own tool is asked and not CUDA, which would take memory of each GPU to answer and
    keep its worker out of one set to serve a single process.
    """
    try:
        done = subprocess.run(
            _NVIDIA_SMI,
            capture_output=True,
            text=True,
            timeout=_NVIDIA_SMI_TIMEOUT_S,
            check=True,
        )
        rows = [line.split(", ") for line in done.stdout.splitlines()]
        free = [(index, uuid, int(mebibytes) << 20) for index, uuid, mebibytes in rows]
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return tuple(size for _, _, size in free)
    named = [
        [size for index, uuid, size in free if name == index or uuid.startswith(name)]
        for name in map(str.strip, visible.split(","))
    ]
    # A part of a GPU (MIG) has a name of its own, which this list does not have.
    return tuple(found[0] for found in named) if all(len(f) == 1 for f in named) else None


def require(need: Need, free_bytes: int | None) -> None:
    """Refuse work that does not fit, and warn where it barely does.

    Raises
    ------
    UsageError
        Less is free than the work needs; the message has both sizes.
    """
    if free_bytes is None:
        return
    if refusal := need.refusal(free_bytes):
        raise UsageError(refusal)
    if warning := need.warning(free_bytes):
        logger.warning("%s", warning)


def require_disk_for_store(source: Source, out_path: Path) -> None:
    """Refuse an extraction whose output does not fit the disk.

    Object storage is not asked.

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
        what, needed = "the regions file and the store that it is made from", 2 * needed
    require(Need(what, str(out_path), needed, _STORE_CURE), free_disk(out_path))


def require_disk_for_stores(folder: Path, begun: "Sequence[BegunStore]") -> None:
    """Refuse extractions whose shards that are not written yet do not fit the disk together.

    Object storage is not asked.

    Raises
    ------
    UsageError
        Less is free than they take.
    """
    needed = pending_bytes(begun)
    what = "the region store" if len(begun) == 1 else f"{len(begun)} region stores"
    if begun and is_local(folder):
        require(Need(what, str(folder), needed, _STORE_CURE), free_disk(folder))


def pending_bytes(begun: "Iterable[BegunStore]") -> int:
    """Return what the shards of stores take that are not written yet."""
    return sum(store_bytes(s.n_pending_regions, s.region_width, s.score_kind) for s in begun)


def is_same_disk(one: Path, other: Path) -> bool:
    """Whether two paths are, or would be, on one local disk."""
    return is_local(one) and is_local(other) and _device(one) == _device(other)


def _device(path: Path) -> int:
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path.stat().st_dev


def require_disk_for_call(
    run_dir: Path, samples: Iterable[tuple[RegionOutline, MotifSet]], *, n_more_bytes: int = 0
) -> None:
    """Refuse a call of hits whose output does not fit the disk; what is there counts.

    Object storage is not asked.

    Parameters
    ----------
    n_more_bytes
        Of what else is going to be written on the same disk.

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
    cure = "Free some space, or choose a run directory on another disk (-o)."
    what = "the hits and the region stores" if n_more_bytes else "the hits"
    needed = max(whole - _existing_bytes(run_dir), 0) + n_more_bytes
    require(Need(what, str(run_dir), needed, cure), free_disk(run_dir))


def _existing_bytes(run_dir: Path) -> int:
    parts = chain.from_iterable(run_dir.glob(f"{table}/*/*") for table in ("hits", "peaks_qc"))
    n_bytes = 0
    for part in parts:
        # Workers of a driver that died may still rename what they wrote.
        with suppress(FileNotFoundError):
            n_bytes += part.stat().st_size
    return n_bytes


def workers_that_fit(n_workers: int, resources: ResourceConfig, demand: Demand) -> int:
    """Return how many of ``n_workers`` on this machine's CPUs its memory holds.

    A warning says when fewer run than were chosen for the user.

    Raises
    ------
    UsageError
        Not one fits, or not as many as the user asked for.
    """
    free_bytes = free_memory()
    if free_bytes is None or resources.ray_address is not None:
        return n_workers
    each = worker_bytes(resources.batch_regions, demand.region_bytes)
    n_fitting = int(free_bytes // each)
    if n_fitting < n_workers and n_fitting and resources.n_workers is None:
        logger.warning(
            "Using %d of %d workers: each takes about %s of memory, and %s are free.",
            n_fitting, n_workers, readable(each), readable(free_bytes),
        )  # fmt: skip
        return n_fitting
    what = f"{n_workers} workers" if n_workers > 1 else "a worker"
    cure = (
        f"Use --workers {n_fitting}." if n_fitting else
        "Use a machine with more memory, or a smaller batch (-b)."
    )  # fmt: skip
    require(Need(what, "Memory", n_workers * each, cure), free_bytes)
    return n_workers


def workers_per_gpu_that_fit(
    resources: ResourceConfig, demand: Demand, *, n_cores_per_gpu: int
) -> int:
    """Return how many workers share each GPU: as many as asked for, or as memory and cores allow.

    Larger batches are made to fit later, so a worker needs memory for one region.

    Raises
    ------
    UsageError
        Less is free on a GPU of this machine that the call would use than a worker takes with one
        region.
    """
    free_bytes = None if resources.ray_address is not None else free_gpu_memory()
    if free_bytes:
        _require_gpu_memory(resources, demand, free_bytes)
    return resources.workers_per_gpu or workers_per_gpu(
        demand.region_bytes, min(free_bytes) if free_bytes else None, n_cores_per_gpu
    )


def _require_gpu_memory(
    resources: ResourceConfig, demand: Demand, free_bytes: tuple[int, ...]
) -> None:
    needed = gpu_bytes(demand.region_bytes)
    n_used = 1 if resources.executor == "serial" else resources.n_gpus or resources.n_workers
    for gpu, free in enumerate(free_bytes[:n_used]):
        cure = (
            "Free some memory, choose another GPU with CUDA_VISIBLE_DEVICES, use fewer motifs or "
            "narrower regions, or use --device cpu."
        )
        require(Need("a worker with a single region", f"GPU {gpu}", needed, cure), free)


def _available() -> int | None:
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    field = values.get("MemAvailable", "").split()
    return int(field[0]) * 1024 if field else None


def _left_in_group() -> int | None:
    limit, used = _number(_GROUP / "memory.max"), _number(_GROUP / "memory.current")
    if limit is None or used is None:
        return None
    return max(limit - used + _reclaimable(), 0)


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    # "max" is no limit.
    return int(text) if text.isdecimal() else None


def _reclaimable() -> int:
    """Return what the kernel caches of files in the group: it gives that back when asked."""
    try:
        lines = (_GROUP / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    fields = dict(line.split(maxsplit=1) for line in lines)
    return int(fields.get("inactive_file", 0))
