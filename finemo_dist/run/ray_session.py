"""Sessions of Ray: a cluster that is joined, or one of this machine alone, and its size."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final, Literal

import ray

from finemo_dist.core.errors import RunError
from finemo_dist.run.ray_folder import short_folder
from finemo_dist.run.ray_head import RECONNECT_S, knock, watched_head

Resource = Literal["CPU", "GPU"]

_QUICK_END: Final = {
    "RAY_enable_metrics_collection": "false",
    "RAY_task_events_shutdown_flush_timeout_ms": "1000",
}
"""A driver whose cluster is gone would spend a quarter of a minute on reports to it. So it reports
no metrics, which nobody reads without a dashboard, and it reports tasks for a second at most."""

_KNOCK_S: Final = 10.0
_OBJECT_STORE_BYTES: Final = 80 << 20
"""Nothing but paths and shard numbers passes through it; Ray takes no less."""


def cluster_places(address: str) -> tuple[int, int]:
    """Return the CPU cores and GPUs of a cluster.

    Raises
    ------
    RunError
        No cluster answers there.
    """
    with nullcontext() if ray.is_initialized() else session(address, 1, "cpu"):
        with watched_head() as head:
            found = head.ask(ray.cluster_resources)
        return n_of("CPU", found), n_of("GPU", found)


@contextmanager
def ray_session(address: str | None, *, n_cores: int, n_gpus: int) -> Iterator[None]:
    """Keep one session open for all executors inside; starting one takes seconds.

    Parameters
    ----------
    address
        Of a cluster to join; one of these cores and GPUs is started on this machine when None.
    """
    if ray.is_initialized():
        yield
        return
    with session(address, n_cores, "cuda" if n_gpus else "cpu", n_gpus=n_gpus):
        yield


@contextmanager
def session(
    address: str | None, n_workers: int, device: str, *, n_gpus: int | None = None
) -> Iterator[None]:
    """Keep a session of our own open."""
    with short_folder() if address is None else nullcontext() as folder:
        try:
            with _same_signal_handler():
                _connect(address, n_workers, device, n_gpus=n_gpus, folder=folder)
            yield
        finally:
            ray.shutdown()


@contextmanager
def _same_signal_handler() -> Iterator[None]:
    """Put back what SIGTERM does: Ray makes it an exit that says nothing of resuming."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        # Elsewhere than in the main thread neither Ray nor Python can set it.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _connect(
    address: str | None, n_workers: int, device: str, *, n_gpus: int | None, folder: str | None
) -> None:
    """Join the cluster at an address, or start one of our own on this machine alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # What a worker raised is told by us, and where a run ends early nobody asks for it any more.
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    # Ray reads it when it connects. Whoever loses the head ends before Ray ends it.
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", str(RECONNECT_S))
    for name, value in _QUICK_END.items():
        os.environ.setdefault(name, value)
    if address is not None:
        try:
            _knock(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            raise RunError(
                f"--address {address}: no Ray cluster answers there ({first_line(error)}). Check "
                "the address and that its head node runs, or leave --address out to use this "
                "machine alone."
            ) from error
        return
    ray.init(
        # "local" never joins a cluster that a stale address file names.
        address="local",
        num_cpus=n_workers,
        num_gpus=(n_gpus or n_workers) if device == "cuda" else 0,
        include_dashboard=False,
        object_store_memory=_OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
    )


def _knock(address: str) -> None:
    """Raise where nobody listens at ``HOST:PORT``: Ray would try for minutes, and then exit."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        knock((host.strip("[]"), int(port)), timeout_s=_KNOCK_S)


def n_of(resource: Resource, answer: Any) -> int:  # noqa: ANN401
    """Return how many of a resource there are in what Ray answers, which it does not type."""
    return int(answer.get(resource, 0))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its kind where it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
