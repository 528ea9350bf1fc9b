"""What writers that died left in a run, removed by its driver before its workers begin and after.

The rule is in ``storage/temporary.py``.
"""

import os
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import IncompleteRunError
from finemo_dist.record.lease import require_held
from finemo_dist.run.remains import OWN_ENTRIES
from finemo_dist.storage.files import file_system_time
from finemo_dist.storage.locations import is_local
from finemo_dist.storage.temporary import ABANDONED_S, SUFFIX, is_left_behind, remove_quietly

LOOK_S: Final = 5.0
"""Between two looks at what workers on other machines left."""

_N_READERS: Final = 16
"""A shared file system answers slowly, so that waiting dominates."""
_STORE: Final = ".zarr"


@contextmanager
def tidied(run_dir: Path) -> Iterator[None]:
    """Have a run without what dead writers left in it, before the context and after it."""
    if not is_local(run_dir):
        # Objects are put whole.
        yield
        return
    strange = _strange(run_dir)
    now = file_system_time(run_dir) if strange else None
    for path in strange:
        if now is not None and now - _touched(path) >= ABANDONED_S:
            remove_quietly(path)
    try:
        yield
    finally:
        with suppress(IncompleteRunError):
            require_held(run_dir)
            _remove_unchanged(_strange(run_dir))


def _remove_unchanged(paths: list[Path]) -> None:
    if not paths:
        return
    before = {path: _look(path) for path in paths}
    time.sleep(LOOK_S)
    for path, look in before.items():
        if _look(path) == look:
            remove_quietly(path)


def _strange(run_dir: Path) -> list[Path]:
    """Remove what processes of this machine left, and return what may be of others."""
    found: list[Path] = []
    for path in _temporaries(run_dir):
        is_left = is_left_behind(path.name)
        if is_left:
            remove_quietly(path)
        elif is_left is None:
            found.append(path)
    return found


def _temporaries(run_dir: Path) -> Iterator[Path]:
    """Yield the temporary files and folders in the places that only workers of the run write."""
    top, folders = _listed(run_dir)
    own = tuple(f".{name}." for name in OWN_ENTRIES)
    yield from (path for path in top if path.name.startswith(own))
    waiting = [path for path in folders if path.name in OWN_ENTRIES]
    with ThreadPoolExecutor(_N_READERS) as pool:
        while waiting:
            answers = list(pool.map(_listed, waiting))
            waiting = []
            for temporaries, below in answers:
                yield from temporaries
                waiting += below


def _listed(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the temporaries in a folder, and its other folders but stores."""
    temporaries, folders = [], []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(SUFFIX):
                temporaries.append(Path(entry.path))
            elif entry.is_dir(follow_symlinks=False) and not entry.name.endswith(_STORE):
                folders.append(Path(entry.path))
    return temporaries, folders


def _look(path: Path) -> list[tuple[str, int, int]]:
    """Return what changes when somebody writes to a file, or anywhere in a folder."""
    found = []
    with suppress(OSError):
        places = [path]
        if stat.S_ISDIR(path.lstat().st_mode):
            places += path.rglob("*")
        for place in places:
            seen = place.lstat()
            found.append((str(place), seen.st_size, seen.st_mtime_ns))
    return sorted(found)


def _touched(path: Path) -> float:
    """Return when a file, or anything in a folder, was written to last."""
    return max((time_ns / 1e9 for _, _, time_ns in _look(path)), default=0.0)
