"""Runs of two groups of samples whose hits are drawn from known rates and scores."""

import numpy as np

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.compaction import parts_digest
from finemo_dist.core.records import Unit
from finemo_dist.core.schema import CONFIDENCE_TABLES
from finemo_dist.hits.columns import Categorical
from finemo_dist.hits.confidence import ConfidenceRecord, table_path, write_rows
from finemo_dist.hits.motifs import write_motifs
from finemo_dist.hits.write import write_unit
from tests.unit.catalog.builder import (
    CONFIG_DIGEST,
    REGION_WIDTH,
    STORE_DIGEST,
    motif_set,
    write_record,
)

STRIDE = 200
"""Bases from region to region."""


def write_groups(run, rates, *, scores=None, seed=0, n_regions=100, scale=None, is_placed=True):
    """Write a run of one sample a column of ``rates``.

    Parameters
    ----------
    rates : (M, S)
        Expected hits per region.
    scores : (M, S)
        Means of the logarithm of the score; 0 when None.
    n_regions : int or (S,)
    scale : (S,)
        Factors of the contributions of each model; random when None.
    """
    rng = np.random.default_rng(seed)
    rates = np.asarray(rates, float)
    n_motifs, n_samples = rates.shape
    names = [f"m{i}" for i in range(n_motifs)]
    samples = [f"s{i:03d}" for i in range(n_samples)]
    scores = np.zeros(rates.shape) if scores is None else scores
    scale = np.exp(rng.normal(0, 2, n_samples)) if scale is None else scale
    sizes = np.broadcast_to(n_regions, n_samples).tolist()
    record = write_record(
        run, dict.fromkeys(samples, 1), n_regions=max(sizes), has_coordinates=is_placed
    )
    record.model_copy(update={"n_motifs": 2 * n_motifs}).save(run)
    write_motifs(run, motif_set(names))
    for i, sample in enumerate(samples):
        hits, region = _drawn(rng, rates[:, i], scores[:, i], scale[i], sizes[i], is_placed)
        write_unit(
            run,
            Unit(sample, 0),
            hits=_columns(hits, region, names, is_placed),
            qc=_regions(region, sizes[i], is_placed),
            config_digest=CONFIG_DIGEST,
            store_digest=STORE_DIGEST,
        )
    return samples


def write_q(run, thresholds, *, motifs=None, q=0.01):
    """Give hits with a score of at least the threshold of their sample a q, and others 1.

    Parameters
    ----------
    thresholds
        Sample to score.
    motifs
        Those that have a q; all when None.
    """
    with open_catalog(run) as catalog:
        names = catalog.motifs.names[::2] if motifs is None else motifs
        digests = {name: parts_digest(catalog.units(name).values()) for name in catalog.samples}
    rows = [
        {"sample": sample, "own_name": motif, "hit_amplitude": amplitude, "q": value}
        for sample, score in thresholds.items()
        for motif in names
        # The amplitude of a hit whose coefficients and importance are its score.
        for amplitude, value in ((0.0, 1.0), (score / np.sqrt(1 + score**2), q))
    ]
    for table in CONFIDENCE_TABLES.keys() - {"decoy_hits"}:
        write_rows(table_path(run, table), table, rows if table == "steps" else [])
    kept = {sample: digests[sample] for sample in thresholds}
    ConfidenceRecord(0, 1.0, 3, kept, {}, ()).save(run)


def _drawn(rng, rates, scores, scale, n_regions, is_placed):
    """Return motif, place and score of hits; a motif has one of few places in a region."""
    n = rng.poisson(np.tile(rates, n_regions))
    index = np.repeat(np.arange(len(n)), n)
    region, motif = index // len(rates), index % len(rates)
    slot = rng.integers(0, 12, len(index))
    _, kept = np.unique(np.stack([region, motif, slot]), axis=1, return_index=True)
    kept.sort()
    region, motif, slot = region[kept], motif[kept], slot[kept]
    score = scale * np.exp(rng.normal(scores[motif], 0.6))
    start = 7 * slot + (region * STRIDE if is_placed else 0)
    return {"motif": motif, "start": start, "score": score}, region


def _columns(hits, region, names, is_placed):
    n = len(region)
    ids = (2 * hits["motif"]).astype(np.int32)
    score = hits["score"].astype(np.float32)
    chrom = np.zeros(n, int) if is_placed else np.full(n, -1)
    return {
        "chr": Categorical(chrom, ["chrA"]),
        "start": hits["start"],
        # Motifs of other widths at one start, which order sites.
        "end": hits["start"] + 6 - hits["motif"] % 3,
        "start_untrimmed": hits["start"] - 2,
        "end_untrimmed": hits["start"] + 8,
        "motif_name": Categorical(hits["motif"], names),
        "hit_coefficient": score,
        "hit_coefficient_global": score,
        "hit_similarity": np.full(n, 0.8, np.float32),
        "hit_importance": score,
        "hit_importance_sq": score**2,
        "strand": Categorical(np.zeros(n, int), ["+"]),
        "peak_name": Categorical(region if is_placed else np.full(n, -1), _names(region)),
        "peak_id": region.astype(np.uint32),
        "motif_id": ids,
        "chr_id": chrom.astype(np.int32),
    }


def _regions(region, n_regions, is_placed):
    rows = np.arange(n_regions)
    chrom = np.zeros(n_regions, int) if is_placed else np.full(n_regions, -1)
    return {
        "nll": np.full(n_regions, 0.2),
        "dual_gap": np.full(n_regions, 1e-9),
        "num_steps": np.full(n_regions, 3),
        "step_size": np.zeros(n_regions),
        "global_scale": np.ones(n_regions),
        "peak_id": rows.astype(np.uint32),
        "chr": Categorical(chrom, ["chrA"]),
        "peak_region_start": rows * STRIDE if is_placed else np.zeros(n_regions, int),
        "peak_name": np.array([f"p{i}" for i in rows], object),
        "converged": np.ones(n_regions, bool),
        "n_hits": np.bincount(region, minlength=n_regions).astype(np.int32),
        "chr_id": chrom.astype(np.int32),
    }


def _names(region):
    return [f"p{i}" for i in range(int(region.max(initial=0)) + 1)]


assert REGION_WIDTH < STRIDE
