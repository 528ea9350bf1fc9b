"""Submitting a configuration to a Ray cluster: the command of the job."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import UsageError
from finemo_dist.run.ray_job import JobEnd, RayJobs
from finemo_dist.workflow.running import load_config

__all__ = ["JobEnd", "RayJobs", "job_words"]

logger = logging.getLogger(__name__)

_FLAGS: Final = {
    "n_workers": "--workers", "n_cores": "--cores", "n_gpus": "--gpus",
    "workers_per_gpu": "--workers-per-gpu", "device": "--device", "batch_regions": "--batch-size",
}  # fmt: skip


def job_words(
    config: Path, out: Path | None, *, force: bool, worker: Mapping[str, object]
) -> list[str]:
    """Return the command of the job, with absolute paths: its working directory is another.

    Raises
    ------
    UsageError
        The configuration is refused here already, or is neither here nor a path that the cluster
        may know.
    """
    words = ["finemo-dist", "run", str(_config_there(config))]
    words += ["--executor", "ray", "--address", "auto"]
    if out is not None:
        words += ["--out", str(out.absolute())]
    if force:
        words.append("--force")
    for name, flag in _FLAGS.items():
        if worker[name] is not None:
            words += [flag, str(worker[name])]
    return words


def _config_there(config: Path) -> Path:
    """Return the absolute path of a configuration, checked where this machine sees it."""
    if config.is_file():
        load_config(config)
    elif config.is_absolute():
        logger.info(
            "%s: does not exist on this machine; the job will look for it on the cluster.", config
        )
    else:
        raise UsageError(
            f"{config}: does not exist here. Give a configuration on a file system that this "
            "machine and the cluster share, or its absolute path on the cluster."
        )
    return config.absolute()
