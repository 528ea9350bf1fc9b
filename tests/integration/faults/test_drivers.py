"""Two drivers of one run, and drivers that die: who goes on, and what they leave."""

import json
import os
import shutil
import signal
import tempfile
from datetime import UTC, datetime, timedelta

import pytest

from finemo_dist.core.processes import Process, _state_of
from finemo_dist.record import lease
from finemo_dist.record.lease import LEASE_NAME, SILENCE_S, Holder, Timing, read_holder
from finemo_dist.record.run_record import RunRecord
from finemo_dist.run import drive
from finemo_dist.storage.claims import claim, read_claim
from finemo_dist.storage.temporary import remove_left_behind
from tests.command import files_of, wait_until
from tests.integration.faults.outcomes import lines_with, tables_of
from tests.integration.faults.test_damage import start
from tests.unit.run.runs import parts

KILLED = (
    "import os, signal, finemo_dist.{module} as module\n"
    "module.{name} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
)
"""Kills a process where it writes."""


def alive():
    """A process that is alive on this machine and is not this one."""
    pid = os.getppid()
    here = Process.this()
    return Holder(Process(here.host, here.machine, pid, _state_of(pid)[1]), "2026-01-02", 0)


def elsewhere(beat=0):
    return Holder(Process("other-host", "0" * 12, 4711, 99), "2026-01-02", beat)


def hold(folder, holder):
    folder.mkdir(exist_ok=True)
    return claim(folder / LEASE_NAME, holder.text(), over=None)


@pytest.mark.system
@pytest.mark.slow
def test_F5_a_second_driver_says_who_runs_and_ends(command, call, sharded, whole, tmp_path):
    words, run = call(regions=sharded), tmp_path / "run"
    process = start(words)
    wait_until(lambda: (run / "run.json").exists() or process.poll() is not None)
    process.send_signal(signal.SIGSTOP)

    answer = command(*words)

    assert answer.status == 2
    (message,) = answer.err.splitlines()
    host = os.uname().nodename
    for said in (str(run), f"process {process.pid} on {host}", "since 20", "Wait until it ends",
                 f"kill {process.pid}"):  # fmt: skip
        assert said in message
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=120)[0] == ""
    assert process.returncode == 0
    assert parts(run) == parts(whole)
    assert not list(run.glob("*lease*"))


@pytest.mark.system
@pytest.mark.slow
def test_F5_a_killed_driver_is_followed_at_once(works, call, sharded, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "timing", Timing(silence_s=1e9))
    words, run = call(regions=sharded), tmp_path / "run"
    process = start(words)
    wait_until(lambda: process.poll() is not None or files_of(run, "hits/*/part-*"))
    process.kill()
    wait_until(lambda: not read_holder(run).process.is_alive())

    said = works(*words)

    (message,) = lines_with(said, "the last driver")
    assert f"(process {process.pid} on " in message
    process.communicate()
    assert parts(run) == parts(whole)
    assert tables_of(run) == tables_of(whole)
    assert not list(run.glob("*lease*"))


def test_F5_every_command_that_writes_a_run_asks_first(
    refused, works, inputs, call, sharded, whole, tmp_path
):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (tmp_path / "names.tsv").write_text("motif_name\ttf\n")
    config = {"output": "run", "modisco_h5": str(inputs.modisco_h5),
              "samples": [{"name": "s", "regions": str(sharded)}]}  # fmt: skip
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    own = hold(run, alive())

    for words in (
        call(regions=sharded),
        call("--force", regions=sharded),
        ("run", tmp_path / "run.yaml"),
        ("confidence", run),
        ("compact", run),
        ("annotate", run, "-a", tmp_path / "names.tsv"),
        ("filter-hits", whole, "-o", run, "--rule", "keep=x", "--force"),
    ):
        refused(*words, says=(run, f"process {os.getppid()} on "))
    for words in (("status", run), ("verify", run), ("query", "counts", run)):
        works(*words)

    own.release("")
    works("compact", run)
    assert not list(run.glob("*lease*"))


@pytest.mark.parametrize("name", ["s.zarr", "s.npz"])
def test_F5_two_extractions_of_one_store_are_one(refused, works, inputs, store, tmp_path, name):
    folder = tmp_path / f".{name}.staging"
    own = hold(folder, alive())
    words = (*inputs.extract("bw"), "-o", tmp_path / name)

    refused(*words, says=(tmp_path / name, f"process {os.getppid()} on "))

    own.release("")
    folder.rmdir()
    works(*words)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_F5_a_driver_on_another_machine_is_followed_when_it_is_silent(
    works, call, sharded, whole, tmp_path, monkeypatch
):
    monkeypatch.setattr(lease, "timing", Timing(silence_s=0.2, look_s=0.01))
    hold(tmp_path / "run", elsewhere())

    said = works(*call(regions=sharded))

    assert lines_with(said, "waiting for up to 0 s for a sign of life of it")
    assert lines_with(
        said, "the last driver (process 4711 on other-host, since 2026-01-02) is dead"
    )
    assert parts(tmp_path / "run") == parts(whole)


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_F5_a_driver_that_was_taken_over_ends_with_3_and_writes_nothing_more(
    command, works, call, sharded, whole, tmp_path, monkeypatch, executor
):
    """As one that was stopped for minutes, while a driver on another machine took over."""
    monkeypatch.setattr(lease, "timing", Timing(beat_s=0.02))
    run, at = tmp_path / "run", []
    words = call("--executor", executor, *(("--workers", "2") * (executor != "serial")),
                 regions=sharded)  # fmt: skip

    def take():
        seen = read_claim(run / LEASE_NAME)
        at.append((run / "run.json").read_bytes())
        assert claim(run / LEASE_NAME, elsewhere().text(), over=seen) is not None

    log_start = drive._log_start

    def stopped(*args):
        log_start(*args)
        take()
        wait_until(lambda: any(held.lost for held in lease._held.values()))

    monkeypatch.setattr(drive, "_log_start", stopped)
    answer = command(*words)

    assert answer.status == 3
    assert "Traceback" not in answer.err
    (message,) = lines_with(answer, "Error: ")
    assert "was taken over by another driver (process 4711 on other-host" in message
    assert (run / "run.json").read_bytes() == at[0]
    assert read_holder(run) == elsewhere()
    assert not list(run.glob("hits.tsv"))
    assert RunRecord.load(run).status == "running"

    (run / LEASE_NAME).unlink()
    monkeypatch.undo()
    works(*call(regions=sharded))
    assert parts(run) == parts(whole)


@pytest.mark.parametrize("skew", [-86_400, 86_400])
def test_F8_a_status_compares_no_clocks_of_two_machines(
    command, works, call, sharded, tmp_path, skew
):
    """A driver elsewhere whose clock is a day off, silent for seconds and then for minutes."""
    run = tmp_path / "run"
    works(*call(regions=sharded))
    next(run.glob("hits/*/part-*")).unlink()
    record = RunRecord.load(run)
    time = (datetime.now(UTC) + timedelta(seconds=skew)).isoformat(timespec="milliseconds")
    last = record.invocations[-1].model_copy(
        update={"status": "running", "host": "other-host", "pid": 4711, "started": time}
    )
    update = {"status": "running", "finished": None, "invocations": (last,), "created": time}
    record.model_copy(update=update).save(run)
    (log,) = (run / "log").iterdir()
    log.write_text(json.dumps({"time": time, "event": "heartbeat"}) + "\n")
    hold(run, elsewhere())

    answer = command("status", run)
    assert answer.status == 3
    assert "running, last sign of life" in answer.out
    age(run / LEASE_NAME, SILENCE_S + 60)
    assert "stopped, no sign of life since" in command("status", run).out
    # A run of an earlier release.
    (run / LEASE_NAME).unlink()
    assert "running, last sign of life" in command("status", run).out
    age(log, SILENCE_S + 60)
    assert "stopped, no sign of life since" in command("status", run).out


@pytest.mark.system
@pytest.mark.slow
def test_F8_a_status_knows_at_once_that_a_driver_of_this_machine_died(
    command, call, sharded, tmp_path
):
    words, run = call(regions=sharded), tmp_path / "run"
    process = start(words)
    wait_until(lambda: (run / "log").exists() or process.poll() is not None)
    process.send_signal(signal.SIGSTOP)
    assert json.loads(command("status", run, "--json").out)["state"] == "running"
    process.kill()
    wait_until(lambda: not read_holder(run).process.is_alive())
    assert json.loads(command("status", run, "--json").out)["state"] == "stopped"
    process.communicate()


@pytest.mark.system
@pytest.mark.slow
def test_F7_what_killed_writers_left_goes_with_the_next_run_and_not_that_of_living_ones(
    works, call, sharded, whole, tmp_path, monkeypatch
):
    words, run = call(regions=sharded), tmp_path / "run"
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    for n_left, module, name in (
        (1, "hits.write", "seal"),
        (0, "workflow.outputs", "write_finemo_files"),
    ):
        killed = start(words, prelude=KILLED.format(module=module, name=name))
        killed.communicate(timeout=120)
        assert killed.returncode == -signal.SIGKILL
        assert len(list(run.rglob("*.tmp"))) == n_left
    assert [p.name[:12] for p in (tmp_path / "tmp").iterdir()] == ["finemo_dist-"]
    process = alive().process
    living = run / f"hits/sample=s/.part-00000.parquet.{tag_of(process)}-abcdef.tmp"
    living.write_text("x")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    remove_left_behind.__globals__["_remove_left_behind"].cache_clear()

    works(*words)

    assert list(run.rglob("*.tmp")) == [living]
    assert list((tmp_path / "tmp").iterdir()) == []
    assert parts(run) == parts(whole)
    assert tables_of(run) == tables_of(whole)


def tag_of(process):
    return f"{process.machine[:8]}-{process.pid:x}-{process.start:x}"


def age(path, seconds):
    """Have a file be of that age by the clock of its file system."""
    time = path.stat().st_mtime - seconds
    os.utime(path, (time, time))
