"""An address of no cluster."""

import pytest
import ray

from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.run.ray_pool import RayExecutor


class Unused:
    device = "cpu"
    may_run_twice = False


@pytest.mark.ray
def test_an_address_without_a_cluster_is_refused_in_one_line(monkeypatch):
    # A session that another test left open would go before the address.
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    executor = RayExecutor(Unused(), n_workers=None, address="127.0.0.1:1", unit_timeout_s=1)

    with pytest.raises(RunError, match=r"127\.0\.0\.1:1: no Ray cluster answers") as caught:
        list(executor.run([Unit("a", 0)]))

    assert "\n" not in str(caught.value)
