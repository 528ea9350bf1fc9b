"""Workers that share a GPU."""

import json
import subprocess
import sys

import pytest

from finemo_dist.run.ray_pool import _share
from tests.command import PROJECT


@pytest.mark.ray
def test_workers_that_share_a_gpu_work_side_by_side_and_leave_the_same_bytes(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.shared_gpu", str(tmp_path)],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "n_started": 2, "met": ["worker-0", "worker-1"], "are_equal": True,
    }  # fmt: skip


@pytest.mark.parametrize("n_sharing", range(1, 17))
def test_the_shares_of_a_gpu_fit_it(n_sharing):
    assert 0.99 <= n_sharing * _share(n_sharing) <= 1
