"""GPUs call hits, and cores make stores and write files."""

from contextlib import contextmanager

from finemo_dist.core.events import UnitDone, UnitFailed
from finemo_dist.core.records import Stage, Unit
from finemo_dist.run.in_turn import InTurn, SideBySide
from finemo_dist.run.process_pool import ProcessExecutor
from tests.unit.run.workers import Refusing

SHARDS = {name: [Unit(name, i) for i in range(2)] for name in "ab"}
FILES = {name: Unit(name, 0, Stage.OUTPUTS) for name in "ab"}
UNITS = [unit for name in "ab" for unit in (*SHARDS[name], FILES[name])]


class Fake:
    """An executor that does everything but what it is told to fail."""

    def __init__(self, fails=()):
        self.fails = fails
        self.given = None

    def run(self, units):
        self.given = list(units)
        for unit in units:
            if unit in self.fails:
                yield UnitFailed(unit, "w", "broken", is_final=True)
            else:
                note = f"store of {unit.sample}" if unit.stage is Stage.STORE else ""
                yield UnitDone(unit, "w", 1, 1, 0, 0.0, {}, note)


def test_all_shards_are_called_before_the_first_file_is_written():
    calling, writing = Fake(), Fake()

    events = list(InTurn(calling, writing).run(UNITS))

    assert calling.given == [*SHARDS["a"], *SHARDS["b"]]
    assert writing.given == list(FILES.values())
    assert [event.unit for event in events] == [*calling.given, *writing.given]


def test_a_sample_with_a_shard_set_aside_has_no_files():
    writing = Fake()

    list(InTurn(Fake(fails=[SHARDS["a"][1]]), writing).run(UNITS))

    assert writing.given == [FILES["b"]]


def test_an_executor_without_work_is_not_begun():
    calling, writing = Fake(), Fake()

    list(InTurn(calling, writing).run([FILES["a"]]))
    assert (calling.given, writing.given) == (None, [FILES["a"]])
    list(InTurn(calling, Fake()).run(SHARDS["a"]))
    assert calling.given == SHARDS["a"]


def test_stores_are_made_before_hits_are_called_in_them():
    makes = [Unit(name, 0, stage) for name in "ab" for stage in (Stage.EXTRACT, Stage.STORE)]
    calling, others = Fake(), Fake(fails=[makes[1]])

    events = list(InTurn(calling, others).run([*makes, *UNITS]))

    assert [e.unit.stage for e in events[:4]] == [unit.stage for unit in makes]
    assert calling.given == SHARDS["b"]
    assert {unit.note for unit in calling.given} == {"store of b"}
    assert others.given == [FILES["b"]]
    assert others.given[0].note == "store of b"


class WithSession(ProcessExecutor):
    """Processes in the place of Ray's workers."""

    @contextmanager
    def session(self, *, n_more):
        del n_more
        yield


def test_gpus_do_nothing_but_call_hits_while_cores_do_the_rest():
    units = [
        unit
        for name in "cd"
        for unit in (
            Unit(name, 0, Stage.EXTRACT),
            Unit(name, 0, Stage.STORE),
            *(Unit(name, i) for i in range(2)),
            Unit(name, 0, Stage.OUTPUTS),
        )
    ]
    one = {"n_workers": 1, "unit_timeout_s": 60.0}
    executor = SideBySide(WithSession(Refusing(), **one), ProcessExecutor(Refusing(), **one))

    events = list(executor.run(units))

    done = [event for event in events if isinstance(event, UnitDone)]
    assert {event.unit for event in done} == set(units)
    for event in done:
        is_call = event.unit.stage is Stage.CALL
        assert event.worker == ("gpu-worker-0" if is_call else "worker-0")
    assert executor.describe()["n_cores"] == 1
