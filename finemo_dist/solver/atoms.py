"""Atoms: one motif at one place in one region, with the data under it."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from finemo_dist.solver.cwms import Cwms
from finemo_dist.solver.target import Target


@dataclass(frozen=True, slots=True)
class Atoms:
    """N atoms of a batch of regions, sorted by ``key``.

    The solver's variable is the amplitude ``z = c s``: in it the Gram matrix does not depend on
    the importance, and the penalty becomes ``lambda / s``.
    """

    region: Tensor
    """(N,) int64 row in the batch."""
    anchor: Tensor
    """(N,) int64 first base under the trim window."""
    motif: Tensor
    """(N,) int64."""
    values: Tensor
    """(N, A, C) float64 trimmed CWM as it shows in the region: masked in projected modes."""
    importance_sq: Tensor
    """(N,) float64 ``S``, sum of y^2 over the trim window."""
    penalty: Tensor
    """(N,) float64 ``lambda / s = lambda sqrt(S + 1)``."""
    correlation: Tensor
    """(N,) float64 ``<y, values>``."""

    def __len__(self) -> int:
        return len(self.region)

    def __getitem__(self, rows: Tensor) -> "Atoms":
        return Atoms(*(getattr(self, f.name).index_select(0, rows) for f in fields(self)))

    def key(self, cwms: Cwms, length: int) -> Tensor:
        """Return (N,) int64, one number an atom, increasing with region, anchor, motif."""
        return atom_key(self.region, self.anchor, self.motif, n_motifs=len(cwms), length=length)


def atom_key(
    region: Tensor, anchor: Tensor, motif: Tensor, *, n_motifs: int, length: int
) -> Tensor:
    """Return one number an atom, increasing with region, then anchor, then motif."""
    return (region * length + anchor) * n_motifs + motif


def windows(values: Tensor, region: Tensor, anchor: Tensor, width: int) -> Tensor:
    """Return (N, width, ...) slices of ``values`` (R, L, ...) that start at the anchors.

    Past the end of the region the last base is repeated: CWM columns there are zero.
    """
    return _taken(values, window_bases(region, anchor, width, values.shape[1]))


def window_bases(region: Tensor, anchor: Tensor, width: int, length: int) -> Tensor:
    """Return (N, width) bases of windows, counted along all regions; none past their region."""
    base = anchor[:, None] + torch.arange(width, device=anchor.device)
    return base.clamp_(max=length - 1).add_((region * length)[:, None])


def _taken(values: Tensor, base: Tensor) -> Tensor:
    """Return (N, width, ...) of values (R, L, ...) at bases (N, width)."""
    flat = values.flatten(0, 1)
    return flat.index_select(0, base.flatten()).view(*base.shape, *flat.shape[1:])


def build_atoms(
    target: Target, cwms: Cwms, cumulative_sq: Tensor, at: tuple[Tensor, Tensor, Tensor]
) -> Atoms:
    """Return the atoms at (region, anchor, motif), three (N,) tensors.

    ``cumulative_sq`` is the ``running_sum`` of y^2.
    """
    region, anchor, motif = at
    base = window_bases(region, anchor, cwms.aligned_width, target.length)
    if target.sequence is None:
        values = cwms.aligned.index_select(0, motif)[..., :4]
    else:
        values = _shown(cwms, motif, _taken(target.sequence, base))
    y = _taken(target.y, base)
    importance_sq = window_sum(cumulative_sq, at, cwms)
    return Atoms(
        region=region,
        anchor=anchor,
        motif=motif,
        values=values,
        importance_sq=importance_sq,
        penalty=cwms.penalty.index_select(0, motif) * (importance_sq + 1).sqrt(),
        correlation=(y * values).sum((1, 2)),
    )


def _shown(cwms: Cwms, motif: Tensor, code: Tensor) -> Tensor:
    """Return (N, A, 1) what CWMs hold at the codes (N, A) of the bases under them."""
    n_columns, n_codes = cwms.aligned.shape[1:]
    entry = code + torch.arange(0, n_columns * n_codes, n_codes, device=code.device)
    entry += (motif * (n_columns * n_codes))[:, None]
    return cwms.aligned.flatten().index_select(0, entry.flatten()).view(*entry.shape, 1)


def window_sum(cumulative: Tensor, at: tuple[Tensor, Tensor, Tensor], cwms: Cwms) -> Tensor:
    """Return (N,) sums over the trim windows of atoms from a running sum, never negative."""
    region, anchor, motif = at
    first = region * cumulative.shape[1] + anchor
    last = first + cwms.trimmed_width.index_select(0, motif)
    # index_select is three times faster than indexing with a tensor.
    flat = cumulative.flatten()
    return (flat.index_select(0, last) - flat.index_select(0, first)).clamp(min=0)


def running_sum(values: Tensor, width: int) -> Tensor:
    """Return (R, L + 1 + width) cumulative sums of (R, L), zero first.

    The last repeats, so that windows of up to ``width`` bases may reach over the end.
    """
    n_regions, length = values.shape
    sums = torch.empty((n_regions, length + 1 + width), dtype=values.dtype, device=values.device)
    sums[:, 0] = 0
    torch.cumsum(values, 1, out=sums[:, 1 : length + 1])
    sums[:, length + 1 :] = sums[:, length, None]
    return sums


def merge_atoms(known: Atoms, new: Atoms, cwms: Cwms, length: int) -> tuple[Atoms, Tensor]:
    """Return both sets of atoms, which share none, sorted; and where each went.

    The second result (N_known + N_new,) gives for each merged atom its row in the concatenation.
    """
    joined = Atoms(
        *(torch.cat((getattr(known, f.name), getattr(new, f.name))) for f in fields(Atoms))
    )
    order = joined.key(cwms, length).argsort()
    return joined[order], order
