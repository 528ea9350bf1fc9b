"""What a solver returns, as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Hits:
    """Hits of a batch of regions, ordered by region, then motif, then position; H of them."""

    region: Tensor
    """(H,) int64 row of the region in the batch."""
    motif: Tensor
    """(H,) int64."""
    position: Tensor
    """(H,) int64 first column of the untrimmed CWM in the region."""
    coefficient: Tensor
    """(H,) float64, of the normalised contributions."""
    similarity: Tensor
    """(H,) float64 cosine of the contributions in the trim window with the trimmed CWM."""
    importance: Tensor
    """(H,) float64 sum of |y| over the trim window, normalised contributions."""
    importance_sq: Tensor
    """(H,) float64 sum of y^2 over the trim window, normalised contributions."""

    def __len__(self) -> int:
        return len(self.region)

    def __getitem__(self, rows: Tensor) -> "Hits":
        return Hits(*(getattr(self, f.name).index_select(0, rows) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class RegionFit:
    """How well each of R regions was solved."""

    nll: Tensor
    """(R,) float64 half the squared residual over L."""
    dual_gap: Tensor
    """(R,) float64 what the stopping rule measured, over L."""
    n_steps: Tensor
    """(R,) int64 gradient steps (dense) or rounds (working set)."""
    step_size: Tensor
    """(R,) float64; 0 where no fixed step is taken."""
    global_scale: Tensor
    """(R,) float64 root mean square contribution."""
    converged: Tensor
    """(R,) bool."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Hits and fits of a batch of regions."""

    hits: Hits
    fit: RegionFit


def concatenate(parts: Sequence[Solution]) -> Solution:
    """Join solutions of consecutive batches, renumbering region rows."""
    hits, first = [], 0
    for part in parts:
        columns = {f.name: getattr(part.hits, f.name) for f in fields(Hits)}
        hits.append(Hits(**{**columns, "region": part.hits.region + first}))
        first += len(part.fit.nll)
    return Solution(
        Hits(*(torch.cat([getattr(h, f.name) for h in hits]) for f in fields(Hits))),
        RegionFit(*(torch.cat([getattr(p.fit, f.name) for p in parts]) for f in fields(RegionFit))),
    )


def split(whole: Solution, sizes: Sequence[int]) -> list[Solution]:
    """Return the solutions of consecutive batches of so many regions; undoes ``concatenate``."""
    first = torch.tensor(sizes).cumsum(0).to(whole.hits.region.device)
    ends = torch.searchsorted(whole.hits.region, first).tolist()
    parts, region, hit = [], 0, 0
    for size, end in zip(sizes, ends, strict=True):
        columns = {f.name: getattr(whole.hits, f.name)[hit:end] for f in fields(Hits)}
        hits = Hits(**{**columns, "region": columns["region"] - region})
        rows = slice(region, region + size)
        fit = RegionFit(*(getattr(whole.fit, f.name)[rows] for f in fields(RegionFit)))
        parts.append(Solution(hits, fit))
        region, hit = rows.stop, end
    return parts
