"""Arrays as modisco-lite takes them: one-hot sequences and attributions in npy or npz files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import ScoreKind
from finemo_dist.sources._batch import central_columns
from finemo_dist.sources._npz import FileArray, open_array
from finemo_dist.sources._places import WhereArraysLie
from finemo_dist.sources._rows import (
    BASES_LAST,
    ArraySource,
    AxisOrder,
    axis_cure,
    check_same_shape,
)
from finemo_dist.sources.peaks import check_region_width


class FileRows:
    """An array of numbers in a file, read whole rows at a time and cut to columns.

    Raises
    ------
    InputError
        Bases should be on the last axis and are not.
    """

    def __init__(self, array: FileArray, *, bases_last: bool = False) -> None:
        self._array = array
        self._bases_last = bases_last
        self.path = array.path
        self.shape = array.shape
        if bases_last:
            if len(array.shape) != 3 or array.shape[2] != 4:
                raise InputError(
                    f"{self.path}: found an array of shape {array.shape}, expected (regions, "
                    f"width, 4). {axis_cure(bases_last=True)}"
                )
            n_regions, width, n_bases = array.shape
            self.shape = n_regions, n_bases, width

    def read(self, start: int, stop: int, columns: slice) -> NDArray[Any]:
        """Return rows ``start`` to ``stop`` at ``columns`` of the last axis."""
        rows = self._array.read(start, stop)
        return (rows.swapaxes(1, 2) if self._bases_last else rows)[..., columns]


class ModiscoArraysSource(ArraySource):
    """Hypothetical contributions as arrays (N, 4, W) beside their one-hot sequences (N, 4, W).

    Several attribution files are folds, averaged in float64. Regions are the central
    ``region_width`` columns. With ``peaks`` they have coordinates, and with ``fasta`` besides all
    sequences are compared with the genome. Files are streamed: reading backwards in an npz starts
    it over.

    Parameters
    ----------
    axis_order
        ``nla`` where both kinds of arrays are (N, W, 4).
    scores
        ``projected`` for the score of the base that is there alone.
    **where
        Fields of ``WhereArraysLie``.

    Raises
    ------
    InputError
        A file is damaged or holds Python objects, shapes or numbers of regions differ, or the
        arrays are narrower than the regions.
    UsageError
        The width is odd, or a genome is given without peaks.
    """

    def __init__(
        self,
        sequences: str | Path,
        attributions: Sequence[str | Path],
        *,
        region_width: int = 1000,
        axis_order: AxisOrder | None = None,
        scores: ScoreKind | None = None,
        **where: str | Path | None,
    ) -> None:
        check_region_width(region_width)
        lie = WhereArraysLie(**where)
        is_last = axis_order == BASES_LAST
        one_hot = FileRows(open_array(sequences), bases_last=is_last)
        folds = [FileRows(open_array(path), bases_last=is_last) for path in attributions]
        check_same_shape(folds)
        check_same_shape([one_hot, *folds])
        n_regions, _, width = one_hot.shape
        super().__init__(
            [one_hot],
            folds,
            columns=central_columns(width, region_width, one_hot.path),
            places=lie.places(n_regions, one_hot.path, region_width=region_width),
            inputs=[*lie.files, sequences, *attributions],
            kind=scores,
        )
