"""Where the regions of a source lie, and what the genome says is there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, UsageError, nearest
from finemo_dist.core.records import UNKNOWN_BASE, RegionTable
from finemo_dist.sources.genome import Genome
from finemo_dist.sources.peaks import Peaks, find_duplicates, read_peaks
from finemo_dist.sources.placing import check_count

_ANYWHERE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Places:
    """Regions with their genome, if one is known."""

    region_width: int
    table: RegionTable
    no_summit: NDArray[np.bool_]
    is_duplicate: NDArray[np.bool_]
    genome: Genome | None
    chrom_length: NDArray[np.int64]
    """(R,) bases of the chromosome of each region; without a genome the largest integer."""

    @classmethod
    def from_peaks(cls, peaks: Peaks, genome: Genome | None) -> Self:
        """Return the regions of a peaks file.

        Raises
        ------
        InputError
            A region lies wholly outside its chromosome, or on one the genome does not have.
        """
        lengths = _chrom_lengths(peaks, genome)
        places = cls(
            peaks.region_width, peaks.table, peaks.no_summit, peaks.is_duplicate, genome, lengths
        )
        places._refuse_outside(peaks.path)
        return places

    @classmethod
    def from_table(cls, region_width: int, table: RegionTable, path: str) -> Self:
        """Return regions of which no more is known than a table says.

        Raises
        ------
        InputError
            A region lies wholly before the start of its chromosome; ``path`` is named.
        """
        no_summit = np.zeros(len(table), dtype=np.bool_)
        is_duplicate = find_duplicates(table) if table.has_coordinates else no_summit
        lengths = np.full(len(table), _ANYWHERE)
        places = cls(region_width, table, no_summit, is_duplicate, None, lengths)
        places._refuse_outside(path)
        return places

    def _refuse_outside(self, path: str) -> None:
        start = self.table.start
        is_outside = (start + self.region_width <= 0) | (start >= self.chrom_length)
        if is_outside.any():
            row = int(is_outside.argmax())
            length = int(self.chrom_length[row])
            reach = "before base 0" if start[row] < 0 else f"on a chromosome of {length:,} bases"
            raise InputError(
                f"{path}: {self.describe(row)} lies wholly outside its chromosome ({reach}). "
                f"Check that peaks and genome are of the same assembly."
            )

    def describe(self, row: int) -> str:
        """Return how to name a region in a message."""
        if not self.table.has_coordinates:
            return f"region {row}"
        chrom = self.table.chrom_names[self.table.chrom_id[row]]
        start = int(self.table.start[row])
        name = self.table.peak_name[row]
        return f"region {row} (peak {name!r}, {chrom}:{start}-{start + self.region_width})"

    def off_chrom(self, start: int, stop: int) -> NDArray[np.bool_] | None:
        """Return which bases (R, L) lie over an end of their chromosome; None if none does."""
        first = self.table.start[start:stop]
        length = self.chrom_length[start:stop]
        if not ((first < 0) | (first > length - self.region_width)).any():
            return None
        position = first[:, None] + np.arange(self.region_width)
        return (position < 0) | (position >= length[:, None])

    def sequence(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return what the genome has at regions ``start`` to ``stop``: (R, L) codes."""
        assert self.genome is not None
        codes = np.full((stop - start, self.region_width), UNKNOWN_BASE, dtype=np.uint8)
        for row, (chrom, lo, hi, offset) in enumerate(self.spans(start, stop)):
            codes[row, offset : offset + hi - lo] = self.genome.codes(chrom)[lo:hi]
        return codes

    def spans(self, start: int, stop: int) -> list[tuple[str, int, int, int]]:
        """Return of each region its chromosome, the range on it, and where that begins in it."""
        table = self.table
        first = table.start[start:stop]
        lo = np.maximum(first, 0)
        hi = np.minimum(first + self.region_width, self.chrom_length[start:stop])
        chroms = [table.chrom_names[c] for c in table.chrom_id[start:stop].tolist()]
        return list(zip(chroms, lo.tolist(), hi.tolist(), (lo - first).tolist(), strict=True))


def places_of_arrays(
    n_regions: int,
    arrays_path: str,
    *,
    region_width: int,
    peaks: str | Path | None,
    fasta: str | Path | None,
    chrom_order: str | Path | None,
) -> Places:
    """Return where the rows of arrays lie: nowhere without peaks.

    Raises
    ------
    InputError
        There are more or fewer peaks than rows.
    UsageError
        A genome is given without peaks to look up in it.
    """
    if peaks is None:
        if fasta is not None:
            raise UsageError(
                f"{fasta}: a genome is of use only with peaks, to compare the sequences at them. "
                f"Give the peaks too (-p), or leave the genome out."
            )
        return Places.from_table(
            region_width, RegionTable.without_coordinates(n_regions), arrays_path
        )
    read = read_peaks(peaks, region_width=region_width, chrom_order=chrom_order)
    check_count(read, n_regions, arrays_path)
    return Places.from_peaks(read, None if fasta is None else Genome(fasta))


def _chrom_lengths(peaks: Peaks, genome: Genome | None) -> NDArray[np.int64]:
    table = peaks.table
    if genome is None:
        return np.full(len(table), _ANYWHERE)
    length = np.array([genome.lengths.get(c, -1) for c in table.chrom_names], dtype=np.int64)
    per_region = length[table.chrom_id]
    if (per_region < 0).any():
        row = int((per_region < 0).argmax())
        chrom = table.chrom_names[table.chrom_id[row]]
        raise InputError(
            f"{genome.path}: has no chromosome {chrom!r}, on which {peaks.path} has peak "
            f"{table.peak_name[row]!r} (row {row}).{nearest(chrom, genome.lengths)} Give the "
            f"genome the peaks were called on, or leave such peaks out."
        )
    return per_region
