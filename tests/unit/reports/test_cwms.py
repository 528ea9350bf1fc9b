import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.reports import cwms
from finemo_dist.reports.cwms import CwmSums, Sites, accumulate, cosine, hit_cwms
from finemo_dist.reports.scope import prepare
from tests.unit.reports.conftest import WIDTH, WINDOW_BP
from tests.unit.reports.regions import random_regions


def looped(regions, sites, n_groups, width):
    """The definition, a base at a time."""
    total = np.zeros((n_groups, 4, width))
    for row, offset, is_reverse, group in zip(
        sites.row, sites.offset, sites.is_reverse, sites.group, strict=True
    ):
        for column in range(width):
            position = offset + column
            if not 0 <= position < regions.region_width:
                continue
            base = regions.sequence[row, position]
            if base == 4:
                continue
            scores = regions.contributions[row]
            value = scores[position] if scores.ndim == 1 else scores[base, position]
            at = (3 - base, width - 1 - column) if is_reverse else (base, column)
            total[(group, *at)] += value
    return total


def random_sites(rng, n_regions, length, n_groups, n=60):
    return Sites(
        row=rng.integers(0, n_regions, n),
        offset=rng.integers(-8, length, n),
        is_reverse=rng.random(n) < 0.5,
        group=rng.integers(0, n_groups, n),
    )


@given(seed=st.integers(0, 2**32 - 1), hypothetical=st.booleans())
def test_a_block_adds_up_what_lies_under_its_sites(seed, hypothetical):
    rng = np.random.default_rng(seed)
    regions = random_regions(rng, 4, width=30, hypothetical=hypothetical)
    sites = random_sites(rng, 4, 30, 3)

    sums = accumulate(regions.read(0, 4), sites, n_groups=3, width=7)

    # Sums of numbers of eleven bits are exact, whatever their order.
    np.testing.assert_array_equal(sums.total, looped(regions, sites, 3, 7))
    np.testing.assert_array_equal(sums.count, np.bincount(sites.group, minlength=3))


def test_sites_are_taken_in_pieces(monkeypatch):
    rng = np.random.default_rng(2)
    regions, sites = random_regions(rng, 4, width=30), random_sites(rng, 4, 30, 3)
    whole = accumulate(regions.read(0, 4), sites, n_groups=3, width=7)

    monkeypatch.setattr(cwms, "_SITES_AT_ONCE", 7)

    pieces = accumulate(regions.read(0, 4), sites, n_groups=3, width=7)
    np.testing.assert_array_equal(pieces.total, whole.total)


def test_a_mean_over_nothing_is_no_number():
    assert np.isnan(CwmSums.zero(1, 3).mean).all()


def test_cosine_of_nothing_is_no_number():
    assert np.isnan(cosine(np.zeros((4, 3)), np.ones((4, 3))))
    assert cosine(np.ones((4, 3)), 2 * np.ones((4, 3))) == pytest.approx(1)


def best_hits(scene):
    """Of the hits at one place the one with the largest global coefficient, then lowest peak."""
    best = {}
    for row in sorted(scene.hits, key=lambda r: (-r["hit_coefficient_global"], r["peak_id"])):
        best.setdefault(scene.key(row), row)
    return best


def test_cwms_are_means_over_hits_and_over_what_only_one_side_has(scene):
    prepare(scene.catalog, scene.motifs, scene.seqlets, window_bp=WINDOW_BP)
    seqlets = dict(scene.seqlet_places)
    best = best_hits(scene)

    sums = hit_cwms(scene.catalog, {"liver": scene.regions}, scene.motifs)

    only_hits = [p for p, inside in scene.places.items() if inside and p not in seqlets]
    only_seqlets = [(p, peak) for p, peak in scene.seqlet_places if p not in scene.places]
    for rank, name in enumerate(("m0", "m1", "m2")):
        rows = [best[p] for p in best if p[2] == name]
        check(scene, sums["hits"], rank, [(r["peak_id"], scene.key(r)) for r in rows])
        mine = [(best[p]["peak_id"], p) for p in only_hits if p[2] == name]
        check(scene, sums["hits_restricted_only"], rank, mine)
        mine = [(peak, p) for p, peak in only_seqlets if p[2] == name]
        check(scene, sums["seqlets_only"], rank, mine)


def check(scene, sums, rank, places):
    step = 50 if scene.has_coordinates else 0
    sites = Sites(
        row=np.array([peak for peak, _ in places]),
        offset=np.array([place[1] - step * peak for peak, place in places]),
        is_reverse=np.array([place[3] == "-" for _, place in places]),
        group=np.zeros(len(places), int),
    )
    assert sums.count[rank] == len(places) > 0
    np.testing.assert_array_equal(sums.total[rank], looped(scene.regions, sites, 1, WIDTH)[0])


@pytest.mark.parametrize(
    ("shard_regions", "n_threads", "block"), [(1, 1, 9), (12, 3, 5), (5, 2, 1)]
)
def test_shards_threads_and_blocks_change_nothing(
    scene, monkeypatch, shard_regions, n_threads, block
):
    prepare(scene.catalog, scene.motifs, scene.seqlets, window_bp=WINDOW_BP)
    whole = hit_cwms(scene.catalog, {"liver": scene.regions}, scene.motifs)
    monkeypatch.setattr(cwms, "_BLOCK_REGIONS", block)
    divided = type(scene.regions)(
        scene.regions.sequence, scene.regions.contributions, scene.regions.places, shard_regions
    )

    again = hit_cwms(scene.catalog, {"liver": divided}, scene.motifs, n_threads=n_threads)

    for kind, sums in whole.items():
        np.testing.assert_array_equal(again[kind].total, sums.total)


def test_regions_in_another_order_than_their_peaks_are_found(scene):
    prepare(scene.catalog, scene.motifs, None, window_bp=WINDOW_BP)
    whole = hit_cwms(scene.catalog, {"liver": scene.regions}, scene.motifs)
    order = np.random.default_rng(1).permutation(scene.regions.n_regions)
    shuffled = type(scene.regions)(
        scene.regions.sequence[order],
        scene.regions.contributions[order],
        scene.regions.places[order],
    )

    again = hit_cwms(scene.catalog, {"liver": shuffled}, scene.motifs)

    np.testing.assert_array_equal(again["hits"].total, whole["hits"].total)
