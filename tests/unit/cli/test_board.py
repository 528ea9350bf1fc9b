"""Counting events: totals do not depend on their order, and each costs the same."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.cli.board import Board
from finemo_dist.core.events import (
    NodeRests,
    NodeWorks,
    UnitDone,
    UnitFailed,
    UnitStarted,
    WorkerLost,
    WorkersReady,
    WorkerStarted,
)
from finemo_dist.core.records import Unit

PENDING = [Unit(sample, shard) for sample in ("a", "b", "c") for shard in range(3)]
SAMPLES = {"a": 100.0, "b": 100.0, "c": 50.0, "finished": 10.0}
N_BEFORE = 5
WORKERS = st.sampled_from(["w0", "w1", "w2"])
UNITS = st.sampled_from(PENDING)


def board():
    return Board(PENDING, SAMPLES, n_units=len(PENDING) + N_BEFORE, now=0.0)


def done(unit, worker="w0", seconds=1.0):
    n = hash(unit) % 97
    return UnitDone(unit, worker, n, 2 * n, n % 3, 1e-9, {"read": 0.0, "solve": seconds})


EVENTS = st.lists(
    st.one_of(
        st.builds(WorkerStarted, WORKERS, st.just("node")),
        st.builds(WorkerLost, WORKERS, st.just("died")),
        st.builds(WorkersReady, st.integers(1, 3), st.just("")),
        st.builds(UnitStarted, UNITS, WORKERS),
        st.builds(UnitFailed, UNITS, WORKERS, st.just("disk"), st.booleans()),
        st.builds(done, UNITS, WORKERS),
    ),
    max_size=40,
)


@given(EVENTS, st.data())
def test_totals_are_those_of_sets_in_any_order(events, data):
    counted = board()
    for time, event in enumerate(data.draw(st.permutations(events))):
        counted.add(event, float(time))
    found = counted.snapshot(100.0, n_rows=2)

    finished = {e.unit for e in events if isinstance(e, UnitDone)}
    failed = {e.unit for e in events if isinstance(e, UnitFailed) and e.is_final} - finished
    per_sample = Counter(unit.sample for unit in finished)
    assert (found.n_units, found.n_done) == (len(PENDING) + N_BEFORE, N_BEFORE + len(finished))
    assert found.n_failed == len(failed)
    assert (found.n_samples, found.n_samples_done) == (
        4, 1 + sum(per_sample[s] == 3 for s in "abc"),
    )  # fmt: skip
    assert found.n_regions == sum(done(unit).n_regions for unit in finished)
    assert found.n_hits == 2 * found.n_regions
    assert found.n_not_converged == sum(done(unit).n_not_converged for unit in finished)
    assert found.n_lost == len({e.worker for e in events if isinstance(e, WorkerLost)})
    assert len(found.workers) + found.n_hidden == found.n_workers
    assert len(found.workers) <= 2
    assert 0 <= found.n_busy <= found.n_workers <= 3
    if found.seconds_left is not None:
        assert found.seconds_left >= 0


def test_a_worker_is_shown_with_what_it_does_and_for_how_long():
    counted = board()
    counted.add(WorkerStarted("w0", "node-7"), 1.0)
    counted.add(UnitStarted(PENDING[0], "w0"), 2.0)
    counted.add(UnitDone(PENDING[0], "w0", 80, 3, 0, 0.0, {"read": 1.0, "solve": 3.0}), 6.0)
    (row,) = counted.snapshot(7.5, n_rows=5).workers
    assert (row.name, row.node, row.unit, row.seconds) == ("w0", "node-7", None, 1.5)
    assert (row.n_done, row.regions_per_second) == (1, 20.0)

    counted.add(UnitStarted(PENDING[1], "w0"), 8.0)
    (row,) = counted.snapshot(10.0, n_rows=5).workers
    assert (row.unit, row.seconds) == (PENDING[1], 2.0)

    # Another did it first, and nothing is told of this worker.
    counted.add(UnitStarted(PENDING[2], "w0"), 11.0)
    (row,) = counted.snapshot(12.0, n_rows=5).workers
    assert (row.unit, row.seconds, row.n_done) == (PENDING[2], 1.0, 1)

    counted.add(UnitFailed(PENDING[2], "w0", "disk", is_final=False), 13.0)
    (row,) = counted.snapshot(15.0, n_rows=5).workers
    assert (row.unit, row.seconds, row.n_done) == (None, 2.0, 1)


def test_workers_that_are_longest_at_a_shard_come_first_then_those_that_wait():
    counted = board()
    for i in range(6):
        counted.add(WorkerStarted(f"w{i}", ""), float(i))
    for i in (3, 1, 5):
        counted.add(UnitStarted(PENDING[i], f"w{i}"), 10.0 + len(PENDING) - i)
    found = counted.snapshot(30.0, n_rows=4)

    assert [row.name for row in found.workers] == ["w5", "w3", "w1", "w0"]
    assert (found.n_hidden, found.n_busy, found.n_workers) == (2, 3, 6)


def test_a_worker_that_is_lost_is_counted_and_not_shown():
    counted = board()
    counted.add(WorkerStarted("w0", ""), 0.0)
    counted.add(UnitStarted(PENDING[0], "w0"), 1.0)
    counted.add(WorkerLost("w0", "died"), 2.0)
    counted.add(UnitFailed(PENDING[0], "w0", "its worker died", is_final=False), 2.0)

    found = counted.snapshot(3.0, n_rows=5)
    assert (found.workers, found.n_workers, found.n_lost, found.n_failed) == ((), 0, 1, 0)


def test_nodes_that_rest_are_named_until_they_work_again():
    counted = board()
    for event in (
        NodeRests("x", 5.0, "disk"), NodeRests("y", 5.0, "disk", sample="a"),
        NodeRests("y", 5.0, "disk"), NodeWorks("y", sample="a"), NodeWorks("z"),
    ):  # fmt: skip
        counted.add(event, 1.0)
    assert sorted(counted.snapshot(2.0, n_rows=1).resting) == ["x", "y"]

    counted.add(NodeWorks("x"), 3.0)
    assert counted.snapshot(4.0, n_rows=1).resting == ("y",)


def test_the_time_left_is_of_the_regions_left_at_the_rate_of_late():
    counted = board()
    assert counted.snapshot(5.0, n_rows=1).seconds_left is None

    counted.add(WorkersReady(1, ""), 10.0)
    for i, unit in enumerate(PENDING[:3]):
        counted.add(UnitDone(unit, "w0", 100, 0, 0, 0.0, {}), 12.0 + 2 * i)
    counted.add(UnitFailed(PENDING[3], "w0", "disk", is_final=True), 16.0)
    found = counted.snapshot(16.0, n_rows=1)

    assert found.regions_per_second == pytest.approx(300 / 6)
    # Two shards of b and three of c; that of b that was set aside is not waited for.
    assert found.seconds_left == pytest.approx((2 * 100 + 3 * 50) / 50)


def test_what_is_kept_does_not_grow_with_the_shards_that_were_done():
    pending = [Unit("a", shard) for shard in range(2000)]
    counted = Board(pending, {"a": 10.0}, n_units=2000, now=0.0)
    for i, unit in enumerate(pending):
        counted.add(UnitStarted(unit, f"w{i % 50}"), float(i))
        counted.add(UnitDone(unit, f"w{i % 50}", 10, 1, 0, 0.0, {}), i + 1.0)
        if i % 10 == 0:
            counted.add(WorkerLost(f"w{i % 50}", "died"), i + 1.0)

    found = counted.snapshot(2000.0, n_rows=5)
    assert (found.n_done, found.n_samples_done, found.seconds_left) == (2000, 1, 0.0)
    assert len(counted._recent) <= 256
    assert len(counted._workers) <= 50
    assert not counted._left
    assert found.regions_per_second == pytest.approx(10.0)
