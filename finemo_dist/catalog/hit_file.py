"""Tables of hits in finemo's TSV: opened, checked, and refused by line and column."""

import gzip
import math
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import pyarrow as pa

from finemo_dist.core.errors import InputError, nearest
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS, VIEWS

_GZIP_MAGIC: Final = b"\x1f\x8b"
HIT_TYPES: Final[Mapping[str, str]] = {
    column.name: column.sql_type for column in VIEWS["hits"] if column.name in FINEMO_HIT_COLUMNS
}
NULLS: Final = ("NA", "")
_MAY_BE_NULL: Final = frozenset({"chr", "peak_name"})


@dataclass(frozen=True, slots=True)
class HitFile:
    """A TSV with the columns of finemo's ``hits.tsv``, in any order, and perhaps others."""

    path: Path
    columns: tuple[str, ...]
    is_gzipped: bool

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Yield the bytes of the file, decompressed."""
        opener: Any = gzip.open if self.is_gzipped else open
        with opener(self.path, "rb") as handle, _read_errors(self.path):
            yield handle

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raise what Arrow finds wrong with the file as ``InputError`` that names its place."""
        try:
            yield
        except pa.ArrowInvalid as error:
            self.refuse_first_fault()
            raise InputError(
                f"{self.path}: cannot be read as a table of hits ({error}). "
                "Write it again with the command that made it."
            ) from error

    def refuse_first_fault(self) -> None:
        """Read the file line by line and raise ``InputError`` at the first fault, if any."""
        with self.open() as handle:
            for number, line in enumerate(handle, start=1):
                if number > 1:
                    self._require_line(number, line)

    def refuse_row(self, row: int, hit: Mapping[str, Any]) -> NoReturn:
        """Raise what is wrong with a row, or with the first line that is not even one."""
        self.refuse_first_fault()
        raise InputError(
            f"{self.path}: line {row + 2} is not a hit (start {hit['start']:.0f}, end "
            f"{hit['end']:.0f}); expected numbers, and an end above the start. Write the file "
            "again with the command that made it."
        )

    def refuse_lines(self) -> NoReturn:
        """Raise that the file has other lines than it had, or the first that is not one."""
        self.refuse_first_fault()
        raise changed_meanwhile(self.path)

    def _require_line(self, number: int, line: bytes) -> None:
        try:
            cells = line.decode("utf-8").rstrip("\r\n").split("\t")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.path}: line {number} is not text in UTF-8. Write the file again."
            ) from error
        if len(cells) != len(self.columns):
            raise InputError(
                f"{self.path}: line {number} has {len(cells)} columns, the header names "
                f"{len(self.columns)}. The file is cut short or was edited; write it again."
            )
        for name, cell in zip(self.columns, cells, strict=True):
            self._require_cell(number, name, cell)

    def _require_cell(self, number: int, name: str, cell: str) -> None:
        kind = HIT_TYPES.get(name, "VARCHAR")
        expected = "a number" if kind == "FLOAT" else "a whole number"
        if kind == "VARCHAR":
            if cell not in NULLS or name in _MAY_BE_NULL or name not in HIT_TYPES:
                return
            expected = "a name"
        elif cell not in NULLS and _is_number(cell, kind):
            return
        raise InputError(
            f"{self.path}: line {number}, column {name} is {cell[:60]!r}; expected {expected}. "
            "Correct the line, or write the file again with the command that made it."
        )


def changed_meanwhile(path: Path) -> InputError:
    """Return the error that says that a file is not what it was when it was read first."""
    return InputError(
        f"{path}: was changed while it was read. Run the command again when whatever writes it "
        "is done."
    )


def open_hit_file(path: str | Path) -> HitFile:
    """Return a table of hits whose header and end are as they should be; no row is read yet.

    Raises
    ------
    InputError
        The file cannot be read, is empty, lacks a column, or breaks off within a line.
    """
    path = Path(path)
    try:
        with path.open("rb") as handle:
            is_gzipped = handle.read(2) == _GZIP_MAGIC
        opener: Any = gzip.open if is_gzipped else open
        with _read_errors(path), opener(path, "rb") as handle:
            header = handle.readline().decode("utf-8", "replace").rstrip("\r\n")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path."
        ) from error
    columns = tuple(header.split("\t"))
    _require_columns(path, columns)
    if not is_gzipped:
        _require_last_line(path)
    return HitFile(path, columns, is_gzipped)


def _require_columns(path: Path, columns: Sequence[str]) -> None:
    if columns == ("",):
        raise InputError(f"{path}: is empty; expected finemo's hits.tsv with its header.")
    missing = [name for name in FINEMO_HIT_COLUMNS if name not in columns]
    if missing:
        raise InputError(
            f"{path}: line 1 has no column {missing[0]!r}.{nearest(missing[0], columns)} Expected "
            "the columns of finemo's hits.tsv, tab-separated under a header. Give the hits.tsv or "
            "hits_unique.tsv that call-hits wrote."
        )
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise InputError(f"{path}: line 1 names column {twice!r} twice. Remove one of them.")


def _require_last_line(path: Path) -> None:
    with path.open("rb") as handle:
        handle.seek(-1, os.SEEK_END)
        if handle.read(1) != b"\n":
            raise InputError(
                f"{path}: its last line has no end, so the file is cut short. Write it again with "
                "the command that made it."
            )


def _is_number(cell: str, kind: str) -> bool:
    try:
        value = float(cell) if kind == "FLOAT" else int(cell)
    except ValueError:
        return False
    return not math.isnan(value) and (kind != "UINTEGER" or value >= 0)


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        _refuse_gzip(path, error)


def _refuse_gzip(path: Path, error: Exception) -> NoReturn:
    raise InputError(f"{path}: damaged gzip file ({error}). Fetch or compress it again.") from error
