"""Asking the machine what is free, and refusing work that would run out half-way."""

import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import UsageError
from finemo_dist.core.space import Need

logger = logging.getLogger(__name__)

_MEMINFO: Final = Path("/proc/meminfo")
_GROUP: Final = Path("/sys/fs/cgroup")
_NVIDIA_SMI: Final = (
    "nvidia-smi", "--query-gpu=index,uuid,memory.free", "--format=csv,noheader,nounits",
)  # fmt: skip
_NVIDIA_SMI_TIMEOUT_S: Final = 20.0

FreeDisk = Callable[[Path], int]
FreeMemory = Callable[[], int | None]


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
