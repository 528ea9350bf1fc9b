"""Units of later stages: each waits for all earlier ones of its sample, and for no other."""

from finemo_dist.core.records import Stage, Unit
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
