"""The parameters of a call as finemo writes them, for the scripts that read them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from finemo_dist.core.config import CallConfig, ResourceConfig
from finemo_dist.record.run_record import RunRecord, SampleRecord
from finemo_dist.storage.files import committed

FILE_NAMES: Final = ("params.json", "parameters.json")
"""Ours, and the name finemo 0.41 uses; the same content."""


def write_parameters(
    out_dir: Path,
    sample: SampleRecord,
    modisco_h5: Sequence[Path],
    config: CallConfig,
    resources: ResourceConfig,
    record: RunRecord,
) -> tuple[Path, ...]:
    """Write ``params.json`` and ``parameters.json`` and return their paths."""
    content = _parameters(sample, modisco_h5, config, resources, record)
    paths = tuple(out_dir / name for name in FILE_NAMES)
    for path in paths:
        with committed(path) as temporary:
            temporary.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
    return paths


def _parameters(
    sample: SampleRecord,
    modisco_h5: Sequence[Path],
    config: CallConfig,
    resources: ResourceConfig,
    record: RunRecord,
) -> dict[str, Any]:
    solver, motifs = config.solver, config.motifs
    paths = list(map(str, modisco_h5))
    return {
        "regions_path": sample.store,
        "modisco_h5_path": paths[0] if len(paths) == 1 else paths,
        "cwm_trim_threshold_default": motifs.trim_threshold,
        "cwm_trim_thresholds": motifs.trim_thresholds,
        "cwm_trim_coords": motifs.trim_coords,
        "lambda_default": motifs.penalty,
        "motif_lambdas": motifs.penalties,
        "motifs_include": motifs.include,
        "motif_names": motifs.names,
        "step_size_max": solver.step_size_max,
        "step_size_min": solver.step_size_min,
        "sqrt_transform": solver.use_sqrt_transform,
        "convergence_tol": solver.tolerance,
        "max_steps": solver.max_steps,
        "batch_size": resources.batch_regions,
        "step_adjust": solver.step_adjust,
        "device": resources.device,
        "mode": solver.mode.value,
        "no_post_filter": not solver.use_post_filter,
        "compile_optimizer": solver.use_compile,
        "region_width": sample.region_width,
        "num_regions": sample.n_regions,
        "untrimmed_motif_width": record.motif_width,
        "num_motifs": record.n_motifs,
        "solver": solver.name.value,
        "merge_palindromes": solver.merge_palindromes,
        "version": record.version,
    }
