"""Making a store in a folder beside its name, so that what stands of it outlives a stop.

A store in the making lies in ``.NAME.staging/N``. Whoever has it made claims a number of its own:
writers of a claim before, which may outlive the process that started them by seconds, are left with
a folder that is gone, and no store ever has two writers of one shard.

Objects cannot be renamed: on object storage a store is made under its name, and counts as one only
by the attribute that is put last. There, one of other inputs is gone when the new one is begun.
"""

import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from finemo_dist.core.errors import StoreError
from finemo_dist.core.protocols import Source
from finemo_dist.storage.objects import ObjectPath
from finemo_dist.store import _arrays
from finemo_dist.store._partitions import missing_partitions
from finemo_dist.store.encode import finalise, init, is_made_for
from finemo_dist.store.layout import StoreMeta


def claim(path: Path) -> Path:
    """Return the folder in which the store ``path`` is to be made; nothing may be there yet.

    What an earlier claim left moves there.
    """
    if isinstance(path, ObjectPath):
        return path
    folder = _folder(path)
    if not folder.is_dir():
        return folder / "0"
    last = max((int(p.name) for p in folder.iterdir() if p.name.isdecimal()), default=-1)
    claimed = folder / str(last + 1)
    if last >= 0:
        (folder / str(last)).rename(claimed)
    return claimed


def begin(staged: Path, source: Source) -> StoreMeta:
    """Return the attributes of a store in the making, begun anew unless it is of this very source.

    Raises
    ------
    OSError
        It cannot be written.
    """
    if staged.exists() and is_made_for(staged, source):
        return staged_meta(staged)
    if isinstance(staged, ObjectPath):
        staged.remove_below()
        return init(staged, source)
    shutil.rmtree(staged, ignore_errors=True)
    temporary = staged.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        meta = init(temporary, source)
        temporary.rename(staged)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return meta


def staged_meta(staged: Path) -> StoreMeta:
    """Return the attributes of a store in the making.

    Raises
    ------
    StoreError
        There is none, or it is damaged.
    """
    return _arrays.open_group(staged)[1]


def is_begun(path: Path) -> bool:
    """Whether the store under this name is one in the making, as it can be on object storage."""
    if not isinstance(path, ObjectPath):
        return False
    try:
        return not staged_meta(path).is_complete
    except StoreError:
        return False


def unwritten(staged: Path) -> list[int]:
    """Return the shards of a store in the making that are not whole.

    Raises
    ------
    StoreError
        There is none, or it is damaged.
    """
    return missing_partitions(staged, staged_meta(staged))


def put_in_place(staged: Path, path: Path) -> StoreMeta:
    """Finish a store and give it its name, replacing what stands there.

    Raises
    ------
    StoreError
        A partition has not been written.
    OSError
        The folder cannot be renamed.
    """
    meta = finalise(staged)
    if isinstance(staged, ObjectPath):
        return meta
    # What a writer that was killed had not put in place.
    for leftover in staged.rglob("*.partial"):
        leftover.unlink()
    old = staged.with_name("old")
    shutil.rmtree(old, ignore_errors=True)
    try:
        if path.exists():
            path.rename(old)
        staged.rename(path)
    finally:
        # Interrupted between the two renames, the old store goes back to its name.
        if old.exists() and not path.exists():
            old.rename(path)
    discard(path)
    return meta


def discard(path: Path) -> None:
    """Remove what there is of a store in the making, and the folder around it if it is empty."""
    if isinstance(path, ObjectPath):
        if is_begun(path):
            path.remove_below()
        return
    shutil.rmtree(_folder(path), ignore_errors=True)
    with suppress(OSError):
        path.parent.rmdir()


def _folder(path: Path) -> Path:
    return path.with_name(f".{path.name}.staging")
