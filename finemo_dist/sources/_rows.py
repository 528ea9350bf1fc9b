"""A source made of arrays with one row per region, in any kind of file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.records import InputFile, RegionBatch, RegionTable, ScoreKind
from finemo_dist.sources._batch import (
    clean_scores,
    codes_of_one_hot,
    finish_batch,
    mean_of_folds,
)
from finemo_dist.sources._places import Places
from finemo_dist.sources._projection import Projection
from finemo_dist.storage.files import describe_input

AxisOrder = Literal["nal", "nla"]
"""Axes of arrays: N regions, A the four bases, L positions."""
BASES_LAST: Final = "nla"


class Rows(Protocol):
    """An array in a file, read by rows; picklable, opened when first read."""

    @property
    def path(self) -> str:
        """The file, for messages."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, 4, width) or (N, width), whatever the order of axes in the file."""
        ...

    def read(self, start: int, stop: int, columns: slice) -> NDArray[np.generic]:
        """Return rows ``start`` to ``stop`` at ``columns`` of the last axis.

        Raises
        ------
        InputError
            The file is damaged.
        """
        ...


class ArraySource:
    """Regions whose one-hot sequences and scores are rows of arrays.

    Parameters
    ----------
    sequences : (N, 4, W) each
        One for all folds, or one for each, which must then be identical.
    scores : (N, 4, W) or (N, W) each
        Folds, averaged in float64.
    columns
        Those of the W columns that make a region.
    inputs
        The files behind it all.
    kind
        ``projected`` where scores of all bases are to become those of the base that is there,
        each fold before the mean; as the arrays are when None.
    """

    def __init__(
        self,
        sequences: Sequence[Rows],
        scores: Sequence[Rows],
        *,
        places: Places,
        columns: slice,
        inputs: Sequence[str | Path],
        kind: ScoreKind | None = None,
    ) -> None:
        self._sequences = sequences
        self._scores = scores
        self._places = places
        self._columns = columns
        self._is_projecting = kind == ScoreKind.PROJECTED and len(scores[0].shape) == 3
        self._inputs = tuple(describe_input(path) for path in dict.fromkeys(map(str, inputs)))

    @property
    def score_kind(self) -> ScoreKind:
        """What ``read`` yields."""
        is_projected = self._is_projecting or len(self._scores[0].shape) == 2
        return ScoreKind.PROJECTED if is_projected else ScoreKind.HYPOTHETICAL

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
        """The files read."""
        return self._inputs

    def sequences(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the sequences (R, L) of regions ``start`` to ``stop`` alone."""
        return self._read_sequence(start, stop)

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return regions ``start`` to ``stop``.

        Raises
        ------
        InputError
            A file is damaged, a sequence is not one-hot, a score is infinite, or the sequences of
            folds, or of arrays and genome, differ.
        """
        sequence = self._read_sequence(start, stop)
        self._check_places(sequence, start)
        take = Projection(sequence).of if self._is_projecting else clean_scores
        folds = (
            take(
                rows.read(start, stop, self._columns),
                rows.path,
                lambda row: self._places.describe(start + row),
            )
            for rows in self._scores
        )
        contributions, has_nan = mean_of_folds(folds)
        return finish_batch(
            self._places,
            start,
            sequence=sequence,
            contributions=contributions,
            has_nan=has_nan,
            n_folds_compared=len(self._sequences),
        )

    def _read_sequence(self, start: int, stop: int) -> NDArray[np.uint8]:
        arrays = (rows.read(start, stop, self._columns) for rows in self._sequences)
        one_hot = next(arrays)
        first = self._codes(one_hot, self._sequences[0].path, start)
        for rows, other in zip(self._sequences[1:], arrays, strict=True):
            # Equal arrays have equal codes, and to compare them is the quicker.
            if not np.array_equal(one_hot, other):
                self._refuse_difference(
                    first,
                    self._codes(other, rows.path, start),
                    start,
                    f"{rows.path} has other sequences than {self._sequences[0].path}",
                )
        return first

    def _codes(self, one_hot: NDArray[np.generic], path: str, start: int) -> NDArray[np.uint8]:
        return codes_of_one_hot(one_hot, path, lambda row: self._places.describe(start + row))

    def _check_places(self, sequence: NDArray[np.uint8], start: int) -> None:
        stop = start + len(sequence)
        path = self._sequences[0].path
        if self._places.genome is not None:
            expected = self._places.sequence(start, stop)
            genome = self._places.genome.path
            self._refuse_difference(
                expected, sequence, start, f"{path} has other sequences than {genome}"
            )
        elif (off_chrom := self._places.off_chrom(start, stop)) is not None:
            expected = np.where(off_chrom, np.uint8(4), sequence)
            self._refuse_difference(
                expected, sequence, start, f"{path} has bases beyond an end of its chromosome"
            )

    def _refuse_difference(
        self,
        expected: NDArray[np.uint8],
        found: NDArray[np.uint8],
        start: int,
        what: str,
    ) -> None:
        n_different = (expected != found).sum(axis=1)
        if not n_different.any():
            return
        row = int((n_different > 0).argmax())
        raise InputError(
            f"{what}: first at {self._places.describe(start + row)}, in {n_different[row]:,} of "
            f"{self.region_width:,} bases. Expected the same regions in the same order everywhere: "
            f"check that arrays, peaks, folds and genome belong together."
        )


def axis_cure(*, bases_last: bool) -> str:
    """Return what to do about arrays whose bases lie on the other axis."""
    other = "nal" if bases_last else BASES_LAST
    axis = "second" if bases_last else "last"
    return f"If the bases are on the {axis} axis, use --axis-order {other}."


def check_same_shape(rows: Sequence[Rows]) -> None:
    """Refuse arrays that are not all (N, 4, W) of one shape.

    Raises
    ------
    InputError
        An array has another shape than the first, or no axis of four bases.
    UsageError
        There is no array.
    """
    if not rows:
        raise UsageError("No file with contribution scores was given. Expected at least one.")
    expected = rows[0].shape
    for array in rows:
        if len(array.shape) != 3 or array.shape[1] != 4:
            is_other = len(array.shape) == 3 and array.shape[2] == 4
            raise InputError(
                f"{array.path}: found an array of shape {array.shape}, expected (regions, 4, "
                f"width) with the bases A, C, G, T along the second axis."
                + (f" {axis_cure(bases_last=False)}" if is_other else "")
            )
        if array.shape != expected:
            raise InputError(
                f"{array.path}: found an array of shape {array.shape}, but {rows[0].path} has "
                f"{expected}. Expected the same regions in every file."
            )
