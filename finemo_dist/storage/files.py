"""Writing files so that a reader sees all or nothing, and knowing a file by its content."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import InputFile
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.locations import local_copy, location
from finemo_dist.storage.objects import ObjectPath
from finemo_dist.storage.temporary import remove_left_behind, scratch_folder, temporary_path

_WHOLE_FILE_BYTES = 64 << 20
_SAMPLE_BYTES = 1 << 20
_N_SAMPLES = 16


@contextmanager
def committed(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success flush it to disk and rename it there.

    A crash at any instant leaves the old file, or none, and at most a dot file ending in ``.tmp``,
    which whoever commits there next removes.
    An object is written to a local temporary file and put under its name by one request.
    """
    if isinstance(path, ObjectPath):
        with scratch_folder() as folder:
            yield Path(folder, path.name)
            path.put_file(Path(folder, path.name))
        return
    made = list(takewhile(lambda folder: not folder.exists(), path.parents))
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_left_behind(path.parent)
    temporary = temporary_path(path)
    try:
        yield temporary
        flush(temporary)
        # Rename last: a reader that sees the file must see all of it, and a unit run twice must
        # replace itself, not append.
        temporary.replace(path)
        for changed in (path.parent, *(new.parent for new in made)):
            flush(changed)
    except OSError as error:
        # A write that fails does not say where.
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Remove a file, or a folder with all below, if it is there; links are not followed."""
    if isinstance(path, ObjectPath):
        path.remove_below()
        path.unlink()
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def file_system_time(folder: Path) -> float | None:
    """Return what time it is by the clock of a file system; None where nothing can be made.

    On a network this is the clock of the server, and the one by which times of files are compared.
    """
    if isinstance(folder, ObjectPath):
        return None
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".tmp") as file:
            # A file that is made has the time of the client on some systems.
            file.write(b"now")
            file.flush()
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return None


def flush(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk; an object is durable once it is put."""
    if isinstance(path, ObjectPath):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def describe_input(path: str | Path) -> InputFile:
    """Return size and digest of a file.

    Files over 64 MiB are known by their size and sixteen evenly spaced samples of 1 MiB: hashing
    a hundred gigabytes of bigWigs would take longer than calling their hits.

    Raises
    ------
    InputError
        There is no such file, or it cannot be read.
    """
    try:
        file = local_copy(path)
        size = file.stat().st_size
        state = hashlib.blake2b(str(size).encode(), digest_size=16)
        with file.open("rb") as handle:
            if size <= _WHOLE_FILE_BYTES:
                while block := handle.read(_SAMPLE_BYTES):
                    state.update(block)
            else:
                for i in range(_N_SAMPLES):
                    handle.seek(i * (size - _SAMPLE_BYTES) // (_N_SAMPLES - 1))
                    state.update(handle.read(_SAMPLE_BYTES))
    except OSError as error:
        what = f"{path}: cannot be read ({error.strerror or error}). Check the path."
        raise fault(path, error, otherwise=what, kind=InputError) from error
    return InputFile(str(path), size, state.hexdigest(), resolved(path))


def resolved(path: str | Path) -> str:
    """Return a place from anywhere: an absolute path without links, or the URL of an object.

    Empty for a pipe, which nobody finds again.
    """
    place = location(path)
    return str(place.resolve()) if place.is_file() else ""
