"""From options to checked configurations."""

import os
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from finemo_dist.core import defaults
from finemo_dist.core.config import (
    CallConfig,
    MotifConfig,
    ResourceConfig,
    SolverConfig,
)
from finemo_dist.core.errors import UsageError
from finemo_dist.motifs.mappings import read_names, read_numbers, read_renames, read_windows

_Model = TypeVar("_Model", bound=BaseModel)


def call_config(options: Mapping[str, Any]) -> CallConfig:
    """Return what the options of ``call-hits`` ask for; mapping files are read here.

    Raises
    ------
    InputError
        A mapping file cannot be read.
    UsageError
        A value in one is out of range.
    """
    readers = {
        "trim_thresholds": read_numbers,
        "trim_coords": read_windows,
        "penalties": read_numbers,
        "include": read_names,
        "names": read_renames,
    }
    files = {key: read(options[key]) for key, read in readers.items() if options[key]}
    motifs = checked(
        MotifConfig,
        trim_threshold=options["trim_threshold"],
        penalty=options["penalty"],
        **files,
    )
    is_dense = options["solver"] == "dense"
    default_tolerance = defaults.FINEMO_TOLERANCE if is_dense else defaults.GAP_TOLERANCE
    solver = checked(
        SolverConfig,
        name=options["solver"],
        mode=options["mode"],
        use_sqrt_transform=options["sqrt_transform"],
        use_post_filter=not options["no_post_filter"],
        tolerance=options["tolerance"] or default_tolerance,
        # Of the working-set solver nothing is compiled: its answers do not depend on it.
        use_compile=options["use_compile"] and is_dense,
        merge_palindromes=options["merge_palindromes"],
        **{
            key: options[key]
            for key in ("max_steps", "step_size_max", "step_size_min", "step_adjust")
        },
    )
    return CallConfig(motifs=motifs, solver=solver)


def resource_config(options: Mapping[str, Any]) -> ResourceConfig:
    """Return where the options ask the work to be done."""
    names = (
        "executor", "n_workers", "n_cores", "n_gpus", "workers_per_gpu", "device",
        "batch_regions", "ray_address",
    )  # fmt: skip
    return checked(ResourceConfig, **{key: options[key] for key in names})


def overridden(resources: ResourceConfig, options: Mapping[str, Any]) -> ResourceConfig:
    """Return the resources of a configuration with the options that are given in their place."""
    given = {key: value for key, value in options.items() if value is not None}
    return checked(ResourceConfig, **{**resources.model_dump(), **given})


def checked(model: type[_Model], **values: Any) -> _Model:  # noqa: ANN401
    """Return the model of some values.

    Raises
    ------
    UsageError
        A value is not what its field takes.
    """
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        said = f"{where}: {first['msg']} (found {first['input']!r})."
        raise UsageError(said + _quoting(first["type"], first["input"])) from error


def _quoting(fault: str, value: object) -> str:
    """Return the cure for a name that YAML takes for something else: ``no``, ``12878``, a date."""
    if fault != "string_type" or not isinstance(value, bool | int | float | date):
        return ""
    kind = "true or false" if isinstance(value, bool) else "a number or date"
    return f" YAML reads this value as {kind}. Put it in quotes if it is a name."


def available_cores() -> int:
    """Return the cores this process may use, as SLURM or the system says."""
    slurm = os.environ.get("SLURM_CPUS_ON_NODE", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(int(slurm), cores or 1) if slurm.isdecimal() and int(slurm) else cores or 1
