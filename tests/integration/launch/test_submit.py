"""Runs as jobs of a Ray cluster: `finemo-dist submit`, and `ray job submit` with the same words."""

import json
import re
import signal
import subprocess
import sys

import pytest

from finemo_dist.record.run_record import RunRecord
from tests.command import PROJECT, wait_until
from tests.processes import ACTOR, signal_below
from tests.unit.run.runs import n_parts, parts

pytestmark = [pytest.mark.ray, pytest.mark.slow]

N_SHARDS = 6


@pytest.fixture(scope="module")
def config(write_config):
    return write_config(N_SHARDS)


@pytest.fixture
def submit(ray_head):
    """Return a function that submits, and follows the job to its end."""

    def run(*words, **env):
        return subprocess.run(
            submit_words(ray_head, *words), env={**ray_head.env, **env}, cwd=PROJECT,
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    return run


def submit_words(ray_head, *words):
    return ["finemo-dist", "submit", *map(str, words), "--address", ray_head.address]


def test_the_log_is_followed_and_success_passed_on(submit, config):
    done = submit(config.path, "--workers", 1, "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["exit_status"] == 0
    # The last line of the run in the job, and of nothing here.
    assert re.search(rf"hits in {N_SHARDS} regions, largest duality gap", done.stderr)
    assert parts(config.run) == config.undisturbed()
    executor = RunRecord.load(config.run).executor
    assert (executor["kind"], executor["n_workers"]) == ("ray", 1)


def test_ray_job_submit_does_the_same(ray_head, config):
    out = config.path.parent / "by-ray"
    words = ["finemo-dist", "run", config.path, "--executor", "ray", "--address", "auto", "-o", out]

    done = subprocess.run(
        ["ray", "job", "submit", "--address", ray_head.address, "--", *map(str, words)],
        env=ray_head.env, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert parts(out) == config.undisturbed()


def test_what_the_run_refuses_is_said_in_one_line_and_by_its_status(submit, config, tmp_path):
    broken = tmp_path / "config.yaml"
    broken.write_text(config.path.read_text().replace("modisco_h5: ", "modisco_h5: no-such-"))

    done = submit(broken)

    assert done.returncode == 2
    assert "no-such-" in done.stderr
    assert re.search(r"\nError: job \S+ failed with exit status 2: .*\n$", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_without_the_token_nothing_is_sent(submit, config, token):
    done = submit(config.path, RAY_AUTH_TOKEN=token, RAY_AUTH_MODE="token" if token else "disabled")

    assert (done.returncode, done.stdout) == (2, "")
    assert "RAY_AUTH_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_token_is_in_no_command_line(ray_head):
    found = subprocess.run(
        ["ps", "-ewwo", "args"], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert ray_head.address.rsplit(":", 1)[1] in found
    assert ray_head.env["RAY_AUTH_TOKEN"] not in found


def test_an_interrupt_leaves_the_job_running_and_says_how_to_stop_it(ray_head, write_config):
    config = write_config(150)
    words = submit_words(ray_head, config.path, "--workers", 1)
    # A shell that runs the tests in its background may have told them to ignore SIGINT.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{heed} from finemo_dist.cli.main import main; main()", *words[1:]],
        env=ray_head.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: n_parts(config.run) > 4, 180, "part")
    process.send_signal(signal.SIGINT)
    job, said = process.communicate(timeout=60)
    n_then = n_parts(config.run)

    assert process.returncode == 130, said
    assert "is still running" in said.splitlines()[-1]
    assert "Traceback" not in said
    wait_until(lambda: n_parts(config.run) > n_then, 60, "part of the job that goes on")
    # It might be done before it is told to stop.
    signal_below(ray_head.pid, signal.SIGSTOP, ACTOR)
    stop = re.search(r"(ray job stop --address \S+ \S+)\n$", said)[1]
    assert job.strip() in stop
    subprocess.run(stop.split(), env=ray_head.env, check=True, capture_output=True, timeout=120)

    assert RunRecord.load(config.run).status == "interrupted"
