"""What dead writers left in a run: removed by its driver, and nothing of the living."""

import dataclasses
import os
import threading
import time

import pytest

from finemo_dist.core.errors import IncompleteRunError
from finemo_dist.core.processes import Process, _state_of
from finemo_dist.record import lease
from finemo_dist.run import leftovers
from finemo_dist.run.leftovers import tidied
from finemo_dist.storage import temporary
from finemo_dist.storage.claims import claim, read_claim
from finemo_dist.storage.temporary import ABANDONED_S, temporary_path
from tests.command import wait_until

PLACES = (
    "hits/sample=a/part-00001.parquet", "peaks_qc/sample=a/part-00001.parquet",
    "outputs/sample=a/written.json", "samples/a/hits.tsv", "hits.tsv", "run.json", "regions/a.zarr",
    "confidence/decoys/hits/sample=1-a/part-00000.parquet",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(leftovers, "LOOK_S", 0.1)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a function that leaves a temporary file of some process in each place of a run."""

    def make(*, old=False, places=PLACES, **changed):
        process = dataclasses.replace(Process.this(), **changed)
        with monkeypatch.context() as patch:
            patch.setattr(temporary.Process, "this", classmethod(lambda _: process))
            paths = [temporary_path(tmp_path / place) for place in places]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x" * 100)
            if old:
                time = path.stat().st_mtime - ABANDONED_S - 10
                os.utime(path, (time, time))
        return set(paths)

    return make


def left_in(run):
    return set(run.rglob("*.tmp"))


def dead():
    return {"start": Process.this().start + 1}


def elsewhere():
    return {"machine": "0" * 12}


def test_what_dead_processes_of_this_machine_left_goes_at_once(made, tmp_path):
    made(**dead())
    with tidied(tmp_path):
        assert left_in(tmp_path) == set()
        made(**dead())
    assert left_in(tmp_path) == set()


def test_what_living_processes_make_stays_however_old(made, tmp_path):
    pid = os.getppid()
    kept = made(old=True) | made(old=True, pid=pid, start=_state_of(pid)[1])
    with tidied(tmp_path):
        assert left_in(tmp_path) == kept
    assert left_in(tmp_path) == kept


def test_what_other_machines_left_goes_when_it_is_old_or_stays_the_same(made, tmp_path):
    made(old=True, **elsewhere())
    young = made(**elsewhere())
    with tidied(tmp_path):
        assert left_in(tmp_path) == young
    assert left_in(tmp_path) == set()


def test_what_grows_on_another_machine_is_of_a_living_writer(made, tmp_path, monkeypatch):
    (path,) = made(places=PLACES[:1], **elsewhere())
    made(places=PLACES[1:2], **elsewhere())
    is_over = threading.Event()

    def write():
        while not is_over.wait(0.01):
            with path.open("a") as file:
                file.write("x")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with tidied(tmp_path):
            pass
        assert left_in(tmp_path) == {path}
    finally:
        is_over.set()
        thread.join()


def test_a_folder_in_which_a_file_grows_is_not_old(tmp_path, made):
    (path,) = made(old=True, places=("regions/b.zarr",), **elsewhere())
    path.unlink()
    (path / "c").mkdir(parents=True)
    (path / "c/0").write_text("x")
    old = time.time() - ABANDONED_S - 10
    for place in (path / "c", path):
        os.utime(place, (old, old))

    with tidied(tmp_path):
        assert path.exists()
        os.utime(path / "c/0", (old, old))
    assert not path.exists()


def test_places_of_others_are_not_looked_at(made, tmp_path):
    places = ("report/page.html", "mine.tsv", "regions/a.zarr/sequence/c.0")
    kept = made(old=True, places=places, **elsewhere())
    with tidied(tmp_path):
        pass
    assert left_in(tmp_path) == kept


def test_a_driver_that_was_taken_over_removes_nothing(made, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "timing", lease.Timing(beat_s=0.01))
    kept = []

    def drive():
        with lease.driving(tmp_path), tidied(tmp_path):
            path = tmp_path / lease.LEASE_NAME
            claim(path, "other", over=read_claim(path))
            kept.extend(made(**dead()))
            wait_until(lambda: any(held.lost for held in lease._held.values()))

    def fail():
        with pytest.raises(IncompleteRunError):
            drive()

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert set(kept) <= left_in(tmp_path)
