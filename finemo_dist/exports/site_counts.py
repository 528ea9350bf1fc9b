"""The bases that stand at the hits of each motif: motifs rebuilt from what was called."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import UNKNOWN_BASE, MotifSet, Unit
from finemo_dist.hits.layout import part_path

_N_CODES = 5


@dataclass(frozen=True, slots=True)
class SiteCounts:
    """Bases counted over the hits of each motif, both strands, read along the motif."""

    counts: NDArray[np.int64]
    """(M / 2, 4, W) untrimmed columns; unknown bases and those beyond a region are not counted."""
    n_sites: NDArray[np.int64]
    """(M / 2,) hits."""


def count_sites(
    catalog: Catalog, motifs: MotifSet, readers: Mapping[str, RegionReader]
) -> SiteCounts:
    """Count bases over all hits, one shard of regions in memory at a time.

    Parameters
    ----------
    readers
        Sample to the regions its hits were called in; which samples to count.

    Raises
    ------
    StoreError, RunError
        A store or a part is damaged.
    """
    width = motifs.width
    tally = np.zeros(len(motifs) * width * _N_CODES, np.int64)
    n_sites = np.zeros(len(motifs), np.int64)
    for sample, reader in readers.items():
        for shard in catalog.units(sample):
            part = part_path(catalog.run_dir, "hits", Unit(sample, shard))
            rows = reader.shard_rows(shard)
            sequence = reader.read(rows.start, rows.stop).sequence
            table = reader.table(rows.start, rows.stop)
            order = np.argsort(table.peak_id)
            for batch in catalog.stream("part_sites", {"path": str(part)}):
                peak, motif, start = (batch.column(i).to_numpy() for i in range(3))
                row = order[np.searchsorted(table.peak_id[order], peak)]
                codes = _windows(sequence, row, start - table.start[row], width)
                cell = (motif[:, None] * width + np.arange(width)) * _N_CODES + codes
                tally += np.bincount(cell.ravel(), minlength=len(tally))
                n_sites += np.bincount(motif, minlength=len(motifs))
    # (M, W, 5) to (M, 4, W); the reverse strand, turned and complemented, adds to the forward.
    by_base = tally.reshape(len(motifs), width, _N_CODES)[:, :, :4].transpose(0, 2, 1)
    counts = by_base[0::2] + by_base[1::2, ::-1, ::-1]
    return SiteCounts(counts, n_sites[0::2] + n_sites[1::2])


def _windows(
    sequence: NDArray[np.uint8], row: NDArray[np.intp], first: NDArray[np.int64], width: int
) -> NDArray[np.int64]:
    """Return the codes of ``width`` bases from ``first`` of each row; unknown beyond its ends."""
    columns = first[:, None] + np.arange(width)
    is_inside = (columns >= 0) & (columns < sequence.shape[1])
    found = sequence[row[:, None], np.clip(columns, 0, sequence.shape[1] - 1)]
    return np.where(is_inside, found, UNKNOWN_BASE).astype(np.int64)
