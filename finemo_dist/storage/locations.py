"""Places of inputs and outputs: a local path, or ``s3://BUCKET/KEY``.

Whatever names a place goes through `location`: ``Path("s3://b/k")`` would be the local ``s3:/b/k``.
"""

import functools
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Annotated, Final

from pydantic import PlainSerializer, PlainValidator

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.objects import SCHEME, ObjectPath
from finemo_dist.storage.temporary import scratch_prefix, temporary_path

CACHE_VARIABLE: Final = "FINEMO_DIST_CACHE"

_PIECE_BYTES: Final = 32 << 20
_CONCURRENT_PIECES: Final = 4
_INDEX_SUFFIXES: Final = (".fai", ".gzi")


def location(place: str | Path) -> Path:
    """Return a path, of an object where the place begins with ``s3://``."""
    if isinstance(place, Path):
        return place
    if not place.startswith(SCHEME):
        return Path(place)
    path = ObjectPath(place)
    if place.removeprefix(SCHEME)[:1] in {"", "/"} or ".." in path.parts:
        raise UsageError(f"{place}: is not an object. Expected s3://BUCKET/KEY.")
    return path


def _checked(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("expected a path, or s3://BUCKET/KEY")
    try:
        return location(value)
    except UsageError as error:
        raise ValueError(str(error)) from error


Location = Annotated[Path, PlainValidator(_checked), PlainSerializer(str)]
"""A path in a configuration: local, or ``s3://BUCKET/KEY``."""


def is_local(path: Path) -> bool:
    """Whether a place is on a disk of this machine."""
    return not isinstance(path, ObjectPath)


def local_copy(place: str | Path) -> Path:
    """Return a local file with the content of a place: the file itself, or a copy of an object.

    For libraries that open files by name. Of a pipe, such as ``<(zcat peaks.bed.gz)``, the bytes
    are gone once read: this process keeps them in a temporary file, so that whoever asks again
    gets the same. A copy of an object is made once a version, known by URL, ETag and size, in
    ``finemo_dist`` below the temporary directory (``TMPDIR``) or below the directory that
    ``FINEMO_DIST_CACHE`` names. It stays there for later commands and may be removed at any time
    that none runs. Indexes of a FASTA come with it.

    Raises
    ------
    OSError
        There is no such object, or it cannot be read.
    UsageError
        The copy does not fit the disk.
    """
    path = location(place)
    if isinstance(path, ObjectPath):
        return _copied(path, with_indexes=True)
    with suppress(FileNotFoundError):
        found = path.stat()
        if stat.S_ISFIFO(found.st_mode) or stat.S_ISSOCK(found.st_mode):
            return Path(_kept(path, found.st_dev, found.st_ino).name)
    return path


@functools.cache
def _kept(path: Path, device: int, inode: int) -> IO[bytes]:
    """Return a temporary file with what a pipe gave, which goes when this process ends."""
    kept = tempfile.NamedTemporaryFile(prefix=scratch_prefix())  # noqa: SIM115
    with path.open("rb") as source:
        shutil.copyfileobj(source, kept, 1 << 20)
    kept.flush()
    return kept


def local_input(place: str | Path) -> Path:
    """Return `local_copy` of an input.

    Raises
    ------
    InputError
        There is no such object, or it cannot be read. A local path is not looked at.
    """
    try:
        return local_copy(place)
    except OSError as error:
        what = f"{place}: cannot be read ({error.strerror or error}). Check the path."
        raise fault(place, error, otherwise=what, kind=InputError) from error


@contextmanager
def readable(path: Path) -> Iterator[Path | IO[bytes]]:
    """Yield what a library reads that takes names and open files: the path, or an open object."""
    if isinstance(path, ObjectPath):
        with path.open("rb") as handle:
            yield handle
    else:
        yield path


def _copied(path: ObjectPath, *, with_indexes: bool) -> Path:
    found = path.head()
    version = hashlib.blake2b(f"{path}\n{found['e_tag']}\n{found['size']}".encode(), digest_size=16)
    target = _cache() / version.hexdigest() / path.name
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if with_indexes and _is_fasta(path):
            for suffix in _INDEX_SUFFIXES:
                _copy_index(path.with_name(path.name + suffix), target)
        _download(path, found["size"], found["e_tag"], target)
        for suffix in _INDEX_SUFFIXES:
            index = target.with_name(target.name + suffix)
            if index.exists():
                # An index older than what it describes counts as stale.
                index.touch()
    return target


def _is_fasta(path: Path) -> bool:
    return any(s in {".fa", ".fasta", ".fna"} for s in path.suffixes)


def _copy_index(index: ObjectPath, fasta: Path) -> None:
    if index.is_file():
        temporary = temporary_path(fasta, index.name)
        temporary.write_bytes(index.read_bytes())
        temporary.replace(fasta.with_name(index.name))


def _cache() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    # Of this user alone: others must not be able to put files there.
    folder = Path(named) if named else Path(tempfile.gettempdir(), f"finemo_dist-{os.getuid()}")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise UsageError(
            f"{folder}: belongs to another user, so copies of objects are not kept there. Name "
            f"a directory of yours in {CACHE_VARIABLE}."
        )
    return folder


def _download(path: ObjectPath, size: int, e_tag: str | None, target: Path) -> None:
    if (free := shutil.disk_usage(target.parent).free) < size:
        raise UsageError(
            f"{path}: takes {size:,} bytes, and {free:,} are free in {target.parent.parent}, where "
            f"a copy is kept. Free some, or name another directory in {CACHE_VARIABLE}."
        )
    temporary = temporary_path(target)
    starts = range(0, size, _PIECE_BYTES)
    try:
        with temporary.open("wb") as handle, ThreadPoolExecutor(_CONCURRENT_PIECES) as pool:

            def fetch(start: int) -> None:
                end = min(start + _PIECE_BYTES, size)
                piece = path.read_range(start, end, e_tag=e_tag)
                os.pwrite(handle.fileno(), piece, start)

            # Of one version: a change of the object meanwhile is an error and no mixture.
            list(pool.map(fetch, starts))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
