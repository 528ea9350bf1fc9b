"""Tables of hits in finemo's TSV, read once and in blocks; what is asked of a line is checked.

The one reader of ``hits.tsv``: for ``collapse-hits``, ``intersect-hits`` and the report on finemo's
output directory.
"""

import gzip
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from finemo_dist.core.ahead import mapped
from finemo_dist.core.errors import InputError, brief, nearest
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS, HIT_COLUMNS
from finemo_dist.storage.locations import location
from finemo_dist.storage.text import open_bytes

BLOCK_BYTES: Final = 1 << 23
_MOST_THREADS: Final = 4
"""A block and its columns take some hundred megabytes."""
_NULLS: Final = ("NA", "")
_MAY_BE_NULL: Final = frozenset({"chr", "peak_name"})
_LONGEST: Final = 1 << 31
"""Bases; a hit is shorter."""
_KINDS: Final[Mapping[str, str]] = {
    **{column.name: column.type for column in HIT_COLUMNS},
    "hit_correlation": "float",
}
_NAMES: Final = pa.dictionary(pa.int32(), pa.string())
_WHOLE: Final = {"int64": pa.int64(), "uint32": pa.uint32()}


@dataclass(frozen=True, slots=True)
class HitBlock:
    """Some lines of a table.

    Attributes
    ----------
    first_row
        Number of the first, from 0; the header is none.
    lines
        As they are in the file, each ended by a line feed alone.
    rows
        The columns asked for, in the types of ``core.schema.HIT_COLUMNS``.
    """

    first_row: int
    lines: bytes
    rows: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class HitTable:
    """A TSV with the columns of finemo's ``hits.tsv``, in any order, and perhaps others."""

    path: Path
    columns: tuple[str, ...]
    _source: BinaryIO
    _is_gzipped: bool

    def blocks(self, wanted: Sequence[str], *, threads: int | None = None) -> Iterator[HitBlock]:
        """Yield the lines of the table, block by block, once.

        Parameters
        ----------
        wanted
            Columns to read and check; cells of the others are not looked at.
        threads
            That read; one per core when None, four at most.

        Raises
        ------
        InputError
            A line is not a hit; the first such line is named.
        """
        n_threads = min(threads or os.cpu_count() or 1, _MOST_THREADS)
        parse = partial(self._block, wanted=wanted)
        yield from mapped(parse, self._numbered(), n_threads=n_threads)

    def _numbered(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield blocks of lines: number of the first, how many, and their text."""
        n_rows = 0
        for lines in _line_blocks(self._source):
            if not lines.endswith(b"\n"):
                lines = self._ended(lines)
            if b"\r" in lines:
                lines = lines.replace(b"\r\n", b"\n")
            n_lines = lines.count(b"\n")
            yield n_rows, n_lines, lines
            n_rows += n_lines

    def _ended(self, lines: bytes) -> bytes:
        if not self._is_gzipped:
            raise InputError(
                f"{self.path}: its last line has no end, so the file is cut short. Write it again "
                "with the command that made it."
            )
        return lines + b"\n"

    def _block(self, numbered: tuple[int, int, bytes], wanted: Sequence[str]) -> HitBlock:
        first_row, n_lines, lines = numbered
        try:
            rows = _checked(self._rows(lines, wanted))
        except pa.ArrowInvalid as error:
            self._refuse(first_row, lines, wanted, brief(error))
        if rows is None or rows.num_rows != n_lines:
            self._refuse(first_row, lines, wanted, "a line end within a line")
        return HitBlock(first_row, lines, rows)

    def _rows(self, lines: bytes, wanted: Sequence[str]) -> pa.RecordBatch:
        """Return columns; whole numbers may be written with a point, as pandas does at times."""
        try:
            return self._parsed(lines, wanted, {})
        except pa.ArrowInvalid:
            doubles = {name: pa.float64() for name in wanted if _KINDS[name] in _WHOLE}
            return self._parsed(lines, wanted, doubles)

    def _parsed(
        self, lines: bytes, wanted: Sequence[str], doubles: Mapping[str, pa.DataType]
    ) -> pa.RecordBatch:
        types = {name: doubles.get(name, _arrow_type(name)) for name in wanted}
        table = csv.read_csv(
            pa.py_buffer(lines),
            csv.ReadOptions(use_threads=False, block_size=len(lines), column_names=self.columns),
            csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=types,
                include_columns=wanted,
                null_values=_NULLS,
                strings_can_be_null=True,
            ),
        )
        if doubles:
            table = table.cast(pa.schema([(name, _arrow_type(name)) for name in wanted]))
        return table.combine_chunks().to_batches()[0]

    def _refuse(self, first_row: int, lines: bytes, wanted: Sequence[str], reason: str) -> NoReturn:
        """Raise an error about the first line that is not a hit."""
        for number, line in enumerate(lines.removesuffix(b"\n").split(b"\n"), start=first_row + 2):
            self._require_line(number, line, wanted)
        raise InputError(
            f"{self.path}: cannot be read as a table of hits from line {first_row + 2} on "
            f"({reason}). Write it again with the command that made it."
        )

    def _require_line(self, number: int, line: bytes, wanted: Sequence[str]) -> None:
        try:
            cells = line.decode("utf-8").split("\t")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.path}: line {number} is not text in UTF-8. Write the file again."
            ) from error
        if len(cells) != len(self.columns):
            raise InputError(
                f"{self.path}: line {number} has {len(cells)} columns, the header names "
                f"{len(self.columns)}. The file is cut short or was edited; write it again."
            )
        hit = {name: cell for name, cell in zip(self.columns, cells, strict=True) if name in wanted}
        for name, cell in hit.items():
            if (expected := _expected(name, cell)) is not None:
                raise InputError(
                    f"{self.path}: line {number}, column {name} is {cell[:60]!r}; expected "
                    f"{expected}. Correct the line, or write the file again with the command that "
                    "made it."
                )
        start, end = float(hit["start"]), float(hit["end"])
        if not 0 < end - start < _LONGEST:
            raise InputError(
                f"{self.path}: line {number} is not a hit (start {start:.0f}, end {end:.0f}); "
                "expected an end above the start. Write the file again with the command that made "
                "it."
            )


@contextmanager
def open_hit_table(path: str | Path) -> Iterator[HitTable]:
    """Open a table of hits, plain or gzipped, and read its header.

    The file is read once from its start to its end, so that it may be a pipe.

    Raises
    ------
    InputError
        The file cannot be read, is empty, or lacks a column; here or while it is read.
    """
    path = location(path)
    with open_bytes(path) as source:
        header = source.readline().decode("utf-8", "replace").rstrip("\r\n")
        columns = tuple(header.split("\t"))
        _require_columns(path, columns)
        yield HitTable(path, columns, source, isinstance(source, gzip.GzipFile))


def empty_rows(wanted: Sequence[str]) -> pa.RecordBatch:
    """Return no rows of a table."""
    return pa.record_batch([pa.array([], _arrow_type(name)) for name in wanted], list(wanted))


def text_of(block: HitBlock, n_columns: int, places: Sequence[int]) -> pa.Array:
    """Return of each line some of its cells as they are there, tabs between them.

    Parameters
    ----------
    n_columns
        Of the table.
    places
        Numbers of the columns, in the order in which they are wanted.

    Returns
    -------
    ``large_binary``, one entry a line.
    """
    groups = _neighbours(places)
    text = np.frombuffer(block.lines, np.uint8)
    ends = np.flatnonzero(text == ord("\n")).reshape(-1, 1)
    if tuple(groups) == ((0, n_columns - 1),):
        return _slices(block.lines, np.append(0, ends[:-1] + 1), ends.ravel())
    tabs = np.flatnonzero(text == ord("\t")).reshape(len(ends), n_columns - 1)
    # Where columns end, and, one to the left, where the one before them does.
    bounds = np.concatenate([np.zeros_like(ends), tabs, ends], axis=1)
    bounds[1:, 0] = ends[:-1, 0] + 1
    bounds[:, 1:-1] += 1
    parts = []
    for first, last in groups:
        stop = bounds[:, last + 1] - (last + 1 < n_columns)
        parts.append(_slices(block.lines, bounds[:, first], stop))
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*parts, pa.scalar(b"\t", pa.large_binary()))


def _slices(content: bytes, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> pa.Array:
    """Return parts of a text one after the other, without what lies between them."""
    cuts = np.stack([starts, stops], axis=1).ravel()
    buffers = [None, pa.py_buffer(cuts), pa.py_buffer(content)]
    # Every second entry is what lies between two of them.
    every = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(cuts) - 1, buffers)
    return every.take(pa.array(np.arange(0, len(cuts), 2)))


def _line_blocks(source: BinaryIO) -> Iterator[bytes]:
    """Yield what is left of a file in blocks of whole lines; only the last may have no end."""
    while lines := source.read(BLOCK_BYTES):
        yield lines + source.readline()


def _checked(rows: pa.RecordBatch) -> pa.RecordBatch | None:
    """Return rows if every one is a hit."""
    for name in rows.schema.names:
        column = rows.column(name)
        if column.null_count and name not in _MAY_BE_NULL:
            return None
        if pa.types.is_floating(column.type) and np.isnan(column.to_numpy()).any():
            return None
    length = rows.column("end").to_numpy() - rows.column("start").to_numpy()
    return rows if np.all((length > 0) & (length < _LONGEST)) else None


def _arrow_type(name: str) -> pa.DataType:
    kind = _KINDS[name]
    return pa.float32() if kind == "float" else _WHOLE.get(kind, _NAMES)


def _expected(name: str, cell: str) -> str | None:
    """Return what a cell should be, when it is not that."""
    kind = _KINDS[name]
    if kind != "float" and kind not in _WHOLE:
        return None if cell not in _NULLS or name in _MAY_BE_NULL else "a name"
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if kind == "float":
        return "a number" if math.isnan(value) else None
    low, high = (0, 1 << 32) if kind == "uint32" else (-(1 << 63), 1 << 63)
    return None if value.is_integer() and low <= value < high else "a whole number"


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


def _neighbours(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return numbers as runs that count up, each by its first and last."""
    bounds = [0, *(i for i, (a, b) in enumerate(pairwise(places), 1) if b != a + 1), len(places)]
    return [(places[low], places[high - 1]) for low, high in pairwise(bounds)]
