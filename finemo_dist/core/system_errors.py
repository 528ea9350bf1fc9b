"""What an operating system says went wrong, in words and with a cure that fits.

A library that reads a format raises ``OSError`` for a damaged file and for a full disk alike. What
tells them apart is the error number: one of those below is the system's, and the file may be sound.
"""

import errno
from collections.abc import Mapping
from typing import Final, TypeVar

from finemo_dist.core.errors import CutShortError, FinemoDistError

_Error = TypeVar("_Error", bound=FinemoDistError)

_NOT_SUPPORTED: Final = 524
"""ENOTSUPP of the Linux kernel, which NFS without a lock daemon answers; Python has no name."""

_OBJECTS: Final = "s3://"
_OF_OBJECTS: Final[Mapping[int, str]] = {
    errno.EACCES: "",
    errno.EIO: " Try again. If it fails again, check AWS_* in the environment.",
}
"""Whose rights are no permissions of files, and who are on no mount: the error says what is wrong,
and this what to do, where the error does not."""

_FULL: Final = ("no space is left", "Free some space there, or choose another place.")
_TOO_MANY: Final = (
    "too many files are open",
    "Raise the limit of open files (`ulimit -n 4096`), or give fewer files at a time.",
)
_FORBIDDEN: Final = ("permission is denied", "Check its permissions and those of its folders.")
_LOCKED: Final = (
    "the file is locked by another program, or its file system has no locks",
    "Close the program that has it open, or set HDF5_USE_FILE_LOCKING=FALSE for H5 files.",
)
_AWAY: Final = (
    "its disk or network does not respond properly",
    "Try again. If it fails again, check the mount, or copy the file to a local disk.",
)

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_FAULTS: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: ("no space is left (quota)", "Free some space there, or choose another place."),
    errno.EFBIG: (
        "a file would be larger than the file system or the session (`ulimit -f`) allows",
        "Raise the limit, or choose a place with more space.",
    ),
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: ("the file system is read-only", "Choose another place."),
    errno.ENOLCK: _LOCKED,
    errno.EAGAIN: _LOCKED,
    _NOT_SUPPORTED: _LOCKED,
    errno.ENOENT: ("no such file", "Check the path."),
    errno.ENOTDIR: ("a folder on its path is a file", "Check the path."),
    errno.EISDIR: ("is a folder, expected a file", "Check the path."),
    errno.EEXIST: ("exists already", "Choose another name, or remove it."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
    errno.ELOOP: ("its links lead in a circle", "Check where they point."),
    errno.ENOMEM: ("no memory is left", "Ask for more memory, or for fewer workers."),
    errno.EIO: _AWAY,
    errno.ESTALE: _AWAY,
    errno.ETIMEDOUT: _AWAY,
    errno.EREMOTEIO: _AWAY,
    errno.ENETUNREACH: _AWAY,
    errno.EHOSTUNREACH: _AWAY,
    errno.ECONNREFUSED: _AWAY,
    errno.ECONNRESET: _AWAY,
    errno.ENOTCONN: _AWAY,
    errno.ENXIO: _AWAY,
    errno.ENODEV: _AWAY,
    errno.EBUSY: ("the file is in use", "Close what uses it and try again."),
}


def system_fault(error: BaseException) -> str | None:
    """Return what the operating system refused, with the cure; None where it refused nothing.

    None is also what a damaged file gives: libraries raise ``OSError`` for it, without a number.
    """
    if not isinstance(error, OSError) or error.errno is None or error.errno not in _FAULTS:
        return None
    number = error.errno
    if number in _OF_OBJECTS and str(error.filename).startswith(_OBJECTS):
        return f"{error.strerror}.{_OF_OBJECTS[number]}"
    what, cure = _FAULTS[number]
    return f"{what}. {cure}"


def is_condition(error: BaseException) -> bool:
    """Whether an error comes from what the system refused, here and now: space, files, rights.

    Nothing is said of the input then: on another machine, or later, it may be fine.
    """
    if isinstance(error, FinemoDistError):
        return error.is_condition
    return isinstance(error, MemoryError) or system_fault(error) is not None


def is_full(error: BaseException) -> bool:
    """Whether an error comes from space that ran out: that of a disk, a quota, or a session."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NO_SPACE:
            return True
        cause = cause.__cause__
    return False


def fault(
    where: object, error: BaseException, *, otherwise: str, kind: type[_Error], doing: str = "read"
) -> _Error:
    """Return the error to raise for what came up at a file.

    Where the operating system refused something, it is named as that; the rest is of the file
    itself, and ``otherwise`` says it. Every handler of ``OSError`` that raises words of its own
    goes through here: a fixed cure misleads whoever ran out of space.

    Parameters
    ----------
    where
        The file, as the user knows it.
    otherwise
        The whole message where the system is not at fault.
    doing
        ``read`` or ``written``: what could not be done.
    """
    said = system_fault(error)
    if isinstance(error, CutShortError):
        # It says where, what and what to do, and nothing of the file.
        raise error
    raised = kind(otherwise if said is None else f"{where}: cannot be {doing}: {said}")
    raised.is_condition = said is not None
    return raised
