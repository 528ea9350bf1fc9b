"""Arrays in npy and npz files, read by rows without loading them whole, and never unpickled."""

import math
import tokenize
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, brief
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.locations import local_input

_SKIP_BYTES = 1 << 20
_INFLATED_BYTES = 1 << 18
"""Bytes inflated at once. With more, the copies on the way no longer fit a cache."""
_NPY_MAGIC = b"\x93NUMPY"
_ZIP_MAGIC = b"PK"
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zlib.error,
    zipfile.BadZipFile,
)
"""What numpy and zipfile raise by where a file is harmed; a header of npy is read as Python."""


class FileArray(Protocol):
    """An array in a file; the first axis is read in ranges."""

    @property
    def path(self) -> str:
        """The file, for messages."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        ...

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows ``start`` to ``stop``."""
        ...


class NpyArray:
    """The array of an npy file, mapped into memory for the length of a read."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.shape: tuple[int, ...] = self._map().shape

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows ``start`` to ``stop``.

        Raises
        ------
        InputError
            The file is damaged.
        """
        return np.array(self._map()[start:stop])

    def _map(self) -> NDArray[Any]:
        with _errors_named(self.path):
            # A map that is kept counts every page it ever touched as this process's memory.
            mapped: Any = np.load(local_input(self.path), mmap_mode="r", allow_pickle=False)
            expected = mapped.offset + mapped.nbytes
            if (found := local_input(self.path).stat().st_size) != expected:
                raise ValueError(f"{found:,} bytes, where its header says {expected:,}")
        return mapped  # type: ignore[no-any-return]


class NpzArray:
    """One member of an npz file, as a stream: an earlier row starts the member over.

    Parameters
    ----------
    path
        The npz file.
    key
        The name of the array.
    """

    def __init__(self, path: str | Path, key: str) -> None:
        self.path = str(path)
        self._member = f"{key}.npy"
        self._stream: Any = None
        with _errors_named(self.path), self._open() as stream:
            self.shape, self.dtype = _read_header(stream, f"{self.path}: array {key!r}")
            self._offset = stream.tell()
            self._check_size()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_stream": None}

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows ``start`` to ``stop``.

        Raises
        ------
        InputError
            The file is damaged.
        """
        row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        n_bytes = (stop - start) * row_bytes
        with _errors_named(self.path):
            if self._stream is None:
                self._start_over()
            self._skip_to(self._offset + start * row_bytes)
            content = np.empty(n_bytes, dtype=np.uint8)
            for begin in range(0, n_bytes, _INFLATED_BYTES):
                piece = content[begin : begin + _INFLATED_BYTES]
                if self._stream.readinto(piece) != len(piece):
                    raise EOFError(f"{self._member} ends before row {stop:,}")
        return content.view(self.dtype).reshape(stop - start, *self.shape[1:])

    def load(self) -> NDArray[Any]:
        """Return the whole array."""
        return self.read(0, self.shape[0])

    def _skip_to(self, position: int) -> None:
        """Go to a position, reading what lies before: a seek would give up the checksum."""
        if self._stream.tell() > position:
            self._start_over()
        while (n_left := position - self._stream.tell()) > 0:
            if not self._stream.read(min(n_left, _SKIP_BYTES)):
                raise EOFError(f"{self._member} ends at byte {self._stream.tell():,}")

    def _start_over(self) -> None:
        self._stream = self._open()
        # In a cycle, as an error with its traceback makes one, the garbage collector may finalise
        # the file before the stream that would have closed it.
        weakref.finalize(self, self._stream.close)

    def _check_size(self) -> None:
        """Refuse a member of another size than its header says: the checksum is seen at its end."""
        expected = self._offset + math.prod(self.shape) * self.dtype.itemsize
        with zipfile.ZipFile(local_input(self.path)) as archive:
            found = archive.getinfo(self._member).file_size
        if found != expected:
            raise ValueError(f"{self._member} has {found:,} bytes, its header says {expected:,}")

    def _open(self) -> zipfile.ZipExtFile:
        with zipfile.ZipFile(local_input(self.path)) as archive:
            # The member keeps the file open for itself.
            return archive.open(self._member)  # type: ignore[return-value]


def open_array(path: str | Path) -> FileArray:
    """Return the array of an npy file, or ``arr_0`` or the only array of an npz file.

    Raises
    ------
    InputError
        The file is missing, damaged, neither npy nor npz, holds Python objects, or several arrays
        none of which is ``arr_0``.
    """
    with _errors_named(str(path)), local_input(path).open("rb") as handle:
        magic = handle.read(len(_NPY_MAGIC))
    if magic == _NPY_MAGIC:
        return NpyArray(path)
    if not magic.startswith(_ZIP_MAGIC):
        raise InputError(
            f"{path}: neither npy nor npz (its first bytes are {magic!r}). Save the array by "
            f"numpy.save or numpy.savez."
        )
    keys = list_keys(path)
    key = "arr_0" if "arr_0" in keys else keys[0] if len(keys) == 1 else None
    if key is None:
        raise InputError(
            f"{path}: holds the arrays {', '.join(keys) or '(none)'}. Expected 'arr_0', or a "
            f"single array of any name."
        )
    return NpzArray(path, key)


def list_keys(path: str | Path) -> list[str]:
    """Return the names of the arrays in an npz file."""
    with _errors_named(str(path)), zipfile.ZipFile(local_input(path)) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def _read_header(stream: Any, what: str) -> tuple[tuple[int, ...], np.dtype[Any]]:  # noqa: ANN401
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise InputError(f"{what} has npy format version {version}, expected 1.0 or 2.0.")
    shape, is_fortran_order, dtype = read(stream)
    if dtype.hasobject:
        raise InputError(
            f"{what} holds Python objects, which are never unpickled because that runs code. Save "
            f"it as a plain array of numbers or strings."
        )
    if is_fortran_order and len(shape) > 1:
        raise InputError(
            f"{what} is stored column by column, so that it cannot be read by rows. Save "
            f"numpy.ascontiguousarray of it, or as npy."
        )
    return shape, dtype


@contextmanager
def _errors_named(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file. Check the path.") from error
    except _DAMAGE as error:
        what = (
            f"{path}: damaged, or holds Python objects ({brief(error)}). Expected an array of "
            "numbers saved by numpy.save or numpy.savez; write or fetch it again."
        )
        raise fault(path, error, otherwise=what, kind=InputError) from error
