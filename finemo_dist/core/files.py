"""Writing files so that a reader sees all or nothing, and knowing a file by its content."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import InputFile

_WHOLE_FILE_BYTES = 64 << 20
_SAMPLE_BYTES = 1 << 20
_N_SAMPLES = 16


@contextmanager
def committed(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success flush it to disk and rename it there.

    A crash at any instant leaves the old file, or none, and at most a dot file ending in ``.tmp``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        flush(temporary)
        # Rename last: a reader that sees the file must see all of it, and a unit run twice must
        # replace itself, not append.
        temporary.replace(path)
        flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
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
    path = Path(path)
    try:
        size = path.stat().st_size
        state = hashlib.blake2b(str(size).encode(), digest_size=16)
        with path.open("rb") as handle:
            if size <= _WHOLE_FILE_BYTES:
                while block := handle.read(_SAMPLE_BYTES):
                    state.update(block)
            else:
                for i in range(_N_SAMPLES):
                    handle.seek(i * (size - _SAMPLE_BYTES) // (_N_SAMPLES - 1))
                    state.update(handle.read(_SAMPLE_BYTES))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    return InputFile(str(path), size, state.hexdigest())
