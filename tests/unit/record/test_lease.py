"""One driver at a time: who is refused, who takes over, and what the one before does then."""

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from finemo_dist.core.errors import IncompleteRunError, RunError
from finemo_dist.core.processes import Process
from finemo_dist.core.system_errors import fault
from finemo_dist.record import lease
from finemo_dist.record.lease import LEASE_NAME, Holder, Timing, driving, read_holder, require_held
from finemo_dist.storage.claims import claim, read_claim
from tests.command import wait_until

HOLD = """
import sys, time
from finemo_dist.record.lease import driving
with driving(sys.argv[1]):
    print("has it", flush=True)
    time.sleep(600)
"""

PROCESS = """
import dataclasses, json, time
from finemo_dist.core.processes import Process
print(json.dumps(dataclasses.asdict(Process.this())), flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """Seconds become hundredths."""
    monkeypatch.setattr(lease, "timing", Timing(beat_s=0.02, silence_s=0.3, look_s=0.01))


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def elsewhere(beat=0):
    """A driver on another machine."""
    process = Process("other-host", "0" * 12, 4711, 99)
    return Holder(process, "2026-01-02T03:04:05+00:00", beat)


def held_elsewhere(run):
    return claim(run / LEASE_NAME, elsewhere().text(), over=None)


@pytest.fixture
def process(run):
    """Another process that drives the run."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "has it\n"
    yield child
    child.kill()
    child.communicate()


def test_a_lease_is_there_while_it_is_held_and_leaves_nothing(run):
    with driving(run):
        assert read_holder(run).process == Process.this()
        with driving(str(run)):
            pass
        assert (run / LEASE_NAME).exists()

    assert list(run.iterdir()) == []


def test_folders_that_were_made_for_a_lease_go_with_it_unless_something_came_of_it(tmp_path):
    with driving(tmp_path / "a/b"):
        assert read_holder(tmp_path / "a/b") is not None
    assert list(tmp_path.iterdir()) == []

    with driving(tmp_path / "a/b"):
        (tmp_path / "a/file").touch()
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["file"]


def test_a_driver_on_this_machine_is_refused_at_once(run, process, monkeypatch):
    monkeypatch.setattr(lease, "timing", Timing(silence_s=1e9))
    with pytest.raises(RunError) as caught, driving(run):
        pytest.fail("two drivers")

    message = str(caught.value)
    assert caught.value.exit_status == 2
    for said in (str(run), f"process {process.pid} on {os.uname().nodename}", "since 20",
                 f"kill {process.pid}", "Wait until it ends"):  # fmt: skip
        assert said in message
    assert "\n" not in message


def test_one_that_was_killed_is_followed_at_once(run, process, monkeypatch):
    monkeypatch.setattr(lease, "timing", Timing(silence_s=1e9))
    process.kill()
    wait_until(lambda: not read_holder(run).process.is_alive())

    with driving(run):
        assert read_holder(run).process.pid == os.getpid()
    assert list(run.iterdir()) == []


def test_whoever_is_too_late_to_follow_a_dead_driver_does_not_say_that_it_goes_on(
    run, process, monkeypatch, caplog
):
    process.kill()
    wait_until(lambda: not read_holder(run).process.is_alive())
    other = subprocess.Popen([sys.executable, "-c", PROCESS], stdout=subprocess.PIPE)
    try:
        quicker = Holder(Process(**json.loads(other.stdout.readline())), "2026", 0)

        def too_late(path, text, *, over):
            assert claim(path, quicker.text(), over=over) is not None

        monkeypatch.setattr(lease, "claim", too_late)
        caplog.set_level("INFO")
        with pytest.raises(RunError, match="another driver"), driving(run):
            pytest.fail("two drivers")
    finally:
        other.kill()
        other.communicate()

    assert "goes on" not in caplog.text


def test_another_thread_is_another_driver(run):
    refused = []

    def drive():
        try:
            with driving(run):
                pass
        except RunError as error:
            refused.append(error)

    with driving(run):
        thread = threading.Thread(target=drive)
        thread.start()
        thread.join()

    assert len(refused) == 1


def test_what_an_interrupt_of_this_process_left_is_taken_over(run):
    claim(run / LEASE_NAME, Holder(Process.this(), "x", 0).text(), over=None)

    with driving(run):
        pass

    assert list(run.iterdir()) == []


def test_a_driver_on_another_machine_is_refused_once_it_gives_a_sign_of_life(run):
    own = held_elsewhere(run)
    is_over = threading.Event()

    def live():
        beat = 0
        while not is_over.wait(0.05):
            own.renew(elsewhere(beat := beat + 1).text())

    thread = threading.Thread(target=live)
    thread.start()
    try:
        with pytest.raises(RunError, match="process 4711 on other-host"), driving(run):
            pytest.fail("two drivers")
    finally:
        is_over.set()
        thread.join()


def test_a_driver_on_another_machine_that_is_silent_is_followed(run):
    held_elsewhere(run)
    began = time.monotonic()

    with driving(run):
        assert time.monotonic() - began >= lease.timing.silence_s
        assert read_holder(run).process == Process.this()


def test_clocks_of_machines_do_not_matter(run):
    """A sign of life from the future, and one from long ago, are as good as any."""
    for mtime in (0, 2**33):
        held_elsewhere(run)
        os.utime(run / LEASE_NAME, (mtime, mtime))
        began = time.monotonic()
        with driving(run):
            assert time.monotonic() - began >= lease.timing.silence_s


def test_a_driver_that_ends_while_another_waits_leaves_it_the_run(run):
    own = held_elsewhere(run)
    threading.Timer(0.05, own.release, args=("",)).start()
    began = time.monotonic()

    with driving(run):
        assert time.monotonic() - began < lease.timing.silence_s


@pytest.mark.parametrize("content", [b"", b"{}", b"0" * 32 + b"\n{}"])
def test_a_damaged_lease_is_followed_after_a_while(run, content):
    (run / LEASE_NAME).write_bytes(content)

    with driving(run):
        assert read_holder(run) is not None
    assert list(run.iterdir()) == []


def taken_over(run):
    """Have another machine take the run over, as from one that was stopped for minutes."""
    seen = read_claim(run / LEASE_NAME)
    assert claim(run / LEASE_NAME, elsewhere().text(), over=seen) is not None


@pytest.mark.usefixtures("interruptible")
def test_a_driver_that_was_taken_over_ends_in_order_and_leaves_the_other_alone(run):
    def drive():
        with driving(run):
            taken_over(run)
            # The signal of the thread that finds out ends this.
            time.sleep(60)

    with pytest.raises(IncompleteRunError) as caught:
        drive()

    assert caught.value.exit_status == 3
    assert "process 4711 on other-host" in str(caught.value)
    assert read_holder(run) == elsewhere()
    assert [p.name for p in run.iterdir()] == [LEASE_NAME]


def test_in_a_thread_a_driver_that_was_taken_over_ends_where_it_looks(run):
    ended = []

    def drive():
        try:
            with driving(run):
                taken_over(run)
                wait_until(lambda: lease._held[lease._key(run)].lost is not None)
                with driving(run):
                    require_held(run / "confidence" / "decoys")
        except IncompleteRunError as error:
            ended.append(error)

    thread = threading.Thread(target=drive)
    thread.start()
    thread.join()

    assert len(ended) == 1
    require_held(run)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_leaves_no_lease(run):
    with pytest.raises(KeyboardInterrupt), driving(run):
        signal.raise_signal(signal.SIGINT)

    assert list(run.iterdir()) == []


def test_a_lease_counts_on(run):
    with driving(run):
        wait_until(lambda: read_holder(run).beat >= 3)


def test_a_disk_that_cannot_be_written_has_no_lease(run, monkeypatch):
    def refuse(*_args, **_more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(lease, "claim", refuse)
    with driving(run):
        assert list(run.iterdir()) == []


def test_a_full_disk_is_named(run, monkeypatch):
    def refuse(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lease, "claim", refuse)
    with pytest.raises(RunError, match="no space is left"), driving(run):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_run_that_has_no_space_left_can_go_on(run, number):
    path = run / "run.json"
    full = OSError(number, os.strerror(number), str(path))
    bare = OSError(number, os.strerror(number))
    own = fault(path, full, otherwise="", kind=RunError, doing="written")
    own.__cause__ = full

    for error, where in ((full, path), (bare, run), (own, path)):
        with pytest.raises(IncompleteRunError) as caught, driving(run), driving(run):
            raise error
        assert str(caught.value).startswith(f"{where}: cannot be written: ")
        assert str(caught.value).endswith(
            "Committed work is kept; run the same command again to go on with it."
        )


def test_what_is_no_lack_of_space_in_a_run_is_raised_as_it_is(run):
    for error in (OSError(errno.EACCES, "no"), RunError("odd"), IncompleteRunError("half")):
        with pytest.raises(type(error)) as caught, driving(run):
            raise error
        assert caught.value is error


def test_what_is_no_run_and_has_no_space_left_has_nothing_to_go_on_with(run):
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space") as caught, driving(run, of=run / "s.zarr"):
        raise full
    assert caught.value is full


def test_of_many_drivers_that_come_at_once_one_begins(run):
    held_elsewhere(run)
    fast = "from finemo_dist.record import lease; lease.timing = lease.Timing(0.1, 0.5, 0.05)\n"
    # Whoever has it keeps it until the others have come, however late that is.
    code = fast + HOLD.replace("time.sleep(600)", "sys.stdin.read()")
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(run)], text=True, **pipes)
        for _ in range(3)
    ]
    wait_until(lambda: sum(child.poll() is not None for child in children) >= 2)
    said = [child.communicate(timeout=240) for child in children]

    assert sorted(child.returncode for child in children) == [0, 1, 1]
    assert sum(out == "has it\n" for out, _ in said) == 1
    assert sum("another driver" in err for _, err in said) == 2


def test_holders_are_what_they_were_written_as():
    holder = dataclasses.replace(elsewhere(), beat=12)

    assert Holder.of(lease.Claim("", holder.text())) == holder


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"}, {"format_version": 2}, {"beat": "many"}, {"pid": None},
        {"since": ...},
    ],
)  # fmt: skip
def test_a_lease_of_another_release_or_a_damaged_one_names_no_holder(change):
    told = {**json.loads(elsewhere().text()), **change}
    text = json.dumps({name: value for name, value in told.items() if value is not ...})

    assert Holder.of(lease.Claim("", text)) is None


class Unsteady:
    """A claim on a disk that cannot be written at times."""

    token = "t"

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.beats = []

    def renew(self, text):
        self.beats.append(json.loads(text)["beat"])
        if isinstance(outcome := self.outcomes.pop(0), Exception):
            raise outcome
        return outcome


def test_a_lease_that_cannot_be_renewed_is_told_once_a_time_and_stops_nothing(run, caplog):
    full, odd = OSError(errno.ENOSPC, "No space left on device"), OSError("odd")
    own = Unsteady(True, full, full, True, odd, True)
    held = lease._Held(run, own, elsewhere(), run / LEASE_NAME)

    for _ in range(6):
        held.beat()

    # A sign of life that could not be given is the next one to be given.
    assert own.beats == [1, 2, 2, 2, 3, 3]
    assert held.lost is None
    assert [r.getMessage() for r in caplog.records] == [
        f"{run}: the lease of this driver cannot be renewed ({why})"
        for why in ("No space left on device", "odd")
    ]
