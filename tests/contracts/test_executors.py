"""What every executor must do, and what Ray's must survive."""

import os
import time
from functools import partial

import pytest
import ray

from finemo_dist.core import errors
from finemo_dist.core.errors import FinemoDistError, IncompleteRunError, InputError, RunError
from finemo_dist.core.events import (
    UnitDone,
    UnitFailed,
    UnitStarted,
    WorkerLost,
    WorkersReady,
    WorkerStarted,
    ignore,
)
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.hits.read import survey
from finemo_dist.run import pool, ray_pool, ray_session
from finemo_dist.run.drive import drive
from finemo_dist.run.extraction import extract_samples
from finemo_dist.run.plan import read_plan
from finemo_dist.run.process_pool import ProcessExecutor
from finemo_dist.run.ray_pool import RayExecutor
from finemo_dist.run.serial import SerialExecutor
from tests.command import files_of
from tests.forked import parent_of_workers
from tests.processes import pids_below
from tests.unit.run import extractions, workers
from tests.unit.run.runs import corrupt_shard, parts, write_inputs
from tests.unit.run.workers import VICTIM, Disturbed, Refusing, Unmakeable, Unstartable

SAMPLES = ("a", "b")
N_UNITS = 6
HANGS_S = 10.0
"""Longer than a unit of four regions takes on a machine that others keep busy."""


@pytest.fixture(scope="module")
def cluster(ray_address):
    """One Ray session of two cores for this file."""
    with ray_session.ray_session(ray_address, n_cores=2, n_gpus=0):
        yield


@pytest.fixture(scope="module")
def parent():
    """A process that has loaded what workers need, of which they are copies."""
    return parent_of_workers()


@pytest.fixture(params=["serial", "processes", pytest.param("ray", marks=pytest.mark.ray)])
def make_executor(request):
    """Return how an executor is made."""
    if request.param == "serial":
        return SerialExecutor
    if request.param == "processes":
        return partial(make_processes, parent=request.getfixturevalue("parent"))
    request.getfixturevalue("cluster")
    return make_ray


def make_processes(spec, *, n_workers=2, unit_timeout_s=120.0, parent=None):
    return ProcessExecutor(spec, n_workers=n_workers, unit_timeout_s=unit_timeout_s, parent=parent)


def make_ray(spec, *, n_workers=2, unit_timeout_s=120.0):
    return RayExecutor(spec, n_workers=n_workers, address=None, unit_timeout_s=unit_timeout_s)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Two samples of three shards each."""
    return write_inputs(tmp_path_factory.mktemp("inputs"), samples=SAMPLES, n_regions=12)


@pytest.fixture(scope="module")
def reference(inputs, tmp_path_factory):
    """The bytes of every part, as one undisturbed worker writes them."""
    plan = inputs.plan(tmp_path_factory.mktemp("reference"))
    drive(plan, SerialExecutor(inputs.spec(plan)), on_event=ignore)
    return parts(plan.run_dir)


def events_of(make, inputs, run_dir, **options):
    """Return what an executor yields for all units of a new run."""
    plan = inputs.plan(run_dir)
    return list(make(inputs.spec(plan), **options).run(plan.pending))


def failures(events):
    return [(e.unit, e.is_final) for e in events if isinstance(e, UnitFailed)]


def done(events):
    return [e.unit for e in events if isinstance(e, UnitDone)]


def test_every_unit_is_done_once_with_the_same_bytes(make_executor, inputs, reference, tmp_path):
    events = events_of(make_executor, inputs, tmp_path)

    ready = [i for i, e in enumerate(events) if isinstance(e, WorkersReady)]
    first_done = min(i for i, e in enumerate(events) if isinstance(e, UnitDone))
    assert len(ready) == 1
    assert ready[0] < first_done
    assert sorted(map(str, done(events))) == [f"{s}[{i}]" for s in SAMPLES for i in range(3)]
    begun, given = set(), {}
    for event in events:
        if isinstance(event, WorkerStarted):
            begun.add(event.worker)
        elif isinstance(event, UnitStarted):
            assert event.worker in begun
            given[event.worker] = event.unit
        elif isinstance(event, UnitDone):
            assert given.pop(event.worker) == event.unit, "one unit at a time"
    assert len(done(events)) == N_UNITS
    assert parts(tmp_path) == reference
    assert read_plan(tmp_path).pending == ()


def test_only_the_units_asked_for_are_done(make_executor, inputs, tmp_path):
    spec = inputs.spec(inputs.plan(tmp_path))

    events = list(make_executor(spec).run([VICTIM]))

    assert done(events) == [VICTIM]
    assert survey(tmp_path, "a").units.keys() == {1}
    assert survey(tmp_path, "b").units == {}


def test_a_unit_that_fails_is_set_aside_and_the_others_are_done(make_executor, tmp_path):
    inputs = write_inputs(tmp_path, samples=SAMPLES, n_regions=12)
    path = corrupt_shard(inputs.stores["a"], 1)

    events = events_of(make_executor, inputs, tmp_path / "run")

    final = [e for e in events if isinstance(e, UnitFailed) and e.is_final]
    assert [e.unit for e in final] == [VICTIM]
    assert str(path) in final[0].error
    assert len(set(done(events))) == N_UNITS - 1
    assert read_plan(tmp_path / "run").pending == (VICTIM,)


def test_a_resume_makes_a_truncated_part_again_and_sets_a_corrupt_chunk_aside(
    make_executor, tmp_path
):
    inputs, run = write_inputs(tmp_path, samples=SAMPLES, n_regions=12), tmp_path / "run"
    events_of(SerialExecutor, inputs, run)
    whole = parts(run)
    truncated = Unit("b", 2)
    path = part_path(run, "hits", truncated)
    path.write_bytes(path.read_bytes()[:-100])
    lost = [part_path(run, table, VICTIM) for table in ("hits", "peaks_qc")]
    for part in lost:
        part.unlink()
    chunk = corrupt_shard(inputs.stores["a"], 1)

    events = events_of(make_executor, inputs, run)

    final = [e for e in events if isinstance(e, UnitFailed) and e.is_final]
    assert [e.unit for e in final] == [VICTIM]
    assert str(chunk) in final[0].error
    assert done(events) == [truncated]
    assert parts(run) == {k: v for k, v in whole.items() if run / k not in lost}


@pytest.fixture
def travelling():
    """Have what tests define travel by value: Ray's workers need not find the tests."""
    modules = (extractions, workers)
    for module in modules:
        ray.cloudpickle.register_pickle_by_value(module)
    yield
    for module in modules:
        ray.cloudpickle.unregister_pickle_by_value(module)


@pytest.mark.usefixtures("travelling")
def test_a_worker_of_any_kind_can_say_that_a_unit_is_not_to_be_tried_again(make_executor):
    units = [Unit("a", shard) for shard in range(3)]

    events = list(make_executor(Refusing()).run(units))

    assert failures(events) == [(VICTIM, True)]
    assert sorted(map(str, done(events))) == ["a[0]", "a[2]"]


@pytest.fixture(
    params=[("serial", 1), ("processes", 2)]
    + [pytest.param(("ray", n), marks=pytest.mark.ray) for n in (1, 2)]
)
def extractor_for(request):
    """Return how the executor of a stage of an extraction is made."""
    kind, n_workers = request.param
    if kind == "serial":
        return lambda plan: SerialExecutor(plan.spec)
    if kind == "processes":
        parent = request.getfixturevalue("parent")
        return lambda plan: make_processes(plan.spec, n_workers=n_workers, parent=parent)
    request.getfixturevalue("cluster")
    return lambda plan: make_ray(plan.spec, n_workers=n_workers)


@pytest.mark.usefixtures("travelling")
def test_an_extraction_leaves_the_same_stores_and_names_what_was_refused(extractor_for, tmp_path):
    samples = extractions.extractions(tmp_path / "out", a=1, b=extractions.broken, c=2)
    with pytest.raises(InputError, match=r"1 of 3 samples was not.* b: gone\.bw: no such file"):
        extract_samples(
            samples,
            executor_for=extractor_for,
            check=lambda begun: None,
            on_event=ignore,
        ).raise_any(len(samples))

    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.zarr", "c.zarr"]
    for name, seed in (("a", 1), ("c", 2)):
        expected = extractions.expected_store(tmp_path / name, seed)
        found = tmp_path / "out" / f"{name}.zarr"
        assert extractions.content(found) == extractions.content(expected)


def test_an_executor_describes_itself_for_the_record(make_executor, inputs, tmp_path):
    description = make_executor(inputs.spec(inputs.plan(tmp_path))).describe()

    assert description.keys() == {"kind", "n_workers", "device"}
    assert description["device"] == "cpu"


def use_actor(monkeypatch, actor):
    """Have Ray start another kind of worker; its class travels by value."""
    remote = ray.remote(max_restarts=0, max_task_retries=0)(actor)
    monkeypatch.setattr(ray_pool, "_ACTOR", remote)


def disturbed(before, after=lambda: None):
    """Return a worker class that does something before and after its work on the victim."""

    class Disturbed(ray_pool._RegionActor):
        def process(self, unit, coming=()):
            if unit == VICTIM:
                before()
            event = super().process(unit)
            if unit == VICTIM:
                after()
            return event

    return Disturbed


def once(marker, action):
    """Return a function that acts in the first process that calls it."""

    def act():
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return
        action()

    return act


def disturbed_processes(inputs, run_dir, what, *, marker=None, n_others=0, **options):
    """Return what processes yield that do something beside their work on the victim."""
    plan = inputs.plan(run_dir)
    spec = Disturbed(inputs.spec(plan), what, marker, n_others)
    return list(make_processes(spec, **options).run(plan.pending))


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.parametrize("what", ["die before", "die after"])
def test_a_process_that_dies_is_replaced_and_leaves_no_trace(inputs, reference, tmp_path, what):
    """After its parts are committed and before anybody is told is the worst moment."""
    marker = tmp_path / "died"

    events = disturbed_processes(inputs, tmp_path / "run", what, marker=marker)

    assert marker.exists()
    assert failures(events) == [(VICTIM, False)]
    (lost,) = (e for e in events if isinstance(e, WorkerLost))
    assert lost.reason == "died (exit status 1)"
    assert sorted(map(str, done(events))) == [f"{s}[{i}]" for s in SAMPLES for i in range(3)]
    assert parts(tmp_path / "run") == reference


@pytest.mark.system
@pytest.mark.slow
def test_a_unit_whose_processes_die_is_set_aside_after_three(inputs, tmp_path):
    # What else is done tells whether it is the unit or the node that is at fault.
    events = disturbed_processes(inputs, tmp_path, "die last", n_others=N_UNITS - 1)

    assert failures(events) == [(VICTIM, False), (VICTIM, False), (VICTIM, True)]
    assert len({e.worker for e in events if isinstance(e, UnitFailed)}) == 3
    assert read_plan(tmp_path).pending == (VICTIM,)


@pytest.mark.system
@pytest.mark.slow
def test_a_process_that_hangs_is_ended_and_its_unit_done_elsewhere(inputs, reference, tmp_path):
    marker = tmp_path / "hung"

    events = disturbed_processes(
        inputs, tmp_path / "run", "hang", marker=marker, unit_timeout_s=HANGS_S
    )

    assert failures(events) == [(VICTIM, False)]
    assert parts(tmp_path / "run") == reference


@pytest.mark.parametrize(
    ("maker", "why"),
    [
        (Unmakeable(), "could not start: motif_cwms.npy: no array and more. Use"),
        (Unstartable(), r"died \(exit status 7\)\. Use"),
    ],
)
def test_processes_that_cannot_be_started_end_the_run_with_the_reason(maker, why, monkeypatch):
    """After fifteen seconds of trying; the pauses between two starts are skipped."""
    slept = [0.0]

    class Clock:
        monotonic = staticmethod(lambda: time.monotonic() + sum(slept))
        sleep = slept.append

    monkeypatch.setattr(pool, "time", Clock)
    began = Clock.monotonic()

    with pytest.raises(RunError, match=f"No worker could be started; the last one {why}"):
        list(make_processes(maker, n_workers=1).run([VICTIM]))

    assert Clock.monotonic() - began > 15.0


def test_no_process_outlives_its_executor(inputs, tmp_path):
    # Ray's are there as long as a session of other tests.
    before = set(pids_below(os.getpid()))
    plan = inputs.plan(tmp_path)
    events = make_processes(Disturbed(inputs.spec(plan), "hang")).run([VICTIM])
    next(event for event in events if isinstance(event, UnitStarted))
    started = set(pids_below(os.getpid())) - before
    assert started

    events.close()

    assert not started & set(pids_below(os.getpid()))


@pytest.mark.ray
def test_a_worker_that_dies_is_replaced_and_leaves_no_trace(
    cluster, inputs, reference, tmp_path, monkeypatch
):
    """Its parts are committed and nobody was told: the worst moment. The unit is done again."""
    die = once(tmp_path / "died", lambda: os._exit(1))
    use_actor(monkeypatch, disturbed(lambda: None, die))

    events = events_of(make_ray, inputs, tmp_path / "run")

    assert (tmp_path / "died").exists()
    assert failures(events) == [(VICTIM, False)]
    assert sorted(map(str, done(events))) == [f"{s}[{i}]" for s in SAMPLES for i in range(3)]
    assert parts(tmp_path / "run") == reference
    assert ray.is_initialized(), "the session is the caller's"


@pytest.mark.ray
def test_a_unit_whose_workers_die_is_set_aside_after_three(cluster, inputs, tmp_path, monkeypatch):
    def die_last():
        # What else is done tells whether it is the unit or the node that is at fault.
        while len(files_of(tmp_path, "peaks_qc/*/part-*.parquet")) < N_UNITS - 1:
            time.sleep(0.01)
        os._exit(1)

    use_actor(monkeypatch, disturbed(die_last))
    plan = inputs.plan(tmp_path)
    events = []

    with pytest.raises(IncompleteRunError, match=r"1 of 6 shards is missing.*a\[1\].*died"):
        drive(plan, make_ray(inputs.spec(plan)), on_event=lambda event: events.append(event))

    assert failures(events) == [(VICTIM, False), (VICTIM, False), (VICTIM, True)]
    assert len({e.worker for e in events if isinstance(e, UnitFailed)}) == 3
    assert read_plan(tmp_path).pending == (VICTIM,)
    assert read_plan(tmp_path).record.failures.keys() == {"a[1]"}


@pytest.mark.ray
def test_a_worker_that_hangs_is_ended_and_its_unit_done_elsewhere(
    cluster, inputs, reference, tmp_path, monkeypatch
):
    hang = once(tmp_path / "hung", lambda: time.sleep(300))
    use_actor(monkeypatch, disturbed(hang))
    started = time.monotonic()

    events = events_of(make_ray, inputs, tmp_path / "run", unit_timeout_s=HANGS_S)

    assert failures(events) == [(VICTIM, False)]
    assert parts(tmp_path / "run") == reference
    assert time.monotonic() - started < 120


@pytest.fixture
def impatient(monkeypatch):
    """Have a run without workers end after seconds: three failed starts take as long."""
    monkeypatch.setattr(pool, "_LEAST_TRYING_S", 2.0)


@pytest.mark.ray
@pytest.mark.usefixtures("impatient")
def test_workers_that_cannot_be_started_end_the_run(cluster, inputs, tmp_path, monkeypatch):
    class Broken(ray_pool._RegionActor):
        def __init__(self, spec, name):
            os._exit(1)

    use_actor(monkeypatch, Broken)

    with pytest.raises(RunError, match="No worker could be started"):
        events_of(make_ray, inputs, tmp_path)


@pytest.mark.ray
def test_workers_that_can_be_started_go_on_without_the_others(
    cluster, inputs, reference, tmp_path, tmp_path_factory, monkeypatch
):
    others = tmp_path_factory.mktemp("others")

    class FirstOnly(ray_pool._RegionActor):
        def __init__(self, spec, name):
            if name != "worker-0":
                (others / name).touch()
                os._exit(1)
            super().__init__(spec, name)

        def process(self, unit, coming=()):
            while len(list(others.iterdir())) < 4:
                time.sleep(0.05)
            return super().process(unit)

    use_actor(monkeypatch, FirstOnly)

    events = events_of(make_ray, inputs, tmp_path)

    assert failures(events) == []
    assert {e.worker for e in events if isinstance(e, UnitDone)} == {"worker-0"}
    assert parts(tmp_path) == reference


@pytest.mark.ray
@pytest.mark.usefixtures("impatient")
def test_a_worker_that_cannot_be_made_says_why_in_one_line(cluster, travelling):
    with pytest.raises(RunError) as caught:
        list(make_ray(Unmakeable(), n_workers=1).run([VICTIM]))

    message = str(caught.value)
    start = "No worker could be started; the last one could not start: motif_cwms.npy: no array."
    assert message.startswith(start)
    assert "\n" not in message
    assert "Traceback" not in message


def is_ours(kind):
    return isinstance(kind, type) and issubclass(kind, FinemoDistError)


@pytest.mark.ray
def test_every_error_comes_back_from_another_process_as_itself(cluster):
    @ray.remote(max_retries=0)
    def fail(kind):
        raise kind("a.bw: found 'x', expected 'y'. Do z.")

    tree = [kind for kind in vars(errors).values() if is_ours(kind)]
    assert FinemoDistError in tree
    for kind in tree:
        with pytest.raises(ray.exceptions.RayTaskError) as caught:
            ray.get(fail.remote(kind), timeout=60)

        assert type(caught.value.cause) is kind
        assert str(caught.value.cause) == "a.bw: found 'x', expected 'y'. Do z."
        assert caught.value.cause.exit_status == kind.exit_status
