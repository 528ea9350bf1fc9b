"""The queue of a run as a state machine: whatever happens, every unit ends exactly once."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from finemo_dist.core.records import Unit
from finemo_dist.run.schedule import MAX_COPIES, MAX_FAILURES, Restarts, Schedule, pause_s

TIMEOUT_S = 100.0


def units_of(**samples: int) -> list[Unit]:
    return [Unit(name, shard) for name, n in samples.items() for shard in range(n)]


def schedule_of(*workers: str, may_copy: bool = True, **samples: int) -> Schedule:
    schedule = Schedule(units_of(**samples), unit_timeout_s=TIMEOUT_S, may_copy=may_copy)
    for worker in workers:
        schedule.join(worker)
    return schedule


class Runs(RuleBasedStateMachine):
    """A run in which anything may happen at any time."""

    @initialize(shards=st.lists(st.integers(1, 5), min_size=1, max_size=4), may_copy=st.booleans())
    def begin(self, shards, may_copy):
        self.units = units_of(**{f"s{i}": n for i, n in enumerate(shards)})
        self.may_copy = may_copy
        self.schedule = Schedule(self.units, unit_timeout_s=TIMEOUT_S, may_copy=may_copy)
        self.now = 0.0
        self.n_joined = 0
        self.has: dict[str, Unit | None] = {}
        self.failed_on: dict[Unit, list[str]] = {}
        self.done: list[Unit] = []
        self.aside: list[Unit] = []

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 11.0, 30.0, 101.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @precondition(lambda self: len(self.has) < 5)
    @rule(node=st.sampled_from("xy"))
    def a_worker_joins(self, node="x"):
        name = f"w{self.n_joined}"
        self.n_joined += 1
        self.schedule.join(name, node)
        self.has[name] = None

    @rule()
    def units_are_given(self):
        for worker, unit in self.schedule.assign(self.now):
            assert self.has[worker] is None
            assert worker not in self.failed_on.get(unit, [])
            assert unit not in self.ended
            self.has[worker] = unit
        # Nobody is idle while there is something to take.
        idle = self.schedule.idle
        assert idle == [worker for worker, unit in self.has.items() if unit is None]
        waiting = set(self.units) - self.ended - set(self.has.values())
        assert len(waiting) == self.schedule.n_waiting
        nodes = self.schedule.nodes._nodes.values()
        if idle:
            is_well = not any(h.is_suspect for n in nodes for h in (n.health, *n.samples.values()))
            if is_well:
                assert waiting <= self.failed_on.keys(), "a unit nobody tried waits"

    @rule(n_coming=st.integers(0, 2))
    def workers_that_nothing_suits_are_replaced(self, n_coming):
        waiting = set(self.units) - self.ended - set(self.has.values())
        for worker in self.schedule.unsuited(self.now, n_coming=n_coming):
            assert self.has.pop(worker) is None
            assert any(worker in self.failed_on.get(unit, []) for unit in waiting)
            assert self.schedule.leave(worker, self.now) is None

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def a_unit_is_finished(self, data):
        worker = data.draw(st.sampled_from(self.busy))
        unit, self.has[worker] = self.has[worker], None
        if self.schedule.finish(worker, self.now):
            self.done.append(unit)
        else:
            assert unit in self.ended

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), dies=st.booleans())
    def a_unit_fails(self, data, dies):
        worker = data.draw(st.sampled_from(self.busy))
        unit = self.has[worker]
        if dies:
            failure = self.schedule.leave(worker, self.now)
            del self.has[worker]
        else:
            failure = self.schedule.fail(worker, self.now)
            self.has[worker] = None
        if failure is None:
            assert unit in self.ended
            return
        assert (failure.unit, failure.worker) == (unit, worker)
        self.failed_on.setdefault(unit, []).append(worker)
        if failure.is_final:
            self.aside.append(unit)

    @rule(data=st.data())
    def an_idle_worker_goes(self, data):
        if idle := [worker for worker, unit in self.has.items() if unit is None]:
            worker = data.draw(st.sampled_from(idle))
            assert self.schedule.leave(worker, self.now) is None
            del self.has[worker]

    @rule()
    def workers_that_hang_are_ended(self):
        for worker in self.schedule.overdue(self.now):
            unit = self.has.pop(worker)
            failure = self.schedule.leave(worker, self.now)
            assert (failure is None) == (unit in self.ended)
            if failure is not None:
                self.failed_on.setdefault(unit, []).append(worker)
                if failure.is_final:
                    self.aside.append(unit)

    @property
    def ended(self) -> set[Unit]:
        return {*self.done, *self.aside}

    @property
    def busy(self) -> list[str]:
        return [worker for worker, unit in self.has.items() if unit is not None]

    @invariant()
    def every_unit_ends_once_or_is_open(self):
        if not hasattr(self, "schedule"):
            return
        assert len(self.done) + len(self.aside) == len(self.ended)
        assert self.schedule.n_open == len(self.units) - len(self.ended)
        assert self.schedule.is_over == (self.ended == set(self.units))

    @invariant()
    def no_unit_is_in_flight_too_often(self):
        if not hasattr(self, "schedule"):
            return
        most = MAX_COPIES if self.may_copy else 1
        for unit in set(self.units) - self.ended:
            assert sum(has == unit for has in self.has.values()) <= most
        for unit in self.aside:
            assert len(set(self.failed_on[unit])) >= MAX_FAILURES

    def teardown(self):
        """Workers that come and do their work bring any state to its end."""
        for _ in range(1000):
            if self.schedule.is_over:
                break
            self.now += 15.0
            for worker in self.schedule.unsuited(self.now, n_coming=0):
                self.schedule.leave(worker, self.now)
                del self.has[worker]
            self.a_worker_joins()
            self.units_are_given()
            for worker in self.busy:
                if self.schedule.finish(worker, self.now):
                    self.done.append(self.has[worker])
                self.has[worker] = None
        assert self.ended == set(self.units)
        assert len(self.done) + len(self.aside) == len(self.units)


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)


def test_a_worker_stays_with_its_sample_and_others_begin_others():
    schedule = schedule_of("x", "y", a=3, b=2)

    assert dict(schedule.assign(0)) == {"x": Unit("a", 0), "y": Unit("b", 0)}
    schedule.finish("y", 1)
    assert schedule.assign(1) == [("y", Unit("b", 1))]
    schedule.finish("x", 1)
    assert schedule.assign(1) == [("x", Unit("a", 1))]


def test_a_worker_whose_sample_is_done_helps_where_most_waits():
    schedule = schedule_of("x", "y", "z", a=9, b=5, c=1)
    schedule.assign(0)

    schedule.finish("z", 1)

    assert schedule.assign(1) == [("z", Unit("a", 1))]


def test_a_unit_that_failed_waits_and_is_then_tried_first_by_another():
    schedule = schedule_of("x", a=2)
    schedule.assign(0)

    failure = schedule.fail("x", 1)

    assert failure is not None
    assert (failure.unit, failure.is_final) == (Unit("a", 0), False)
    assert schedule.assign(1) == [("x", Unit("a", 1))]
    schedule.join("y")
    assert schedule.assign(1) == []
    assert schedule.assign(1 + pause_s(1)) == [("y", Unit("a", 0))]


def test_a_unit_that_failed_waits_half_a_minute_for_a_worker_of_another_node():
    schedule = Schedule(units_of(a=2), unit_timeout_s=TIMEOUT_S)
    for worker, node in (("x", "n"), ("z", "m"), ("y", "n")):
        schedule.join(worker, node)
    schedule.assign(0)
    schedule.fail("x", 0)
    due = pause_s(1)

    assert schedule.assign(due) == [], "z may have it, and is busy"
    assert schedule.assign(due + 29.9) == []
    assert schedule.assign(due + 30) == [("y", Unit("a", 0))]


def test_a_sample_that_all_workers_left_is_begun_before_one_that_some_have():
    schedule = schedule_of("x", "y", a=2, b=6)
    assert dict(schedule.assign(0)) == {"x": Unit("a", 0), "y": Unit("b", 0)}
    schedule.leave("x", 1)
    schedule.finish("y", 1)
    schedule.assign(1)
    schedule.join("z")

    assert schedule.assign(1) == [("z", Unit("a", 1))]


def test_a_worker_without_a_unit_finishes_nothing():
    schedule = schedule_of("x", a=1)

    assert not schedule.finish("x", 1)
    assert not schedule.is_over


def test_a_unit_that_fails_on_three_workers_is_set_aside():
    schedule = schedule_of("x", "y", "z", a=1)
    found = []
    for now, worker in ((0, "x"), (10, "y"), (20, "z")):
        assert schedule.assign(now) == [(worker, Unit("a", 0))]
        found.append(schedule.fail(worker, now))

    assert [failure.is_final for failure in found] == [False, False, True]
    assert not any(failure.is_refused for failure in found)
    assert schedule.is_over
    assert schedule.assign(30) == []


def test_two_nodes_are_enough_to_set_a_unit_aside_where_there_are_three():
    schedule = Schedule(units_of(a=1), unit_timeout_s=TIMEOUT_S)
    for worker, node in (("x", "n"), ("y", "m"), ("z", "n"), ("v", "o")):
        schedule.join(worker, node)
    found = []
    for now, worker in ((0, "x"), (10, "y"), (100, "z")):
        assert schedule.assign(now) == [(worker, Unit("a", 0))]
        found.append(schedule.fail(worker, now).is_final)

    assert found == [False, False, True]


def test_a_unit_that_fails_six_times_is_set_aside_though_no_node_has_proved_itself():
    schedule = schedule_of("b0", "b1", may_copy=False, a=1, b=5)
    schedule.assign(0)
    schedule.fail("b0", 0)
    found, now = [], 0.0
    for i in range(5):
        now += 100
        schedule.join(f"w{i}", ("n", "m")[i % 2])
        assert schedule.assign(now)[-1] == (f"w{i}", Unit("a", 0))
        found.append(schedule.fail(f"w{i}", now).is_final)

    assert found == [False, False, False, False, True]


def test_the_only_worker_is_to_be_replaced_after_a_failure():
    schedule = schedule_of("x", a=1)
    schedule.assign(0)
    schedule.fail("x", 0)

    assert schedule.unsuited(0, n_coming=0) == []
    assert schedule.unsuited(pause_s(1), n_coming=0) == ["x"]
    assert schedule.assign(5) == []
    assert schedule.unsuited(5, n_coming=0) == ["x"]
    assert schedule.unsuited(5, n_coming=1) == []
    schedule.join("y")
    assert schedule.unsuited(5, n_coming=0) == [], "the other takes it"
    schedule.leave("x", 5)
    assert schedule.unsuited(5, n_coming=0) == [], "before it is given the unit"


def test_no_more_workers_are_replaced_than_units_wait_for():
    schedule = schedule_of("x", "y", a=1)
    for now, worker in ((0, "x"), (5, "y")):
        schedule.assign(now)
        schedule.fail(worker, now)

    assert schedule.unsuited(10, n_coming=0) == ["x"]
    assert schedule.unsuited(10, n_coming=1) == []
    assert schedule.unsuited(10, n_coming=2) == []


def test_a_straggler_is_done_twice_and_counts_once():
    schedule = schedule_of("x", "y", a=1, b=2)
    schedule.assign(0)
    schedule.finish("y", 6)
    schedule.assign(6)
    schedule.finish("y", 12)

    assert schedule.assign(12) == []
    assert schedule.assign(13) == [("y", Unit("a", 0))]
    assert schedule.assign(99) == []
    schedule.join("z")
    assert schedule.assign(99) == [], "twice is enough"
    assert schedule.finish("y", 100)
    assert schedule.is_over
    assert not schedule.finish("x", 101)


def test_a_short_unit_is_no_straggler():
    schedule = schedule_of("x", "y", a=1, b=1)
    schedule.assign(0)
    schedule.finish("y", 0.1)

    assert schedule.assign(9) == []
    assert schedule.assign(10.1) == [("y", Unit("a", 0))]


def test_nothing_is_done_twice_where_that_is_not_allowed():
    schedule = schedule_of("x", "y", may_copy=False, a=1, b=1)
    schedule.assign(0)
    schedule.finish("y", 1)

    assert schedule.assign(99) == []


@pytest.mark.parametrize("is_first_final", [False, True])
def test_a_copy_that_fails_leaves_the_other_at_work(is_first_final):
    schedule = schedule_of("x", "y", a=1, b=1)
    schedule.assign(0)
    schedule.finish("y", 1)
    schedule.assign(50)

    failure = schedule.fail("y", 60)

    assert failure is not None
    assert not failure.is_final
    assert not failure.is_refused
    assert schedule.n_waiting == 0
    assert schedule.fail("x", 61) if is_first_final else schedule.finish("x", 61)
    assert schedule.is_over is not is_first_final


def test_a_copy_that_fails_after_the_unit_is_done_is_no_failure():
    schedule = schedule_of("x", "y", a=1, b=1)
    schedule.assign(0)
    schedule.finish("y", 1)
    schedule.assign(50)
    assert schedule.finish("x", 60)

    assert schedule.fail("y", 61, error="disk full") is None
    assert schedule.nodes.last_error == "", "nor is its node to blame"


def test_near_the_end_one_worker_is_kept_for_each_unit_in_flight():
    schedule = schedule_of("x", "y", "z", a=2)
    assert schedule.n_surplus(n_coming=2) == 0

    schedule.assign(0)

    assert schedule.n_surplus(n_coming=0) == 0
    assert schedule.n_surplus(n_coming=2) == 1


def test_giving_up_sets_aside_all_that_waits():
    schedule = schedule_of("x", "y", a=4)
    schedule.assign(0)
    schedule.fail("y", 0)

    assert schedule.give_up() == [Unit("a", 2), Unit("a", 3), Unit("a", 1)]
    assert schedule.n_waiting == 0
    assert not schedule.is_over
    assert schedule.finish("x", 1)
    assert schedule.is_over


def test_pauses_double_up_to_a_bound():
    pauses = [pause_s(n) for n in range(1, 9)]

    assert pauses[:3] == [0.5, 1.0, 2.0]
    assert pauses[-1] == pause_s(10_000) == 15.0


def test_workers_that_go_together_are_one_setback():
    restarts = Restarts()
    assert restarts.may_start(0)
    for _ in range(8):
        restarts.lost(0)

    assert not restarts.may_start(0.4)
    assert restarts.may_start(0.5)
    restarts.lost(0.6)
    assert not restarts.may_start(1.5)
    assert restarts.may_start(1.6)
    restarts.progressed()
    restarts.lost(2)
    assert restarts.n_losses == 1
    assert not restarts.may_start(2.4)
    assert restarts.may_start(2.5)


def test_failed_starts_are_counted_until_a_worker_is_ready():
    restarts = Restarts()
    for now in (0, 10, 20):
        restarts.failed_to_start(now)

    assert restarts.n_failed_starts == 3
    assert not restarts.may_start(21.9), "the third pause is of two seconds"
    restarts.started()
    assert restarts.n_failed_starts == 0


def test_time_to_assign_does_not_grow_with_samples():
    """Counted, not timed: how many samples are looked at for one unit."""

    class Counted(dict):
        n_looked_at = 0

        def __contains__(self, key):
            Counted.n_looked_at += 1
            return super().__contains__(key)

    looked_at = []
    for n_samples in (10, 1000):
        schedule = schedule_of("x", "y", **{f"s{i}": 1 for i in range(n_samples)})
        schedule._n_engaged = Counted()
        Counted.n_looked_at = 0
        for now in range(n_samples // 2):
            for worker, _ in schedule.assign(now):
                schedule.finish(worker, now)
        looked_at.append(Counted.n_looked_at / n_samples)

    assert looked_at[1] <= looked_at[0] + 0.1
