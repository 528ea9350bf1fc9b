"""Records of hits in a temporary file, by the window of their chromosome in which they lie."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.arrays import numbered
from finemo_dist.catalog.staging import no_room

BASES_SHIFT: Final = 24
PEAKS_SHIFT: Final = 13
"""Windows are powers of two of bases and of regions."""
LAST_WINDOW: Final = (1 << 39) - 1
"""Of a chromosome; half of the numbers are for bases below zero."""

_PIECE_RECORDS: Final = 1 << 20


class WindowFile:
    """Records come together again by their window, whatever the order in which they were added.

    Memory is that of one batch, or of the windows that are read.
    """

    def __init__(self, path: Path, dtype: np.dtype[np.void]) -> None:
        self._path = path
        self._dtype = dtype
        self._n_records = 0
        self._segments: dict[int, list[tuple[int, int]]] = {}
        path.touch()

    @property
    def counts(self) -> Mapping[int, int]:
        """Window to the number of its records."""
        return {window: sum(n for _, n in parts) for window, parts in self._segments.items()}

    def add(self, records: NDArray[Any], windows: NDArray[np.int64]) -> None:
        """Append records, in any order, each to its window.

        Raises
        ------
        FinemoDistError
            The disk of the temporary file is full.
        """
        if not len(records):
            return
        if np.any(windows[1:] < windows[:-1]):
            order = np.argsort(windows, kind="stable")
            windows, records = windows[order], records[order]
        changes = np.flatnonzero(windows[1:] != windows[:-1]) + 1
        bounds = [0, *changes.tolist(), len(windows)]
        for low, high in pairwise(bounds):
            segment = (self._n_records + low, high - low)
            self._segments.setdefault(int(windows[low]), []).append(segment)
        self._n_records += len(windows)
        try:
            # Opened every time: there may be more of these files than a process may hold open.
            # Not by tofile, which says nothing of a disk that is full.
            with self._path.open("ab") as file:
                file.write(np.ascontiguousarray(records).data.cast("B"))
        except OSError as error:
            raise no_room(error) from error

    def pieces(self) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
        """Yield records of whole windows, a million or those of one, and the window of each."""
        counts = self.counts
        group: list[int] = []
        n_held = 0
        for window in sorted(counts):
            group.append(window)
            n_held += counts[window]
            if n_held >= _PIECE_RECORDS:
                yield self.read(group), _repeated(group, counts)
                group, n_held = [], 0
        if group:
            yield self.read(group), _repeated(group, counts)

    def read(self, windows: Iterable[int]) -> NDArray[Any]:
        """Return the records of windows, one window after the other, as they were added."""
        segments = [segment for window in windows for segment in self._segments.get(window, ())]
        found = np.empty(sum(n_records for _, n_records in segments), self._dtype)
        content, n_read = found.view(np.uint8).data, 0
        with self._path.open("rb", buffering=0) as file:
            for first, n_records in segments:
                file.seek(first * found.itemsize)
                end = n_read + n_records * found.itemsize
                while n_read < end:
                    n_read += file.readinto(content[n_read:end])
        return found


def _repeated(windows: list[int], counts: Mapping[int, int]) -> NDArray[np.int64]:
    return np.repeat(np.array(windows, np.int64), [counts[window] for window in windows])


def window_numbers(
    chr_code: NDArray[np.int32], place: NDArray[np.int64], peak_id: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """Return the window of each place of a chromosome, or of its region where there is none.

    Numbers of one chromosome follow each other, and chromosomes their codes.
    """
    index = place >> BASES_SHIFT
    if np.any(chr_code < 0):
        index = np.where(chr_code < 0, peak_id.astype(np.int64) >> PEAKS_SHIFT, index)
    return (chr_code.astype(np.int64) + 1) * 2 * (LAST_WINDOW + 1) + LAST_WINDOW + 1 + index


def window_place(number: int) -> tuple[int, int]:
    """Return chromosome code, -1 for none, and place among its windows, of a window's number."""
    code, index = divmod(number, 2 * (LAST_WINDOW + 1))
    return code - 1, index - LAST_WINDOW - 1


def touched_windows(records: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return hits as often as they touch a window, and those windows.

    A hit lies in every window of 16.8 million bases that it touches, so that two that share a base
    share the window of that base; without a chromosome it lies in a window of 8,192 regions.
    """
    chrom, peak = records["chr_code"], records["peak_id"]
    first = window_numbers(chrom, records["start"], peak)
    n_windows = window_numbers(chrom, records["end"] - 1, peak) - first + 1
    if np.all(n_windows == 1):
        return records, first
    which, nth = numbered(n_windows)
    return records[which], first[which] + nth
