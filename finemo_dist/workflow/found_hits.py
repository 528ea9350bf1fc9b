"""Hits held in memory: what ``find_hits`` returns."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.table import Table
from finemo_dist.core.errors import UsageError
from finemo_dist.core.words import count

_SHOWN_COLUMNS: Final = (
    "chr", "start", "end", "motif_name", "strand", "hit_coefficient", "hit_similarity",
    "hit_importance", "peak_name", "peak_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Hits(Table):
    """The hits of some regions, in memory: a table, with more about the regions.

    It has the rows and columns of ``hits.tsv``, followed by ``motif_id``, ``chr_id`` and
    ``hit_score``. Without coordinates, ``chr`` and ``peak_name`` are null, and positions count from
    the first base of the region. ``peak_id`` is the row of the region in the arrays.
    """

    _qc: pa.Table
    """One row for each region."""
    _residual: Callable[[int], NDArray[np.float64]]
    """What gives the residual of a region."""

    @property
    def qc(self) -> Table:
        """How well each region was solved, in the order of the arrays.

        The columns of ``peaks_qc.tsv``, then ``n_hits``, ``chr_id`` and ``reconstruction``: the
        share of the squared contributions that the optimum explains, before the post-filter.
        """
        return Table(self._qc)

    def residual(self, region: int) -> NDArray[np.float64]:
        """Return the contributions of a region minus what its hits reconstruct.

        Parameters
        ----------
        region
            Row in the arrays, from 0; negative ones count from the end.

        Returns
        -------
        (L,) contributions of the observed bases; (4, L) in modes ``ph`` and ``hh``. With
        ``sqrt_transform`` they are signed square roots of contributions.

        Raises
        ------
        UsageError
            There is no such region.
        """
        n_regions = len(self._qc)
        if not -n_regions <= region < n_regions:
            raise UsageError(
                f"Region {region}: there are {n_regions:,} regions. Expected 0 to {n_regions - 1}."
            )
        return self._residual(region % n_regions)

    def __repr__(self) -> str:
        motifs = len(self._arrow["motif_name"].unique())
        converged = int(np.count_nonzero(self._qc["converged"]))
        largest = float(np.max(self._qc["dual_gap"], initial=0.0))
        return (
            f"<Hits: {count(len(self), 'hit')} of {count(motifs, 'motif')} in "
            f"{count(len(self._qc), 'region')}; {converged:,} converged, "
            f"largest gap {largest:.2g}>"
        )

    def _repr_html_(self) -> str:
        shown = Table(self._arrow.select(_SHOWN_COLUMNS))
        return f"<p>{escape(repr(self)[1:-1])}</p>{shown._repr_html_()}"
