"""A run of overlapping regions with random hits, some of them where seqlets are."""

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.hits.motifs import read_motifs, write_motifs
from tests.unit.catalog.builder import hit, motif_set, region, write_record, write_shard
from tests.unit.reports.regions import random_regions, seqlets_at

N_REGIONS = 12
STEP = 50
WIDTH = 10
WINDOW_BP = 60


def hits_in(rng, n, *, has_coordinates=True):
    """Random hits of motifs m0 to m2 in regions that overlap by half."""
    rows = {}
    for _ in range(n):
        peak, motif = int(rng.integers(N_REGIONS)), int(rng.integers(6))
        offset = 5 * int(rng.integers(19))
        first = offset + (STEP * peak if has_coordinates else 0)
        rows[peak, motif, first] = hit(
            chr="chrA" if has_coordinates else None,
            chr_id=0 if has_coordinates else -1,
            start=first + 2,
            end=first + 8,
            start_untrimmed=first,
            end_untrimmed=first + WIDTH,
            motif_name=f"m{motif // 2}",
            motif_id=motif,
            strand="+-"[motif % 2],
            hit_coefficient=float(np.float32(rng.exponential(3) + 0.1)),
            hit_coefficient_global=float(rng.integers(1, 4)),
            hit_similarity=float(np.float32(rng.uniform(0.7, 1))),
            hit_importance=float(np.float32(rng.exponential(2) + 0.1)),
            peak_name="peak" if has_coordinates else None,
            peak_id=peak,
        )
    return list(rows.values())


def write_overlapping(run, samples, *, has_coordinates=True, n_shards=3):
    """``samples``: name to hits, spread over shards in turn."""
    write_record(
        run,
        dict.fromkeys(samples, n_shards),
        has_coordinates=has_coordinates,
        n_regions=N_REGIONS,
    )
    write_motifs(run, motif_set())
    for sample, hits in samples.items():
        for shard in range(n_shards):
            peaks = range(shard, N_REGIONS, n_shards)
            mine = [h for h in hits if h["peak_id"] in peaks]
            regions = [
                region(
                    peak_id=p,
                    chr="chrA" if has_coordinates else None,
                    chr_id=0 if has_coordinates else -1,
                    peak_region_start=STEP * p if has_coordinates else 0,
                    peak_name="peak" if has_coordinates else None,
                    n_hits=sum(h["peak_id"] == p for h in mine),
                    converged=p != 3,
                    nll=p / 10,
                )
                for p in peaks
            ]
            write_shard(run, sample, shard, mine, regions)
    return run


def seqlets_of(rng, hits, *, has_coordinates=True):
    """Seqlets at some of the hits, in places of their own, and outside the window."""
    places = []
    for row in hits:
        offset = row["start_untrimmed"] - (STEP * row["peak_id"] if has_coordinates else 0) - 20
        if rng.random() < 0.4:
            name = f"pos_patterns.{row['motif_name']}"
            places.append((name, row["peak_id"], offset, row["strand"] == "-"))
    places += [
        (
            f"pos_patterns.m{rng.integers(4)}",
            int(rng.integers(N_REGIONS + 2)),
            int(rng.integers(-5, 60)),
            bool(rng.integers(2)),
        )
        for _ in range(20)
    ]
    return seqlets_at(places)


@pytest.fixture(scope="module", params=[True, False], ids=["coordinates", "no coordinates"])
def scene(request, tmp_path_factory):
    """Hits, seqlets and an open catalog of one sample."""
    rng = np.random.default_rng(11)
    hits = hits_in(rng, 400, has_coordinates=request.param)
    seqlets = seqlets_of(rng, hits, has_coordinates=request.param)
    run = write_overlapping(
        tmp_path_factory.mktemp("run"), {"liver": hits}, has_coordinates=request.param
    )
    regions = random_regions(rng, N_REGIONS)
    with open_catalog(run) as catalog:
        yield Scene(catalog, read_motifs(run), hits, seqlets, regions, request.param)


class Scene:
    def __init__(self, catalog, motifs, hits, seqlets, regions, has_coordinates):
        self.catalog, self.motifs, self.hits = catalog, motifs, hits
        self.seqlets, self.regions = seqlets, regions
        self.has_coordinates = has_coordinates

    def offset(self, row):
        return row["start_untrimmed"] - (STEP * row["peak_id"] if self.has_coordinates else 0)

    def key(self, row):
        """What makes two hits one place."""
        where = None if self.has_coordinates else row["peak_id"]
        return where, row["start_untrimmed"], row["motif_name"], row["strand"]

    @property
    def places(self):
        """Place to whether it is inside the middle window in some region."""
        found = {}
        for row in self.hits:
            inside = 20 <= self.offset(row) <= 20 + WINDOW_BP - WIDTH
            found[self.key(row)] = found.get(self.key(row), False) or inside
        return found

    @property
    def seqlet_places(self):
        """Seqlets that could have been found, each once, as (place, region)."""
        s = self.seqlets
        found = set()
        for i, pattern in enumerate(s.pattern):
            peak, start, name = int(s.region[i]), int(s.start[i]), pattern.split(".")[1]
            if peak >= N_REGIONS or name == "m3" or start < 0 or s.end[i] > WINDOW_BP:
                continue
            first = start + 20 + (STEP * peak if self.has_coordinates else 0)
            where = None if self.has_coordinates else peak
            found.add(((where, first, name, "-" if s.is_reverse[i] else "+"), peak))
        return found
