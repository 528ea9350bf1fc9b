"""The one way to read text: every file of lines that a user gives goes through here.

The bytes of a file decide what it is, never its name: gzip (bgzip too) is unpacked, a byte order
mark is dropped, and the error for anything but text names its format and the cure. Bytes are read
once, so that a pipe gives all it has.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, cast

from finemo_dist.core.errors import FinemoDistError, InputError
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.locations import local_copy

_GZIP: Final = b"\x1f\x8b"
_MARK: Final = b"\xef\xbb\xbf"
_HEAD_BYTES: Final = 64
_DAMAGED_GZIP: Final = (EOFError, zlib.error, gzip.BadGzipFile)

_OTHERS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\xfd7zXZ\x00", "compressed by xz", "Unpack it (`xz -d`), or compress it with gzip."),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "Unpack it (`zstd -d`), or compress it with gzip."),
    (b"BZh", "compressed by bzip2", "Unpack it (`bunzip2`), or compress it with gzip."),
    (b"PK\x03\x04", "a zip archive (or a spreadsheet)",
     "Unpack it (`unzip`), or save the table as tab-separated text."),
    (b"PK\x05\x06", "an empty zip archive", "Give the file itself."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it, or compress it with gzip."),
    (b"\x1f\x9d", "compressed by compress", "Unpack it (`uncompress`), or compress it with gzip."),
    (b"\x04\x22\x4d\x18", "compressed by lz4", "Unpack it (`lz4 -d`), or compress it with gzip."),
    (b"\xff\xfe", "UTF-16 text", "Save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)."),
    (b"\xfe\xff", "UTF-16 text", "Save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)."),
    (b"\x89HDF", "an H5 file", "Give a text file here."),
    (b"PAR1", "a Parquet file", "Give a text file here."),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet", "Save the table as tab-separated text."),
    (b"\xeb\xf2\x89\x87", "a bigBed", "Turn it into text (`bigBedToBed`)."),
    (b"\x87\x89\xf2\xeb", "a bigBed", "Turn it into text (`bigBedToBed`)."),
    (b"BAM\x01", "a BAM file", "Give a text file here."),
)  # fmt: skip

_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
_REAL: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|infinity|nan)",
    re.IGNORECASE,
)
_LARGEST_EXACT: Final = 2**53
"""A float holds every whole number up to here."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that is not blank."""

    number: int
    """Counted from 1, blank lines too."""
    text: str
    """Without the line end."""

    @property
    def cells(self) -> list[str]:
        """What stands between tabs, or, in a line without one, between white space.

        White space at the ends of a cell is not part of it.
        """
        return split_tabs(self.text) if "\t" in self.text else self.text.split()


def split_tabs(text: str) -> list[str]:
    """Return the cells of a line of a tab-separated table, without white space at their ends."""
    return [cell.strip() for cell in text.split("\t")]


def read_lines(path: str | Path, *, kind: type[FinemoDistError] = InputError) -> Iterator[Line]:
    """Yield each line that is not blank; a carriage return ends a line too.

    Parameters
    ----------
    kind
        The error to raise.

    Raises
    ------
    InputError
        The file cannot be read, is damaged, packed otherwise than by gzip, or no UTF-8 text.
    """
    number = 0
    with open_bytes(path, kind=kind) as handle:
        for raw in handle:
            for piece in raw.removesuffix(b"\n").removesuffix(b"\r").split(b"\r"):
                number += 1
                line = _decoded(piece, path, number, kind)
                if line.strip():
                    yield Line(number, line)


def read_text(path: str | Path, *, kind: type[FinemoDistError] = InputError) -> str:
    """Return a whole file, its line ends as those of Unix.

    Raises
    ------
    InputError
        As `read_lines`.
    """
    with open_bytes(path, kind=kind) as handle:
        content = handle.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = content.split(b"\n")
    return "\n".join(_decoded(line, path, i, kind) for i, line in enumerate(lines, start=1))


@contextmanager
def open_bytes(path: str | Path, *, kind: type[FinemoDistError] = InputError) -> Iterator[BinaryIO]:
    """Yield a file of text as bytes, unpacked and without a byte order mark.

    Raises
    ------
    InputError
        The file cannot be read, is damaged, packed otherwise than by gzip, or UTF-16. What goes
        wrong while the caller reads is raised as this, too.
    """
    try:
        with local_copy(path).open("rb") as handle:
            if handle.peek(_HEAD_BYTES).startswith(_GZIP):
                with gzip.GzipFile(fileobj=handle) as unpacked:
                    _drop_mark(unpacked, path, kind)
                    yield cast("BinaryIO", unpacked)
            else:
                _drop_mark(handle, path, kind)
                yield handle
    except _DAMAGED_GZIP as error:
        raise kind(f"{path}: damaged gzip file ({error}). Fetch or compress it again.") from error
    except OSError as error:
        if error.filename is not None and str(error.filename) != str(path):
            # Of another file, which the caller has open beside this one.
            raise
        what = f"{path}: cannot be read ({error.strerror or error}). Check the path."
        raise fault(path, error, otherwise=what, kind=kind) from error


def whole_number(text: str) -> int:
    """Return a whole number as people and programs write it: ``250``, ``250.0``, ``1e+05``.

    R writes the third, pandas the second where a column has gaps. Not taken is what Python takes
    besides: ``1_25`` and digits of other scripts.

    Raises
    ------
    ValueError
        It is none.
    """
    if _WHOLE.fullmatch(text):
        return int(text)
    number = real_number(text)
    if not (abs(number) <= _LARGEST_EXACT and number == int(number)):
        raise ValueError(f"found {text!r}, which is not a whole number")
    return int(number)


def real_number(text: str) -> float:
    """Return a number, in ASCII digits and without ``_``.

    Raises
    ------
    ValueError
        It is none.
    """
    if not _REAL.fullmatch(text):
        raise ValueError(f"found {text!r}, which is not a number")
    return float(text)


def what_else(head: bytes) -> tuple[str, str] | None:
    """Return what a file is that begins like this, and the cure; None where it may be text."""
    found = ((what, cure) for magic, what, cure in _OTHERS if head.startswith(magic))
    return next(found, None)


def _drop_mark(
    handle: BufferedReader | gzip.GzipFile, path: str | Path, kind: type[FinemoDistError]
) -> None:
    head = handle.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    if (said := what_else(head)) is not None:
        raise kind(f"{path}: is {said[0]}, expected text, plain or gzipped. {said[1]}")
    if b"\0" in head[:2]:
        raise kind(
            f"{path}: is UTF-16 text or no text at all (it begins with {head[:4]!r}), expected "
            "UTF-8. Save it as UTF-8 (`iconv -f UTF-16LE -t UTF-8`)."
        )
    if head.startswith(_MARK):
        handle.read(len(_MARK))


def _decoded(raw: bytes, path: str | Path, number: int, kind: type[FinemoDistError]) -> str:
    if b"\0" in raw:
        raise kind(f"{path}, line {number}: holds a zero byte, expected text. Give a text file.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise kind(
            f"{path}, line {number}: not a text file in UTF-8 (byte {error.object[error.start]:#x} "
            f"at column {error.start + 1}). Save it as UTF-8 (of Latin-1: `iconv -f LATIN1 -t "
            "UTF-8`)."
        ) from error
