from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.named import rows_of
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.reports.cwms import hit_cwms
from finemo_dist.reports.gather import (
    gather_atlas,
    gather_report,
    hit_matrix,
    sample_quality,
)
from finemo_dist.reports.scope import prepare
from finemo_dist.reports.tables import motif_report, seqlet_confusion
from tests.unit.catalog.builder import hit
from tests.unit.reports.conftest import N_REGIONS, WINDOW_BP, hits_in, write_overlapping
from tests.unit.reports.regions import random_regions


@pytest.fixture(scope="module")
def data(scene):
    readers = {"liver": scene.regions}
    scope = prepare(scene.catalog, scene.motifs, scene.seqlets, window_bp=WINDOW_BP)
    sums = hit_cwms(scene.catalog, readers, scene.motifs)
    return gather_report(
        scene.catalog,
        readers,
        scene.motifs,
        title="t",
        motif_report=motif_report(scene.catalog, scene.motifs, sums, scope),
        confusion=seqlet_confusion(scene.catalog, scene.motifs),
        sums=sums,
        scope=scope,
    )


def bins(data, motif, quantity):
    return [
        (row["bin_start"], row["bin_end"], row["n"])
        for row in data.distributions.to_pylist()
        if (row["motif_name"], row["quantity"]) == (motif, quantity)
    ]


def test_the_summary_counts_regions_and_hits(scene, data):
    with_hits = {row["peak_id"] for row in scene.hits}

    assert data.summary.n_hits == len(scene.hits)
    assert data.summary.n_regions == data.summary.n_regions_done == N_REGIONS
    assert data.summary.n_without_hit == N_REGIONS - len(with_hits)
    assert data.summary.n_not_converged == 1
    assert data.summary.n_motifs == 3
    assert 0 < data.summary.median_recall < 1


def test_seqlets_that_do_not_count_are_warnings_of_the_page(scene, data):
    s = scene.seqlets
    outside = np.count_nonzero((s.start < 0) | (s.end > WINDOW_BP))

    assert data.summary.warnings == {
        "seqlets outside the window": outside,
        "seqlets not shared with the run": len(s) - outside - len(scene.seqlet_places),
    }


def test_what_hits_and_seqlets_do_not_share_has_a_CWM(scene, data):  # noqa: N802
    reported = {row["motif_name"]: row for row in data.motif_report.to_pylist()}

    for held, column in (
        (data.missed_cwms, "num_seqlets_only"),
        (data.additional_cwms, "num_hits_restricted_only"),
    ):
        assert set(held) == {name for name, row in reported.items() if row[column]}
        assert all(np.isfinite(cwm).all() for cwm in held.values())


def test_a_report_shows_the_strongest_region_of_every_motif(scene, data):
    shown = {
        why.removeprefix("strongest of ")
        for view in data.loci
        for why in view.why.split(", ")
        if why.startswith("strongest of ")
    }

    assert shown == {row["motif_name"] for row in scene.hits}
    assert {"most hits", "least explained"} <= {w for v in data.loci for w in v.why.split(", ")}
    names = [view.name for view in data.loci]
    assert len(set(names)) == len(names)


def test_hits_per_region_are_counted(scene, data):
    of_region = Counter(row["peak_id"] for row in scene.hits)
    expected = Counter(of_region[peak] for peak in range(N_REGIONS))
    of_m1 = Counter(Counter(r["peak_id"] for r in scene.hits if r["motif_name"] == "m1").values())

    assert bins(data, None, "hits_per_region") == [
        (n, n + 1, expected[n]) for n in sorted(expected)
    ]
    assert bins(data, "m1", "hits_per_region") == [(n, n + 1, of_m1[n]) for n in sorted(of_m1)]


@pytest.mark.parametrize(
    ("quantity", "column"),
    [
        ("similarity", "hit_similarity"),
        ("coefficient", "hit_coefficient"),
        ("importance", "hit_importance"),
    ],
)
def test_each_bin_counts_the_hits_in_it(scene, data, quantity, column):
    values = np.array([r[column] for r in scene.hits if r["motif_name"] == "m2"])
    found = bins(data, "m2", quantity)

    assert sum(n for _, _, n in found) == len(values)
    for start, end, n in found[:-1]:
        assert n == np.count_nonzero((values >= start) & (values < end))
    assert found[-1][2] == np.count_nonzero(values >= found[-1][0])
    if quantity != "similarity":
        assert np.count_nonzero(values >= found[-1][1]) <= 0.01 * len(values)
        assert len(found) <= 32


def test_places_are_counted_from_the_middle_of_the_region(scene, data):
    found = bins(data, None, "position")
    centres = np.array([scene.offset(r) + 5 - 50 for r in scene.hits])

    assert sum(n for _, _, n in found) == len(centres)
    for start, end, n in found:
        assert end - start == 2
        assert n == np.count_nonzero((centres >= start) & (centres < end))


def test_motifs_that_share_regions_are_counted_with_their_odds_ratio(scene, data):
    present = {name: {r["peak_id"] for r in scene.hits if r["motif_name"] == name}
               for name in ("m0", "m1", "m2")}  # fmt: skip

    rows = data.cooccurrence.to_pylist()

    assert {(r["motif_1"], r["motif_2"]) for r in rows} == set(combinations(sorted(present), 2))
    for row in rows:
        a, b = present[row["motif_1"]], present[row["motif_2"]]
        both, neither = len(a & b), N_REGIONS - len(a | b)
        assert (row["n_both"], row["n_first"], row["n_second"]) == (both, len(a - b), len(b - a))
        expected = (both + 0.5) * (neither + 0.5) / ((len(a - b) + 0.5) * (len(b - a) + 0.5))
        assert row["odds_ratio"] == pytest.approx(expected, rel=1e-12)


def test_spacing_counts_pairs_by_distance_and_orientation(scene, data):
    expected = Counter()
    for one, other in combinations(sorted(scene.places, key=lambda p: p[1]), 2):
        if one[0] != other[0] or not 6 <= other[1] - one[1] <= 150:
            continue
        names = tuple(sorted((one[2], other[2])))
        facing = {"++": "same", "--": "same", "+-": "convergent", "-+": "divergent"}
        expected[(*names, facing[one[3] + other[3]], other[1] - one[1])] += 1

    found = {
        (r["motif_1"], r["motif_2"], r["orientation"], r["distance"]): r["n"]
        for r in data.spacing.to_pylist()
    }

    unsigned = Counter()
    for (*pair, orientation, distance), n in found.items():
        unsigned[(*pair, orientation, abs(distance))] += n
    assert unsigned == expected


@pytest.mark.parametrize(("apart", "n_pairs"), [(5, 0), (6, 1), (150, 1), (151, 0)])
def test_a_pair_shares_no_base_and_is_not_far_apart(tmp_path, apart, n_pairs):
    pair = [
        hit(start=a + 2, end=a + 8, start_untrimmed=a, end_untrimmed=a + 10, peak_id=2)
        for a in (101, 101 + apart)
    ]
    run = write_overlapping(tmp_path / "run", {"liver": pair})
    with open_catalog(run) as catalog:
        found = rows_of(catalog, "spacing", {"overlaps": "no", "orientation": "facing"})

    assert [(r["orientation"], r["distance"], r["n"]) for r in found] == [
        ("same", apart, 1)
    ] * n_pairs


def test_examples_show_the_region_with_most_hits_and_its_scores(scene, data):
    most = Counter(row["peak_id"] for row in scene.hits)
    best = min(range(N_REGIONS), key=lambda peak: (-most[peak], peak))
    example = data.examples[0]

    assert example.title == "most hits"
    np.testing.assert_array_equal(example.sequence, scene.regions.sequence[best])
    np.testing.assert_array_equal(example.contributions, scene.regions.contributions[best])
    assert len(example.hits) == most[best]
    assert {h.start for h in example.hits} == {
        scene.offset(row) + 2 for row in scene.hits if row["peak_id"] == best
    }


def test_regions_are_shown_once(data):
    places = [(e.place, e.sequence.tobytes()) for e in data.examples]

    assert len(set(places)) == len(places)


def test_the_funnel_leaves_out_regions_that_did_not_converge_and_second_finds(scene, data):
    n_not_converged = sum(row["peak_id"] == 3 for row in scene.hits)

    assert [n for _, n in data.funnel][:3] == [
        len(scene.hits),
        len(scene.hits) - n_not_converged,
        len(scene.places),
    ]
    assert n_not_converged > 0


def test_the_funnel_ends_with_primary_hits(scene, data):
    ((n_primary,),) = scene.catalog.rows("SELECT count(*) FROM hits_primary")

    assert data.funnel[-1] == ("Primary hits: no better hit overlaps", n_primary)
    assert 0 < n_primary < len(scene.places)


def test_an_atlas_counts_hits_by_motif_and_sample(tmp_path):
    rng = np.random.default_rng(8)
    hits = {"b": hits_in(rng, 90), "a": hits_in(rng, 60), "empty": []}
    run = write_overlapping(tmp_path / "run", hits)
    readers = {name: random_regions(rng, N_REGIONS) for name in hits}
    with open_catalog(run) as catalog:
        motifs = read_motifs(run)
        scope = prepare(catalog, motifs, None, window_bp=WINDOW_BP)
        sums = hit_cwms(catalog, readers, motifs, n_threads=2)
        report = motif_report(catalog, motifs, sums, scope)
        data = gather_atlas(catalog, {}, motifs, title="t", motif_report=report, sums=sums)
        matrix = hit_matrix(catalog, motifs, sample_quality(catalog))

    assert [s.name for s in data.samples] == ["a", "b", "empty"]
    assert [s.n_hits for s in data.samples] == [len(hits[s.name]) for s in data.samples]
    assert data.samples[2].n_without_hit == N_REGIONS
    counts = [[sum(h["motif_name"] == m for h in hits[s.name]) for s in data.samples]
              for m in ("m0", "m1", "m2")]  # fmt: skip
    assert matrix.tolist() == data.n_hits.tolist() == counts


def test_a_run_without_hits_has_a_report(tmp_path):
    run = write_overlapping(tmp_path / "run", {"liver": []})
    readers = {"liver": random_regions(np.random.default_rng(1), N_REGIONS)}
    with open_catalog(run) as catalog:
        motifs = read_motifs(run)
        scope = prepare(catalog, motifs, None, window_bp=WINDOW_BP)
        sums = hit_cwms(catalog, readers, motifs)
        data = gather_report(
            catalog, readers, motifs, title="t", scope=scope, sums=sums, confusion=None,
            motif_report=motif_report(catalog, motifs, sums, scope),
        )  # fmt: skip

    assert data.summary.n_hits == 0
    assert data.summary.n_without_hit == N_REGIONS
    assert data.examples == ()
    assert data.hit_cwms == {}
    assert {r["n_both"] for r in data.cooccurrence.to_pylist()} == {0}
    assert data.spacing.num_rows == 0
    assert bins(data, None, "hits_per_region") == [(0, 1, N_REGIONS)]
