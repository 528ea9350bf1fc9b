"""The coordinates of the regions of an H5 file, which BPNet's tools write beside the scores.

``coords_chrom``, ``coords_start`` and ``coords_end`` of bpnet-refactor and basepairmodels;
``coords_stop`` and chromosomes as numbers into ``chrom_names`` of bpreveal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import h5py
import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import RegionTable
from finemo_dist.storage.h5_file import DAMAGE, h5_fault, open_h5

_CHROM, _START, _ENDS = "coords_chrom", "coords_start", ("coords_end", "coords_stop")


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The places that an H5 file names, one for each row of its arrays."""

    path: str
    chrom: NDArray[np.str_]
    centre: NDArray[np.int64]
    """Middle of the range, around which regions are cut."""

    def table(self, region_width: int, order: dict[str, int]) -> RegionTable:
        """Return the regions; chromosomes rank as in ``order``, then as they first appear."""
        ranks = dict(order)
        for name in self.chrom.tolist():
            ranks.setdefault(name, len(ranks))
        n_regions = len(self.chrom)
        return RegionTable(
            chrom_names=tuple(ranks),
            chrom_id=np.array([ranks[name] for name in self.chrom.tolist()], np.int32),
            start=self.centre - region_width // 2,
            peak_id=np.arange(n_regions, dtype=np.uint32),
            peak_name=np.full(n_regions, ".", dtype=object),
        )

    def refuse_others(self, table: RegionTable, region_width: int, peaks: str) -> None:
        """Refuse peaks that lie elsewhere, row by row.

        Raises
        ------
        InputError
            Names the first that does.
        """
        found = np.array(table.chrom_names, dtype=object)[table.chrom_id]
        centre = table.start + region_width // 2
        is_other = (found != self.chrom.astype(object)) | (centre != self.centre)
        if is_other.any():
            row = int(is_other.argmax())
            raise InputError(
                f"{peaks}: peak {row} is around {found[row]}:{centre[row]:,}, and {self.path} says "
                f"that its region {row} is around {self.chrom[row]}:{self.centre[row]:,} (coords_*)"
                f"; so in {int(is_other.sum()):,} of {len(is_other):,}. Give the peaks in the "
                "order of the file, or leave out -p to take the coordinates of the file."
            )


def coordinates_of(paths: Sequence[str], n_regions: int) -> Coordinates | None:
    """Return the places that H5 files name; None where none of them names any.

    Raises
    ------
    InputError
        They are damaged, or files of folds name different ones.
    """
    found = [place for path in paths if (place := _read(path, n_regions)) is not None]
    for other in found[1:]:
        is_same = np.array_equal(found[0].chrom, other.chrom)
        if not is_same or not np.array_equal(found[0].centre, other.centre):
            raise InputError(
                f"{other.path}: names other coordinates (coords_*) than {found[0].path}. Expected "
                "the same regions in the same order in every file."
            )
    return found[0] if found else None


def _read(path: str, n_regions: int) -> Coordinates | None:
    with open_h5(path) as file:
        try:
            names = [_CHROM, _START, *(name for name in _ENDS if name in file)]
            if len(names) < 3 or not all(isinstance(file.get(n), h5py.Dataset) for n in names):
                return None
            chrom, start, end = (np.asarray(file[name]) for name in names[:3])
            if chrom.dtype.kind in "iu" and "chrom_names" in file:
                chrom = np.asarray(file["chrom_names"])[chrom]
        except (*DAMAGE, IndexError) as error:
            raise h5_fault(path, error, "Write or fetch it again.") from error
    for name, array in zip(names, (chrom, start, end), strict=False):
        if array.shape != (n_regions,):
            raise InputError(
                f"{path}: has {n_regions:,} regions and {name} of shape {array.shape}. Expected "
                "one coordinate per region; write it again."
            )
    if any(array.dtype.kind not in "iu" for array in (start, end)) or (end < start).any():
        raise InputError(
            f"{path}: its coordinates (coords_start, {names[2]}) are no ranges of whole numbers. "
            "Write it again."
        )
    text = [c.decode("utf-8", "replace") if isinstance(c, bytes) else str(c) for c in chrom]
    centre = (start.astype(np.int64) + end.astype(np.int64)) // 2
    return Coordinates(path, np.array(text, dtype=np.str_), centre)
