"""A run that is stopped, in whatever way, and the same command again."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from finemo_dist.record.run_record import RunRecord
from tests.command import PROJECT, finemo_dist, run_process, wait_until
from tests.unit.run.runs import n_parts, parts, write_inputs

pytestmark = [pytest.mark.slow, pytest.mark.system]

N_SHARDS = 40
FILES = (
    "hits.tsv", "hits_unique.tsv", "hits.bed", "peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy",
    "params.json",
)  # fmt: skip

# A shell that runs the tests in its background may have told them to ignore SIGINT.
START = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from finemo_dist.cli.main import main; main()"
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A store of many small shards, so that there is time to stop a run."""
    return write_inputs(tmp_path_factory.mktemp("inputs"), n_regions=N_SHARDS, shard_regions=1)


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    finemo_dist(*words(inputs, run))
    return run


def words(inputs, run: Path) -> list[str]:
    return [
        "call-hits", "-r", str(inputs.stores["a"]), "-m", str(inputs.modisco_h5), "-o", str(run),
    ]  # fmt: skip


def stop_midway(
    command: list[str], run: Path, how: signal.Signals, *, again_s: float | None = None
) -> tuple[int, str]:
    """Start a command, send it a signal after some commits, and return its end.

    With ``again_s`` the signal comes again, so many seconds apart, until the process has ended.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", START, *command],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: n_parts(run) >= 10 or process.poll() is not None, what="parts")
    process.send_signal(how)
    while again_s is not None and process.poll() is None:
        time.sleep(again_s)
        process.send_signal(how)
    _, said = process.communicate(timeout=240)
    return process.returncode, said


def identity(run: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every part: a part that is written again has others."""
    stats = {path: (run / path).stat() for path in parts(run)}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in stats.items()}


def assert_same_output(run: Path, undisturbed: Path) -> None:
    assert parts(run) == parts(undisturbed)
    for name in FILES:
        assert (run / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert RunRecord.load(run).status == "complete"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_resume_and_does(inputs, undisturbed, tmp_path, how):
    run = tmp_path / "a run's folder"
    status, said = stop_midway(words(inputs, run), run, how)

    assert status == 130
    assert "Traceback" not in said
    assert RunRecord.load(run).status == "interrupted"
    n_done = len(parts(run)) // 2
    assert 0 < n_done < N_SHARDS
    assert not list(run.rglob("*.tmp"))

    resume = shlex.split(said.split("resume with: ")[1])
    assert resume == ["finemo-dist", *words(inputs, run)]
    finemo_dist(*resume[1:])
    assert_same_output(run, undisturbed)


@pytest.mark.parametrize("again_s", [0.0005, 0.01])
def test_an_interrupt_that_comes_many_times_is_one(inputs, tmp_path, again_s):
    """SLURM tells every process of a job, and its script passes on what it was told."""
    command = words(inputs, tmp_path)
    status, said = stop_midway(command, tmp_path, signal.SIGTERM, again_s=again_s)

    assert (status, "Traceback" in said) == (130, False), said
    assert RunRecord.load(tmp_path).status == "interrupted"


def test_a_killed_run_loses_nothing_and_does_nothing_twice(inputs, undisturbed, tmp_path):
    """C15."""
    status, _ = stop_midway(words(inputs, tmp_path), tmp_path, signal.SIGKILL)
    pairs = {path for path in parts(tmp_path) if path.startswith("peaks_qc")}
    committed = {
        path: at
        for path, at in identity(tmp_path).items()
        if path.replace("hits/", "peaks_qc/") in pairs
    }

    assert status == -signal.SIGKILL
    assert 0 < len(committed) < 2 * N_SHARDS
    finemo_dist(*words(inputs, tmp_path))
    assert_same_output(tmp_path, undisturbed)
    assert committed.items() <= identity(tmp_path).items()


def test_a_finished_run_again_changes_no_part(inputs, undisturbed):
    before = identity(undisturbed)

    finemo_dist(*words(inputs, undisturbed))

    assert identity(undisturbed) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_of_processes_resumes_as_well(inputs, undisturbed, tmp_path, number):
    on_processes = ["--executor", "processes", "--workers", "2"]
    command = [*words(inputs, tmp_path), *on_processes]
    status, said = stop_midway(command, tmp_path, number)

    if number != signal.SIGKILL:
        assert (status, "Traceback" in said) == (130, False), said
        assert RunRecord.load(tmp_path).status == "interrupted"
    assert 0 < len(parts(tmp_path)) < 2 * N_SHARDS
    finemo_dist(*words(inputs, tmp_path))
    assert_same_output(tmp_path, undisturbed)


@pytest.mark.ray
def test_a_terminated_run_on_ray_resumes_as_well(inputs, undisturbed, ray_address, tmp_path):
    """Ray brings a handler of its own for the signal."""
    on_ray = ["--executor", "ray", "--workers", "2", "--address", ray_address]
    command = [*words(inputs, tmp_path), *on_ray]
    status, said = stop_midway(command, tmp_path, signal.SIGTERM)

    assert (status, "Traceback" in said) == (130, False), said
    assert RunRecord.load(tmp_path).status == "interrupted"
    assert 0 < len(parts(tmp_path)) < 2 * N_SHARDS
    finemo_dist(*words(inputs, tmp_path))
    assert_same_output(tmp_path, undisturbed)


def test_parts_that_do_not_fit_the_disk_leave_the_others(inputs, undisturbed, tmp_path):
    """C14: the limit on a file's size stands for the disk; parts are about 10 kB, others less."""
    finemo_dist(*words(inputs, tmp_path))
    for name in ("hits", "peaks_qc"):
        for shard in (3, 7):
            (tmp_path / name / "sample=a" / f"part-{shard:05d}.parquet").unlink()
    before = identity(tmp_path)

    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)); {START}"
    result = subprocess.run(
        [sys.executable, "-c", code, *words(inputs, tmp_path)],
        cwd=PROJECT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip

    assert (result.returncode, "Traceback" in result.stderr) == (3, False), result.stderr
    assert f"2 of {N_SHARDS} shards are missing" in result.stderr
    assert identity(tmp_path) == before
    assert run_process("status", tmp_path).returncode == 3
    finemo_dist(*words(inputs, tmp_path))
    assert_same_output(tmp_path, undisturbed)
