"""Samples join the record of a run as their stores become whole."""

import pytest

from finemo_dist.core.config import CallConfig
from finemo_dist.core.events import UnitDone, UnitFailed
from finemo_dist.core.records import Stage, Unit
from finemo_dist.record.run_record import Invocation, RunRecord
from finemo_dist.run import roster as module
from finemo_dist.run.extraction import BegunStore
from finemo_dist.run.plan import Extraction, PlannedSample, now, plan_run
from finemo_dist.run.roster import Roster
from finemo_dist.store.read import open_store
from tests.unit.run.runs import write_inputs

NAMES = tuple(f"s{i}" for i in range(6))


class Clock:
    """A clock that goes on when a record is saved, and when it is told to."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def saves(monkeypatch, clock):
    """Have each record that is saved noted; to save one takes a second."""
    noted, save = [], RunRecord.save

    def noting(record, run_dir):
        save(record, run_dir)
        noted.append([s.name for s in record.samples])
        clock.now += 1.0

    monkeypatch.setattr(RunRecord, "save", noting)
    return noted


@pytest.fixture
def joining(tmp_path):
    """A roster of six samples that are being extracted, and what has one of them join."""
    inputs = write_inputs(tmp_path / "inputs", samples=NAMES, n_regions=4)
    whole = inputs.plan(tmp_path / "whole")
    config = CallConfig()
    samples, units, digests = {}, [], {}
    for recorded in whole.record.samples:
        name, store = recorded.name, open_store(recorded.store)
        begun = BegunStore(
            name, store.path, store.n_regions, store.region_width, store.score_kind,
            store.meta.shard_regions, store.n_shards, (0,),
        )  # fmt: skip
        samples[name] = PlannedSample(begun, inputs.motifs(config), config)
        units += begun.units
        digests[name] = store.digest
    plan = plan_run(tmp_path / "run", samples, extraction=Extraction(tuple(units)))
    roster = Roster(plan, samples=samples)

    def join(name):
        unit = Unit(name, 0, Stage.STORE)
        roster.add(UnitDone(unit, "worker", 4, 0, 0, 0.0, {}, digests[name]))

    return roster, join, plan.run_dir


def test_recording_takes_a_small_share_of_the_time(joining, saves, clock):
    roster, join, run_dir = joining
    join(NAMES[0])
    roster.begin(invocation())
    assert [len(names) for names in saves] == [1]
    join(NAMES[1])
    # The first was free to come at any time; the next wait for fifty times what it took.
    assert [len(names) for names in saves] == [1, 2]
    join(NAMES[2])
    clock.now += 49.0
    join(NAMES[3])
    assert len(saves) == 2
    assert [s.name for s in RunRecord.load(run_dir).samples] == list(NAMES[:2])
    clock.now += 1.0
    # Whatever happens then: nothing else need join.
    roster.add(UnitDone(Unit(NAMES[0], 0), "worker", 4, 0, 0, 0.0, {}))
    assert [s.name for s in RunRecord.load(run_dir).samples] == list(NAMES[:4])
    clock.now += 100.0
    roster.add(UnitDone(Unit(NAMES[1], 0), "worker", 4, 0, 0, 0.0, {}))
    assert len(saves) == 3, "nothing has changed"


def test_who_joined_meanwhile_is_in_the_record_at_the_end(joining, saves):
    roster, join, run_dir = joining
    join(NAMES[0])
    roster.begin(invocation())
    for name in NAMES[1:]:
        join(name)
    assert len(saves) == 2
    roster.settle().save_joined(run_dir)
    assert [s.name for s in RunRecord.load(run_dir).samples] == list(NAMES)


def invocation():
    return Invocation(
        id="1", command=None, directory="/", version="0", host="here", pid=1, executor={},
        started=now(),
    )  # fmt: skip


def refuse(roster, *names):
    for name in names:
        roster.add(UnitFailed(Unit(name, 0, Stage.EXTRACT), "w", "damaged", is_final=True))


def digests_of(record):
    return {sample.name: sample.store_digest for sample in record.samples}


def test_who_was_left_out_is_refused_in_the_record_and_those_that_wait_keep_what_is_known(joining):
    """Of a store that is made again the digest is known before."""
    roster, join, run_dir = joining
    join(NAMES[0])
    roster.begin(invocation())
    # As a rerun finds it: this one is made again, and its parts name the store that it had.
    roster.record = roster.record.with_store(NAMES[1], "5707e")
    digest = digests_of(roster.record)[NAMES[0]]

    refuse(roster, *NAMES[3:])
    record = roster.settle()

    assert digests_of(record) == {NAMES[0]: digest, NAMES[1]: "5707e", NAMES[2]: ""}
    assert record.refused == dict.fromkeys(NAMES[3:], "damaged")
    assert not roster.is_expected(Unit(NAMES[3], 0))
    assert roster.is_expected(Unit(NAMES[2], 0))
    assert list(record.input_reports) == [NAMES[0]]
    waits = {NAMES[2]: "its regions are not extracted yet"}
    assert RunRecord.load(run_dir).refused == record.refused | waits


@pytest.mark.parametrize("gone", [(), NAMES])
def test_where_nobody_or_everybody_is_left_out_the_samples_are_those_of_the_plan(joining, gone):
    """Of a run without samples there is no record."""
    roster, join, _ = joining
    if not gone:
        join(NAMES[2])
    roster.begin(invocation())
    before = digests_of(roster.record)

    refuse(roster, *gone)

    assert digests_of(roster.settle()) == before
    assert before.keys() == set(NAMES)
