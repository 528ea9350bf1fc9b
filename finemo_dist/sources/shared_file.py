"""A temporary file without a name that processes of one user on one machine share.

The first process that asks for a file makes it. Others open it by what ``/proc`` shows of a process
that has it. So its space is free as soon as the last of them is gone, however that ends. A list of
these processes has a name in the temporary folder: some bytes, which are removed with the last
process, or by the next that looks, if that one was killed.
"""

import fcntl
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, NamedTuple, Self

_PROCESSES: Final = Path("/proc")
_SUFFIX: Final = ".shared"


class _Holder(NamedTuple):
    """A process that has the file open, and which file that is."""

    pid: int
    descriptor: int
    device: int
    inode: int

    @classmethod
    def of(cls, handle: IO[bytes]) -> Self:
        found = os.fstat(handle.fileno())
        return cls(os.getpid(), handle.fileno(), found.st_dev, found.st_ino)

    def open(self) -> IO[bytes] | None:
        """Return the file; None where the process is gone or has another by now."""
        try:
            handle = (_PROCESSES / str(self.pid) / "fd" / str(self.descriptor)).open("r+b")
        except OSError:
            return None
        found = os.fstat(handle.fileno())
        if (found.st_dev, found.st_ino, found.st_nlink) == (self.device, self.inode, 0):
            return handle
        handle.close()
        return None


def shared_file(key: str, n_bytes: int) -> IO[bytes]:
    """Return a file that all processes get that ask for the same key; its bytes are zero at first.

    A file of this process alone where none can be shared.

    Raises
    ------
    OSError
        A file of this size cannot be made.
    """
    if not _PROCESSES.is_dir():
        return _new(n_bytes)
    path = Path(tempfile.gettempdir(), f"finemo_dist-{os.getuid()}-{key}{_SUFFIX}")
    try:
        with _locked(path) as descriptor:
            holders = _holders(descriptor)
            handle = _opened(holders, n_bytes) or _new(n_bytes)
            own = _Holder.of(handle)
            _write(descriptor, [*holders, own])
    except OSError:
        return _new(n_bytes)
    weakref.finalize(handle, _leave, path, own)
    return handle


def remove_left_lists() -> None:
    """Remove the lists of processes that were all killed."""
    for path in Path(tempfile.gettempdir()).glob(f"finemo_dist-{os.getuid()}-*{_SUFFIX}"):
        with suppress(OSError), _locked(path) as descriptor:
            _write_or_remove(path, descriptor, _holders(descriptor))


def _new(n_bytes: int) -> IO[bytes]:
    handle = tempfile.TemporaryFile()  # noqa: SIM115  (as long as whoever asks for it)
    try:
        # A hole: what is never written takes no room.
        handle.truncate(n_bytes)
    except BaseException:
        handle.close()
        raise
    return handle


def _opened(holders: list[_Holder], n_bytes: int) -> IO[bytes] | None:
    for holder in holders:
        if (handle := holder.open()) is not None:
            if os.fstat(handle.fileno()).st_size == n_bytes:
                return handle
            handle.close()
    return None


def _leave(path: Path, own: _Holder) -> None:
    with suppress(OSError), _locked(path) as descriptor:
        _write_or_remove(path, descriptor, [h for h in _holders(descriptor) if h != own])


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Yield the descriptor of a list that no other process changes meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether a list was not removed while it was waited for."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holders(descriptor: int) -> list[_Holder]:
    """Return the processes of a list that are there and have the file."""
    if os.fstat(descriptor).st_uid != os.getuid():
        raise PermissionError("the list is of another user")
    os.lseek(descriptor, 0, os.SEEK_SET)
    lines = os.read(descriptor, 1 << 20).decode("ascii", "replace").splitlines()
    known = []
    for line in lines:
        with suppress(ValueError, TypeError):
            holder = _Holder(*map(int, line.split()))
            if (handle := holder.open()) is not None:
                handle.close()
                known.append(holder)
    return known


def _write(descriptor: int, holders: list[_Holder]) -> None:
    lines = "".join(" ".join(map(str, holder)) + "\n" for holder in holders)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, lines.encode(), 0)


def _write_or_remove(path: Path, descriptor: int, holders: list[_Holder]) -> None:
    if holders:
        _write(descriptor, holders)
    else:
        path.unlink(missing_ok=True)
