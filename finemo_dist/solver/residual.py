"""What hits leave unexplained."""

import torch
from torch import Tensor

from finemo_dist.solver.atoms import build_atoms, running_sum
from finemo_dist.solver.cwms import Cwms
from finemo_dist.solver.solution import Hits
from finemo_dist.solver.target import Target


def residual(target: Target, cwms: Cwms, hits: Hits) -> Tensor:
    """Return the normalised contributions less what hits reconstruct, (R, L, C) float64.

    Each hit adds ``c s`` times its trimmed CWM, masked by the sequence in projected modes, with
    ``s = (S + 1)^(-1/2)`` and ``S`` the squared contributions under the trim window.
    """
    anchor = hits.position + cwms.start[hits.motif]
    cumulative_sq = running_sum(target.y.square().sum(2), cwms.aligned_width)
    atoms = build_atoms(target, cwms, cumulative_sq, (hits.region, anchor, hits.motif))
    amplitude = hits.coefficient / (atoms.importance_sq + 1).sqrt()
    base = anchor[:, None] + torch.arange(cwms.aligned_width, device=anchor.device)
    # Past the end of a region CWM columns are zero: the last base stands in for it.
    row = hits.region[:, None] * target.length + base.clamp(max=target.length - 1)
    flat = target.y.flatten(0, 1).clone()
    flat.index_put_((row,), -amplitude[:, None, None] * atoms.values, accumulate=True)
    return flat.view_as(target.y)
