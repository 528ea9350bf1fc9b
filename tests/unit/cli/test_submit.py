"""The command of a job, and what its end means; jobs themselves are in integration/launch."""

import json

import pytest

from finemo_dist.run.ray_job import JobEnd
from finemo_dist.workflow import submitting

ADDRESS = "http://127.0.0.1:1"


@pytest.fixture
def jobs(monkeypatch):
    """Stand in for a cluster: what it is sent is kept, and jobs log and end as they are told."""

    class FakeJobs:
        sent = None
        log = ""
        end = JobEnd(0, is_stopped=False, reason="")

        def __init__(self, address):
            assert address == ADDRESS

        def submit(self, words):
            FakeJobs.sent = list(words)
            return "job_1"

        def follow(self, job, write):
            if FakeJobs.end is None:
                raise KeyboardInterrupt
            for i in range(0, len(FakeJobs.log), 7):
                write(FakeJobs.log[i : i + 7])
            return FakeJobs.end

    monkeypatch.setattr(submitting, "RayJobs", FakeJobs)
    return FakeJobs


@pytest.fixture
def config(inputs, tmp_path):
    path = tmp_path / "a run.yaml"
    path.write_text(
        f"output: run\nmodisco_h5: {inputs.modisco_h5}\n"
        f"samples: [{{name: a, regions: {inputs.stores['a']}}}]\n"
    )
    return path


def test_paths_are_absolute_and_options_go_along(command, jobs, config, monkeypatch):
    monkeypatch.chdir(config.parent)

    answer = command(
        "submit", config.name, "--address", ADDRESS, "-o", "out", "--force", "--workers", 5,
        "--workers-per-gpu", 2, "--device", "cuda", "-b", 7,
    )  # fmt: skip

    assert (answer.status, answer.out) == (0, "job_1\n")
    assert jobs.sent == [
        "finemo-dist", "run", str(config), "--executor", "ray", "--address", "auto",
        "--out", str(config.parent / "out"), "--force", "--workers", "5",
        "--workers-per-gpu", "2", "--device", "cuda", "--batch-size", "7",
    ]  # fmt: skip


def test_what_the_job_is_sent_is_a_command_that_run_takes(command, jobs, config):
    command("submit", config, "--address", ADDRESS, "-b", 7, "--workers", 2, "--device", "cpu")

    # Serial, so that no cluster is needed.
    words = [w for w in jobs.sent[1:] if w not in ("--address", "auto")]
    words[words.index("ray")] = "serial"

    assert command(*words).status == 0


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        (JobEnd(2, is_stopped=False, reason=""), 2, "bad input"),
        (JobEnd(3, is_stopped=False, reason=""), 3, "shards are missing"),
        (JobEnd(130, is_stopped=False, reason=""), 130, "interrupted"),
        (JobEnd(143, is_stopped=False, reason=""), 130, "stopped"),
        (JobEnd(None, is_stopped=True, reason=""), 130, "stopped"),
        (JobEnd(127, is_stopped=False, reason=""), 2, "not on the PATH"),
        (JobEnd(-9, is_stopped=False, reason="killed"), 3, "killed"),
        (JobEnd(None, is_stopped=False, reason="node died"), 3, "node died"),
    ],
)
def test_the_end_of_a_job_is_passed_on_and_said_in_one_line(
    command, jobs, config, end, status, said
):
    jobs.end = end
    answer = command("submit", config, "--address", ADDRESS, "--json")

    assert answer.status == status
    assert json.loads(answer.out) == {"job": "job_1", "address": ADDRESS, "exit_status": status}
    last = answer.err.splitlines()[-1]
    assert last.startswith(f"Error: job job_1 failed with exit status {status}")
    assert said in last


def test_the_log_comes_line_by_line_and_obeys_nobody(command, jobs, config):
    jobs.log = "first\n  second\x1b[31m\tline\nlast without end"

    answer = command("submit", config, "--address", ADDRESS)

    assert answer.err.splitlines()[1:] == [
        "first", "  second\\x1b[31m   line", "last without end"
    ]  # fmt: skip


def test_a_path_that_the_cluster_does_not_see_is_said(command, jobs, tmp_path):
    config = tmp_path / "elsewhere.yaml"
    # What the job says is what this says here.
    jobs.log = command("run", config).err
    jobs.end = JobEnd(2, is_stopped=False, reason="")

    answer = command("submit", config, "--address", ADDRESS)

    assert answer.status == 2
    assert answer.err.startswith(f"INFO: {config}: does not exist on this machine")
    assert f"the cluster does not see {config}" in answer.err.splitlines()[-1]


def test_without_waiting_only_the_name_is_said(command, jobs, config):
    jobs.end = None

    answer = command("submit", config, "--address", ADDRESS, "--no-wait")

    assert (answer.status, answer.out) == (0, "job_1\n")
    assert f"ray job logs --follow --address {ADDRESS} job_1" in answer.err


def test_an_interrupt_says_that_the_job_goes_on(command, jobs, config):
    jobs.end = None

    answer = command("submit", config, "--address", ADDRESS)

    assert answer.status == 130
    assert "job_1 is still running" in answer.err
    assert f"ray job stop --address {ADDRESS} job_1" in answer.err


def test_what_is_wrong_here_is_refused_before_anything_is_sent(refused, jobs, config, monkeypatch):
    monkeypatch.chdir(config.parent)
    config.write_text(config.read_text() + "colour: red\n")

    assert "colour" in refused("submit", config, "--address", ADDRESS)
    assert "does not exist here" in refused("submit", "none.yaml", "--address", ADDRESS)
    assert "--address" in refused("submit", config)
    assert jobs.sent is None
