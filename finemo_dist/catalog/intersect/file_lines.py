"""Cells of lines of a table, taken as they stand by where their lines lie."""

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.hit_file import changed_meanwhile

_READ_BYTES: Final = 1 << 22
_GAP_BYTES: Final = 1 << 10
"""Lines that lie no further apart are read with what is between them."""
_TAB, _LF, _CR = b"\t\n\r"


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
        is_in_order = bool(np.all(starts[1:] > starts[:-1]))
        if not is_in_order:
            starts, first, which = np.unique(starts, return_index=True, return_inverse=True)
            n_bytes = n_bytes[first]
        ends = starts + n_bytes
        batch = np.cumsum(n_bytes + 1) // _READ_BYTES
        bounds = [*np.flatnonzero(np.diff(batch, prepend=-1)).tolist(), len(starts)]
        chunks: list[list[pa.Array]] = [[pa.array([], pa.large_binary())] for _ in self.wanted]
        with self.path.open("rb") as file:
            for low, high in pairwise(bounds):
                cells = self._cells(file.fileno(), starts[low:high], ends[low:high])
                for chunk, cell in zip(chunks, cells, strict=True):
                    chunk.append(cell)
        texts = [pa.concat_arrays(chunk) for chunk in chunks]
        return texts if is_in_order else [text.take(pa.array(which)) for text in texts]

    def _cells(
        self, descriptor: int, starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> list[pa.Array]:
        """Return the groups of lines, which are in the order of the file."""
        content, shifts = _read(descriptor, starts, ends)
        text = np.frombuffer(content, np.uint8)
        starts, ends = starts + shifts, ends + shifts
        # A line has the tabs it should have when its last is the last before its end.
        tabs = np.append(np.flatnonzero(text == _TAB), len(text))
        first_tab = np.searchsorted(tabs, starts)
        last_tab = first_tab + self.n_columns - 2
        is_table = (
            last_tab[-1] < len(tabs) - 1
            and np.all(tabs[last_tab] < ends)
            and np.all(tabs[last_tab + 1] > ends)
            and np.all(text[ends] == _LF)
        )
        if not is_table:
            raise changed_meanwhile(self.path)
        ends -= text[ends - 1] == _CR
        return [
            _slices(
                content,
                tabs[first_tab + first - 1] + 1 if first else starts,
                tabs[first_tab + last] if last < self.n_columns - 1 else ends,
            )
            for first, last in self.wanted
        ]


def _read(
    descriptor: int, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[bytes, NDArray[np.int64]]:
    """Return lines, and some between them, as one text, and how far each was moved to be there."""
    is_first = np.ones(len(starts), np.bool_)
    is_first[1:] = starts[1:] - ends[:-1] > _GAP_BYTES
    firsts = np.flatnonzero(is_first)
    lows = starts[firsts]
    highs = ends[np.append(firsts[1:] - 1, len(ends) - 1)] + 1
    content = b"".join(
        os.pread(descriptor, high - low, low)
        for low, high in zip(lows.tolist(), highs.tolist(), strict=True)
    )
    shifts = np.cumsum(highs - lows) - (highs - lows) - lows
    return content, np.repeat(shifts, np.diff([*firsts, len(starts)]))


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
