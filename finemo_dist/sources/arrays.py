"""Arrays as modisco-lite takes them: one-hot sequences and attributions in npy or npz files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from finemo_dist.sources._batch import central_columns
from finemo_dist.sources._npz import FileArray, open_array
from finemo_dist.sources._places import places_of_arrays
from finemo_dist.sources._rows import ArraySource, check_same_shape
from finemo_dist.sources.peaks import check_region_width


class FileRows:
    """An array of numbers in a file, read whole rows at a time and cut to columns."""

    def __init__(self, array: FileArray) -> None:
        self._array = array
        self.path = array.path
        self.shape = array.shape

    def read(self, start: int, stop: int, columns: slice) -> NDArray[Any]:
        """Return rows ``start`` to ``stop`` at ``columns`` of the last axis."""
        return self._array.read(start, stop)[..., columns]


class ModiscoArraysSource(ArraySource):
    """Hypothetical contributions as arrays (N, 4, W) beside their one-hot sequences (N, 4, W).

    Several attribution files are folds, averaged in float64. Regions are the central
    ``region_width`` columns. With ``peaks`` they have coordinates, and with ``fasta`` besides all
    sequences are compared with the genome. Files are streamed: reading backwards in an npz starts
    it over.

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
        peaks: str | Path | None = None,
        fasta: str | Path | None = None,
        chrom_order: str | Path | None = None,
    ) -> None:
        check_region_width(region_width)
        one_hot = FileRows(open_array(sequences))
        scores = [FileRows(open_array(path)) for path in attributions]
        check_same_shape(scores)
        check_same_shape([one_hot, *scores])
        n_regions, _, width = one_hot.shape
        super().__init__(
            [one_hot],
            scores,
            columns=central_columns(width, region_width, one_hot.path),
            places=places_of_arrays(
                n_regions,
                one_hot.path,
                region_width=region_width,
                peaks=peaks,
                fasta=fasta,
                chrom_order=chrom_order,
            ),
            inputs=[p for p in (peaks, fasta, sequences, *attributions) if p is not None],
        )
