"""Units of later stages: each waits for all earlier ones of its sample, and for no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.records import STAGES, Stage, Unit
from finemo_dist.run.in_turn import OF_CORES
from finemo_dist.run.schedule import MAX_FAILURES, Schedule
from finemo_dist.run.sequels import Sequels

SHARDS = {name: [Unit(name, i) for i in range(2)] for name in "ab"}
FILES = {name: Unit(name, 0, Stage.OUTPUTS) for name in "ab"}
UNITS = [unit for name in "ab" for unit in (*SHARDS[name], FILES[name])]


def test_files_follow_the_last_shard_of_their_sample():
    sequels = Sequels(UNITS)

    assert sequels.ready == (*SHARDS["a"], *SHARDS["b"])
    assert sequels.done(SHARDS["a"][1]) == ()
    assert sequels.done(SHARDS["b"][0]) == ()
    assert sequels.done(SHARDS["a"][0]) == [FILES["a"]]
    assert sequels.done(FILES["a"]) == ()
    assert sequels.done(SHARDS["b"][1]) == [FILES["b"]]


def test_files_of_a_sample_that_has_all_its_shards_wait_for_nothing():
    sequels = Sequels([FILES["a"], *SHARDS["b"]])

    assert sequels.ready == (FILES["a"], *SHARDS["b"])


def schedule_of(*workers):
    schedule = Schedule(UNITS, unit_timeout_s=100.0)
    for worker in workers:
        schedule.join(worker)
    return schedule


def test_a_schedule_gives_files_when_their_shards_are_done_and_ends_after_them():
    schedule, order, now = schedule_of("w"), [], 0.0
    while not schedule.is_over:
        now += 1
        ((worker, unit),) = schedule.assign(now)
        order.append(unit)
        schedule.finish(worker, now)

    assert order == UNITS


def test_files_are_left_out_where_a_shard_is_set_aside():
    workers = [f"w{i}" for i in range(MAX_FAILURES)]
    schedule, seen, now = schedule_of(*workers), set(), 0.0
    while not schedule.is_over:
        now += 20
        given = schedule.assign(now)
        for worker, unit in given:
            seen.add(unit)
            if unit == SHARDS["a"][1]:
                schedule.fail(worker, now)
            else:
                schedule.finish(worker, now)

    assert seen == {*UNITS} - {FILES["a"]}


def test_nothing_waits_for_units_that_were_given_up():
    schedule = schedule_of("w")
    ((worker, first),) = schedule.assign(0.0)

    assert len(schedule.give_up()) == 3
    schedule.finish(worker, 1.0)

    assert first == SHARDS["a"][0]
    assert schedule.is_over


def test_files_are_left_out_where_no_worker_can_do_a_shard():
    schedule, seen, now = schedule_of("w"), [], 0.0
    while not schedule.is_over:
        now += 1
        ((worker, unit),) = schedule.assign(now)
        seen.append(unit)
        schedule.finish(worker, now, is_done=unit != SHARDS["a"][1])

    assert seen == [*SHARDS["a"], *SHARDS["b"], FILES["b"]]


def made(name: str, n_shards: int = 2) -> list[Unit]:
    """Return all units of a sample whose store is made in the run."""
    return [
        *(Unit(name, i, Stage.EXTRACT) for i in range(n_shards)),
        Unit(name, 0, Stage.STORE),
        *(Unit(name, i) for i in range(n_shards)),
        Unit(name, 0, Stage.OUTPUTS),
    ]


def test_shards_are_called_when_their_store_is_whole_and_are_told_its_digest():
    first, second, store, *calls, files = made("a")
    sequels = Sequels([first, second, store, *calls, files])

    assert sequels.ready == (first, second)
    assert sequels.n_held() == 4
    assert list(sequels.done(first)) == []
    assert list(sequels.done(second)) == [store]
    freed = sequels.done(store, "digest")
    assert [(unit, unit.note) for unit in freed] == [(unit, "digest") for unit in calls]
    assert sequels.n_held() == sequels.n_held([Stage.OUTPUTS]) == 1
    assert list(sequels.done(calls[0])) == []
    (last,) = sequels.done(calls[1])
    assert (last, last.note) == (files, "digest")
    assert sequels.n_held() == 0


def test_a_store_that_cannot_be_written_leaves_out_all_that_follows_of_its_sample():
    sequels = Sequels([*made("a"), *made("b")])

    sequels.set_aside(Unit("a", 1, Stage.EXTRACT))

    assert sequels.n_held() == 4
    assert list(sequels.done(Unit("a", 0, Stage.EXTRACT))) == []


def test_workers_that_wait_for_units_that_are_held_back_are_kept():
    schedule = Schedule(made("a"), unit_timeout_s=100.0)
    for worker in ("v", "w", "x", "y"):
        schedule.join(worker)
    schedule.assign(0.0)

    assert len(schedule.idle) == 2
    assert schedule.n_surplus(n_coming=0) == 0
    assert schedule.n_surplus(n_coming=8) == 4


@pytest.mark.parametrize("stage", [Stage.EXTRACT, Stage.STORE])
def test_no_worker_gets_a_copy_of_what_makes_a_store(stage):
    slow = Unit("a", 0, stage)
    quick = Unit("b", 0)
    schedule = Schedule([slow, quick], unit_timeout_s=1e6)
    schedule.join("w")
    schedule.join("x")
    schedule.assign(0.0)
    schedule.finish("x", 1.0)

    assert schedule.assign(1e5) == []


def test_workers_that_were_split_off_are_given_copies_of_stragglers():
    calling = Schedule([FILES["a"], FILES["b"]], unit_timeout_s=1e6)
    others = calling.split_off(OF_CORES)
    others.join("w")
    others.join("x")
    others.assign(0.0)
    others.finish("x", 1.0)

    assert others.assign(100.0) == [("x", FILES["a"])]


@given(st.data(), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_two_kinds_of_workers_do_all_units_in_the_order_of_stages(data, sizes):
    units = [unit for i, n in enumerate(sizes) for unit in made(f"s{i}", n)]
    calling = Schedule(units, unit_timeout_s=1e6)
    others = calling.split_off(OF_CORES)
    kinds = {calling: {Stage.CALL}, others: OF_CORES}
    for schedule, prefix in ((calling, "gpu"), (others, "core")):
        for i in range(2):
            schedule.join(f"{prefix}{i}")
    done, lost, now = [], set(), 0.0
    while not (calling.is_over and others.is_over):
        now += 20
        for schedule, stages in kinds.items():
            for worker, unit in schedule.assign(now):
                assert unit.stage in stages
                assert unit not in done
                is_done = data.draw(st.integers(0, 9)) > 0
                schedule.finish(worker, now, is_done=is_done, note=f"of {unit.stage}")
                if is_done:
                    done.append(unit)
                else:
                    lost.add(unit.sample)
    whole = [unit for unit in units if unit.sample not in lost]
    assert {unit for unit in done if unit.sample not in lost} == set(whole)
    for name in {unit.sample for unit in units}:
        stages = [unit.stage for unit in done if unit.sample == name]
        assert stages == sorted(stages, key=STAGES.index)
    assert all(unit.note == f"of {Stage.STORE}" for unit in done if unit.stage is Stage.CALL)
