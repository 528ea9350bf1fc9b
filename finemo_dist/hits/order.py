"""The order of rows in tables of hits and of regions, which leaves no trace of how they arose."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import NO_CHROM
from finemo_dist.hits.columns import ColumnValues


def sorted_hits(hits: Mapping[str, ColumnValues]) -> dict[str, ColumnValues]:
    """Return hits by chromosome, start, end, motif and peak, as ``hits.tsv`` has them."""
    chrom, peak = np.asarray(hits["chr_id"]), np.asarray(hits["peak_id"])
    # Without coordinates positions of different regions do not compare, so the region leads.
    region = np.where(chrom == NO_CHROM, peak, 0)
    return _take(hits, (peak, hits["motif_id"], hits["end"], hits["start"], region, chrom))


def sorted_regions(qc: Mapping[str, ColumnValues]) -> dict[str, ColumnValues]:
    """Return the quality control of regions by chromosome, start and peak."""
    return _take(qc, (qc["peak_id"], qc["peak_region_start"], qc["chr_id"]))


def _take(
    columns: Mapping[str, ColumnValues], keys: tuple[ColumnValues, ...]
) -> dict[str, ColumnValues]:
    order: NDArray[np.intp] = np.lexsort(tuple(np.asarray(key) for key in keys))
    return {name: values[order] for name, values in columns.items()}
