"""Driving a plan: totals, the record, and what an interruption leaves."""

import json
import os
import platform
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from finemo_dist.core.config import CallConfig, SolverConfig
from finemo_dist.core.errors import IncompleteRunError
from finemo_dist.core.events import UnitDone, UnitFailed, UnitStarted, WorkersReady, WorkerStarted
from finemo_dist.core.records import Stage, Unit
from finemo_dist.record.run_log import log_files
from finemo_dist.record.run_record import Invocation, RunRecord
from finemo_dist.run import drive as drive_module
from finemo_dist.run.drive import RunTotals, drive
from finemo_dist.run.remains import check_output, clear_run
from finemo_dist.run.serial import SerialExecutor
from tests.unit.run.runs import corrupt_shard, parts, write_inputs


def ignore(_event):
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


def test_every_event_is_passed_on(inputs, tmp_path):
    seen = []

    run(inputs, tmp_path, on_event=seen.append)

    kinds = [WorkerStarted, WorkersReady] + [UnitStarted, UnitDone] * 6
    assert [type(event) for event in seen] == kinds


def test_a_run_with_a_hole_is_incomplete_and_names_what_failed(tmp_path):
    inputs = write_inputs(tmp_path)
    path = corrupt_shard(inputs.stores["a"], 2)

    with pytest.raises(IncompleteRunError, match=r"1 of 6 shards is missing.*a\[2\]") as caught:
        run(inputs, tmp_path / "run")

    record = RunRecord.load(tmp_path / "run")
    assert record.status == "incomplete"
    assert record.failures.keys() == {"a[2]"}
    assert str(path) in record.failures["a[2]"]
    assert str(path) in str(caught.value)
    assert len(parts(tmp_path / "run")) == 10


def test_a_part_that_vanishes_makes_the_run_incomplete(inputs, tmp_path):
    """What counts is what stands on disk, not what the events said."""

    def remove(event):
        if isinstance(event, UnitDone) and event.unit.shard == 4:
            (tmp_path / "hits/sample=a/part-00001.parquet").unlink()

    with pytest.raises(IncompleteRunError, match="1 of 6 shards is missing"):
        run(inputs, tmp_path, on_event=remove)

    assert RunRecord.load(tmp_path).status == "incomplete"


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "interrupted"), (RuntimeError, "incomplete")]
)
def test_what_stops_a_run_is_recorded_and_passed_on(inputs, tmp_path, error, status):
    def stop(event):
        if isinstance(event, UnitDone) and event.unit.shard == 2:
            raise error

    with pytest.raises(error):
        run(inputs, tmp_path / "run", on_event=stop)

    assert RunRecord.load(tmp_path / "run").status == status
    assert len(parts(tmp_path / "run")) == 6


def test_a_stopped_run_resumes_to_the_same_bytes(inputs, tmp_path):
    def stop(event):
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

    def stop(event):
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


def done(shard, gap=1e-8):
    return UnitDone(Unit("a", shard), "w", 4, 9, 1, gap, {"read": 0.5, "solve": 1.0})


def test_totals_add_up():
    totals = RunTotals()
    for shard, gap in enumerate((1e-8, 1e-9)):
        totals.add(done(shard, gap))

    assert totals == RunTotals(
        n_regions=8, n_hits=18, n_not_converged=2, max_gap=1e-8,
        seconds={"read": 1.0, "solve": 2.0}, done={Unit("a", 0), Unit("a", 1)}, n_units=2,
    )  # fmt: skip


@pytest.mark.parametrize("is_done_first", [True, False])
def test_a_unit_that_two_workers_had_counts_once(is_done_first):
    totals = RunTotals()
    events = [done(0), UnitFailed(Unit("a", 0), "v", "died", is_final=True)]

    for event in events if is_done_first else reversed(events):
        totals.add(event)
    totals.add(done(0))

    assert (totals.n_units, totals.n_regions, totals.failures) == (1, 4, {})


def test_a_run_that_was_told_whole_opens_no_part_again(inputs, tmp_path, monkeypatch):
    plan = inputs.plan(tmp_path)
    monkeypatch.setattr("finemo_dist.run.drive.read_plan", None)

    drive(plan, SerialExecutor(inputs.spec(plan)), on_event=ignore)

    assert RunRecord.load(tmp_path).status == "complete"


def test_a_unit_of_which_nothing_was_told_is_looked_for_on_disk(inputs, tmp_path):
    """Its worker committed it and died before it could say so."""
    plan = inputs.plan(tmp_path)
    executor = SerialExecutor(inputs.spec(plan))

    class Silent:
        describe = executor.describe

        def run(self, units):
            return (e for e in executor.run(units) if not isinstance(e, UnitDone))

    totals = drive(plan, Silent(), on_event=ignore)

    assert (totals.n_units, RunRecord.load(tmp_path).status) == (0, "complete")


def test_an_old_part_under_the_name_of_a_unit_that_failed_is_a_hole(tmp_path):
    """Names are believed of units that were told done, and of no others."""
    inputs = write_inputs(tmp_path)
    run(inputs, tmp_path / "run")
    record = RunRecord.load(tmp_path / "run")
    record.model_copy(update={"status": "incomplete"}).save(tmp_path / "run")
    plan = replace(inputs.plan(tmp_path / "run"), pending=(Unit("a", 2),))
    for table in ("hits", "peaks_qc"):
        folder = tmp_path / "run" / table / "sample=a"
        shutil.copy(folder / "part-00001.parquet", folder / "part-00002.parquet")
    corrupt_shard(inputs.stores["a"], 2)

    with pytest.raises(IncompleteRunError, match="1 of 6 shards is missing"):
        drive(plan, SerialExecutor(inputs.spec(plan)), on_event=ignore)


def test_every_time_that_a_run_was_worked_on_is_recorded(inputs, tmp_path):
    seen = []

    def stop(event):
        seen.append(RunRecord.load(tmp_path))
        if isinstance(event, UnitDone) and event.unit.shard == 2:
            raise KeyboardInterrupt

    plan = inputs.plan(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        drive(plan, SerialExecutor(inputs.spec(plan)), on_event=stop, command="finemo-dist x")
    run(inputs, tmp_path)
    record = RunRecord.load(tmp_path)

    first, second = record.invocations
    begun = seen[0]
    assert (begun.status, begun.finished) == ("running", None)
    assert begun.executor == {"kind": "serial", "n_workers": 1, "device": "cpu"}
    assert begun.invocations[0].status == "running"
    assert (first.command, first.status, first.n_units) == ("finemo-dist x", "interrupted", 3)
    assert (second.command, second.status, second.n_units) == (None, "complete", 3)
    assert (first.pid, first.host) == (os.getpid(), platform.node())
    assert first.started <= first.finished <= second.started <= second.finished
    assert {p.name for p in (tmp_path / "log").iterdir()} == {
        f"run-{i.id}.jsonl" for i in record.invocations
    }


def test_a_driver_that_was_killed_is_recorded_by_the_next(inputs, tmp_path):
    def die(_event):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run(inputs, tmp_path, on_event=die)
    killed = RunRecord.load(tmp_path)
    (only,) = killed.invocations
    only = only.model_copy(update={"status": "running", "finished": None})
    killed.model_copy(update={"status": "running", "invocations": (only,)}).save(tmp_path)
    run(inputs, tmp_path)

    assert [i.status for i in RunRecord.load(tmp_path).invocations] == ["stopped", "complete"]


def test_what_another_driver_recorded_meanwhile_is_kept(inputs, tmp_path):
    other = Invocation(
        id="other", directory="/", version="0", host="h", pid=1, started="2026-01-01"
    )

    def meanwhile(_event):
        RunRecord.load(tmp_path).begun(other).save(tmp_path)

    run(inputs, tmp_path, on_event=meanwhile)

    assert "other" in {i.id for i in RunRecord.load(tmp_path).invocations}


def test_the_log_has_every_commit_once_and_what_stopped_the_run(inputs, tmp_path):
    def stop(event):
        if isinstance(event, UnitDone) and event.unit.shard == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(inputs, tmp_path, on_event=stop)
    run(inputs, tmp_path)
    logs = [[json.loads(line) for line in p.read_text().splitlines()] for p in log_files(tmp_path)]

    by_kind = [Counter(entry["event"] for entry in log) for log in logs]
    assert by_kind[0] == by_kind[1] == {
        "run_started": 1, "worker_started": 1, "workers_ready": 1, "shard_started": 3,
        "shard_done": 3, "run_finished": 1,
    }  # fmt: skip
    finished = [e for log in logs for e in log if e["event"] == "shard_done"]
    assert sorted((e["sample"], e["shard"]) for e in finished) == [("a", i) for i in range(6)]
    assert all(e["worker"] == "serial" and e["node"] == platform.node() for e in finished)
    assert all(e["started"] <= e["time"] for e in finished)
    assert all(e["seconds"].keys() == {"read", "solve", "write"} for e in finished)
    assert sum(e["n_regions"] for e in finished) == 24
    assert [log[-1]["status"] for log in logs] == ["interrupted", "complete"]


def test_force_removes_the_logs_and_what_others_put_beside_them_stays(inputs, tmp_path):
    run(inputs, tmp_path)
    foreign = tmp_path / "log" / "slurm-1.out"
    foreign.touch()

    clear_run(tmp_path)
    assert list((tmp_path / "log").iterdir()) == [foreign]
    foreign.unlink()
    clear_run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_logs_alone_is_no_output_of_ours(tmp_path):
    (tmp_path / "log").mkdir()

    check_output(tmp_path)


def test_signs_of_life_are_given_while_units_are_done():
    """Another thread gives them: to go through what is done would fail whenever it grows."""

    class Growing(set):
        def __iter__(self):
            raise RuntimeError("Set changed size during iteration")

    totals = RunTotals(done=Growing())
    totals.add(UnitDone(Unit("a", 0), "w", 4, 7, 0, 0.0, {}))
    totals.add(UnitDone(Unit("a", 0, Stage.OUTPUTS), "w", 0, 0, 0, 0.0, {}))

    assert drive_module._progress(totals) == {
        "n_done": 1, "n_regions": 4, "n_hits": 7, "n_failed": 0,
    }  # fmt: skip
