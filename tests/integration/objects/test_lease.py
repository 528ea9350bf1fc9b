"""The lease of a run on object storage: had by one driver, taken over by one."""

import os
import threading

import pytest

from finemo_dist.core.errors import IncompleteRunError, RunError
from finemo_dist.core.processes import Process, _state_of
from finemo_dist.record import lease
from finemo_dist.record.lease import LEASE_NAME, Holder, Timing, driving, read_holder
from finemo_dist.storage.claims import claim, read_claim
from tests.command import answer_of, wait_until

ELSEWHERE = Holder(Process("other-host", "0" * 12, 4711, 99), "2026-01-02", 0)


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(lease, "timing", Timing(beat_s=0.02, silence_s=0.3, look_s=0.01))


@pytest.fixture
def run(bucket, request):
    return bucket.path(request.node.name)


def test_a_lease_is_there_while_it_is_held_and_leaves_nothing(run):
    with driving(run):
        wait_until(lambda: read_holder(run).beat >= 2)
        assert read_holder(run).process == Process.this()

    assert list(run.below()) == []


def test_a_second_driver_is_refused_and_a_silent_one_followed(run):
    own = claim(run / LEASE_NAME, ELSEWHERE.text(), over=None)
    with driving(run):
        assert read_holder(run).process == Process.this()
        assert not own.renew(ELSEWHERE.text())
        own.release("")
        assert read_holder(run).process == Process.this()

    here, pid = Process.this(), os.getppid()
    alive = Process(here.host, here.machine, pid, _state_of(pid)[1])
    claim(run / LEASE_NAME, Holder(alive, "x", 0).text(), over=None)
    with pytest.raises(RunError, match=f"process {pid} on"), driving(run):
        pass


def test_of_two_that_saw_a_dead_one_one_follows(run):
    claim(run / LEASE_NAME, "dead", over=None)
    seen = read_claim(run / LEASE_NAME)
    won, start = [], threading.Barrier(4)

    def take(name):
        start.wait()
        won.append(claim(run / LEASE_NAME, name, over=seen))

    threads = [threading.Thread(target=take, args=(name,)) for name in "abcd"]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    (own,) = filter(None, won)
    assert read_claim(run / LEASE_NAME).token == own.token
    own.release("")


@pytest.mark.usefixtures("interruptible")
def test_a_driver_that_was_taken_over_ends_in_order(run):
    def drive():
        with driving(run):
            seen = read_claim(run / LEASE_NAME)
            while claim(run / LEASE_NAME, ELSEWHERE.text(), over=seen) is None:
                seen = read_claim(run / LEASE_NAME)
            wait_until(lambda: False, timeout_s=60)

    with pytest.raises(IncompleteRunError, match="process 4711 on other-host"):
        drive()
    assert read_holder(run) == ELSEWHERE


def test_a_lease_that_was_removed_by_hand_is_made_again(run):
    own = claim(run / LEASE_NAME, "a", over=None)
    (run / LEASE_NAME).unlink()
    assert own.renew("a 2")
    assert read_claim(run / LEASE_NAME).text == "a 2"


def test_a_put_whose_answer_was_lost_is_ours_all_the_same(run, monkeypatch):
    own = claim(run / LEASE_NAME, "a", over=None)
    put = type(run).put_if

    def lost(self, content, *, replaces):
        put(self, content, replaces=replaces)
        # Sent again by the client, which had no answer to the first.
        return put(self, content, replaces=replaces)

    monkeypatch.setattr(type(run), "put_if", lost)
    assert own.renew("a 2")
    monkeypatch.undo()
    assert own.renew("a 3")
    assert read_claim(run / LEASE_NAME).text == "a 3"


def test_a_command_is_refused_while_another_writes_the_run(bucket, yeast_slice, capsys, tmp_path):
    run = bucket.path("refused")
    here, pid = Process.this(), os.getppid()
    alive = Process(here.host, here.machine, pid, _state_of(pid)[1])
    claim(run / LEASE_NAME, Holder(alive, "x", 0).text(), over=None)
    words = ("-r", tmp_path, "-m", yeast_slice / "modisco_results.h5", "-o", run)

    answer = answer_of(capsys, "call-hits", *words)

    assert answer.status == 2
    assert f"{run}: another driver (process {pid} on " in answer.err
    assert [path.name for path in run.below()] == [LEASE_NAME]
