"""Compaction: the same answers from fewer files, and never from stale ones."""

import json
import shutil

import duckdb
import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.compact import compact_sample, damaged_files
from finemo_dist.catalog.connection import run_errors
from finemo_dist.core.errors import RunError
from finemo_dist.core.schema import HIT_COLUMNS
from finemo_dist.core.system_errors import is_full
from finemo_dist.hits.layout import compact_directory
from tests.unit.catalog.builder import (
    columns_of,
    hit,
    random_hits,
    region,
    spoil,
    write_columns,
    write_run,
    write_shard,
)

HIT_VIEWS = ("hits", "hits_unique", "hits_primary", "motif_counts")


def make_run(path, n_samples=3, n_chroms=4):
    rng = np.random.default_rng(5)
    shards = {}
    for i in range(n_samples):
        hits = random_hits(rng, 120, n_chroms=n_chroms)
        shards[f"s{i}"] = [hits[::2], hits[1::2]]
    return write_run(path, shards)


def compact(run, samples=None):
    with open_catalog(run, samples=samples) as catalog:
        return [compact_sample(catalog, name) for name in catalog.samples]


def answers(run, **limits):
    with open_catalog(run, **limits) as catalog:
        return {view: catalog.rows(f"FROM {view} ORDER BY ALL") for view in HIT_VIEWS}


@pytest.fixture(scope="module")
def of_parts(tmp_path_factory):
    """A run of three samples, and what its parts answer."""
    run = make_run(tmp_path_factory.mktemp("parts"))
    return run, answers(run)


@pytest.fixture(scope="module")
def compacted_once(tmp_path_factory):
    """A compacted run of one sample, and what its parts answered."""
    run = make_run(tmp_path_factory.mktemp("compacted"), n_samples=1)
    before = answers(run)
    return run, before, compact(run)


@pytest.fixture
def compacted_run(compacted_once, tmp_path):
    """A copy of the compacted run, to be damaged, and what its parts answered."""
    run, before, _ = compacted_once
    return shutil.copytree(run, tmp_path / "run"), before


def files_read(catalog, where):
    """Parquet files that a query of hits opens, and row groups it reads of compacted ones."""
    question = f"SELECT sum(start) FROM hits WHERE {where}"
    query = f"EXPLAIN (ANALYZE, FORMAT json) {question}"
    cursor = catalog.cursor({}, question="")
    catalog.narrow(cursor, question)
    scans = []

    def walk(node):
        info = node.get("extra_info", {})
        if isinstance(info, dict) and "Total Files Read" in info:
            groups = (node["row_groups_scanned"], node["total_row_groups_to_scan"])
            scans.append((int(info["Total Files Read"]), groups))
        for child in node.get("children", ()):
            walk(child)

    for operator in json.loads(cursor.execute(query).fetchall()[0][1])["operator"]:
        walk(operator)
    return max(scans)


@pytest.mark.slow
@pytest.mark.parametrize("compacted", [["s0"], ["s0", "s1", "s2"]])
def test_every_view_answers_as_before(compacted, of_parts, tmp_path):
    run, before = shutil.copytree(of_parts[0], tmp_path / "run"), of_parts[1]

    compact(run, compacted)

    assert answers(run) == before
    assert len(before["hits_primary"]) < len(before["hits_unique"]) < len(before["hits"])
    with open_catalog(run) as catalog:
        assert catalog.compacted == tuple(compacted)


def test_hits_without_coordinates_are_compacted_by_region(tmp_path):
    rows = [
        hit(chr=None, chr_id=-1, peak_name=None, peak_id=p, motif_id=m,
            hit_similarity=0.5 + 0.1 * m)
        for p in range(3)
        for m in range(2)
    ]  # fmt: skip
    run = write_run(tmp_path, {"s": [rows]}, has_coordinates=False)
    before = answers(run)

    compact(run)

    assert answers(run) == before
    assert [len(before[v]) for v in HIT_VIEWS[:3]] == [6, 0, 3]


def test_the_same_hits_are_the_same_bytes_in_any_parts_and_on_any_threads(tmp_path):
    rows = random_hits(np.random.default_rng(6), 300)
    written = []
    for name, n_parts, threads in (("a", 1, 1), ("b", 3, 2)):
        run = write_run(tmp_path / name, {"s": [rows[i::n_parts] for i in range(n_parts)]})
        with open_catalog(run, threads=threads) as catalog:
            compact_sample(catalog, "s")
        files = sorted(compact_directory(run, "s").glob("*.parquet"))
        written.append([path.read_bytes() for path in files])

    assert len(written[0]) == 3
    assert written[0] == written[1]


@pytest.mark.slow
def test_a_filter_on_sample_and_chromosome_opens_one_file(tmp_path):
    run = make_run(tmp_path, n_samples=5, n_chroms=6)
    compact(run)

    with open_catalog(run) as catalog:
        one, _ = files_read(catalog, "sample = 's1' AND chr = 'chr2'")
        locus, _ = files_read(catalog, "chr = 'chr2' AND start < 20")
        sample, _ = files_read(catalog, "sample = 's1'")

    # One more may be opened for the schema.
    assert one <= 2
    assert 5 <= locus <= 6
    assert 6 <= sample <= 7


@pytest.mark.slow
def test_more_files_than_duckdb_lists_by_itself_are_still_skipped(tmp_path):
    rows = [hit(chr=f"chr{i}", chr_id=i) for i in range(104)]
    run = write_run(tmp_path, {"s": [rows]})
    compact(run)

    with open_catalog(run) as catalog:
        # A filter that may itself fail, such as one with %, is not moved past the score of a hit.
        odd = ", ".join(f"'chr{i}'" for i in range(1, 104, 2))
        assert files_read(catalog, f"chr IN ({odd})")[0] <= 53


@pytest.mark.slow
def test_a_locus_reads_few_row_groups(tmp_path):
    n_hits = 100_000
    starts = np.random.default_rng(0).permutation(n_hits) * 10
    run = write_run(tmp_path, {"s": [[]]})
    alike = {
        name: np.repeat(value, n_hits) for name, value in columns_of(HIT_COLUMNS, [hit()]).items()
    }
    write_columns(run, "s", 0, alike | {"start": starts, "end": starts + 6}, [region()])
    compact(run)

    with open_catalog(run) as catalog:
        _, groups = files_read(catalog, "chr = 'chrA' AND start BETWEEN 500000 AND 500100")

    read, total = groups
    assert total >= 3
    assert read == 1


def test_a_current_compaction_is_left_alone(compacted_once):
    run, _, first = compacted_once

    assert [done.is_new for done in first + compact(run)] == [True, False]


@pytest.mark.slow
def test_a_stale_compaction_is_never_used_and_is_replaced(tmp_path):
    run = make_run(tmp_path, n_samples=2)
    compact(run)
    old = set(compact_directory(run, "s1").glob("*.parquet"))
    write_shard(run, "s1", 1, [hit(chr="chr0", start=4321)], [region()])

    with open_catalog(run) as catalog:
        assert catalog.compacted == ("s0",)
        assert catalog.rows("SELECT count(*) FROM hits WHERE start = 4321") == [(1,)]
    before = answers(run)
    compact(run)

    with open_catalog(run) as catalog:
        assert catalog.compacted == ("s0", "s1")
    assert answers(run) == before
    assert not old & set(compact_directory(run, "s1").glob("*.parquet"))


@pytest.mark.parametrize("damage", ["short", "gone", "manifest"])
def test_a_damaged_compaction_is_named_and_passed_over(damage, compacted_run, caplog):
    run, before = compacted_run
    path = spoil(compact_directory(run, "s0"), damage)

    assert answers(run) == before
    assert str(path) in caplog.text
    assert "compact` again" in caplog.text
    compact(run)
    with open_catalog(run) as catalog:
        assert catalog.compacted == ("s0",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format_version": 99}, "format 'finemo_dist.compact', version 99"),
        ({"format": "other"}, "format 'other', version "),
        (None, "format None, version None"),
    ],
)
def test_a_compaction_of_another_version_is_named_and_passed_over(
    compacted_run, caplog, change, said
):
    run, before = compacted_run
    path = compact_directory(run, "s0") / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps([] if change is None else content | change))

    assert answers(run) == before
    assert f"{path}: " in caplog.text
    assert said in caplog.text


def test_a_flipped_bit_is_found_by_reading_everything(compacted_run):
    run, _ = compacted_run
    assert damaged_files(run, "s0") == []
    path = min(compact_directory(run, "s0").glob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)

    (problem,) = damaged_files(run, "s0")
    assert str(path) in problem


def test_shards_that_are_missing_are_told(tmp_path):
    run = make_run(tmp_path, n_samples=1)
    (run / "hits/sample=s0/part-00001.parquet").unlink()

    assert [done.n_shards_missing for done in compact(run)] == [1]


def test_a_failure_leaves_the_parts_in_charge(tmp_path, monkeypatch):
    run = make_run(tmp_path, n_samples=1)
    before = answers(run)

    def fail(*_):
        raise RunError("the disk is full")

    monkeypatch.setattr("finemo_dist.catalog.compact.describe_input", fail)
    with pytest.raises(RunError, match="disk"):
        compact(run)

    assert answers(run) == before
    with open_catalog(run) as catalog:
        assert catalog.compacted == ()


def test_a_disk_that_is_full_is_no_damage(tmp_path):
    with pytest.raises(RunError) as caught, run_errors(tmp_path):
        duckdb.sql("COPY (SELECT 1) TO '/dev/full'")

    assert str(caught.value).startswith("/dev/full: cannot be written: no space is left.")
    assert is_full(caught.value)
