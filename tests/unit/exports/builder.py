"""A run whose names are all that names can be, with regions on the chromosomes of their hits."""

import numpy as np

from finemo_dist.hits.motifs import write_motifs
from tests.unit.catalog.builder import hit, motif_set, region, write_record, write_shard

NASTY = (
    "../../etc/passwd",
    'a "quoted" <script>alert(1)</script>',
    "tab\there\nand a line\r end, 'too' %20 \\",
)
"""Names of motifs; those of samples are made of them."""
SAMPLES = ("plain", "../up\t<b>\n'and\" over")


def small_run(folder, *, names=NASTY, samples=SAMPLES, has_coordinates=True, without=(), seed=4):
    """Two shards of four regions a sample, the last region of each without a hit.

    Samples of ``without`` have no hit at all.
    """
    rng = np.random.default_rng(seed)
    write_record(folder, dict.fromkeys(samples, 2), has_coordinates=has_coordinates, n_regions=8)
    write_motifs(folder, motif_set(names))
    for sample in samples:
        for shard in range(2):
            hits = _hits(rng, shard, names, has_coordinates) if sample not in without else []
            regions = [_region(4 * shard + i, has_coordinates) for i in range(4)]
            write_shard(folder, sample, shard, hits, regions)
    return folder


def _region(peak_id, has_coordinates):
    # chr10 sorts before chr2 by name and after it in the run.
    chrom = peak_id // 4
    return region(
        peak_id=peak_id,
        chr=("chr2", "chr10")[chrom] if has_coordinates else None,
        chr_id=chrom if has_coordinates else -1,
        peak_region_start=40 * (peak_id % 4) - 10 if has_coordinates else 0,
        peak_name=f"peak {peak_id}" if has_coordinates else None,
    )


def _hits(rng, shard, names, has_coordinates):
    rows = {}
    for _ in range(40):
        peak_id = 4 * shard + int(rng.integers(3))
        start = 40 * (peak_id % 4) - 10 + int(rng.integers(-2, 90)) if has_coordinates else 5
        motif = int(rng.integers(2 * len(names)))
        rows[peak_id, start, motif] = hit(
            chr=("chr2", "chr10")[shard] if has_coordinates else None,
            chr_id=shard if has_coordinates else -1,
            start=start,
            end=start + 6,
            start_untrimmed=start - 2,
            end_untrimmed=start + 8,
            motif_name=names[motif // 2],
            motif_id=motif,
            strand="+-"[motif % 2],
            hit_coefficient=float(np.float32(rng.random())),
            hit_coefficient_global=float(np.float32(rng.random())),
            hit_similarity=float(np.float32(rng.random())),
            hit_importance=float(np.float32(rng.random())),
            peak_id=peak_id,
            peak_name=f"peak {peak_id}" if has_coordinates else None,
        )
    return list(rows.values())
