"""The batch script on a real SLURM: stopped, requeued, resumed, and on several nodes."""

import os
import re
import signal
from pathlib import Path

import pytest

from finemo_dist.record.run_record import RunRecord
from tests.command import PROJECT, wait_until
from tests.integration.launch.conftest import ASK_S
from tests.processes import ACTOR
from tests.unit.run.runs import n_parts, parts

pytestmark = [pytest.mark.slow, pytest.mark.system]

N_SHARDS = 90


def submit(slurm, config, *options):
    """Submit the script, options of SLURM before and of the run after ``--``."""
    options = [*map(str, options), "--"]
    at = options.index("--")
    return slurm.call(
        "sbatch", "--parsable", f"--output={config.path.parent}/slurm.out", *options[:at],
        PROJECT / "cluster/slurm.sbatch", config.path, *options[at + 1 : -1],
    )  # fmt: skip


def identity(run):
    """Inode and time of every part: a part that is written again has others."""
    stats = {path: (run / path).stat() for path in parts(run)}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in stats.items()}


def pairs(run):
    """The committed parts: those of a shard count when both stand."""
    found = identity(run)
    other = {"hits": "peaks_qc", "peaks_qc": "hits"}
    return {
        path: at
        for path, at in found.items()
        if f"{other[path.split('/')[0]]}/{path.split('/', 1)[1]}" in found
    }


def test_a_job_that_is_stopped_goes_back_to_the_queue_and_resumes(slurm, write_config):
    config = write_config(N_SHARDS)
    # What --force replaces is what stood before the job, never its own work.
    job = submit(slurm, config, "--", "--executor", "serial", "--force")

    committed = {}
    # Before the time limit; and as SLURM itself does to make room.
    for n_restarts, stop in enumerate(
        [("scancel", "--batch", "--signal=USR1", job), ("scontrol", "requeue", job)], start=1
    ):
        n_before = len(committed)
        wait_until(lambda n=n_before: n_parts(config.run) > n + 10, 120, "part")
        slurm.call(*stop)
        wait_until(
            lambda n=n_restarts: slurm.job(job)["Restarts"] == str(n), 60, "requeue", pause_s=ASK_S
        )
        wait_until(lambda: RunRecord.load(config.run).status == "interrupted", 150, "interruption")
        assert committed.items() <= pairs(config.run).items()
        committed = pairs(config.run)
        assert n_before < len(committed) < 2 * N_SHARDS

    end = slurm.wait(job)
    said = (config.path.parent / "slurm.out").read_text()

    assert (end["JobState"], end["ExitCode"], end["Restarts"]) == ("COMPLETED", "0:0", "2"), said
    assert committed.items() <= identity(config.run).items()
    assert parts(config.run) == config.undisturbed()
    assert said.count("resume with: finemo-dist run") == 2
    assert f"{len(committed) // 2} of {N_SHARDS} shards are committed" in said
    assert "Traceback" not in said


def test_a_job_that_is_cancelled_stays_out_of_the_queue(slurm, write_config):
    config = write_config(60)
    job = submit(slurm, config, "--", "--executor", "serial")
    wait_until(lambda: n_parts(config.run) > 4, 120, "part")

    slurm.call("scancel", job)
    end = slurm.wait(job)

    assert (end["JobState"], end["Restarts"]) == ("CANCELLED", "0")
    wait_until(lambda: RunRecord.load(config.run).status == "interrupted", 150, "interruption")


def test_the_exit_status_of_the_run_is_that_of_the_job(slurm, write_config):
    config = write_config(1)
    config.path.write_text(config.path.read_text().replace("modisco_h5: ", "modisco_h5: no-such-"))

    end = slurm.wait(submit(slurm, config))

    assert (end["JobState"], end["ExitCode"]) == ("FAILED", "2:0")
    assert "no-such-" in (config.path.parent / "slurm.out").read_text()


@pytest.mark.ray
def test_several_nodes_are_one_ray_cluster(slurm, write_config):
    config = write_config(6)

    job = submit(slurm, config, "--nodes=2")
    steps = ["squeue", "--steps", f"--jobs={job}", "--noheader", "--format=%N"]
    wait_until(
        lambda: {"n1", "n2"} <= set(slurm.call(*steps).split()), 240, "step on each node",
        pause_s=ASK_S,
    )  # fmt: skip
    end = slurm.wait(job)
    said = (config.path.parent / "slurm.out").read_text()

    assert (end["JobState"], end["ExitCode"]) == ("COMPLETED", "0:0"), said
    assert parts(config.run) == config.undisturbed()
    assert RunRecord.load(config.run).executor["kind"] == "ray"
    assert re.search(r"\d Ray workers? on cpu", said)


def processes_of(job, *names):
    """The processes of a job that have one of these names."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            environment = (path / "environ").read_bytes().split(b"\0")
            name = (path / "comm").read_text().strip()
        except OSError:
            continue
        if f"SLURM_JOB_ID={job}".encode() in environment and name.startswith(names):
            found.append(int(path.name))
    return found


@pytest.mark.ray
def test_a_job_whose_head_of_ray_is_killed_goes_back_to_the_queue(slurm, write_config):
    config = write_config(200)
    job = submit(slurm, config, "--nodes=2")
    wait_until(lambda: n_parts(config.run) > 20, 240, "part")

    # The workers with it, or they might finish before anyone misses the head.
    for pid in processes_of(job, "gcs_server", ACTOR):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: slurm.job(job)["Restarts"] == "1", 90, "requeue", pause_s=ASK_S)
    assert RunRecord.load(config.run).status == "incomplete"
    committed = pairs(config.run)
    end = slurm.wait(job)
    said = (config.path.parent / "slurm.out").read_text()

    assert (end["JobState"], end["ExitCode"], end["Restarts"]) == ("COMPLETED", "0:0", "1"), said
    assert 20 < len(committed) < 400
    assert committed.items() <= identity(config.run).items()
    assert parts(config.run) == config.undisturbed()
    assert "the head of the Ray cluster has not answered" in said
    assert said.count("resume with: finemo-dist run") == 1
    assert "cli/main.py" not in said, "a traceback of ours; Ray's head leaves one of its own"
