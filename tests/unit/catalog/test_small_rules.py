"""Rules of reports, filters and comparisons that whole pages and commands see too seldom."""

import sys

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.comparison import compare_motifs, compare_sites
from finemo_dist.catalog.connection import explanation, load_query
from finemo_dist.catalog.format import OutputFormat, Screen, write_answer
from finemo_dist.catalog.named import rows_of
from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.hits.motifs import write_motifs
from finemo_dist.reports import scope
from tests.unit.catalog.builder import (
    REGION_WIDTH,
    hit,
    motif_set,
    random_hits,
    region,
    write_record,
    write_run,
    write_shard,
)

PLACES = st.lists(
    st.tuples(st.sampled_from(["chrA", "chrB"]), st.integers(0, 40), st.integers(1, 15)),
    max_size=12,
)


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        yield connection


@given(places=PLACES)
def test_regions_that_touch_are_one_interval(database, places):
    database.execute(
        "CREATE OR REPLACE TABLE peaks AS SELECT 's' AS sample, unnest($c::VARCHAR[]) AS chr, "
        'unnest($s::BIGINT[]) AS start, unnest($e::BIGINT[]) AS "end"',
        {
            "c": [c for c, _, _ in places],
            "s": [s for _, s, _ in places],
            "e": [s + w for _, s, w in places],
        },
    )
    found = database.execute(load_query("compare_regions"), {"sample": "s"}).fetchall()

    expected = []
    for chrom, start, width in sorted(places):
        if expected and expected[-1][0] == chrom and start <= expected[-1][2]:
            expected[-1][2] = max(expected[-1][2], start + width)
        else:
            expected.append([chrom, start, start + width])
    assert found == [tuple(row) for row in expected]


@given(places=PLACES, n_hits=st.integers(2, 3))
def test_a_repeat_lies_on_one_chromosome(database, places, n_hits):
    within = 12
    database.execute(
        "CREATE OR REPLACE TABLE remaining AS SELECT 'm0' AS motif_name, "
        "unnest($c::VARCHAR[]) AS chr, unnest($s::BIGINT[]) AS start, "
        'unnest($e::BIGINT[]) AS "end", 0 AS peak_id, unnest($r::BIGINT[]) AS "row"',
        {
            "c": [c for c, _, _ in places],
            "s": [s for _, s, _ in places],
            "e": [s + w for _, s, w in places],
            "r": list(range(len(places))),
        },
    )
    asked = {"hits": n_hits, "within": within}
    found = database.execute(load_query("filter_repeat_density"), asked).fetchall()

    repeats = set()
    for chrom in ("chrA", "chrB"):
        sites = sorted({(s, s + w) for c, s, w in places if c == chrom})
        for i in range(len(sites) - n_hits + 1):
            run = sites[i : i + n_hits]
            if run[-1][1] - run[0][0] <= within:
                repeats |= {(chrom, *site) for site in run}
    expected = [i for i, (c, s, w) in enumerate(places) if (c, s, s + w) in repeats]
    assert sorted(row for (row,) in found) == expected


def test_regions_of_places_are_in_the_order_of_the_places(database):
    database.execute(
        "CREATE OR REPLACE TABLE peaks AS "
        "SELECT 's' AS sample, 'chrA' AS chr, 100 * i AS start, 100 * i + 100 AS \"end\", "
        "i AS peak_id, 'p' || i AS name FROM range(3) AS numbers(i)"
    )
    wanted = {
        "place": [0, 1],
        "chr": ["chrA", "chrA"],
        "start": [210, 90],
        "end": [220, 110],
        "peak": [None, None],
    }
    found = database.execute(load_query("locus_regions"), wanted).fetchall()

    assert [(place, peak) for place, _, peak, *_ in found] == [(0, 2), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Binder Error: no such column", "Binder Error: no such column."),
        ("Did you mean this?", "Did you mean this?"),
        ("It ends.", "It ends."),
        ("syntax error\nLINE 1: SELECT\n        ^", "syntax error."),
    ],
)
def test_what_duckdb_says_is_one_sentence(said, expected):
    assert explanation(duckdb.Error(said)) == expected


@pytest.mark.parametrize(("width", "shown"), [(1, 1), (5, 1), (13, 2), (80, 3)])
def test_a_narrow_screen_shows_a_column_all_the_same(tmp_path, width, shown, capsys):
    run = write_run(tmp_path / "run", {"s": [[hit()]]})
    with open_catalog(run) as catalog:
        query = run_user_query(catalog, "SELECT 123456 AS a, 12345 AS b, 1234 AS c")
        write_answer(query, OutputFormat.TABLE, sys.stdout, screen=Screen(width))

    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["a", "b", "c"][:shown]
    assert ("left out" in said) == (shown < 3)


@pytest.mark.parametrize(
    ("n", "also"),
    [
        (1, ""),
        (2, " (1 other part is also damaged.)"),
        (3, " (2 other parts are also damaged.)"),
    ],
)
def test_the_first_damaged_part_is_named_and_the_others_counted(tmp_path, n, also):
    run = write_run(tmp_path / "run", {"s": [[hit()], [hit(peak_id=2)], [hit(peak_id=4)]]})
    for shard in range(n):
        path = part_path(run, "hits", Unit("s", shard))
        path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(RunError) as caught:
        open_catalog(run)
    message = str(caught.value)
    assert message.endswith(also)
    assert ("also damaged" in message) == (n > 1)
    assert "part-00000" in message


def samples_alike(run, parts):
    """A run of samples with two regions each; ``parts`` has hits and the residuals of regions."""
    write_record(run, dict.fromkeys(parts, 1))
    write_motifs(run, motif_set())
    for sample, (hits, residuals) in parts.items():
        regions = [
            region(
                peak_id=i,
                peak_region_start=200 * i,
                nll=nll,
                n_hits=sum(row["peak_id"] == i for row in hits),
            )
            for i, nll in enumerate(residuals)
        ]
        write_shard(run, sample, 0, hits, regions)
    return run


def test_examples_of_several_samples_are_told_apart(tmp_path):
    one, two = [hit(), hit(start=30, end=36, start_untrimmed=28)], [hit()]
    # Region 0 of a has most hits; region 0 of b is explained least.
    run = samples_alike(tmp_path / "run", {"a": (one, [0.1]), "b": (two, [0.9])})
    with open_catalog(run) as catalog:
        found = [
            (title, sample, peak) for title, sample, peak, *_ in catalog.run("report_examples")
        ]

    assert ("most hits", "a", 0) in found
    assert ("least explained", "b", 0) in found


def test_of_examples_alike_that_of_the_first_sample_is_shown(tmp_path):
    parts = {"a": ([hit(peak_id=1)], [0.5, 0.1]), "b": ([hit(peak_id=0)], [0.1, 0.5])}
    run = samples_alike(tmp_path / "run", parts)
    with open_catalog(run) as catalog:
        found = [
            (title, sample, peak) for title, sample, peak, *_ in catalog.run("report_examples")
        ]

    assert found[0] == ("most hits", "a", 1)


def test_a_report_takes_each_hit_once_whatever_is_read_at_a_time(tmp_path, monkeypatch, rng):
    rows = [row | {"peak_id": int(row["peak_id"]) % 2} for row in random_hits(rng, 60)]
    run = write_run(tmp_path / "run", {"a": [rows], "b": [random_hits(rng, 9)]})
    monkeypatch.setattr(scope, "chromosome_chunks", lambda *_: [(i, i) for i in range(3)])
    with open_catalog(run, samples=["a"]) as catalog:
        scope.prepare(catalog, motif_set(), None, window_bp=REGION_WIDTH)
        found = catalog.rows("SELECT chr, start_untrimmed, motif_name, strand FROM report_hits")

    expected = {(r["chr"], r["start_untrimmed"], r["motif_name"], r["strand"]) for r in rows}
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(("start", "n_shared"), [(90, 1), (91, 0), (0, 1)])
def test_a_seqlet_whose_CWM_leaves_its_region_is_not_shared(  # noqa: N802
    tmp_path, start, n_shared
):
    run = write_run(tmp_path / "run", {"s": [[hit()]]})
    with open_catalog(run) as catalog:
        scope.prepare(catalog, motif_set(), None, window_bp=REGION_WIDTH)
        given_seqlet = {
            "sample": "s",
            "pattern": ["pos_patterns.m0"],
            "region": [0],
            "start": [start],
            "end": [start + 5],
            "is_reverse": [False],
            "motif_width": 10,
            "window_bp": REGION_WIDTH,
            "region_width": REGION_WIDTH,
        }
        assert catalog.run("report_seqlets", given_seqlet) == [(n_shared,)]


def test_a_motif_without_hits_has_no_mean_score(tmp_path):
    run = write_run(tmp_path / "run", {"a": [[hit()]], "b": [[hit(motif_name="m1", motif_id=2)]]})
    with open_catalog(run) as catalog:
        matrix = compare_motifs(catalog, {"a": 0, "b": 1}, kind="motif", with_sites=False)

    np.testing.assert_array_equal(matrix.n_hits, [[1, 0], [0, 1], [0, 0]])
    np.testing.assert_array_equal(np.isnan(matrix.score_quantile), matrix.n_hits == 0)


def test_a_chromosome_on_which_regions_of_samples_do_not_meet_has_no_site(tmp_path):
    run = tmp_path / "run"
    write_record(run, {"a": 1, "b": 1})
    write_motifs(run, motif_set())
    # Regions of both cover chrA:0-100; on chrB each has a place of its own.
    for sample, start in (("a", 0), ("b", 500)):
        own = {"chr": "chrB", "chr_id": 1, "peak_id": 1}
        place = {"start": start + 10, "end": start + 16, "start_untrimmed": start + 8}
        regions = [region(n_hits=1), region(**own, n_hits=1, peak_region_start=start)]
        write_shard(run, sample, 0, [hit(), hit(**own, **place)], regions)
    with open_catalog(run) as catalog:
        compare_motifs(catalog, {"a": 0, "b": 1}, kind="motif", with_sites=True)
        sites = [row for batch in compare_sites(catalog, (1, 1), share=0.5, change=0)
                 for row in batch.to_pylist()]  # fmt: skip

    assert [(row["chr"], row["start"]) for row in sites] == [("chrA", 10)]


@pytest.mark.parametrize(("share", "n_sites"), [(0.4, 1), (0.6, 0)])
def test_a_group_has_a_site_by_its_own_number_of_samples(tmp_path, share, n_sites):
    other = hit(start=40, end=46, start_untrimmed=38, end_untrimmed=48)
    run = write_run(tmp_path / "run", {"a": [[hit()]], "b": [[]], "c": [[]], "d": [[other]]})
    with open_catalog(run) as catalog:
        compare_motifs(catalog, {"a": 0, "b": 0, "c": 1}, kind="motif", with_sites=True)
        batches = list(compare_sites(catalog, (2, 1), share=share, change=0.1))

    assert sum(batch.num_rows for batch in batches) == n_sites


@pytest.mark.parametrize(("second", "kind"), [("a", "shared"), ("c", "changed")])
def test_a_site_has_changed_only_where_the_scores_of_the_groups_lie_apart(tmp_path, second, kind):
    def scored(first_site, second_site):
        places = ((10, first_site), (40, second_site))
        return [[
            hit(
                start=start, end=start + 6, start_untrimmed=start - 2, end_untrimmed=start + 8,
                hit_coefficient=score, hit_coefficient_global=score,
            )
            for start, score in places
        ]]  # fmt: skip

    scores = {"a": (1.0, 2.0), "c": (2.0, 1.0)}
    run = write_run(
        tmp_path / "run",
        {"a": scored(*scores["a"]), "b": scored(*scores[second]), "c": scored(*scores["c"])},
    )
    with open_catalog(run) as catalog:
        compare_motifs(catalog, {"a": 0, "b": 1, "c": 1}, kind="motif", with_sites=True)
        sites = [row for batch in compare_sites(catalog, (1, 2), share=0.5, change=0.1)
                 for row in batch.to_pylist()]  # fmt: skip

    assert [(row["start"], row["class"]) for row in sites] == [(10, kind), (40, kind)]


def test_hits_of_a_cluster_are_over_the_only_region(tmp_path):
    run = tmp_path / "run"
    write_record(run, {"a": 1})
    write_motifs(run, motif_set())
    write_shard(run, "a", 0, [hit(), hit(start=40, end=46)], [region(n_hits=2)])
    with open_catalog(run) as catalog:
        assert catalog.rows("SELECT n_regions_committed FROM samples") == [(1,)]
        first, *_ = rows_of(catalog, "cluster_counts")

    assert (first["n_hits"], first["hits_per_region"]) == (2, 2.0)


def test_decoy_hits_are_in_the_order_of_their_starts(tmp_path):
    wide, narrow = hit(start=12, end=30), hit(start=14, end=20)
    run = write_run(tmp_path / "run", {"a": [[narrow, wide]]})
    with open_catalog(run) as catalog:
        found = catalog.arrow("decoy_rows", {"table": "hits", "sample": "a"})

    assert found["start"].to_pylist() == [12, 14]


@pytest.mark.parametrize("use", ["its connection", "a query of the user's"])
def test_a_catalog_that_others_may_hold_shows_nothing_else(tmp_path, use):
    run = write_run(tmp_path / "run", {"a": [[hit()]], "b": [[hit(), hit(start=40, end=46)]]})
    count = "SELECT count(*) FROM hits"
    with open_catalog(run, samples=["a"]) as first:
        same = open_catalog(run, samples=["b"], reused=first)
        assert same is first
        assert same.rows(count) == [(2,)]
        assert same.connection if use == "its connection" else run_user_query(same, "FROM hits")

        with open_catalog(run, samples=["a"], reused=same) as other:
            assert other is not same
            assert other.rows(count) == [(1,)]
            assert same.rows(count) == [(2,)]
