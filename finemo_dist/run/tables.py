"""From a solution to the columns of the hit and quality-control tables."""

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import MotifSet, RegionTable
from finemo_dist.hits.columns import Categorical, ColumnValues
from finemo_dist.solver.solution import Hits, RegionFit, Solution


def hit_columns(
    solution: Solution, regions: RegionTable, motifs: MotifSet
) -> dict[str, ColumnValues]:
    """Return the columns of ``HIT_COLUMNS`` for the hits of some regions.

    Scores leave normalised units here: the coefficient and the squared importance by the squared
    global scale of the region, the importance by the scale.
    """
    hits = solution.hits
    row, motif = hits.region.cpu().numpy(), hits.motif.cpu().numpy()
    first = regions.start[row] + hits.position.cpu().numpy()
    scale = solution.fit.global_scale.cpu().numpy()[row]
    coefficient = hits.coefficient.cpu().numpy()
    return {
        "chr": _chrom(regions, row),
        "start": first + motifs.start[motif],
        "end": first + motifs.end[motif],
        "start_untrimmed": first,
        "end_untrimmed": first + motifs.width,
        "motif_name": Categorical(motif, motifs.name),
        "hit_coefficient": _single(coefficient),
        "hit_coefficient_global": _single(coefficient * scale**2),
        "hit_similarity": _single(hits.similarity.cpu().numpy()),
        "hit_importance": _single(hits.importance.cpu().numpy() * scale),
        "hit_importance_sq": _single(hits.importance_sq.cpu().numpy() * scale**2),
        "strand": Categorical(motif, motifs.strand),
        "peak_name": _peak_name(regions, row),
        "peak_id": regions.peak_id[row],
        "motif_id": motif.astype(np.int32),
        "chr_id": regions.chrom_id[row],
    }


def qc_columns(solution: Solution, regions: RegionTable) -> dict[str, ColumnValues]:
    """Return the columns of ``QC_COLUMNS`` for some regions."""
    fit: RegionFit = solution.fit
    rows = np.arange(len(regions))
    return {
        "nll": fit.nll.cpu().numpy(),
        "dual_gap": fit.dual_gap.cpu().numpy(),
        "num_steps": fit.n_steps.cpu().numpy(),
        "step_size": fit.step_size.cpu().numpy(),
        "global_scale": fit.global_scale.cpu().numpy(),
        "peak_id": regions.peak_id,
        "chr": _chrom(regions, rows),
        "peak_region_start": regions.start,
        "peak_name": _peak_name(regions, rows),
        "converged": fit.converged.cpu().numpy(),
        "n_hits": _count_by_region(solution.hits, len(regions)),
        "chr_id": regions.chrom_id,
    }


def _count_by_region(hits: Hits, n_regions: int) -> NDArray[np.int32]:
    return np.bincount(hits.region.cpu().numpy(), minlength=n_regions).astype(np.int32)


def _chrom(regions: RegionTable, row: NDArray[np.integer]) -> Categorical:
    return Categorical(regions.chrom_id[row], regions.chrom_names)


def _peak_name(regions: RegionTable, row: NDArray[np.integer]) -> Categorical:
    codes = row if regions.has_coordinates else np.full(len(row), -1)
    return Categorical(codes, regions.peak_name.tolist())


def _single(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.astype(np.float32)
