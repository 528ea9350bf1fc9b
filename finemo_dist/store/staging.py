"""Writing a store so that an interrupt loses nothing: it is made here, then renamed.

An unfinished store is in ``.NAME.staging/N``. Each process that has it made claims a new N. A
writer of an earlier claim may outlive the process that started it by seconds; its folder is gone by
then, so that no shard ever has two writers.

Objects cannot be renamed. On object storage a store is made under its name, and the attribute that
``finalise`` puts last makes it complete. A store of other inputs is removed first.
"""

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from finemo_dist.core.errors import CutShortError, InputError, StoreError, UsageError
from finemo_dist.core.events import (
    ExtractionPlanned,
    OnEvent,
    ShardExtracted,
    StageEnded,
    ignore,
)
from finemo_dist.core.protocols import Source
from finemo_dist.core.records import Unit
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.files import remove_tree
from finemo_dist.storage.folders import rename_folder
from finemo_dist.storage.locations import is_local, location
from finemo_dist.storage.objects import ObjectPath
from finemo_dist.storage.temporary import temporary_path
from finemo_dist.store import _arrays
from finemo_dist.store.encode import (
    encode_partitions,
    finalise,
    init,
    is_made_for,
    unwritten_partitions,
)
from finemo_dist.store.layout import StoreMeta


def encode(
    source: Source,
    path: str | Path,
    *,
    shard_regions: int | None = None,
    overwrite: bool = False,
    on_event: OnEvent = ignore,
) -> StoreMeta:
    """Write all of a source as a store, which gets its name when it is complete.

    Shards that an interrupted call has written are kept and not written again.

    Parameters
    ----------
    shard_regions
        Regions in a shard; from the number of regions when None.
    overwrite
        Whether an existing store is replaced, once the new one is complete.
    on_event
        Called with ``ExtractionPlanned``, ``ShardExtracted`` for each shard, and ``StageEnded``.

    Raises
    ------
    InputError
        The source is damaged.
    StoreError
        The store cannot be written, as on a full disk.
    UsageError
        Something exists at ``path`` that may not be replaced.
    """
    path = location(path)
    _check_output(path, overwrite=overwrite)
    has_parent = path.parent.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _encode(source, path, shard_regions, on_event)
    except Exception as error:
        # An interrupt is not an Exception: it leaves what a rerun goes on with.
        if isinstance(error, CutShortError):
            raise
        discard(path)
        if not has_parent:
            remove_empty(path.parent)
        if not isinstance(error, OSError):
            raise
        place = "the bucket and AWS_* in the environment" if not is_local(path) else path.parent
        what = f"{path}: cannot be written ({error.strerror or error}). Check {place}."
        raise fault(path, error, otherwise=what, kind=StoreError, doing="written") from error


def _encode(source: Source, path: Path, shard_regions: int | None, on_event: OnEvent) -> StoreMeta:
    if isinstance(path, ObjectPath) and path.exists() and not is_begun(path):
        # A complete store may be replaced because it is damaged: none of it is kept.
        _remove_objects(path)
    staged = claim(path)
    begin(staged, source, shard_regions=shard_regions)
    pending = unwritten(staged)
    on_event(ExtractionPlanned(len(pending)))
    try:
        for record in encode_partitions(staged, source, pending):
            on_event(ShardExtracted(Unit(path.name, record.shard)))
    finally:
        on_event(StageEnded("extract"))
    return put_in_place(staged, path)


def _check_output(path: Path, *, overwrite: bool) -> None:
    if not path.exists() or is_begun(path) or (path.is_dir() and not any(path.iterdir())):
        return
    if not overwrite:
        raise UsageError(f"{path}: exists. Choose another output, or overwrite it with --force.")
    try:
        _arrays.open_group(path)
    except StoreError as error:
        # A mistyped path must not cost a folder that was never a store.
        raise UsageError(
            f"{path}: exists and is not a region store, so it is not overwritten. Choose another "
            "output, or remove it."
        ) from error


def claim(path: Path) -> Path:
    """Return the folder in which the store ``path`` is to be made; nothing may be there yet.

    What an earlier claim left moves there.
    """
    if isinstance(path, ObjectPath):
        return path
    folder = staging_folder(path)
    if not folder.is_dir():
        return folder / "0"
    last = max((int(p.name) for p in folder.iterdir() if p.name.isdecimal()), default=-1)
    claimed = folder / str(last + 1)
    if last >= 0:
        (folder / str(last)).rename(claimed)
    return claimed


def begin(staged: Path, source: Source, *, shard_regions: int | None = None) -> StoreMeta:
    """Return the attributes of a store in the making, begun anew unless it is of this very source.

    Raises
    ------
    OSError
        It cannot be written.
    """
    if staged.exists() and is_made_for(staged, source, shard_regions=shard_regions):
        return staged_meta(staged)
    if isinstance(staged, ObjectPath):
        _remove_objects(staged)
        return init(staged, source, shard_regions=shard_regions)
    shutil.rmtree(staged, ignore_errors=True)
    temporary = temporary_path(staged, "")
    try:
        meta = init(temporary, source, shard_regions=shard_regions)
        temporary.rename(staged)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return meta


def reopen(path: Path) -> None:
    """Have a complete store on object storage be one in the making again, with what it has.

    Whoever opens it meanwhile is refused. On a file system it is replaced by a whole one instead.
    """
    if isinstance(path, ObjectPath):
        group, meta = _arrays.open_group(path, mode="r+")
        group.attrs.put(replace(meta, is_complete=False).to_dict())


def _remove_objects(path: ObjectPath) -> None:
    """Remove a store from object storage; whoever opens it meanwhile is refused."""
    with suppress(StoreError):
        group, meta = _arrays.open_group(path, mode="r+")
        group.attrs.put(replace(meta, is_complete=False).to_dict())
        # The attributes go last, so that what is half removed is known for what it was.
        for entry in path.iterdir():
            if entry.name != "zarr.json":
                remove_tree(entry)
    path.remove_below()


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
    return unwritten_partitions(staged)


def put_in_place(staged: Path, path: Path) -> StoreMeta:
    """Finish a store and give it its name, replacing what exists there.

    Raises
    ------
    StoreError
        A partition has not been written.
    InputError
        No region has any contribution; nothing is left of the store.
    OSError
        The folder cannot be renamed.
    """
    try:
        meta = finalise(staged)
    except InputError:
        discard(path)
        raise
    if isinstance(staged, ObjectPath):
        return meta
    # What a writer that was killed had not put in place.
    for leftover in staged.rglob("*.partial"):
        leftover.unlink()
    rename_folder(staged, path)
    discard(path)
    return meta


def remove_empty(folder: Path) -> None:
    """Remove a local folder if it is empty."""
    if not isinstance(folder, ObjectPath):
        with suppress(OSError):
            folder.rmdir()


def discard(path: Path) -> None:
    """Remove what there is of a store in the making."""
    if isinstance(path, ObjectPath):
        if is_begun(path):
            path.remove_below()
        return
    shutil.rmtree(staging_folder(path), ignore_errors=True)


def staging_folder(path: Path) -> Path:
    """Return the folder in which a store is made, which goes when the store gets its name."""
    return path.with_name(f".{path.name}.staging")
