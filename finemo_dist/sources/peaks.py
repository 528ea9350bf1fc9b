"""Peaks as regions of one width around their summits: narrowPeak and BED, plain or gzipped."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.records import RegionTable
from finemo_dist.storage.text import read_lines, whole_number

_NOT_PEAKS = frozenset({"track", "browser"})
_NO_VALUE = frozenset({"", ".", "-1", "-1.0", "na", "n/a", "<na>", "nan", "null", "none"})
"""What tools write in place of a missing summit, in lower case."""
_SUMMIT_COLUMN = 9
_BED12_COLUMNS = 12
_LAST_POSITION = 2**31 - 1
"""Of BED, BAM, their indexes and the tables of hits."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """Regions of one width around the summits of a peaks file, in its order."""

    path: str
    region_width: int
    table: RegionTable
    no_summit: NDArray[np.bool_]
    """(R,) whether the middle of the peak was taken."""
    is_outside: NDArray[np.bool_]
    """(R,) whether the summit that is named lies outside its peak."""
    is_duplicate: NDArray[np.bool_]
    """(R,) whether an earlier peak has the same region."""

    def rows(self, kept: NDArray[np.intp]) -> "Peaks":
        """Return some of the peaks, numbered anew."""
        table = self.table[kept]
        table = replace(table, peak_id=np.arange(len(kept), dtype=np.uint32))
        return Peaks(
            self.path,
            self.region_width,
            table,
            self.no_summit[kept],
            self.is_outside[kept],
            find_duplicates(table),
        )


def check_region_width(region_width: int) -> None:
    """Refuse a width that has no middle.

    Raises
    ------
    UsageError
        The width is odd, zero or negative.
    """
    if region_width <= 0 or region_width % 2:
        raise UsageError(
            f"Region width {region_width}: expected an even number of bases above 0, so that a "
            f"region reaches equally far to both sides of its summit. Choose an even width."
        )


def read_peaks(
    path: str | Path, *, region_width: int, chrom_order: str | Path | None = None
) -> Peaks:
    """Return the regions ``[start + summit - width / 2, start + summit + width / 2)`` of all peaks.

    The tenth column is the summit, as narrowPeak has it; where it is missing, ``.`` or -1, the
    middle of the peak is taken. A summit outside its peak is kept, and counted: published recipes
    give narrow peaks a fixed offset. ``track``, ``browser`` and ``#`` lines are skipped.
    Chromosomes rank as in ``chrom_order`` (first column), the others after them as they first
    appear.

    Raises
    ------
    InputError
        A file cannot be read, a line is malformed (by its number), or there is no peak.
    UsageError
        The width is odd.
    """
    check_region_width(region_width)
    rows = _PeakRows(chroms={} if chrom_order is None else read_chrom_order(chrom_order))
    for line in read_lines(path):
        if line.text.startswith("#") or line.text.split(None, 1)[0] in _NOT_PEAKS:
            continue
        try:
            rows.add(line.cells)
        except ValueError as error:
            raise InputError(
                f"{path}, line {line.number}: {error}. Expected chromosome, start and end "
                "separated "
                f"by tabs, with 0 <= start <= end, and in column 10, if any, the summit."
            ) from error
    if not rows.names:
        raise InputError(f"{path}: holds no peaks. Expected one peak per line (narrowPeak or BED).")
    return rows.as_peaks(str(path), region_width)


def read_chrom_order(path: str | Path) -> dict[str, int]:
    """Return the rank of each chromosome named in the first column of a file."""
    order: dict[str, int] = {}
    for line in read_lines(path):
        order.setdefault(line.cells[0], len(order))
    return order


@dataclass(slots=True)
class _PeakRows:
    """Columns of the peaks read so far; arrays of machine numbers, to be lean for 300,000 peaks."""

    chroms: dict[str, int]
    names: list[str] = field(default_factory=list)
    chrom_id: "array[int]" = field(default_factory=lambda: array("i"))
    centre: "array[int]" = field(default_factory=lambda: array("q"))
    no_summit: bytearray = field(default_factory=bytearray)
    is_outside: bytearray = field(default_factory=bytearray)

    def add(self, fields: Sequence[str]) -> None:
        """Append one peak; a ``ValueError`` says what is wrong with it."""
        if len(fields) < 3 or not fields[0]:
            raise ValueError(f"found {len(fields)} columns and chromosome {fields[0]!r}")
        start, end = whole_number(fields[1]), whole_number(fields[2])
        if not 0 <= start <= end:
            raise ValueError(f"found start {start} and end {end}")
        summit = _summit(fields)
        centre = (start + end) // 2 if summit is None else start + summit
        if max(end, centre) > _LAST_POSITION:
            raise ValueError(
                f"found position {max(end, centre)}, beyond the {_LAST_POSITION:,} that tables of "
                "hits hold"
            )
        self.no_summit.append(summit is None)
        # A peak without a base has its place all the same.
        self.is_outside.append(summit is not None and summit >= max(end - start, 1))
        self.centre.append(centre)
        self.chrom_id.append(self.chroms.setdefault(fields[0], len(self.chroms)))
        self.names.append(fields[3] if len(fields) > 3 and fields[3] else ".")

    def as_peaks(self, path: str, region_width: int) -> Peaks:
        """Return what was read."""
        table = RegionTable(
            chrom_names=tuple(self.chroms),
            chrom_id=np.array(self.chrom_id, dtype=np.int32),
            start=np.array(self.centre, dtype=np.int64) - region_width // 2,
            peak_id=np.arange(len(self.names), dtype=np.uint32),
            peak_name=np.array(self.names, dtype=object),
        )
        no_summit, is_outside = (
            np.frombuffer(bytes(flags), dtype=np.bool_)
            for flags in (self.no_summit, self.is_outside)
        )
        return Peaks(path, region_width, table, no_summit, is_outside, find_duplicates(table))


def _summit(fields: Sequence[str]) -> int | None:
    if len(fields) <= _SUMMIT_COLUMN or _is_bed12(fields):
        return None
    if fields[_SUMMIT_COLUMN].lower() in _NO_VALUE:
        return None
    summit = whole_number(fields[_SUMMIT_COLUMN])
    if summit < 0:
        raise ValueError(f"found summit {summit}")
    return summit


def _is_bed12(fields: Sequence[str]) -> bool:
    """Tell BED12, whose tenth column counts blocks, from narrowPeak with columns added."""
    if len(fields) < _BED12_COLUMNS or not fields[_SUMMIT_COLUMN].isdecimal():
        return False
    blocks = [fields[c].rstrip(",").split(",") for c in (10, 11)]
    n_blocks = int(fields[_SUMMIT_COLUMN])
    return all(len(b) == n_blocks and all(x.isdecimal() for x in b) for b in blocks)


def find_duplicates(table: RegionTable) -> NDArray[np.bool_]:
    """Return which regions lie exactly where an earlier one lies."""
    order = np.lexsort((np.arange(len(table)), table.start, table.chrom_id))
    same = (np.diff(table.start[order]) == 0) & (np.diff(table.chrom_id[order]) == 0)
    is_duplicate = np.zeros(len(table), dtype=np.bool_)
    is_duplicate[order[1:][same]] = True
    return is_duplicate
