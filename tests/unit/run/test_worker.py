"""The worker: one unit read, solved, committed."""

import dataclasses

import pytest

from finemo_dist.core.errors import StoreError
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.hits.read import survey
from finemo_dist.run import worker as worker_module
from finemo_dist.run.worker import RegionWorker
from tests.unit.run.runs import corrupt_shard, parts, write_inputs, write_store


@pytest.fixture
def worker(inputs, tmp_path):
    return RegionWorker(inputs.spec(inputs.plan(tmp_path)), "worker-7")


def test_a_unit_is_committed_with_what_it_says(worker, tmp_path):
    done = worker.process(Unit("a", 5))

    footer = survey(tmp_path, "a").units[5]
    assert (done.unit, done.worker) == (Unit("a", 5), "worker-7")
    assert (done.n_regions, done.n_hits) == (footer.n_regions, footer.n_rows)
    assert done.n_regions == 4
    assert done.n_hits > 0
    assert done.n_not_converged == 0
    assert done.max_gap == footer.max_gap <= 1e-6
    assert done.seconds.keys() == {"read", "solve", "write"}


def test_a_unit_done_twice_leaves_the_same_bytes(worker, tmp_path):
    worker.process(Unit("a", 1))
    first = parts(tmp_path)
    stat = part_path(tmp_path, "hits", Unit("a", 1)).stat()

    worker.process(Unit("a", 1))

    assert parts(tmp_path) == first
    assert part_path(tmp_path, "hits", Unit("a", 1)).stat().st_ino != stat.st_ino


@pytest.mark.parametrize("size", [1, 3])
def test_the_batch_leaves_no_trace_in_the_bytes(inputs, tmp_path, size):
    for name, batch in (("whole", None), ("cut", size)):
        spec = inputs.spec(inputs.plan(tmp_path / name))
        RegionWorker(dataclasses.replace(spec, batch_regions=batch), "w").process(Unit("a", 0))

    assert parts(tmp_path / "cut") == parts(tmp_path / "whole")


def test_a_store_written_anew_after_planning_is_refused(tmp_path):
    inputs = write_inputs(tmp_path, n_regions=4)
    spec = inputs.spec(inputs.plan(tmp_path / "run"))
    write_store(inputs.stores["a"], 4, seed=5)

    with pytest.raises(StoreError, match="not the store that the run was planned with"):
        RegionWorker(spec, "w").process(Unit("a", 0))

    assert parts(tmp_path / "run") == {}


def test_a_damaged_shard_is_refused_by_file_and_the_next_one_works(tmp_path):
    inputs = write_inputs(tmp_path)
    worker = RegionWorker(inputs.spec(inputs.plan(tmp_path / "run")), "w")
    path = corrupt_shard(inputs.stores["a"], 2)

    with pytest.raises(StoreError) as caught:
        worker.process(Unit("a", 2))
    worker.process(Unit("a", 3))

    assert str(path) in str(caught.value)
    assert survey(tmp_path / "run", "a").units.keys() == {3}


def test_parts_that_cannot_be_written_are_an_error(worker, tmp_path):
    (tmp_path / "peaks_qc").write_text("in the way")

    with pytest.raises(OSError, match="peaks_qc"):
        worker.process(Unit("a", 0))

    assert survey(tmp_path, "a").units == {}


def test_a_worker_changes_between_samples(tmp_path):
    inputs = write_inputs(tmp_path, samples=("a", "b"), n_regions=4)
    worker = RegionWorker(inputs.spec(inputs.plan(tmp_path / "run")), "w")

    for sample in ("a", "b", "a"):
        worker.process(Unit(sample, 0))

    bytes_of = {path.split("=")[1][0]: data for path, data in parts(tmp_path / "run").items()}
    assert bytes_of["a"] != bytes_of["b"]


def test_a_store_is_opened_once_for_all_its_units(worker, monkeypatch):
    opened = []
    open_store = worker_module.open_store
    monkeypatch.setattr(
        worker_module, "open_store", lambda path: opened.append(path) or open_store(path)
    )

    for shard in range(3):
        worker.process(Unit("a", shard))

    assert len(opened) == 1


def process(worker, *shards, coming=()):
    return [worker.process(Unit("a", s), [Unit("a", c) for c in coming]) for s in shards]


@pytest.fixture
def solved(worker, monkeypatch):
    """How many regions the solver is given, call by call."""
    caller = worker._caller_of(next(iter(worker._spec.samples.values())))
    sizes = []

    class Counting:
        def solve(self, sequence, contributions):
            sizes.append(len(sequence))
            return caller.solver.solve(sequence, contributions)

    monkeypatch.setattr(worker, "_caller", dataclasses.replace(caller, solver=Counting()))
    return sizes


def test_shards_that_come_next_are_solved_in_one_batch_and_committed_one_by_one(
    inputs, worker, solved, tmp_path
):
    other = inputs.spec(inputs.plan(tmp_path / "alone"))
    for shard in range(4):
        RegionWorker(other, "w").process(Unit("a", shard))

    (first,) = process(worker, 0, coming=(1, 2, 3))
    assert survey(tmp_path, "a").units.keys() == {0}
    others = process(worker, 1, 2, 3)

    assert solved == [16]
    assert parts(tmp_path) == parts(tmp_path / "alone")
    assert [done.unit.shard for done in others] == [1, 2, 3]
    assert first.seconds.keys() == others[0].seconds.keys() == {"read", "solve", "write"}
    assert others[2].seconds["solve"] == pytest.approx(first.seconds["solve"])


@pytest.mark.parametrize(
    ("coming", "expected"),
    [((2, 3), [4]), ((0, 1), [4]), ((1, 3), [8]), ((), [4])],
    ids=["a gap", "itself", "a gap later", "nothing"],
)
def test_only_shards_that_follow_at_once_are_solved_together(worker, solved, coming, expected):
    process(worker, 0, coming=coming)

    assert solved == expected


def test_no_more_shards_are_solved_together_than_fill_a_batch(inputs, tmp_path):
    spec = inputs.spec(inputs.plan(tmp_path))
    worker = RegionWorker(dataclasses.replace(spec, batch_regions=9), "w")

    process(worker, 0, coming=range(1, 6))

    assert sorted(worker._sample.solved) == [1]


def test_what_is_solved_beforehand_is_dropped_when_another_shard_is_asked_for(worker, solved):
    process(worker, 0, coming=(1, 2))
    process(worker, 4, 1)

    assert solved == [12, 4, 4]


def test_a_damaged_shard_that_comes_next_fails_only_when_it_is_asked_for(tmp_path):
    inputs = write_inputs(tmp_path)
    worker = RegionWorker(inputs.spec(inputs.plan(tmp_path / "run")), "w")
    corrupt_shard(inputs.stores["a"], 2)

    process(worker, 0, coming=(1, 2))
    process(worker, 1, coming=(2,))
    with pytest.raises(StoreError):
        process(worker, 2)

    assert survey(tmp_path / "run", "a").units.keys() == {0, 1}
