"""Driving a plan: totals, the record, and what an interruption leaves."""

import pytest

from finemo_dist.core.config import CallConfig, SolverConfig
from finemo_dist.core.errors import IncompleteRunError
from finemo_dist.core.events import UnitDone, UnitFailed, UnitStarted, WorkersReady, WorkerStarted
from finemo_dist.core.records import Unit
from finemo_dist.core.run_record import RunRecord
from finemo_dist.run.drive import RunTotals, drive
from finemo_dist.run.serial import SerialExecutor
from tests.unit.run.runs import corrupt_shard, parts, write_inputs


def ignore(_event, _totals):
    pass


def run(inputs, run_dir, config=None, on_event=ignore):
    plan = inputs.plan(run_dir, config)
    return drive(plan, SerialExecutor(inputs.spec(plan)), on_event=on_event)


def test_a_run_to_its_end_is_complete(inputs, tmp_path):
    totals = run(inputs, tmp_path)

    record = RunRecord.load(tmp_path)
    assert (record.status, record.failures, record.warnings) == ("complete", {}, {})
    assert record.executor == {"kind": "serial", "n_workers": 1, "device": "cpu"}
    assert record.finished >= record.created
    assert record.seconds.keys() == {"read", "solve", "write", "wall"}
    assert (totals.n_workers, totals.n_units, totals.n_regions) == (1, 6, 24)


def test_each_event_comes_with_the_totals_that_include_it(inputs, tmp_path):
    seen = []

    run(inputs, tmp_path, on_event=lambda event, totals: seen.append((event, totals.n_units)))

    kinds = [WorkerStarted, WorkersReady] + [UnitStarted, UnitDone] * 6
    assert [type(event) for event, _ in seen] == kinds
    assert [n for event, n in seen if isinstance(event, UnitDone)] == [1, 2, 3, 4, 5, 6]


def test_a_run_with_a_hole_is_incomplete_and_names_what_failed(tmp_path):
    inputs = write_inputs(tmp_path)
    path = corrupt_shard(inputs.stores["a"], 2)

    with pytest.raises(IncompleteRunError, match=r"1 of 6 shards are missing.*a\[2\]") as caught:
        run(inputs, tmp_path / "run")

    record = RunRecord.load(tmp_path / "run")
    assert record.status == "incomplete"
    assert record.failures.keys() == {"a[2]"}
    assert str(path) in record.failures["a[2]"]
    assert str(path) in str(caught.value)
    assert len(parts(tmp_path / "run")) == 10


def test_a_part_that_vanishes_makes_the_run_incomplete(inputs, tmp_path):
    """What counts is what stands on disk, not what the events said."""

    def remove(event, _totals):
        if isinstance(event, UnitDone) and event.unit.shard == 4:
            (tmp_path / "hits/sample=a/part-00001.parquet").unlink()

    with pytest.raises(IncompleteRunError, match="1 of 6 shards are missing"):
        run(inputs, tmp_path, on_event=remove)

    assert RunRecord.load(tmp_path).status == "incomplete"


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "interrupted"), (RuntimeError, "incomplete")]
)
def test_what_stops_a_run_is_recorded_and_passed_on(inputs, tmp_path, error, status):
    def stop(event, _totals):
        if isinstance(event, UnitDone) and event.unit.shard == 2:
            raise error

    with pytest.raises(error):
        run(inputs, tmp_path / "run", on_event=stop)

    assert RunRecord.load(tmp_path / "run").status == status
    assert len(parts(tmp_path / "run")) == 6


def test_a_stopped_run_resumes_to_the_same_bytes(inputs, tmp_path):
    def stop(event, _totals):
        if isinstance(event, UnitDone) and event.unit.shard == 2:
            raise KeyboardInterrupt

    run(inputs, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(inputs, tmp_path / "run", on_event=stop)
    totals = run(inputs, tmp_path / "run")

    assert totals.n_units == 3
    assert parts(tmp_path / "run") == parts(tmp_path / "whole")
    assert RunRecord.load(tmp_path / "run").status == "complete"


def test_a_finished_run_has_nothing_to_do(inputs, tmp_path):
    run(inputs, tmp_path)

    class Unused:
        def describe(self):
            return {"kind": "unused"}

        def run(self, units):
            raise AssertionError("nothing is left")

    totals = drive(inputs.plan(tmp_path), Unused(), on_event=ignore)

    assert totals == RunTotals()
    assert RunRecord.load(tmp_path).status == "complete"


def test_regions_that_have_not_converged_are_counted_also_after_a_resume(inputs, tmp_path):
    """S19."""
    config = CallConfig(
        solver=SolverConfig(name="dense", max_steps=1, tolerance=1e-12, step_size_max=0.1)
    )

    def stop(event, _totals):
        if isinstance(event, UnitDone) and event.unit.shard == 2:
            raise KeyboardInterrupt

    whole = run(inputs, tmp_path / "whole", config).n_not_converged
    with pytest.raises(KeyboardInterrupt):
        run(inputs, tmp_path / "run", config, on_event=stop)
    seen = [RunRecord.load(tmp_path / "run").warnings["not_converged"]]
    for _ in range(2):
        run(inputs, tmp_path / "run", config)
        seen.append(RunRecord.load(tmp_path / "run").warnings["not_converged"])

    assert 0 < seen[0] < whole
    assert seen[1:] == [whole, whole]


def test_a_failure_that_is_tried_again_is_not_counted():
    totals = RunTotals()

    totals.add(UnitFailed(Unit("a", 1), "w", "died", is_final=False))
    assert totals.failures == {}
    totals.add(UnitFailed(Unit("a", 1), "w", "died", is_final=True))
    assert totals.failures == {"a[1]": "died"}


def test_totals_add_up():
    totals = RunTotals()
    for gap in (1e-8, 1e-9):
        totals.add(UnitDone(Unit("a", 0), "w", 4, 9, 1, gap, {"read": 0.5, "solve": 1.0}))

    assert totals == RunTotals(
        n_units=2, n_regions=8, n_hits=18, n_not_converged=2, max_gap=1e-8,
        seconds={"read": 1.0, "solve": 2.0},
    )  # fmt: skip
