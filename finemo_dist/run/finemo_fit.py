"""finemo's solver and stopping rule on arrays, for ``finemo_dist.finemo.fit_contribs``."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from finemo_dist.core.clock import Clock
from finemo_dist.core.config import SolverConfig
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.run.solving import RegionCaller, device_here, make_caller, memory_budget


@dataclass(frozen=True, slots=True)
class FinemoFit:
    """Columns as finemo's ``fit_contribs`` names and types them."""

    hits: dict[str, NDArray[Any]]
    """``hit_start`` is the first column of the untrimmed CWM in the region."""
    qc: dict[str, NDArray[Any]]


def fit(
    motifs: MotifSet,
    regions: RegionReader,
    config: SolverConfig,
    *,
    batch_size: int,
    device: object = None,
) -> FinemoFit:
    """Return the hits of motifs in regions, ordered by region, motif and position.

    Parameters
    ----------
    batch_size
        The most regions solved together; fewer where memory asks for it. Changes no hit.
    device
        A ``torch.device`` or its name; a GPU where there is one when None.

    Warns
    -----
    RuntimeWarning
        A region has not converged.
    """
    where = device_here("auto") if device is None else torch.device(str(device))
    caller = RegionCaller(
        make_caller(motifs, config, where),
        regions,
        budget_bytes=memory_budget(where),
        most_regions=batch_size,
    )
    solution = caller.solve(range(regions.n_regions), Clock())
    hits, quality = solution.hits, solution.fit
    n_open = int((~quality.converged).sum())
    if n_open:
        warnings.warn(
            f"{n_open:,} of {regions.n_regions:,} regions have not converged within "
            f"max_steps={config.max_steps:,} and step_size_min={config.step_size_min:g}.",
            RuntimeWarning,
            stacklevel=3,
        )
    scored = ("coefficient", "similarity", "importance", "importance_sq")
    return FinemoFit(
        hits={
            "peak_id": _column(hits.region, np.uint32),
            "motif_id": _column(hits.motif, np.uint32),
            "hit_start": _column(hits.position, np.int64),
            **{f"hit_{name}": _column(getattr(hits, name), np.float32) for name in scored},
        },
        qc={
            "nll": _column(quality.nll, np.float32),
            "dual_gap": _column(quality.dual_gap, np.float32),
            "num_steps": _column(quality.n_steps, np.int32),
            "step_size": _column(quality.step_size, np.float32),
            "global_scale": _column(quality.global_scale, np.float32),
            "peak_id": np.arange(regions.n_regions, dtype=np.uint32),
        },
    )


def _column(values: torch.Tensor, dtype: type[np.generic]) -> NDArray[Any]:
    return values.cpu().numpy().astype(dtype)
