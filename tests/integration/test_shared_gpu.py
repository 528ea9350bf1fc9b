"""Two workers on one GPU, one that is not there."""

import pytest

from finemo_dist.core.events import UnitDone, WorkerStarted, ignore
from finemo_dist.run.drive import drive
from finemo_dist.run.ray_pool import RayExecutor, _share
from finemo_dist.run.ray_session import ray_session
from finemo_dist.run.serial import SerialExecutor
from tests.unit.run.runs import parts, write_inputs

pytestmark = pytest.mark.ray


def test_workers_that_share_a_gpu_work_side_by_side_and_leave_the_same_bytes(tmp_path):
    inputs = write_inputs(tmp_path)
    alone, shared = inputs.plan(tmp_path / "alone"), inputs.plan(tmp_path / "shared")
    drive(alone, SerialExecutor(inputs.spec(alone)), on_event=ignore)
    events = []

    with ray_session(None, n_cores=2, n_gpus=1):
        executor = RayExecutor(
            inputs.spec(shared), n_workers=2, address=None, unit_timeout_s=120.0,
            resource="GPU", workers_per_gpu=2,
        )  # fmt: skip
        drive(shared, executor, on_event=events.append)

    assert len([e for e in events if isinstance(e, WorkerStarted)]) == 2
    assert {e.worker for e in events if isinstance(e, UnitDone)} == {"worker-0", "worker-1"}
    assert parts(shared.run_dir) == parts(alone.run_dir)


@pytest.mark.parametrize("n_sharing", range(1, 17))
def test_the_shares_of_a_gpu_fit_it(n_sharing):
    assert 0.99 <= n_sharing * _share(n_sharing) <= 1
