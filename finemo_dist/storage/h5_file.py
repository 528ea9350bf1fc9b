"""Opening an H5 file for reading: no locks, and its faults told apart from the system's."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from finemo_dist.core.errors import InputError, brief
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.locations import local_input

if TYPE_CHECKING:
    import h5py

_MAGIC: Final = b"\x89HDF"
DAMAGE: Final = (
    OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, MemoryError,
)  # fmt: skip
"""What h5py raises where a file's own structure is harmed, by where the harm is."""


def open_h5(path: str | Path, *, cure: str = "Write or fetch it again.") -> "h5py.File":
    """Return an H5 file, open for reading.

    Nothing is written, so no lock is asked for: a notebook may have the file open, and some network
    file systems have no locks.

    Raises
    ------
    InputError
        It is missing, damaged, truncated or no H5 file.
    """
    import h5py

    file = local_input(path)
    if not file.is_file():
        what = "is a folder, expected an H5 file" if file.is_dir() else "no such file"
        raise InputError(f"{path}: {what}. Check the path.")
    try:
        return h5py.File(file, "r", locking=False)
    except DAMAGE as error:
        raise h5_fault(path, error, cure) from error


def is_h5(file: Path) -> bool:
    """Return whether the first bytes of a local file are those of H5."""
    with file.open("rb") as handle:
        return handle.read(len(_MAGIC)) == _MAGIC


def h5_fault(path: str | Path, error: Exception, cure: str) -> InputError:
    """Return the error to raise for what h5py raised while a file was opened or read."""
    what = (
        f"{path}: cannot be read as an H5 file ({brief(error)}): damaged, truncated, or of another "
        f"format. {cure}"
    )
    return fault(path, error, otherwise=what, kind=InputError)
