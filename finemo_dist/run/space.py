"""Asking the machine what is free, and refusing work that would run out half-way."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import UsageError
from finemo_dist.core.space import Need

logger = logging.getLogger(__name__)

_MEMINFO: Final = Path("/proc/meminfo")
_GROUP: Final = Path("/sys/fs/cgroup")

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
