"""Peaks for regions that were extracted without them, or with them and are to be checked."""

from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import UNKNOWN_BASE, RegionTable
from finemo_dist.sources.peaks import Peaks, find_duplicates, read_peaks

_MOST_PAIRS: Final = 128
_LEAST_SHARED: Final = 20
_MOST_DIFFERENT: Final = 0.25
"""Share of the bases of an overlap. Unrelated sequences differ in 0.75, two alleles in a few."""


class Sequences(Protocol):
    """Regions whose sequences can be read without their contributions."""

    def sequences(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the codes (R, L) of rows ``start`` to ``stop``."""
        ...


def place_regions(
    known: RegionTable,
    path: str,
    *,
    region_width: int,
    peaks: str | Path,
    chrom_order: str | Path | None = None,
) -> Peaks:
    """Return where regions lie by a peaks file, row by row.

    Regions that have coordinates keep them, and their names; with ``chrom_order`` their chromosomes
    rank anew.

    Parameters
    ----------
    known
        What is known of the regions; without coordinates, row i is peak i.
    path
        Where the regions lie, for messages.

    Raises
    ------
    InputError
        There are more or fewer peaks than regions, or a region lies elsewhere than its peak.
    """
    read = read_peaks(peaks, region_width=region_width, chrom_order=chrom_order)
    check_count(read, len(known), path)
    if not known.has_coordinates:
        return read
    _check_places(read, known, path)
    table = known if chrom_order is None else _ranked(known, read.table.chrom_names)
    is_new = np.zeros(len(table), dtype=np.bool_)
    is_repeat = find_duplicates(table)
    return replace(read, table=table, no_summit=is_new, is_outside=is_new, is_duplicate=is_repeat)


def check_count(peaks: Peaks, n_regions: int, arrays_path: str) -> None:
    """Refuse peaks of another number than there are regions.

    Raises
    ------
    InputError
        There are more or fewer.
    """
    if len(peaks.table) != n_regions:
        raise InputError(
            f"{peaks.path}: holds {len(peaks.table):,} peaks, but {arrays_path} has "
            f"{n_regions:,} regions. Expected one peak for each region, in the same order: give "
            f"the peaks file the arrays were made from, or say which of its peaks have arrays "
            f"(--keep)."
        )


def _check_places(read: Peaks, known: RegionTable, path: str) -> None:
    if int(known.peak_id.max(initial=0)) >= len(known):
        raise InputError(
            f"{path}: has peak_id {known.peak_id.max()} among {len(known):,} regions, so that "
            f"{read.path} cannot be compared with it. Leave the peaks out."
        )
    asked = read.table[known.peak_id.astype(np.intp)]
    names = np.array(known.chrom_names, dtype=object)[known.chrom_id]
    others = np.array(asked.chrom_names, dtype=object)[asked.chrom_id]
    is_elsewhere = (names != others) | (known.start != asked.start)
    if is_elsewhere.any():
        row = int(is_elsewhere.argmax())
        raise InputError(
            f"{read.path}: peak {asked.peak_name[row]!r} (row {asked.peak_id[row]}) puts a region "
            f"at {others[row]}:{asked.start[row]}, and {path} has it at "
            f"{names[row]}:{known.start[row]}; {int(is_elsewhere.sum()):,} regions differ. Give "
            f"the peaks that the regions were extracted with, or leave them out."
        )


def _ranked(known: RegionTable, chrom_names: tuple[str, ...]) -> RegionTable:
    rank = {name: i for i, name in enumerate(chrom_names)}
    ranks = np.array([rank.get(name, -1) for name in known.chrom_names], dtype=np.int32)
    length = dict(zip(known.chrom_names, known.chrom_lengths, strict=False))
    return replace(
        known,
        chrom_names=chrom_names,
        chrom_id=ranks[known.chrom_id],
        chrom_lengths=tuple(length.get(name, 0) for name in chrom_names) if length else (),
    )


def check_overlaps(regions: Sequences, table: RegionTable, region_width: int, path: str) -> None:
    """Refuse coordinates at which regions that overlap have different bases.

    Up to 128 pairs, evenly spaced along the genome, are compared. Peaks in another order than
    the regions are found this way without a genome.

    Raises
    ------
    InputError
        Two regions differ in more than a quarter of the bases that they share.
    """
    left, right, shift = _overlapping(table, region_width)
    rows = np.unique(np.concatenate([left, right]))
    codes = {int(row): regions.sequences(int(row), int(row) + 1)[0] for row in rows}
    for i, j, offset in zip(left.tolist(), right.tolist(), shift.tolist(), strict=True):
        a, b = codes[i][offset:], codes[j][: region_width - offset]
        is_known = (a != UNKNOWN_BASE) & (b != UNKNOWN_BASE)
        n_known, n_different = int(is_known.sum()), int((is_known & (a != b)).sum())
        if n_known >= _LEAST_SHARED and n_different > _MOST_DIFFERENT * n_known:
            raise InputError(
                f"{path}: peaks {table.peak_name[i]!r} and {table.peak_name[j]!r} (rows "
                f"{table.peak_id[i]} and {table.peak_id[j]}) overlap, and the sequences of their "
                f"regions differ in {n_different:,} of {n_known:,} shared bases. Give the peaks "
                f"that the regions were made for, in their order."
            )


def _overlapping(
    table: RegionTable, region_width: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
    """Return rows of regions, of the next ones along the genome, and by how much these are on."""
    order = np.lexsort((table.start, table.chrom_id))
    shift = np.diff(table.start[order])
    is_pair = (np.diff(table.chrom_id[order]) == 0) & (shift <= region_width - _LEAST_SHARED)
    pairs = np.flatnonzero(is_pair)
    if len(pairs) > _MOST_PAIRS:
        pairs = pairs[np.linspace(0, len(pairs) - 1, _MOST_PAIRS).astype(np.intp)]
    return order[pairs], order[pairs + 1], shift[pairs]
