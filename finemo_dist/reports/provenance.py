"""Provenance as a page shows it, read off the record of a run."""

from collections.abc import Mapping
from typing import Any

from finemo_dist.record.run_record import RunRecord
from finemo_dist.reports.page_model import Provenance

_MACHINE = ("system", "python", "torch", "numpy", "zarr", "pyarrow", "ray", "gpu")


def provenance_of(record: RunRecord) -> Provenance:
    """Return how a run came about."""
    versions = {key: record.machine[key] for key in _MACHINE if key in record.machine}
    return Provenance(
        version=record.version,
        created=record.created,
        parameters=parameters_of(record.config) | _of_samples(record),
        versions=versions,
        inputs=record.inputs,
        seconds=record.seconds,
        caller=record.config.get("caller", "finemo_dist"),
    )


def _of_samples(record: RunRecord) -> dict[str, str]:
    """Return what to show where samples differ in settings or motifs."""
    n_own = sum(sample.config is not None for sample in record.samples)
    said = {"motif sets": str(len(record.sets))} if len(record.sets) > 1 else {}
    if n_own:
        said["other settings"] = f"{n_own} of {len(record.samples)} samples, see run.json"
    return said


def parameters_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of a call under the names that users know, without those not set."""
    motifs, solver = config.get("motifs", {}), config.get("solver", {})
    named = {
        "mode": solver.get("mode"),
        "lambda": motifs.get("penalty"),
        "lambdas of motifs": _listed(motifs.get("penalties")),
        "trim threshold": motifs.get("trim_threshold"),
        "trim thresholds of motifs": _listed(motifs.get("trim_thresholds")),
        "trim windows of motifs": _listed(motifs.get("trim_coords")),
        "motifs called": _included(motifs.get("include")),
        "square root": solver.get("use_sqrt_transform"),
        "post filter": solver.get("use_post_filter"),
        "solver": solver.get("name"),
        "tolerance": solver.get("tolerance"),
        "maximum steps": solver.get("max_steps"),
    }
    return {key: _text(value) for key, value in named.items() if value is not None}


def _listed(values: Mapping[str, Any] | None) -> str | None:
    return ", ".join(f"{key} {value}" for key, value in values.items()) if values else None


def _included(names: Any) -> str | None:  # noqa: ANN401  (JSON)
    return "all" if names is None else f"{len(names)} from the motif file"


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
