import logging
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finemo_dist.catalog import content as content_module
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.summary import summarise
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.records import Unit
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS, HIT_COLUMNS, VIEWS
from finemo_dist.hits.layout import part_path
from finemo_dist.hits.read import verify_part
from tests.unit.catalog.builder import (
    REGION_WIDTH,
    hit,
    random_hits,
    region,
    write_record,
    write_run,
    write_shard,
)
from tests.unit.catalog.one_catalog import OneCatalog

PLACE = ("chr", "start", "motif_name", "strand")

ODD_NAMES = ["a b", "x/y", "..", "%41", "A", "it's", "ü日", "__HIVE_DEFAULT_PARTITION__", "a+b"]


def dicts(catalog, query):
    relation = catalog.sql(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def keys(rows, names=(*PLACE, "peak_id")):
    return sorted(tuple(row[name] for name in names) for row in rows)


def unique_by_loop(hits):
    best = {}
    for row in hits:
        place = tuple(row[name] for name in PLACE)
        rank = (-row["hit_coefficient_global"], row["peak_id"], row["start_untrimmed"])
        if place not in best or rank < best[place][0]:
            best[place] = (rank, row)
    return [row for _, row in best.values()]


def test_hits_hold_every_column_with_the_sample_and_finemos_correlation(catalog):
    columns = catalog.sql("FROM hits").columns

    assert set(columns) == {c.name for c in HIT_COLUMNS} | {
        "sample", "hit_correlation", "hit_score", "cluster",
    }  # fmt: skip
    assert tuple(columns[1:-4]) == FINEMO_HIT_COLUMNS


def test_correlation_repeats_similarity(catalog):
    count = "SELECT count(*) FROM hits WHERE hit_correlation IS DISTINCT FROM hit_similarity"

    assert catalog.rows(count) == [(0,)]


def test_every_committed_hit_is_seen_once(tmp_path):
    rows = random_hits(np.random.default_rng(1), 60)
    write_run(tmp_path, {"s": [rows[:20], rows[20:], []]})

    with open_catalog(tmp_path) as catalog:
        seen = dicts(
            catalog, "SELECT * EXCLUDE (sample, hit_correlation, hit_score, cluster) FROM hits"
        )

    assert keys(seen, sorted(seen[0])) == keys(rows, sorted(seen[0]))


@pytest.fixture(scope="module")
def odd_catalog(tmp_path_factory):
    """Each sample with one hit more than the one before, in two parts."""
    parts = {
        name: [[hit()], [hit(peak_id=peak) for peak in range(i)]]
        for i, name in enumerate(ODD_NAMES)
    }
    with open_catalog(write_run(tmp_path_factory.mktemp("odd"), parts)) as opened:
        yield opened


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_sample_name_comes_back(name, odd_catalog):
    counts = odd_catalog.rows("SELECT count(*) FROM hits WHERE sample = $s", {"s": name})

    assert counts == [(1 + ODD_NAMES.index(name),)]


@pytest.mark.parametrize("folder", ["start=5", "sample=other", "run[1]", "a*b?", "it's"])
def test_the_path_of_a_run_never_changes_its_rows(folder, tmp_path):
    write_run(tmp_path / folder, {"s": [[hit(start=40)]]})

    with open_catalog(tmp_path / folder) as catalog:
        assert catalog.rows("SELECT sample, start FROM hits") == [("s", 40)]


def test_a_filter_on_the_sample_reads_only_its_files(tmp_path):
    """An empty shard comes first, which once made DuckDB read everything."""
    hits = random_hits(np.random.default_rng(4), 200)
    write_run(tmp_path, {"none": [[]], "heart": [hits] * 3, "liver": [hits] * 3})

    with open_catalog(tmp_path) as catalog:
        plan = catalog.rows("EXPLAIN ANALYZE SELECT count(start) FROM hits WHERE sample = 'liver'")

    # One of the others is opened for the schema.
    assert int(re.search(r"Total Files Read: (\d+)", plan[0][1])[1]) <= 4


@pytest.fixture(scope="module")
def on_threads(tmp_path_factory):
    """A catalog on one thread and one on two, each of a run of its own."""
    folder = tmp_path_factory.mktemp("unique")
    with OneCatalog(folder / "1", threads=1) as one, OneCatalog(folder / "2", threads=2) as two:
        yield one, two


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_unique_keeps_the_largest_hit_of_every_place_in_any_order(data, on_threads):
    seed = data.draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    rows = random_hits(rng, data.draw(st.integers(1, 80)))
    n_shards = data.draw(st.integers(1, 4))
    shuffled = [rows[i] for i in rng.permutation(len(rows))]
    parts = {"s": [shuffled[i::n_shards] for i in range(n_shards)]}

    catalog = on_threads[data.draw(st.integers(0, 1))].show(partial(write_run, shards=parts))

    seen = dicts(catalog, "FROM hits_unique")
    assert keys(seen) == keys(unique_by_loop(rows))


def test_ties_go_to_the_lowest_peak(tmp_path):
    rows = [hit(peak_id=p, hit_coefficient_global=c) for p, c in [(0, 1), (3, 2), (2, 2)]]
    write_run(tmp_path, {"s": [rows[:1], rows[1:2], rows[2:]]})

    with open_catalog(tmp_path) as catalog:
        assert catalog.rows("SELECT peak_id FROM hits_unique") == [(2,)]


def test_samples_do_not_share_places(tmp_path):
    write_run(tmp_path, {"a": [[hit()]], "b": [[hit()]]})

    with open_catalog(tmp_path) as catalog:
        assert catalog.rows("SELECT sample FROM hits_unique ORDER BY ALL") == [("a",), ("b",)]


def test_hits_without_a_chromosome_have_no_unique(tmp_path):
    rows = [hit(chr=None, chr_id=-1, peak_name=None, peak_id=p) for p in (0, 1)]
    write_run(tmp_path, {"s": [rows]}, has_coordinates=False)

    with open_catalog(tmp_path) as catalog:
        assert len(catalog.rows("FROM hits")) == 2
        assert catalog.rows("FROM hits_unique") == []


def test_peaks_span_the_region_width(tmp_path):
    write_run(tmp_path, {"s": [[]]})
    write_shard(tmp_path, "s", 0, [], [region(peak_id=7, peak_region_start=-4, peak_name='"p"')])

    with open_catalog(tmp_path) as catalog:
        assert dicts(catalog, "FROM peaks") == [
            {
                "sample": "s",
                "peak_id": 7,
                "chr": "chrA",
                "chr_id": 0,
                "start": -4,
                "end": REGION_WIDTH - 4,
                "name": '"p"',
            }
        ]


def test_motifs_are_those_of_the_run(catalog):
    motifs = dicts(catalog, "FROM motifs ORDER BY motif_id")

    assert list(motifs[0]) == [c.name for c in VIEWS["motifs"]]
    assert [(m["motif_name"], m["strand"]) for m in motifs[:3]] == [
        ("m0", "+"),
        ("m0", "-"),
        ("m1", "+"),
    ]


def test_a_run_that_has_not_begun_gives_empty_views(tmp_path):
    write_record(tmp_path, {"s": 4})

    with open_catalog(tmp_path) as catalog:
        for view in ("hits", "hits_unique", "peaks", "peaks_qc", "motifs"):
            assert catalog.rows(f"FROM {view}") == []
        assert str(catalog.sql("FROM hits").types[2]) == "BIGINT"
        assert [s.n_shards_committed for s in summarise(catalog)] == [0]


def test_the_summary_counts_committed_units(tmp_path):
    write_record(tmp_path, {"b": 3, "a": 1}, n_regions=5)
    write_shard(tmp_path, "b", 0, [hit()] * 3, [region(dual_gap=0.5), region(converged=False)])
    write_shard(tmp_path, "b", 2, [hit()], [region(dual_gap=0.25)])

    with open_catalog(tmp_path) as catalog:
        a, b = summarise(catalog)

    assert (a.sample, a.n_shards_committed, a.n_hits, a.max_gap, a.is_complete) == (
        ("a", 0, 0, 0, False)
    )
    assert (b.n_regions, b.n_shards, b.n_shards_committed, b.n_regions_committed) == (5, 3, 2, 3)
    assert (b.n_hits, b.n_not_converged, b.max_gap) == (4, 1, 0.5)


def damaged_part(run):
    write_run(run, {"s": [[hit()], [hit()]]})
    path = part_path(run, "peaks_qc", Unit("s", 0))
    path.write_bytes(path.read_bytes()[:-20])
    return path


def test_a_damaged_part_is_named_and_nothing_is_answered_without_it(tmp_path):
    path = damaged_part(tmp_path)

    with pytest.raises(RunError, match=str(path)):
        open_catalog(tmp_path)


def test_of_a_run_too_large_to_read_on_opening_only_footers_are_read(tmp_path, monkeypatch):
    write_run(tmp_path, {"s": [[hit()]]})
    path = part_path(tmp_path, "hits", Unit("s", 0))
    content = bytearray(path.read_bytes())
    content[8] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match="checksum"):
        open_catalog(tmp_path)

    monkeypatch.setattr(content_module, "_CHECKED_BYTES", path.stat().st_size)
    with open_catalog(tmp_path) as catalog:
        assert catalog.samples == ("s",)
    with pytest.raises(RunError, match="checksum"):
        verify_part(path)


def test_for_those_who_count_parts_a_damaged_one_is_left_out(tmp_path, caplog):
    path = damaged_part(tmp_path)

    with open_catalog(tmp_path, allow_damaged=True) as catalog:
        assert len(catalog.rows("FROM hits")) == 1
    assert str(path) in caplog.text


def test_parts_of_another_configuration_are_left_out(tmp_path, caplog):
    write_run(tmp_path, {"s": [[hit()], [hit()]]})
    write_shard(tmp_path, "s", 1, [hit()], [region()], config_digest="old")
    write_shard(tmp_path, "s", 9, [hit()], [region()])

    with caplog.at_level(logging.WARNING), open_catalog(tmp_path) as catalog:
        assert len(catalog.rows("FROM hits")) == 1
    assert "left out 2 parts of another configuration" in caplog.text


def test_a_catalog_of_one_sample_shows_it_alone(catalog):
    with catalog.only("heart") as single:
        assert single.rows("SELECT DISTINCT sample FROM hits") == [("heart",)]
        assert single.rows("SELECT sample FROM samples") == [("heart",)]
        assert single.samples == ("heart",)


def test_an_unknown_sample_is_refused_with_the_nearest(run, catalog):
    with pytest.raises(UsageError, match="Did you mean 'heart'"):
        catalog.only("hart")
    with pytest.raises(UsageError, match="Did you mean 'heart'"):
        open_catalog(run, samples=["hart"])


@pytest.mark.parametrize("limit", ["much", "2 parsecs"])
def test_a_memory_limit_that_is_none_is_refused(run, limit):
    with pytest.raises(UsageError, match="Memory limit"):
        open_catalog(run, memory_limit=limit)


def test_a_part_removed_after_opening_is_named(tmp_path):
    write_run(tmp_path, {"s": [[hit()]]})
    with open_catalog(tmp_path) as catalog:
        part_path(tmp_path, "hits", Unit("s", 0)).unlink()

        with pytest.raises(RunError, match=r"part-00000\.parquet"):
            catalog.rows("SELECT start FROM hits")


def test_variables_of_python_are_not_tables(catalog):
    setting = "SELECT current_setting('python_enable_replacements')"

    assert catalog.rows(setting) == [(False,)]


@pytest.mark.slow
def test_no_progress_bar_gets_into_an_answer(run):
    """DuckDB shows one where Python was started without a file, as by ``python -c``."""
    code = (
        "import sys; from finemo_dist.catalog.catalog import open_catalog\n"
        "setting = \"SELECT current_setting('enable_progress_bar')\"\n"
        "with open_catalog(sys.argv[1]) as catalog:\n"
        "    for answers in (catalog.connection, catalog.restricted_cursor()):\n"
        "        print(answers.execute(setting).fetchall())"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, run], capture_output=True, text=True, check=True, timeout=240
    )

    assert done.stdout == "[(False,)]\n" * 2


def test_a_query_over_the_memory_limit_says_so(run):
    with (
        open_catalog(run, memory_limit="50MB", threads=1) as catalog,
        pytest.raises(RunError, match="Raise the limit"),
    ):
        catalog.rows("SELECT list(i) FROM range(20_000_000) AS t(i)")


def test_spilled_rows_go_where_temporary_files_go(run, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_catalog(run) as catalog:
        place = catalog.rows("SELECT current_setting('temp_directory')")[0][0]
        assert Path(place).parent == tmp_path


def test_nothing_is_left_behind(run, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with open_catalog(run) as catalog:
        catalog.rows("FROM hits_unique")

    assert list(Path(tmp_path).iterdir()) == []
