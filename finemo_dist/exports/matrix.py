"""The matrix of regions and motifs, block by block: what h5ad and Matrix Market are made of."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.exports.chunks import focused
from finemo_dist.exports.tables import HitTable

VALUES = ("n_hits", "coefficient", "importance")
"""What a cell holds: hits, their hit_coefficient_global summed, their hit_importance summed."""


Q = "decoy_q"
"""The smallest q of the hits of a cell; NaN where none has one."""


@dataclass(frozen=True, slots=True)
class Regions:
    """The rows of a sample: every committed region, by peak_id."""

    sample: str
    peak_id: NDArray[np.int64]
    chrom: NDArray[np.object_]
    """Empty where regions have no coordinates."""
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    peak_name: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.peak_id)


@dataclass(frozen=True, slots=True)
class Cells:
    """Consecutive cells that are not zero, by row and column."""

    row: NDArray[np.int64]
    """In the regions of the sample."""
    column: NDArray[np.int32]
    values: dict[str, NDArray[np.float32]]
    """One array for each of ``VALUES``."""


@dataclass(frozen=True, slots=True)
class Motif:
    """A column of the matrix."""

    motif_name: str
    motif_name_orig: str
    motif_scale: float
    penalty: float
    tf: str | None
    family: str | None
    cluster: str | None


def motif_columns(catalog: Catalog) -> list[Motif]:
    """Return the columns, in the order of the run; both strands of a motif are one."""
    return [Motif(*row) for row in catalog.run("matrix_motifs")]


def regions_of(catalog: Catalog, sample: str) -> Regions:
    """Return the rows of a sample."""
    batches = list(catalog.stream("matrix_regions", {"sample": sample}))

    def column(i: int) -> NDArray[np.generic]:
        arrays = [batch.column(i).to_numpy(zero_copy_only=False) for batch in batches]
        return np.concatenate(arrays) if arrays else np.empty(0)

    return Regions(
        sample=sample,
        peak_id=column(0).astype(np.int64),
        chrom=column(1).astype(object),
        start=column(2).astype(np.int64),
        end=column(3).astype(np.int64),
        peak_name=column(4).astype(object),
    )


def cells_of(
    catalog: Catalog, regions: Regions, table: HitTable, *, with_q: bool = False
) -> Iterator[Cells]:
    """Yield the cells of a sample in order; nothing is held but one batch.

    Parameters
    ----------
    with_q
        Whether cells have ``decoy_q`` too: the smallest of their hits.
    """
    query, names = ("matrix_cells_q", (*VALUES, Q)) if with_q else ("matrix_cells", VALUES)
    asked = {"sample": regions.sample, "table": table.value}
    with focused(catalog, regions.sample) as single:
        of_motif = _columns_of(catalog, single)
        for batch in single.stream(query, asked):
            n_columns = 2 + len(names)
            columns = [batch.column(i).to_numpy(zero_copy_only=False) for i in range(n_columns)]
            yield Cells(
                row=np.searchsorted(regions.peak_id, columns[0]),
                column=of_motif[columns[1]],
                values=dict(zip(names, columns[2:], strict=True)),
            )


def _columns_of(catalog: Catalog, single: Catalog) -> NDArray[np.int32]:
    """Return the columns of the motifs that a catalog of one sample shows, in its order."""
    column = {motif.motif_name: i for i, motif in enumerate(motif_columns(catalog))}
    return np.array([column[motif.motif_name] for motif in motif_columns(single)], np.int32)
