"""Regions whose bases come from a genome and whose scores come from bigWigs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, UsageError, nearest, prefix_twin
from finemo_dist.core.records import InputFile, RegionBatch, RegionTable, ScoreKind
from finemo_dist.sources._batch import clean_scores, finish_batch, mean_of_folds
from finemo_dist.sources._bigwig_file import BigWigFile
from finemo_dist.sources._places import Places
from finemo_dist.sources.genome import Genome
from finemo_dist.sources.peaks import read_peaks
from finemo_dist.storage.files import describe_input


class BigWigSource:
    """Projected contributions at peaks: several bigWigs are folds, averaged in float64.

    A base without a value, and a whole chromosome that a bigWig does not have, is zero; so is a
    base that is N or lies over an end of its chromosome.

    Parameters
    ----------
    peaks
        narrowPeak or BED.
    fasta
        The genome, plain or bgzipped.
    region_width
        Bases of a region, even.
    chrom_order
        A file that ranks chromosomes by its first column.

    Raises
    ------
    InputError
        A file is missing or damaged, a region lies wholly outside the genome, or a bigWig names
        all chromosomes otherwise, or has one of another length than the genome.
    UsageError
        No bigWig is given, or the width is odd.
    """

    def __init__(
        self,
        peaks: str | Path,
        fasta: str | Path,
        bigwigs: Sequence[str | Path],
        *,
        region_width: int = 1000,
        chrom_order: str | Path | None = None,
    ) -> None:
        if not bigwigs:
            raise UsageError("No bigWig was given. Expected at least one (-b).")
        read = read_peaks(peaks, region_width=region_width, chrom_order=chrom_order)
        self._genome = Genome(fasta)
        self._places = Places.from_peaks(read, self._genome)
        self._files = [BigWigFile(path) for path in bigwigs]
        for file in self._files:
            self._check_names(file)
            self._check_assembly(file)
        self._inputs = tuple(describe_input(path) for path in (peaks, fasta, *bigwigs))

    @property
    def score_kind(self) -> ScoreKind:
        """One score a position."""
        return ScoreKind.PROJECTED

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        return self._places.region_width

    @property
    def regions(self) -> RegionTable:
        """Where all regions lie."""
        return self._places.table

    @property
    def inputs(self) -> Sequence[InputFile]:
        """Peaks, genome and bigWigs."""
        return self._inputs

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return regions ``start`` to ``stop``.

        Raises
        ------
        InputError
            A file is damaged, or a score is infinite.
        """
        spans = self._places.spans(start, stop)
        is_missing = np.array(
            [any(span[0] not in file.lengths for file in self._files) for span in spans],
            dtype=np.bool_,
        )
        contributions, has_nan = mean_of_folds(
            self._read_fold(file, start, spans) for file in self._files
        )
        return finish_batch(
            self._places,
            start,
            sequence=self._places.sequence(start, stop),
            contributions=contributions,
            has_nan=has_nan,
            is_missing=is_missing,
            is_from_genome=True,
        )

    def _read_fold(
        self, file: BigWigFile, start: int, spans: Sequence[tuple[str, int, int, int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        values = np.zeros((len(spans), self.region_width))
        for row, (chrom, lo, hi, offset) in zip(values, spans, strict=True):
            if chrom in file.lengths:
                file.read_into(row[offset : offset + hi - lo], chrom, lo, hi)
        scores = values.astype(np.float32)
        # A base without a value and a NaN that was written are the same to a bigWig.
        scores[np.isnan(scores)] = 0
        return clean_scores(scores, file.path, lambda row: self._places.describe(start + row))

    def _check_names(self, file: BigWigFile) -> None:
        """Refuse a bigWig that has no chromosome of the peaks: all scores would be zero.

        One that merely lacks chromosomes is taken, and the regions on them are counted.
        """
        chroms = [self.regions.chrom_names[i] for i in np.unique(self.regions.chrom_id)]
        if any(chrom in file.lengths for chrom in chroms):
            return
        chrom = next((c for c in chroms if prefix_twin(c, file.lengths)), chroms[0])
        raise InputError(
            f"{file.path}: has no chromosome {chrom!r}, nor any other chromosome of the peaks."
            f"{nearest(chrom, file.lengths)} Expected chromosomes named as in the peaks: "
            f"rename them in one of the two, or give the bigWig of the same assembly."
        )

    def _check_assembly(self, file: BigWigFile) -> None:
        for chrom_id in np.unique(self.regions.chrom_id):
            chrom = self.regions.chrom_names[chrom_id]
            found = file.lengths.get(chrom)
            expected = self._genome.lengths[chrom]
            if found not in {None, expected}:
                raise InputError(
                    f"{file.path}: {chrom} has {found:,} bases, but {expected:,} in "
                    f"{self._genome.path}. Expected both to belong to one assembly."
                )
