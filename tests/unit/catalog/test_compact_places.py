"""Hits of all samples by place: the same answers from few files, and never from stale ones."""

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finemo_dist.catalog import compact_places as module
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.compact import compact_sample
from finemo_dist.catalog.compact_places import compact_places, damaged_places
from finemo_dist.catalog.named import ask, named_queries
from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.catalog.selection import hits_of
from finemo_dist.core.errors import UsageError
from finemo_dist.core.locus import parse_locus
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path, place_directory
from finemo_dist.workflow.asking import compact
from tests.unit.catalog.builder import hit, random_hits, region, spoil, write_run, write_shard

QUESTIONS = (
    "SELECT * FROM hits",
    "SELECT * FROM hits_unique",
    "SELECT * FROM hits_primary",
    "SELECT count(*) FROM hits",
    "SELECT sample, count(*) FROM hits GROUP BY sample",
    "SELECT * FROM hits WHERE chr = 'chr1' AND start < 30 AND \"end\" > 12",
    "SELECT * FROM hits_primary WHERE chr = 'chr1' AND start BETWEEN 10 AND 20",
    "SELECT * FROM hits WHERE sample = 's1' AND chr = 'chr0'",
    "SELECT * FROM hits a WHERE a.sample = 's0' UNION ALL FROM hits b WHERE b.chr = 'chr2'",
    "SELECT * FROM hits WHERE peak_id = 7",
    "SELECT * FROM motif_counts",
    "SELECT * FROM peaks",
    "SELECT h.* FROM hits h JOIN hits_unique u USING (sample, peak_id) WHERE u.chr = 'chr1'",
)


def make_run(path, seed=5, n_samples=3, n_hits=60):
    rng = np.random.default_rng(seed)
    shards = {}
    for i in range(n_samples):
        hits = random_hits(rng, n_hits)
        shards[f"s{i}"] = [hits[::2], hits[1::2]]
    return write_run(path, shards)


def by_place(run):
    with open_catalog(run, threads=1) as catalog:
        return compact_places(catalog)


def by_sample(run):
    with open_catalog(run, threads=1) as catalog:
        return [compact_sample(catalog, sample) for sample in catalog.samples]


def answers(run, *, is_long=False):
    found = {}
    with open_catalog(run, threads=1) as catalog:
        for view in ("hits", "unique", "primary"):
            table = hits_of(catalog, table=view, locus=parse_locus("chr1:10-30"))
            found[view] = sorted(map(repr, table))
        for query in named_queries() if is_long else ():
            required = {p.name for p in query.parameters if p.default == "required"}
            if not required:
                found[query.name] = sorted(map(repr, ask(catalog, query.name).rows()))
        for question in QUESTIONS if is_long else QUESTIONS[:4]:
            found[question] = sorted(map(repr, run_user_query(catalog, question).rows()))
    return found


def is_read(run, *questions):
    """Yield how many files by place, and how many others, each question may open."""
    with open_catalog(run, threads=1) as catalog:
        for question in questions:
            cursor = catalog.cursor({}, question="")
            catalog.narrow(cursor, question)
            lists = {
                view: cursor.execute(f"SELECT getvariable('{view}')").fetchall()[0][0]
                for view in ("place_parts", "hit_parts", "compact_parts")
            }
            yield {
                view: len([path for path in paths or () if str(run) in path])
                for view, paths in lists.items()
            }


@pytest.fixture(scope="module")
def placed_once(tmp_path_factory):
    """A run by place, and what its parts answered."""
    run = make_run(tmp_path_factory.mktemp("placed"), n_samples=1)
    before = answers(run)
    by_place(run)
    return run, before


@pytest.fixture
def placed(placed_once, tmp_path):
    """A copy of the run by place, to be damaged, and what its parts answered."""
    run, before = placed_once
    return shutil.copytree(run, tmp_path / "run"), before


@settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), n_samples=st.integers(1, 4), chunk=st.integers(1, 90))
@pytest.mark.slow
def test_every_answer_is_that_of_the_parts(tmp_path_factory, monkeypatch, seed, n_samples, chunk):
    monkeypatch.setattr(module, "_CHUNK_HITS", chunk)
    run = make_run(tmp_path_factory.mktemp("run"), seed, n_samples)
    from_parts = answers(run, is_long=True)

    by_place(run)
    assert answers(run, is_long=True) == from_parts
    by_sample(run)

    assert answers(run, is_long=True) == from_parts


def test_a_locus_is_in_one_file_and_a_sample_in_its_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK_HITS", 20)
    run = make_run(tmp_path, n_samples=4)
    done = by_place(run)
    assert done.n_files > 6
    assert done.n_shards_missing == 0

    locus, sample, everything = is_read(
        run,
        "SELECT * FROM hits WHERE chr = 'chr1' AND start BETWEEN 20 AND 22",
        "FROM hits WHERE sample = 's1'",
        "SELECT sum(start) FROM hits",
    )
    assert locus == {"place_parts": 1, "hit_parts": 0, "compact_parts": 0}
    assert sample == {"place_parts": 0, "hit_parts": 2, "compact_parts": 0}
    assert everything == {"place_parts": done.n_files, "hit_parts": 0, "compact_parts": 0}
    by_sample(run)
    (sample,) = is_read(run, "FROM hits WHERE sample = 's1'")
    assert sample == {"place_parts": 0, "hit_parts": 0, "compact_parts": 3}


def test_hits_without_coordinates_are_kept(tmp_path):
    rows = [hit(chr=None, chr_id=-1, peak_name=None, peak_id=p) for p in range(3)]
    run = write_run(tmp_path, {"s": [rows], "t": [rows[:2]]}, has_coordinates=False)
    before = answers(run)

    assert by_place(run).n_hits == 5
    assert answers(run) == before


def test_a_run_without_a_hit_is_compacted_to_nothing(tmp_path):
    run = write_run(tmp_path, {"s": [[]]})

    assert [by_place(run).is_new, by_place(run).is_new] == [True, False]
    assert answers(run)["SELECT count(*) FROM hits"] == ["(0,)"]


def test_the_same_hits_are_the_same_bytes_in_any_parts_and_on_any_threads(tmp_path):
    rows = random_hits(np.random.default_rng(6), 300)
    written = []
    for name, n_parts, threads in (("a", 1, 1), ("b", 3, 2)):
        shards = {s: [rows[i::n_parts] for i in range(n_parts)] for s in ("s", "t")}
        run = write_run(tmp_path / name, shards)
        with open_catalog(run, threads=threads) as catalog:
            compact_places(catalog)
        files = sorted(place_directory(run).glob("*.parquet"))
        written.append([path.read_bytes() for path in files])

    assert len(written[0]) == 3
    assert written[0] == written[1]


def test_stale_files_are_never_read_and_are_replaced(tmp_path):
    run = make_run(tmp_path, n_samples=2)
    by_place(run)
    old = set(place_directory(run).glob("*.parquet"))
    write_shard(run, "s1", 1, [hit(chr="chr0", start=4321)], [region()])
    before = answers(run)
    (read,) = is_read(run, "FROM hits")
    assert read["place_parts"] == 0

    assert by_place(run).is_new

    (read,) = is_read(run, "FROM hits")
    assert read["place_parts"] > 0
    assert answers(run) == before
    assert not old & set(place_directory(run).glob("*.parquet"))


@pytest.mark.parametrize("damage", ["short", "gone", "manifest"])
def test_damaged_files_are_named_and_passed_over(damage, placed, caplog):
    run, before = placed
    path = spoil(place_directory(run), damage)

    assert answers(run) == before
    assert str(path) in caplog.text
    assert "compact --by place` again" in caplog.text
    assert by_place(run).is_new


def test_verify_reads_every_byte(placed):
    run, _ = placed
    assert damaged_places(run) == []
    path = min(place_directory(run).glob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)

    (problem,) = damaged_places(run)
    assert str(path) in problem


def test_some_samples_and_missing_shards(tmp_path):
    run = make_run(tmp_path)
    by_place(run)
    with open_catalog(run, samples=["s0"]) as catalog:
        assert not catalog.is_placed
    with pytest.raises(UsageError, match="--sample"):
        list(compact(run, ["s0"], by_place=True))
    part_path(run, "hits", Unit("s0", 1)).unlink()

    (done,) = compact(run, by_place=True)

    assert (done.sample, done.is_new, done.n_shards_missing) == (None, True, 1)
