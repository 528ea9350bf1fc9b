"""Motifs rebuilt from hits, against a loop over their sequences."""

from dataclasses import dataclass

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.records import RegionBatch, RegionTable
from finemo_dist.exports.site_counts import count_sites
from finemo_dist.hits.motifs import read_motifs
from tests.unit.exports.builder import SAMPLES, small_run


@dataclass
class Regions:
    """Eight regions in two shards, in an order that is not that of their peaks."""

    sequence: np.ndarray
    has_coordinates: bool

    order = np.array([2, 0, 3, 1, 5, 7, 4, 6])

    def shard_rows(self, shard):
        return range(4 * shard, 4 * shard + 4)

    def read(self, start, stop):
        rows = self.order[start:stop]
        return RegionBatch(self.sequence[rows], np.zeros((len(rows), 100), np.float32))

    def table(self, start, stop):
        peak_id = self.order[start:stop].astype(np.uint32)
        place = 40 * (peak_id.astype(np.int64) % 4) - 10
        return RegionTable(
            ("chr2", "chr10") if self.has_coordinates else (),
            (peak_id // 4).astype(np.int32),
            place if self.has_coordinates else np.zeros_like(place),
            peak_id,
            np.full(len(peak_id), ".", object),
        )


@pytest.mark.parametrize("has_coordinates", [True, False])
def test_bases_are_counted_along_the_motif_on_both_strands(tmp_path, rng, has_coordinates):
    run = small_run(tmp_path / "run", has_coordinates=has_coordinates)
    readers = {
        sample: Regions(rng.integers(0, 5, (8, 100)).astype(np.uint8), has_coordinates)
        for sample in SAMPLES
    }

    with open_catalog(run) as catalog:
        found = count_sites(catalog, read_motifs(run), readers)
        hits = catalog.rows("SELECT sample, peak_id, start_untrimmed, motif_id FROM hits")

    expected, n_sites = np.zeros((3, 4, 10), int), np.zeros(3, int)
    for sample, peak_id, start, motif in hits:
        first = start - (40 * (peak_id % 4) - 10 if has_coordinates else 0)
        codes = [
            int(readers[sample].sequence[peak_id, i]) if 0 <= i < 100 else 4
            for i in range(first, first + 10)
        ]
        if motif % 2:
            codes = [3 - code if code < 4 else 4 for code in reversed(codes)]
        for column, code in enumerate(codes):
            if code < 4:
                expected[motif // 2, code, column] += 1
        n_sites[motif // 2] += 1
    assert np.array_equal(found.counts, expected)
    assert np.array_equal(found.n_sites, n_sites)
