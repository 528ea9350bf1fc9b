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

_SMALLEST_GROUP = 64
"""Motifs worth a product of their own: below, screening windows for it costs more than it saves."""
_NOMINATION_MARGIN = 1e-4
"""Relative; over a hundred times the round-off of a float32 product of these lengths."""
_BOUND_MARGIN = 1e-6
"""Relative; running sums in float64 are good to far more."""
_BLOCK = 8
"""Motifs, neighbours in width, that share a threshold."""
_WINDOWS_PER_PRODUCT = {"cpu": 1 << 11, "cuda": 1 << 18}
"""Few enough to stay in a CPU's cache, or within a GPU's memory; enough to fill the product."""
_PRODUCTS_AT_ONCE = {"cpu": 4, "cuda": 1}
"""Compared with their thresholds together: each comparison is many small operations."""


@dataclass(frozen=True, slots=True)
class WidthGroup:
    """Motifs of similar trimmed width, ready to be multiplied with windows."""

    motif: Tensor
    """(G,) int64 into the motif set, narrow first."""
    narrowest: int
    widest: int
    """Trimmed widths, bases."""
    block_narrowest: Tensor
    """(G' / 8, 1) int64 least trimmed width of each block of eight motifs."""
    kernel: Tensor
    """(G', 4 * widest) float32 CWMs over lambda, position-major; zero rows fill the last block."""
    strongest: float
    """Largest ``(|w| / lambda)^2``; at most 1 means that no motif here can ever enter."""


def group_by_width(cwms: Cwms) -> tuple[WidthGroup, ...]:
    """Return the motifs in groups of like trimmed width, narrow first."""
    narrow_first = cwms.trimmed_width.argsort(stable=True)
    return tuple(
        _group(cwms, motif) for motif in torch.split(narrow_first, _group_sizes(len(cwms)))
    )


def _group_sizes(n_motifs: int) -> list[int]:
    n_groups = max(1, n_motifs // _SMALLEST_GROUP)
    return [n_motifs // n_groups + (i < n_motifs % n_groups) for i in range(n_groups)]


def _group(cwms: Cwms, motif: Tensor) -> WidthGroup:
    widths = cwms.trimmed_width[motif]
    widest = int(widths.max())
    scaled = cwms.aligned[motif, :widest, :4] / cwms.penalty[motif, None, None]
    return WidthGroup(
        motif=motif,
        narrowest=int(widths.min()),
        widest=widest,
        block_narrowest=widths[::_BLOCK, None].contiguous(),
        kernel=functional.pad(scaled.flatten(1).float(), (0, 0, 0, -len(motif) % _BLOCK)),
        strongest=float((cwms.norm[motif] / cwms.penalty[motif]).square().max()),
    )


@dataclass(frozen=True, slots=True)
class Screen:
    """Nominates atoms for one motif set."""

    cwms: Cwms
    groups: tuple[WidthGroup, ...]

    def nominate(
        self, target: Target, residual: Tensor, cumulative_sq: Tensor, is_open: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return (region, anchor, motif) of every atom that may have ``a > lambda``.

        Parameters
        ----------
        target : Target
            R regions.
        residual : (R, L, C) float64
            ``y - A c``.
        cumulative_sq : (R, L + 1 + A) float64
            Running sum of y^2.
        is_open : (R, L) bool or None
            Bases whose residual changed since their windows were last looked at; only windows
            that hold one are looked at. All of them when None.
        """
        width = self.cwms.aligned_width
        # Before anything is explained, one serves for both.
        is_all = residual is target.y
        sums = _Sums(
            length=target.length,
            target=cumulative_sq,
            residual=cumulative_sq if is_all else running_sum(residual.square().sum(2), width),
            n_open=None if is_open is None else running_sum(is_open.int(), width),
        )
        data = target.by_base(residual.float(), padding=width)
        found = [
            nominees
            for group in self.groups
            if group.strongest > 1
            for nominees in self._nominate_group(group, data, sums)
        ]
        if not found:
            none = torch.zeros(0, dtype=torch.int64, device=residual.device)
            return none, none, none
        region, anchor, motif = (torch.cat(column) for column in zip(*found, strict=True))
        return region, anchor, motif

    def _nominate_group(
        self, group: WidthGroup, data: Tensor, sums: "_Sums"
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        region, anchor = _open_windows(group, sums)
        products = _Products(group, data, len(region))
        for at in zip(
            torch.split(region, products.most_windows),
            torch.split(anchor, products.most_windows),
            strict=True,
        ):
            yield self._confirm(*_over_threshold(group, products.of(*at), at, sums), sums)

    def _confirm(
        self, at: tuple[Tensor, Tensor, Tensor], ratio: Tensor, sums: "_Sums"
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Keep the atoms that pass by their own trim window and fit inside their region."""
        region, anchor, motif = at
        importance_sq = window_sum(sums.target, at, self.cwms)
        position = anchor - self.cwms.start[motif]
        keep = (
            (ratio > _threshold(importance_sq))
            & (position >= 0)
            & (position <= sums.length - self.cwms.width)
        ).nonzero()[:, 0]
        return region[keep], anchor[keep], motif[keep]


@dataclass(frozen=True, slots=True)
class _Sums:
    """Running sums over R regions, each (R, L + 1 + A)."""

    length: int
    """Bases in every region, L."""
    target: Tensor
    """Of y^2."""
    residual: Tensor
    """Of r^2."""
    n_open: Tensor | None
    """Of open bases; None when all are."""


class _Products:
    """Multiplies windows with the CWMs of a group, in buffers that are used again.

    Parameters
    ----------
    group : WidthGroup
        Its G' CWMs.
    data : (R, T, 4) float32
        What the windows are of.
    n_windows : int
        How many are going to be multiplied in all.
    """

    def __init__(self, group: WidthGroup, data: Tensor, n_windows: int) -> None:
        self._size = max(1, min(_WINDOWS_PER_PRODUCT[data.device.type], n_windows))
        self._n_products = _PRODUCTS_AT_ONCE[data.device.type]
        self._kernel = group.kernel
        self._slices = _sliding(data, group.widest)
        self._row_stride = data.shape[1]
        self._window = data.new_empty(self._size, group.kernel.shape[1])
        self._ratio = data.new_empty(self._n_products, len(group.kernel), self._size)

    @property
    def most_windows(self) -> int:
        """How many windows are multiplied at once."""
        return self._n_products * self._size

    def of(self, region: Tensor, anchor: Tensor) -> Tensor:
        """Return the products (K, G', size) of windows, which fill ``size`` by ``size``.

        They stand until the next call; those beyond the last window are anything.
        """
        rows = torch.split(region * self._row_stride + anchor, self._size)
        for row, ratio in zip(rows, self._ratio, strict=False):
            window = self._window[: len(row)]
            torch.index_select(self._slices, 0, row, out=window)
            torch.mm(self._kernel, window.T, out=ratio[:, : len(row)])
        return self._ratio[: len(rows)]


def _over_threshold(
    group: WidthGroup, ratio: Tensor, at: tuple[Tensor, Tensor], sums: _Sums
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Return (region, anchor, motif) of the products over the threshold of their block, and those.

    Most windows pass for no motif, so the largest of each block is compared first.
    """
    n_products, _, size = ratio.shape
    by_block = ratio.view(n_products, len(group.block_narrowest), _BLOCK, size)
    region, anchor = at
    first = region * sums.target.shape[1] + anchor
    threshold = _threshold(_sum_at(sums.target, first, group.block_narrowest).float())
    largest = by_block.amax(2).transpose(0, 1).flatten(1)[:, : len(region)]
    block, window = (largest > threshold).nonzero(as_tuple=True)
    product, column = window // size, window % size
    is_over = by_block[product, block, :, column] > threshold[block, window, None]
    found, member = is_over.nonzero(as_tuple=True)
    row = block[found] * _BLOCK + member
    value = ratio[product[found], row, column[found]]
    window = window[found]
    return (region[window], anchor[window], group.motif[row]), value


def _threshold(importance_sq: Tensor) -> Tensor:
    """Return what ``<r, w> / lambda`` must exceed for an atom with this ``S`` to be nominated."""
    return (importance_sq + 1).sqrt() * (1 - _NOMINATION_MARGIN)


def _open_windows(group: WidthGroup, sums: _Sums) -> tuple[Tensor, Tensor]:
    """Return (region, anchor) of the open windows that an atom may enter."""
    strongest = group.strongest * (1 + _BOUND_MARGIN)
    if sums.n_open is None:
        smallest = _window_sums(sums.target, group.narrowest, sums.length)
        largest = _window_sums(sums.residual, group.widest, sums.length)
        region, anchor = (strongest * largest > smallest + 1).nonzero(as_tuple=True)
        return region, anchor
    # Later rounds look at few windows: pick those first, then bound them one by one.
    is_open = _window_sums(sums.n_open, group.widest, sums.length) > 0
    region, anchor = is_open.nonzero(as_tuple=True)
    first = region * sums.target.shape[1] + anchor
    smallest = _sum_at(sums.target, first, group.narrowest)
    largest = _sum_at(sums.residual, first, group.widest)
    keep = (strongest * largest > smallest + 1).nonzero()[:, 0]
    return region[keep], anchor[keep]


def _sum_at(running: Tensor, first: Tensor, width: int | Tensor) -> Tensor:
    # index_select is three times faster than indexing with a tensor.
    flat, last = running.flatten(), first + width
    return flat.index_select(0, last.flatten()).view_as(last) - flat.index_select(0, first)


def _window_sums(running: Tensor, width: int, length: int) -> Tensor:
    """Return (R, L) sums over the ``width`` bases from each base on, cut off at the end."""
    return running[:, width : width + length] - running[:, :length]


def _sliding(data: Tensor, width: int) -> Tensor:
    """View (R, T, 4) data as (R * T - width + 1, 4 * width) overlapping windows."""
    n_windows = data.shape[0] * data.shape[1] - width + 1
    return data.as_strided((n_windows, 4 * width), (4, 1))
