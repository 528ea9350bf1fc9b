"""Temporary files and folders that say whose they are, and the removal of those of dead processes.

A name ends in the machine, the number and the start of the process that made it. What a process of
this machine left is removed as soon as that process is dead: by the next process that commits a
file in the same folder, or that makes a folder in the temporary directory. Nothing of a living
process is touched, however old. Of a process of another machine nobody here knows whether it lives.
Its files are removed by the driver of a run alone, in the places that only workers of the run
write, and only while it has the lease of the run: before its own workers begin, what nobody has
written to for ``ABANDONED_S`` seconds by the clock of the file system; after its workers ended,
what stays the same between two looks. A worker of a dead driver that lives on for all that fails
to rename its file, and what it would have committed is there already or is made again.
"""

import functools
import os
import re
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from finemo_dist.core.processes import Process, this_machine
from finemo_dist.storage.objects import ObjectPath

SUFFIX: Final = ".tmp"
ABANDONED_S: Final = 900.0

_SCRATCH: Final = "finemo_dist-"
_MACHINE_LETTERS: Final = 8
_TAG: Final = re.compile(r"(?:^|[.-])([0-9a-f]{8})-([0-9a-f]+)-([0-9a-f]+)-\w+(?:\.tmp)?$")


def temporary_path(path: Path, name: str | None = None) -> Path:
    """Return a path beside another that no other process uses.

    Parameters
    ----------
    name
        What it is to show; the name of the path when None.
    """
    shown = path.name if name is None else name
    start = f".{shown}." if shown else "."
    return path.with_name(f"{start}{_tag()}-{secrets.token_hex(3)}{SUFFIX}")


def is_left_behind(name: str) -> bool | None:
    """Whether what has a name was made by a process that is dead.

    None where that is not known here: it is of another machine, or of an earlier release.
    """
    found = _TAG.search(name)
    if found is None or found[1] != this_machine()[:_MACHINE_LETTERS]:
        return None
    here = Process.this()
    is_alive = Process(here.host, here.machine, int(found[2], 16), int(found[3], 16)).is_alive()
    return not is_alive


def remove_left_behind(folder: Path) -> None:
    """Remove from a folder what dead processes of this machine left; once by each process."""
    if not isinstance(folder, ObjectPath):
        _remove_left_behind(folder, os.getpid())


@functools.lru_cache(maxsize=4096)
def _remove_left_behind(folder: Path, _process: int) -> None:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            is_ours = entry.name.startswith(".") and entry.name.endswith(SUFFIX)
            if (is_ours or entry.name.startswith(_SCRATCH)) and is_left_behind(entry.name):
                remove_quietly(Path(entry.path))


def remove_quietly(path: Path) -> None:
    """Remove a file, or a folder with all below, if it is there and can be removed."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder in the temporary directory (``TMPDIR``), for a ``with``."""
    return tempfile.TemporaryDirectory(prefix=scratch_prefix())


def scratch_prefix() -> str:
    """Return what names in the temporary directory begin with; removes what is left there."""
    remove_left_behind(Path(tempfile.gettempdir()))
    return f"{_SCRATCH}{_tag()}-"


def _tag() -> str:
    this = Process.this()
    return f"{this.machine[:_MACHINE_LETTERS]}-{this.pid:x}-{this.start:x}"
