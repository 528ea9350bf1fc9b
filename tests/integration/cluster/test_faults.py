"""Faults that a run on many nodes must end with in bounded time, each as the design says."""

import pytest

from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.record.run_record import RunRecord
from finemo_dist.run.plan import read_plan
from tests.command import wait_until
from tests.integration.cluster.conftest import kill
from tests.integration.cluster.workers import N_UNITS, words
from tests.unit.run.runs import parts

pytestmark = [pytest.mark.ray, pytest.mark.slow]

VICTIM = Unit("a", 3)


def test_the_last_two_workers_die_together(start, undisturbed):
    job = start(n_workers=2, seconds=0.3)
    wait_until(lambda: job.n_committed >= 4 and len(job.live_pids) == 2)

    kill(job.live_pids)

    assert job.ends()["failed"] == []
    assert parts(job.run) == undisturbed


def test_a_unit_that_kills_its_workers_is_set_aside_and_the_rest_is_done(start):
    did = start(poison=str(VICTIM)).ends()

    assert "1 of 16 shards is missing" in did["failed"][0]
    assert "a[3]" in did["failed"][0]
    assert "its worker died" in did["failed"][0]
    assert len(did["n_done"]) == N_UNITS - 1


def test_a_worker_that_hangs_is_ended_and_its_unit_done_elsewhere(start, undisturbed):
    """One worker: no other is idle to try the unit before its time is up."""
    job = start(n_workers=1, hangs=str(VICTIM), unit_timeout_s=4.0)

    assert job.ends()["failed"] == []
    assert parts(job.run) == undisturbed


def test_near_the_end_a_straggler_is_done_by_an_idle_worker(start, undisturbed):
    job = start(n_workers=2, hangs=str(VICTIM), unit_timeout_s=3600.0)

    did = job.ends()

    assert did["failed"] == []
    assert set(did["n_done"].values()) == {1}
    assert parts(job.run) == undisturbed


def test_a_disk_that_fills_up_keeps_what_is_committed_and_the_rest_follows(start, undisturbed):
    job = start(n_workers=2, seconds=0.3)
    wait_until(lambda: job.n_committed >= 4)
    (job.word / "full").touch()

    did = job.ends()

    assert "No space left on device" in did["failed"][0]
    n_done = len(did["n_done"])
    assert 4 <= n_done < N_UNITS
    assert RunRecord.load(job.run).status == "incomplete"
    (job.word / "full").unlink()
    again = start(n_workers=2).ends()
    assert again["failed"] == []
    assert len(again["n_done"]) == again["n_pending"] == N_UNITS - n_done
    assert parts(job.run) == undisturbed


def test_a_full_disk_of_one_node_sets_no_unit_aside(start, undisturbed):
    job = start(n_together=4, seconds=0.3)
    wait_until(lambda: len(words(job.word)) == 4)
    nodes = [word["node"] for word in words(job.word)]
    # That of two workers: half of all units would go there.
    node = max(nodes, key=nodes.count)
    (job.word / f"full-{node}").touch()

    did = job.ends()

    assert did["failed"] == []
    assert len(did["n_done"]) == N_UNITS
    assert parts(job.run) == undisturbed


@pytest.mark.parametrize("table", ["hits", "peaks_qc"])
def test_a_truncated_part_is_made_again_on_resume(start, undisturbed, table):
    job = start(n_workers=2)
    job.ends()
    path = part_path(job.run, table, VICTIM)
    path.write_bytes(path.read_bytes()[:-100])
    assert read_plan(job.run).pending == (VICTIM,)

    # As whoever plans a run that was complete does.
    RunRecord.load(job.run).model_copy(update={"status": "running"}).save(job.run)

    did = start(n_workers=2).ends()

    assert list(did["n_done"]) == [str(VICTIM)]
    assert parts(job.run) == undisturbed
