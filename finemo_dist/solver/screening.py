"""Finding the atoms that may enter: screening windows, then one product with the CWMs.

An atom can enter only when ``<r, w> > lambda sqrt(S + 1)``, and ``<r, w> <= |w| |r|`` over its
window. Both sides are running sums, so most windows are ruled out before any correlation is
computed; on real attributions some 85 % of them. What is left is gathered and multiplied, motifs
of like width together. float32 only nominates: the solver recomputes nominees in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from finemo_dist.solver.atoms import running_sum, window_sum
from finemo_dist.solver.cwms import Cwms
from finemo_dist.solver.target import Target

_WIDTH_STEP = 8
"""Motifs whose trimmed widths round up to the same multiple share a product."""
_NOMINATION_MARGIN = 1e-4
"""Relative; over a hundred times the round-off of a float32 product of these lengths."""
_BOUND_MARGIN = 1e-6
"""Relative; running sums in float64 are good to far more."""
_ROWS_PER_PRODUCT = 8192
"""Windows multiplied at once: enough to fill the product, few enough to stay in cache."""


@dataclass(frozen=True, slots=True)
class WidthGroup:
    """Motifs of similar trimmed width, ready to be multiplied with windows."""

    motif: Tensor
    """(G,) int64 into the motif set."""
    narrowest: int
    widest: int
    """Trimmed widths, bases."""
    kernel: Tensor
    """(4 * widest, G) float32 CWMs over lambda, position-major."""
    strongest: float
    """Largest ``(|w| / lambda)^2``; at most 1 means that no motif here can ever enter."""


def group_by_width(cwms: Cwms) -> tuple[WidthGroup, ...]:
    """Return the motifs in groups of like trimmed width, narrow first."""
    bucket = (cwms.trimmed_width + _WIDTH_STEP - 1) // _WIDTH_STEP
    return tuple(_group(cwms, (bucket == b).nonzero()[:, 0]) for b in torch.unique(bucket).tolist())


def _group(cwms: Cwms, motif: Tensor) -> WidthGroup:
    widths = cwms.trimmed_width[motif]
    widest = int(widths.max())
    scaled = cwms.aligned[motif, :widest, :4] / cwms.penalty[motif, None, None]
    return WidthGroup(
        motif=motif,
        narrowest=int(widths.min()),
        widest=widest,
        kernel=scaled.flatten(1).T.float().contiguous(),
        strongest=float((cwms.norm[motif] / cwms.penalty[motif]).square().max()),
    )


@dataclass(frozen=True, slots=True)
class Screen:
    """Nominates atoms for one motif set."""

    cwms: Cwms
    groups: tuple[WidthGroup, ...]

    def nominate(
        self, target: Target, residual: Tensor, cumulative_sq: Tensor, is_open: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return (region, anchor, motif) of every atom that may have ``a > lambda``.

        Parameters
        ----------
        target : Target
            R regions.
        residual : (R, L, C) float64
            ``y - A c``.
        cumulative_sq : (R, L + 1) float64
            Running sum of y^2.
        is_open : (R, L) bool
            Bases whose residual changed since their windows were last looked at; only windows
            that hold one are looked at.
        """
        data = _window_data(target, residual, self.cwms.aligned_width)
        residual_sq = running_sum(residual.square().sum(2))
        n_open = running_sum(is_open.int())
        found = [
            nominees
            for group in self.groups
            if group.strongest > 1
            for nominees in self._nominate_group(group, data, residual_sq, cumulative_sq, n_open)
        ]
        if not found:
            none = torch.zeros(0, dtype=torch.int64, device=residual.device)
            return none, none, none
        region, anchor, motif = (torch.cat(column) for column in zip(*found, strict=True))
        return region, anchor, motif

    def _nominate_group(
        self,
        group: WidthGroup,
        data: Tensor,
        residual_sq: Tensor,
        cumulative_sq: Tensor,
        n_open: Tensor,
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        smallest = _window_sums(cumulative_sq, group.narrowest)
        largest_residual = _window_sums(residual_sq, group.widest)
        may_enter = group.strongest * (1 + _BOUND_MARGIN) * largest_residual > smallest + 1
        is_open = _window_sums(n_open, group.widest) > 0
        region, anchor = (may_enter & is_open).nonzero(as_tuple=True)
        threshold = (smallest[region, anchor] + 1).sqrt() * (1 - _NOMINATION_MARGIN)
        row = region * data.shape[1] + anchor
        slices = _sliding(data, group.widest)
        for first in range(0, len(row), _ROWS_PER_PRODUCT):
            part = slice(first, first + _ROWS_PER_PRODUCT)
            ratio = slices.index_select(0, row[part]) @ group.kernel
            window, column = (ratio > threshold[part, None].float()).nonzero(as_tuple=True)
            at = region[part][window], anchor[part][window], group.motif[column]
            yield self._confirm(at, ratio[window, column], cumulative_sq)

    def _confirm(
        self, at: tuple[Tensor, Tensor, Tensor], ratio: Tensor, cumulative_sq: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Keep the atoms that pass by their own trim window and fit inside their region."""
        region, anchor, motif = at
        importance_sq = window_sum(cumulative_sq, at, self.cwms)
        position = anchor - self.cwms.start[motif]
        keep = (
            (ratio > (importance_sq + 1).sqrt() * (1 - _NOMINATION_MARGIN))
            & (position >= 0)
            & (position <= cumulative_sq.shape[1] - 1 - self.cwms.width)
        ).nonzero()[:, 0]
        return region[keep], anchor[keep], motif[keep]


def _window_data(target: Target, residual: Tensor, width: int) -> Tensor:
    """Return the residual by base, (R, L + width, 4) float32, zeros after its end."""
    return functional.pad(target.by_base(residual.float()), (0, 0, 0, width))


def _sliding(data: Tensor, width: int) -> Tensor:
    """View (R, T, 4) data as (R * T - width + 1, 4 * width) overlapping windows."""
    n_windows = data.shape[0] * data.shape[1] - width + 1
    return data.as_strided((n_windows, 4 * width), (4, 1))


def _window_sums(running: Tensor, width: int) -> Tensor:
    """Return (R, L) sums over the ``width`` bases from each base on, cut off at the end."""
    length = running.shape[1] - 1
    whole = running[:, width:] - running[:, :-width]
    cut_off = running[:, -1:] - running[:, length + 1 - width : length]
    return torch.cat((whole, cut_off), 1)
