"""When, where and for how long shards were worked on, from the logs of a run."""

import json
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.named import rows_of
from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.core.events import UnitDone, UnitStarted, WorkerStarted
from finemo_dist.core.records import Unit
from finemo_dist.run.driver_log import RunLog
from tests.unit.catalog.builder import done, write_log, write_run


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A run of two samples without logs; a test writes its own and removes it."""
    return write_run(tmp_path_factory.mktemp("run"), {"a": [[], []], "b/ü": [[]]})


@pytest.fixture(scope="module")
def catalog(bare):
    with open_catalog(bare) as opened:
        yield opened


@pytest.fixture
def logged(bare):
    written = []

    def write(*arguments, **options):
        written.append(write_log(bare, *arguments, **options))
        return bare

    yield write
    for path in written:
        path.unlink()


def timings(run, **options):
    with open_catalog(run, **options) as catalog:
        return catalog.rows("FROM timings ORDER BY ALL")


def test_a_run_without_logs_has_no_timings(bare):
    assert timings(bare) == []
    with open_catalog(bare) as catalog:
        assert rows_of(catalog, "slow_shards") == []


def test_what_the_driver_logs_is_what_is_shown(tmp_path):
    run = write_run(tmp_path, {"a": [[]]})
    with RunLog(run, "20260101T000000.000Z-00000000") as log:
        log.add_event(WorkerStarted("w-0", "node-1"))
        log.add_event(UnitStarted(Unit("a", 0), "w-0"))
        stages = {"read": 0.25, "solve": 2.5, "write": 0.125}
        log.add_event(UnitDone(Unit("a", 0), "w-0", 5, 8, 0, float("inf"), stages))
        # Asked while the log is written.
        ((*row, started, finished),) = timings(run)

    assert row == ["a", 0, "w-0", "node-1", 5, 8, 0.25, 2.5, 0.125]
    assert started <= finished


def test_times_are_those_of_the_log(logged):
    ((*_, started, finished),) = timings(logged([done("a", 0)]))

    assert started == datetime(2026, 1, 1, 0, 0, 1)
    assert finished == datetime(2026, 1, 1, 0, 0, 9, 500_000)


def test_every_time_a_shard_was_committed_is_a_row_from_whichever_log(logged):
    logged([done("a", 0), done("b/ü", 0)])
    later = [done("a", 0, worker="w-9"), done("gone", 0)]
    run = logged(later, name="20260102T000000.000Z-00000001")

    assert [(r[0], r[1], r[2]) for r in timings(run)] == [
        ("a", 0, "w-9"), ("a", 0, "worker-0"), ("b/ü", 0, "worker-0"),
    ]  # fmt: skip
    assert [r[0] for r in timings(run, samples=["b/ü"])] == ["b/ü"]
    with open_catalog(run) as catalog, catalog.only("b/ü") as only:
        assert only.rows("SELECT count(*) FROM timings") == [(1,)]


@pytest.mark.parametrize(
    "damage",
    [b'{"event": "shard_done", "sam', b"null\n[1]\n", b"\xff\xfe\n", b"\0\0\0\n", b'{"shard": []}'],
)
def test_lines_that_are_no_entries_are_passed_over(logged, damage):
    run = logged([done("a", 0), {"event": "shard_done", "sample": "a", "shard": "x"}], tail=damage)

    assert [r[:2] for r in timings(run)] == [("a", 0)]


def test_files_beside_the_logs_are_not_read(logged):
    run = logged([done("a", 0)])
    foreign = run / "log" / "mine.jsonl"
    foreign.write_text(json.dumps(done("a", 1)))
    try:
        assert len(timings(run)) == 1
    finally:
        foreign.unlink()


def test_users_may_ask_for_timings(logged):
    run = logged([done("a", 0)])
    with open_catalog(run) as catalog:
        answer = run_user_query(catalog, "SELECT sample, started FROM timings")
        assert list(answer.text_rows()) == [("a", "2026-01-01 00:00:01")]


@pytest.mark.slow
@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40), st.integers(0, 9)), max_size=12))
def test_slow_shards_are_those_of_a_loop(bare, catalog, shards):
    entries = [done("a", s, seconds=t, n_regions=n) for s, t, n in shards]
    path = write_log(bare, entries)
    try:
        # A catalog that is turned looks for the logs anew, and opening another takes longer.
        assert open_catalog(bare, reused=catalog) is catalog
        rows = rows_of(catalog, "slow_shards", {"limit": 5})
    finally:
        path.unlink()

    expected = sorted(shards, key=lambda entry: (-entry[1], entry[0]))[:5]
    assert [(r["shard"], r["seconds"]) for r in rows] == [(s, t) for s, t, _ in expected]
    rates = sorted(t / n for _, t, n in shards if n)
    for row in rows:
        if row["n_regions"] == 0:
            assert row["times_median"] is None
        else:
            middle = (rates[(len(rates) - 1) // 2] + rates[len(rates) // 2]) / 2
            expected_ratio = row["seconds"] / row["n_regions"] / middle
            assert row["times_median"] == pytest.approx(expected_ratio, abs=0.006)
