"""The places of the regions of a source, and the bases of the genome there."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, UsageError, nearest
from finemo_dist.core.records import UNKNOWN_BASE, RegionTable
from finemo_dist.sources._coordinates import Coordinates
from finemo_dist.sources._keep import read_kept
from finemo_dist.sources.genome import Bases, Genome
from finemo_dist.sources.peaks import Peaks, find_duplicates, read_chrom_order, read_peaks
from finemo_dist.sources.placing import check_count
from finemo_dist.storage.chrom_sizes import read_chrom_sizes

_ANYWHERE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Places:
    """Regions with their genome, if one is known."""

    region_width: int
    table: RegionTable
    no_summit: NDArray[np.bool_]
    is_outside: NDArray[np.bool_]
    """(R,) whether the summit lies outside its peak."""
    is_duplicate: NDArray[np.bool_]
    genome: Genome | None
    chrom_length: NDArray[np.int64]
    """(R,) bases of the chromosome of each region; where that is not known the largest integer."""

    @classmethod
    def from_peaks(
        cls, peaks: Peaks, genome: Genome | None, *, chrom_sizes: str | Path | None = None
    ) -> Self:
        """Return the regions of a peaks file; lengths are the genome's, or those of a file.

        Raises
        ------
        InputError
            A region lies wholly outside its chromosome, or on one the genome does not have.
        """
        table = _with_lengths(peaks.table, peaks.path, genome, chrom_sizes)
        places = cls(
            peaks.region_width,
            table,
            peaks.no_summit,
            peaks.is_outside,
            peaks.is_duplicate,
            genome,
            _length_of_each(table),
        )
        places._refuse_outside(peaks.path)
        return places

    @classmethod
    def from_table(
        cls, region_width: int, table: RegionTable, path: str, genome: Genome | None = None
    ) -> Self:
        """Return regions of which no more is known than a table says.

        Raises
        ------
        InputError
            A region lies wholly before the start of its chromosome; ``path`` is named.
        """
        no_summit = np.zeros(len(table), dtype=np.bool_)
        is_duplicate = find_duplicates(table) if table.has_coordinates else no_summit
        lengths = _length_of_each(table)
        places = cls(region_width, table, no_summit, no_summit, is_duplicate, genome, lengths)
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
                f"Check that peaks and genome belong to the same assembly."
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
        chroms: dict[str, Bases] = {}
        for row, (chrom, lo, hi, offset) in zip(codes, self.spans(start, stop), strict=True):
            if chrom not in chroms:
                chroms[chrom] = self.genome.codes(chrom)
            row[offset : offset + hi - lo] = chroms[chrom][lo:hi]
        return codes

    def spans(self, start: int, stop: int) -> list[tuple[str, int, int, int]]:
        """Return the chromosome of each region, its range there, and that range's first column."""
        table = self.table
        first = table.start[start:stop]
        lo = np.maximum(first, 0)
        hi = np.minimum(first + self.region_width, self.chrom_length[start:stop])
        chroms = [table.chrom_names[c] for c in table.chrom_id[start:stop].tolist()]
        return list(zip(chroms, lo.tolist(), hi.tolist(), (lo - first).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class WhereArraysLie:
    """The files with the coordinates of the rows of arrays; without any, rows have none."""

    peaks: str | Path | None = None
    fasta: str | Path | None = None
    """A genome; all sequences are compared with it."""
    chrom_order: str | Path | None = None
    chrom_sizes: str | Path | None = None
    """Lengths of chromosomes, for sources without a genome."""
    keep: str | Path | None = None
    """npy: which of the peaks have arrays."""

    @property
    def files(self) -> list[str | Path]:
        """Those that decide what is read."""
        named = (self.peaks, self.fasta, self.chrom_sizes, self.keep)
        return [path for path in named if path is not None]

    def places(
        self,
        n_regions: int,
        arrays_path: str,
        *,
        region_width: int,
        coordinates: Coordinates | None = None,
    ) -> Places:
        """Return where the rows of arrays lie.

        Parameters
        ----------
        coordinates
            What the arrays' own file says: compared with peaks, and used without them.

        Raises
        ------
        InputError
            There are more or fewer peaks than rows, or they are not where the file says.
        UsageError
            A file is given that is of no use without another.
        """
        self._check_needs(has_coordinates=coordinates is not None)
        genome = None if self.fasta is None else Genome(self.fasta)
        if self.peaks is None:
            if coordinates is None:
                table = RegionTable.without_coordinates(n_regions)
                return Places.from_table(region_width, table, arrays_path)
            order = {} if self.chrom_order is None else read_chrom_order(self.chrom_order)
            table = coordinates.table(region_width, order)
            table = _with_lengths(table, arrays_path, genome, self.chrom_sizes)
            return Places.from_table(region_width, table, arrays_path, genome)
        read = read_peaks(self.peaks, region_width=region_width, chrom_order=self.chrom_order)
        if self.keep is not None:
            read = read.rows(read_kept(self.keep, len(read.table), self.peaks))
        check_count(read, n_regions, arrays_path)
        if coordinates is not None:
            coordinates.refuse_others(read.table, region_width, str(self.peaks))
        return Places.from_peaks(read, genome, chrom_sizes=self.chrom_sizes)

    def _check_needs(self, *, has_coordinates: bool) -> None:
        if self.peaks is None and self.keep is not None:
            raise UsageError(
                f"{self.keep}: says which peaks have arrays, but no peaks are given. Add -p."
            )
        if self.fasta is not None and self.chrom_sizes is not None:
            raise UsageError(
                f"{self.chrom_sizes}: the genome {self.fasta} says how long chromosomes are. Leave "
                "out --chrom-sizes."
            )
        if self.peaks is not None or has_coordinates:
            return
        if self.fasta is not None:
            raise UsageError(
                f"{self.fasta}: a genome is useful only with peaks, to compare the sequences at "
                f"them. Give the peaks too (-p), or leave the genome out."
            )
        if self.chrom_sizes is not None:
            raise UsageError(
                f"{self.chrom_sizes}: lengths of chromosomes are useful only with peaks. Give the "
                "peaks too (-p), or leave --chrom-sizes out."
            )


def _length_of_each(table: RegionTable) -> NDArray[np.int64]:
    if not table.chrom_lengths:
        return np.full(len(table), _ANYWHERE)
    lengths = np.array(table.chrom_lengths, dtype=np.int64)
    return np.where(lengths > 0, lengths, _ANYWHERE)[table.chrom_id]


def _with_lengths(
    table: RegionTable, path: str, genome: Genome | None, chrom_sizes: str | Path | None
) -> RegionTable:
    """Return a table that knows how long its chromosomes are, where anything says so."""
    if genome is None and chrom_sizes is None:
        return table
    sizes = genome.lengths if genome is not None else read_chrom_sizes(str(chrom_sizes))
    length = np.array([sizes.get(c, -1) for c in table.chrom_names], dtype=np.int64)
    per_region = length[table.chrom_id]
    if (per_region < 0).any():
        row = int((per_region < 0).argmax())
        chrom = table.chrom_names[table.chrom_id[row]]
        raise InputError(
            f"{genome.path if genome is not None else chrom_sizes}: has no chromosome {chrom!r}, "
            f"on which {path} has peak {table.peak_name[row]!r} (row {row})."
            f"{nearest(chrom, sizes)} Give the genome the peaks were called on, or leave such "
            "peaks out."
        )
    # Of a chromosome that only -C names, nothing needs to be known.
    return replace(table, chrom_lengths=tuple(np.maximum(length, 0).tolist()))
