"""A Ray of two cores on this machine, which commands and tests join by its address."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import ray
from ray.cluster_utils import Cluster

_OBJECT_STORE_BYTES = 80 << 20
FRUGAL = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
"""Options of a head whose logs nobody reads and which never grows: what looks after both takes a
tenth of a core for as long as it is there."""
FRUGAL_WORDS = ("--include-log-monitor=false", "--no-monitor")
"""The same to ``ray start``."""
SELDOM_REPORTS = ("REPORTER_UPDATE_INTERVAL_MS", "600000")
"""In the environment of a node: how often it measures itself."""


@contextmanager
def ray_node(n_cores: int) -> Iterator[str]:
    """Start a node and give its address; nobody is connected to it."""
    # Ray's sockets lie below; their paths may have 107 bytes.
    folder = tempfile.mkdtemp(prefix="fdr-", dir="/tmp")
    try:
        with pytest.MonkeyPatch.context() as patch:
            # Otherwise whoever on this machine asks for the cluster that is there would join it.
            patch.setattr(ray._private.utils, "write_ray_address", lambda *_: None)
            # Beside other work Ray's workers, which it makes nice, would hardly start.
            patch.setenv("RAY_worker_niceness", "0")
            patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
            patch.setenv(*SELDOM_REPORTS)
            cluster = Cluster()
            cluster.add_node(
                num_cpus=n_cores, num_gpus=0, temp_dir=folder,
                object_store_memory=_OBJECT_STORE_BYTES, **FRUGAL,
            )  # fmt: skip
        try:
            yield cluster.address
        finally:
            cluster.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
