"""Records of hits in a temporary file, by the window of their chromosome in which they lie."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.hit_records import RECORD
from finemo_dist.catalog.staging import no_room

_BASES_SHIFT: Final = 24
_PEAKS_SHIFT: Final = 13
"""Windows are powers of two of bases and of regions."""
_MOST_WINDOWS: Final = 1 << 40
"""Of a chromosome."""
_PIECE_RECORDS: Final = 1 << 20


class WindowFile:
    """Hits that may overlap come together again, whatever the order in which they were added.

    A hit lies in every window of 16.8 million bases that it touches, so that two that share a base
    share the window of that base; without a chromosome it lies in a window of 8,192 regions.
    Memory is that of one batch, or of one window when they are read.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._n_records = 0
        self._segments: dict[int, list[tuple[int, int]]] = {}

    def add(self, records: NDArray[Any]) -> None:
        """Append records, in any order.

        Raises
        ------
        FinemoDistError
            The disk of the temporary file is full.
        """
        if not len(records):
            return
        windows, which = _windows_of(records)
        records = records if which is None else records[which]
        if np.any(windows[1:] < windows[:-1]):
            order = np.argsort(windows, kind="stable")
            windows, records = windows[order], records[order]
        bounds = np.flatnonzero(np.diff(windows, prepend=-1)).tolist()
        for low, high in zip(bounds, [*bounds[1:], len(windows)], strict=True):
            segment = (self._n_records + low, high - low)
            self._segments.setdefault(int(windows[low]), []).append(segment)
        self._n_records += len(windows)
        try:
            # Not by tofile, which says nothing of a disk that is full.
            self._file.write(records.tobytes())
            self._file.flush()
        except OSError as error:
            raise no_room(error) from error

    def pieces(self) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
        """Yield records of whole windows, a million or those of one, and the window of each."""
        group: list[int] = []
        n_held = 0
        for window in sorted(self._segments):
            group.append(window)
            n_held += sum(n for _, n in self._segments[window])
            if n_held >= _PIECE_RECORDS:
                yield self._read(group)
                group, n_held = [], 0
        if group:
            yield self._read(group)

    def close(self) -> None:
        """Let go of the file."""
        # What a full disk did not take is tried again here, and was said before.
        with suppress(OSError):
            self._file.close()

    def _read(self, windows: Sequence[int]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        segments = [segment for window in windows for segment in self._segments[window]]
        counts = [sum(n for _, n in self._segments[window]) for window in windows]
        found = [self._read_segment(*segment) for segment in segments]
        return np.concatenate(found), np.repeat(np.array(windows, np.int64), counts)

    def _read_segment(self, first: int, n_records: int) -> NDArray[Any]:
        self._file.seek(first * RECORD.itemsize)
        content = self._file.read(n_records * RECORD.itemsize)
        return np.frombuffer(content, RECORD, n_records)


def _windows_of(records: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.intp] | None]:
    """Return the windows that records touch, and which record each is of; None: one each."""
    chrom = records["chr_code"]
    first, last = records["start"] >> _BASES_SHIFT, (records["end"] - 1) >> _BASES_SHIFT
    if np.any(chrom < 0):
        region = records["peak_id"].astype(np.int64) >> _PEAKS_SHIFT
        first, last = np.where(chrom < 0, region, first), np.where(chrom < 0, region, last)
    # Half of the numbers of a chromosome are for bases below zero.
    window = (chrom.astype(np.int64) + 1) * _MOST_WINDOWS + _MOST_WINDOWS // 2 + first
    n_windows = last - first + 1
    if np.all(n_windows == 1):
        return window, None
    which = np.repeat(np.arange(len(records)), n_windows)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows)
    return window[which] + nth, which
