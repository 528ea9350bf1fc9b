"""The pool of workers, with a crew that does as it is told and a clock that goes when it waits."""

import heapq
from dataclasses import dataclass, field

import pytest

from finemo_dist.core.errors import RunError
from finemo_dist.core.events import (
    NodeRests,
    NodeWorks,
    UnitDone,
    UnitFailed,
    UnitStarted,
    WorkerLost,
)
from finemo_dist.core.records import Unit
from finemo_dist.run import pool as module
from finemo_dist.run.pool import Answer, Pool, Ready
from finemo_dist.run.schedule import Schedule

LONG_S = 1e9
"""Never, as far as a test is concerned."""


@dataclass
class Clock:
    """Goes on while the pool waits."""

    now: float = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@dataclass
class FakeCrew:
    """Workers ``worker-0``, ``worker-1`` and so on, of which each does as its number says."""

    clock: Clock
    n: int = 1
    """Places."""
    start_s: float | None = 1.0
    """To get ready; None where no worker ever does."""
    start_error: str | None = None
    room: bool = True
    room_from: float = LONG_S
    """When there is room where there was none."""
    node_of: dict[str, str] = field(default_factory=dict)
    """By worker; ``node`` where nothing is said."""
    nodes: dict[str, int] | None = None
    does: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """What becomes of the units of a worker, one after another: after how long, and ``done``,
    ``lost``, or an error. By default a unit is done after a second."""

    what = "fake worker"
    ready_timeout_s = 30.0

    def __post_init__(self):
        self.coming = []
        self.n_said = 0
        self.alive = {}
        self.is_ended = set()

    def n_places(self, now):
        return self.n

    def places(self):
        return self.nodes

    def has_room(self):
        return self.room or self.clock.now >= self.room_from

    def start(self, name, node):
        where = node or self.node_of.get(name, "node")
        self.alive[name] = where
        if self.start_s is not None:
            ready = Ready(f"host-of-{where}", where, self.start_error)
            self._say(self.start_s, name, Answer(ready=ready))

    def give(self, name, unit):
        after_s, what = (self.does.get(name) or [(1.0, "done")]).pop(0)
        if what == "done":
            answer = Answer(result=UnitDone(unit, name, 1, 0, 0, 0.0, {}))
        elif what == "lost":
            answer = Answer(lost="died (exit code 9)")
        else:
            answer = Answer(error=what)
        self._say(after_s, name, answer)

    def answers(self, timeout_s):
        self.clock.now += timeout_s
        while self.coming and self.coming[0][0] <= self.clock.now:
            _, _, name, answer = heapq.heappop(self.coming)
            if name in self.alive:
                yield name, answer

    def end(self, name):
        self.alive.pop(name, None)
        self.is_ended.add(name)

    def refusal(self, reason):
        return RunError(f"a fake worker {reason}")

    def _say(self, after_s, name, answer):
        self.n_said += 1
        heapq.heappush(self.coming, (self.clock.now + after_s, self.n_said, name, answer))


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def pool_of(crew, n_units=1, *, unit_timeout_s=LONG_S):
    units = [Unit("a", shard) for shard in range(n_units)]
    return Pool(crew, Schedule(units, unit_timeout_s=unit_timeout_s), device="cpu")


def run(crew, n_units=1, **options):
    return list(pool_of(crew, n_units, **options).run())


def of(events, *kinds):
    return [event for event in events if isinstance(event, kinds)]


def test_workers_that_have_a_place_and_never_get_ready_end_the_run(clock, caplog):
    crew = FakeCrew(clock, start_s=None)

    with pytest.raises(RunError, match=r"^a fake worker was not ready in time$"):
        run(crew)

    # The fourth in a row, each with half a minute; in between are the pauses.
    assert 120 < clock.now < 130
    assert crew.is_ended == {f"worker-{i}" for i in range(4)}
    assert [r.getMessage() for r in caplog.records] == [
        f"worker-{i} was not ready in time" for i in range(4)
    ]


def test_the_reason_of_a_worker_outlives_that_of_one_that_said_none(clock):
    """Which of them is told, once the run ends for want of workers."""
    crew = FakeCrew(clock, start_error="no module named torch")

    with pytest.raises(RunError, match=r"^a fake worker could not start: no module named torch$"):
        run(crew)


def test_a_worker_waits_a_quarter_of_an_hour_for_a_place(clock):
    """Nodes of a cloud take minutes to come."""
    crew = FakeCrew(clock, start_s=None, room=False)

    with pytest.raises(RunError, match=r"^a fake worker found no free place$"):
        run(crew)

    assert 900 < clock.now < 960
    assert crew.is_ended == {"worker-0"}, "the one that waited was not replaced by others"


def test_a_worker_that_gets_its_place_after_minutes_does_the_work(clock):
    """From then on it has time to get ready."""
    crew = FakeCrew(clock, start_s=600.0, room=False, room_from=585.0)

    events = run(crew)

    assert of(events, WorkerLost) == []
    assert [event.unit for event in of(events, UnitDone)] == [Unit("a", 0)]
    assert clock.now < 610


def test_what_nobody_survives_is_set_aside_in_the_end(clock):
    """Each worker is on a node of its own, so that no node is to blame."""
    names = [f"worker-{i}" for i in range(99)]
    lost = {name: [(0.1, "lost")] for name in names}
    crew = FakeCrew(clock, n=2, node_of={name: name for name in names}, does=lost)

    events = run(crew, n_units=100)

    last = of(events, UnitFailed)[-1]
    # More than 60; two go at a time.
    assert len(of(events, WorkerLost)) == 62
    assert last.error == "not tried again, because 62 workers in a row were lost"
    assert (last.worker, last.is_final) == ("none", True)
    assert {e.unit for e in of(events, UnitFailed) if e.is_final} == {
        Unit("a", i) for i in range(100)
    }


def test_where_every_node_fails_at_everything_what_waits_is_set_aside(clock):
    crew = FakeCrew(clock, n=2, does={f"worker-{i}": [(0.1, "disk full")] * 99 for i in range(99)})

    events = run(crew, n_units=100)

    why = "not tried again, because one shard after another failed on every node (disk full)"
    assert of(events, UnitFailed)[-1].error == why
    assert {e.unit for e in of(events, UnitFailed) if e.is_final} == {
        Unit("a", i) for i in range(100)
    }
    assert {(e.node, e.error) for e in of(events, NodeRests)} == {("host-of-node", "disk full")}


@pytest.mark.parametrize("where", [None, {"good": 1, "bad": 1}], ids=["alone", "cluster"])
def test_a_node_that_rests_and_works_again_is_told_by_the_name_of_its_machine(clock, where):
    node_of = {f"worker-{i}": "bad" if i == 0 else "good" for i in range(99)}
    full = [(0.5, "disk full")] * 3
    crew = FakeCrew(clock, n=2, node_of=node_of, nodes=where, does={"worker-0": full})

    events = run(crew, n_units=60)

    told = of(events, NodeRests, NodeWorks)
    assert told == [NodeRests("host-of-bad", 5.0, "disk full", "a"), NodeWorks("host-of-bad", "a")]
    assert len(of(events, UnitDone)) == 60


@pytest.mark.parametrize("what", ["done", "lost", "disk full"])
def test_what_becomes_of_a_copy_after_the_other_is_done_is_told_of_no_unit(clock, what):
    """The second worker has a copy of what the first is at; the third keeps the pool at work."""
    does = {
        "worker-0": [(40.0, "done"), (LONG_S, "")],
        "worker-1": [(1.0, "done"), (60.0, what)],
        "worker-2": [(150.0, "done")],
    }
    crew = FakeCrew(clock, n=3, does=does)

    events = run(crew, n_units=3)

    of_unit = [e for e in of(events, UnitStarted, UnitDone) if e.unit == Unit("a", 0)]
    assert [(type(e), e.worker) for e in of_unit] == [
        (UnitStarted, "worker-0"), (UnitStarted, "worker-1"), (UnitDone, "worker-0"),
    ]  # fmt: skip
    assert of(events, UnitFailed) == []
    assert [e.worker for e in of(events, WorkerLost)] == ["worker-1"] * (what == "lost")
    assert clock.now > 72, "the copy had its answer"
