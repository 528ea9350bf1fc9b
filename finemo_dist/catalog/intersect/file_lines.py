"""Cells of lines of a table, taken as they stand by where their lines lie."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.hit_file import changed_meanwhile

_SCANNED_BYTES: Final = 1 << 20
_READ_BYTES: Final = 1 << 22
_GAP_BYTES: Final = 1 << 10
"""Lines that lie no further apart are read with what is between them."""
_TAB, _LF, _CR = b"\t\n\r"


class LineSpans:
    """Where the lines of a file lie, asked for in their order.

    Parameters
    ----------
    source
        The file, at the start of the first line. Every line has an end.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._start = source.tell()
        self._ends = _line_ends(source)
        self._held = np.empty(0, np.int64)

    def take(self, n_lines: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the next lines start, and their bytes without the line feed.

        Fewer where the file ends.
        """
        found, n_found = [self._held], len(self._held)
        while n_found < n_lines and (ends := next(self._ends, None)) is not None:
            found.append(ends)
            n_found += len(ends)
        ends, self._held = np.split(np.concatenate(found), [n_lines])
        starts = np.concatenate(([self._start], ends + 1))
        self._start = int(starts[-1])
        return starts[:-1], ends - starts[:-1]


def _line_ends(source: BinaryIO) -> Iterator[NDArray[np.int64]]:
    position = source.tell()
    while block := source.read(_SCANNED_BYTES):
        yield np.flatnonzero(np.frombuffer(block, np.uint8) == _LF) + position
        position += len(block)


@dataclass(frozen=True, slots=True)
class CellReader:
    """Some columns of any lines of a table whose lines were all seen to be whole."""

    path: Path
    n_columns: int
    wanted: tuple[tuple[int, int], ...]
    """Groups of columns that stand side by side, each by the numbers of its first and last."""

    def read(self, starts: NDArray[np.int64], n_bytes: NDArray[np.int64]) -> list[pa.Array]:
        """Return of lines the text of each group, tabs between its cells included.

        Parameters
        ----------
        starts
            (lines,) where the lines start in the file, in any order, and more than once perhaps.
        n_bytes
            (lines,) their bytes without the line feed.

        Raises
        ------
        InputError
            The file is not what it was.
        """
        starts, first, which = np.unique(starts, return_index=True, return_inverse=True)
        stops = starts + n_bytes[first] + 1
        batch = np.cumsum(stops - starts) // _READ_BYTES
        bounds = [*np.flatnonzero(np.diff(batch, prepend=-1)).tolist(), len(starts)]
        chunks: list[list[pa.Array]] = [[] for _ in self.wanted]
        with self.path.open("rb") as file:
            for low, high in pairwise(bounds):
                cells = self._cells(file.fileno(), starts[low:high], stops[low:high])
                for chunk, cell in zip(chunks, cells, strict=True):
                    chunk.append(cell)
        nothing = pa.array([], pa.large_binary())
        texts = [pa.concat_arrays([nothing, *chunk]) for chunk in chunks]
        is_same = np.array_equal(which, np.arange(len(starts)))
        return texts if is_same else [text.take(pa.array(which)) for text in texts]

    def _cells(
        self, descriptor: int, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> list[pa.Array]:
        """Return the groups of lines, which are in the order of the file."""
        content, places = _read(descriptor, starts, stops)
        text = np.frombuffer(content, np.uint8)
        ends, tabs = np.flatnonzero(text == _LF), np.flatnonzero(text == _TAB)
        line_starts = np.concatenate(([0], ends[:-1] + 1))
        line = np.searchsorted(line_starts, places)
        is_table = len(tabs) == len(ends) * (self.n_columns - 1)
        if not (is_table and line[-1] < len(ends) and np.array_equal(line_starts[line], places)):
            raise changed_meanwhile(self.path)
        of_lines = tabs.reshape(len(ends), self.n_columns - 1)
        if len(line) < len(ends):
            of_lines, ends = of_lines[line], ends[line]
        ends -= text[ends - 1] == _CR
        return [
            _slices(
                content,
                of_lines[:, first - 1] + 1 if first else places,
                of_lines[:, last] if last < self.n_columns - 1 else ends,
            )
            for first, last in self.wanted
        ]


def _read(
    descriptor: int, starts: NDArray[np.int64], stops: NDArray[np.int64]
) -> tuple[bytes, NDArray[np.int64]]:
    """Return lines, and some between them, as one text, and where in it the lines asked for are."""
    is_first = np.ones(len(starts), np.bool_)
    is_first[1:] = starts[1:] - stops[:-1] > _GAP_BYTES
    lows = starts[is_first]
    highs = stops[np.append(np.flatnonzero(is_first)[1:] - 1, len(stops) - 1)]
    content = b"".join(
        os.pread(descriptor, high - low, low)
        for low, high in zip(lows.tolist(), highs.tolist(), strict=True)
    )
    shifts = np.cumsum(highs - lows) - (highs - lows) - lows
    return content, starts + np.repeat(shifts, np.diff([*np.flatnonzero(is_first), len(starts)]))


def _slices(
    content: bytes, begins: NDArray[np.int64], finishes: NDArray[np.int64]
) -> pa.LargeBinaryArray:
    """Return parts of a text that follow each other, what lies between them left out."""
    bounds = np.empty(2 * len(begins), np.int64)
    bounds[0::2], bounds[1::2] = begins, finishes
    # Every second entry is what lies between two of them.
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(content)]
    every = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(bounds) - 1, buffers)
    return every.take(pa.array(np.arange(0, len(bounds), 2)))
