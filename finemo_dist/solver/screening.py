"""Finding the atoms that may enter: bounds of windows first, then products with the CWMs.

An atom can enter only when ``<r, w> > lambda sqrt(S + 1)``. Before anything is explained ``r = y``,
and ``<y, w> <= |w| |y|`` over its window, or by sign ``|w+| |y+| + |w-| |y-|``. Both sides are sums
over windows, so most windows are ruled out before any correlation is computed; on real attributions
some 85 % of them. What is left is multiplied, motifs of like width together. float32 only
nominates: the solver recomputes nominees in float64.

Later rounds are decided by what the first one left of each window, its *slack*: the most by which
a motif that was not nominated exceeds its threshold, never positive. With ``E = y - r`` all that is
explained, ``<r, w> = <y, w> - <E, w> <= <y, w> + |E+| |w-| + |E-| |w+|``, since products of equal
sign only lower it. CWMs of contributions are nearly all positive and so is what they explain: of
148 windows in a region of yeast whose residual changes, four are left to be multiplied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from finemo_dist.core.memory import n_motif_groups
from finemo_dist.solver.cwms import Cwms
from finemo_dist.solver.indices import true_rows
from finemo_dist.solver.products import (
    Windows,
    base_codes,
    sliding,
    windows_at_once,
    windows_over,
)
from finemo_dist.solver.target import Target

_NOMINATION_MARGIN = 1e-4
"""Relative; over a hundred times the usual round-off of a float32 product of these lengths."""
_BOUND_MARGIN = 1e-5
"""Relative; float32 sums of numbers that are not negative are good to 1e-6."""
_PADDING = 8
"""Motifs of a group are filled up to a multiple, which vector registers want."""
_SIGNS_WORTH = 1.1
"""The bound by sign is used where it can exceed the other by no more than this."""

At = tuple[Tensor, Tensor, Tensor]
"""(region, anchor, motif) of atoms, each (N,) int64."""


@dataclass(frozen=True, slots=True)
class WidthGroup:
    """Motifs of similar trimmed width, ready to be multiplied with windows.

    G of them, the last of which may be padding: CWMs of zeros that fit nowhere.
    """

    motif: Tensor
    """(G,) int64 into the motif set, narrow first."""
    start: Tensor
    """(G,) int64 first column inside the trim window; beyond any region for padding."""
    narrowest: int
    widest: int
    """Trimmed widths, bases."""
    table: Tensor
    """(4 * widest, G) float32 CWMs over lambda, position by position."""
    mask: Tensor
    """(widest, G) float32 one inside the trim window, else zero."""
    one: Tensor
    """(1, G) float32 ones."""
    strongest: float
    """Largest ``|w| / lambda``; at most 1 means that no motif here can ever enter."""
    positive: float
    negative: float
    """The same of the positive and of the negative part of each CWM."""
    round_off: float
    """Of a product in float32, relative to ``|w| |r| / lambda``, times the strongest."""

    @property
    def margin(self) -> float:
        """By how much thresholds are lowered for a nomination, relative."""
        return max(_NOMINATION_MARGIN, 2 * self.round_off)

    @property
    def uses_signs(self) -> bool:
        """Whether the bound by sign is, at worst, nearly as good as the other."""
        return bool(self.positive**2 + self.negative**2 <= (_SIGNS_WORTH * self.strongest) ** 2)


def group_by_width(cwms: Cwms) -> tuple[WidthGroup, ...]:
    """Return the motifs in groups of like trimmed width, narrow first."""
    narrow_first = cwms.trimmed_width.argsort(stable=True)
    return tuple(
        _group(cwms, motif) for motif in torch.split(narrow_first, _group_sizes(len(cwms)))
    )


def _group_sizes(n_motifs: int) -> list[int]:
    # Smaller ones cost more to screen windows for than they save of products.
    n_groups = n_motif_groups(n_motifs)
    return [n_motifs // n_groups + (i < n_motifs % n_groups) for i in range(n_groups)]


def _group(cwms: Cwms, motif: Tensor) -> WidthGroup:
    widths = cwms.trimmed_width[motif]
    widest = int(widths.max())
    scaled = cwms.aligned[motif, :widest, :4] / cwms.penalty[motif, None, None]
    fill = (0, -len(motif) % _PADDING)
    column = torch.arange(widest, device=motif.device)
    table = scaled.float().permute(1, 2, 0).flatten(0, 1).contiguous()
    strongest = _largest_norm(scaled)
    return WidthGroup(
        motif=functional.pad(motif, fill),
        start=functional.pad(cwms.start[motif], fill, value=torch.iinfo(torch.int32).max),
        narrowest=int(widths.min()),
        widest=widest,
        table=functional.pad(table, fill),
        mask=functional.pad((column[:, None] < widths).float(), fill, value=1.0),
        one=torch.ones(1, len(motif) + fill[1], device=motif.device),
        strongest=strongest,
        positive=_largest_norm(scaled.clamp(min=0)),
        negative=_largest_norm(scaled.clamp(max=0)),
        round_off=(4 * widest + 2) * torch.finfo(torch.float32).eps / 2 * strongest,
    )


def _largest_norm(scaled: Tensor) -> float:
    return float(scaled.square().sum((1, 2)).max().sqrt()) * (1 + _BOUND_MARGIN)


@dataclass(frozen=True, slots=True)
class Screened:
    """What the first round leaves of the windows of R regions for later ones."""

    slack: tuple[Tensor, ...]
    """(R, L) float32 of each group that is screened; infinite where a nominee was refused."""
    energy: Tensor
    """(R, L + A) float32 y^2, summed over channels."""
    codes: Tensor | None
    """(R, L + A) int32, of ``base_codes``."""

    def __getitem__(self, rows: Tensor) -> "Screened":
        return Screened(
            tuple(slack[rows] for slack in self.slack),
            self.energy[rows],
            None if self.codes is None else self.codes[rows],
        )

    def refuse(self, region: Tensor, anchor: Tensor) -> None:
        """Look again at the windows of nominees that did not enter."""
        for slack in self.slack:
            slack[region, anchor] = torch.inf


@dataclass(frozen=True, slots=True)
class _Over:
    """What a product is of, and how it is compared."""

    windows: Windows
    energy: Tensor
    """(T,) float32 y^2 along all regions laid end to end."""
    length: int
    padding: int
    """L and A."""

    def row(self, at: Tensor) -> Tensor:
        """Return where windows (N,), counted over regions of L bases, begin among L + A."""
        return at + at.div(self.length, rounding_mode="floor") * self.padding


@dataclass(frozen=True, slots=True)
class Screen:
    """Nominates atoms for one motif set."""

    cwms: Cwms
    groups: tuple[WidthGroup, ...]

    def first(self, target: Target) -> tuple[At, Screened]:
        """Return every atom that may have ``a > lambda`` while nothing is explained.

        Parameters
        ----------
        target : Target
            R regions.
        """
        padding, groups = self.cwms.aligned_width, self._strong_groups
        values = functional.pad(target.y.float(), (0, 0, 0, padding))
        codes, energy = base_codes(target, padding), _energy(values)
        over = _Over(windows_over(target, values, codes), energy.flatten(), target.length, padding)
        narrow = _window_sums(energy, [g.narrowest for g in groups], target.length)
        bounds = _first_bounds(groups, values, energy, target.length)
        found, slacks = [], []
        for group, bound in zip(groups, bounds, strict=True):
            threshold = (narrow[group.narrowest] + 1).sqrt_().mul_(1 - group.margin)
            slack = bound.sub_(threshold)
            slacks.append(slack)
            size = windows_at_once(slack.device)
            for at in torch.split(true_rows(slack > 0), size):
                least = threshold.view(-1).index_select(0, at)
                atoms, excess = self._compare(group, over, at, least)
                slack.view(-1).index_copy_(0, at, excess)
                found.append(atoms)
        return _joined(found, target), Screened(tuple(slacks), energy, codes)

    def again(self, target: Target, residual: Tensor, screened: Screened) -> At:
        """Return every atom that may have ``a > lambda`` now and was not nominated at first.

        Those that were and did not enter are nominated again if they still may; so are some that
        did enter.

        Parameters
        ----------
        residual : (R, L, C) float64
            ``y - A c``.
        screened : Screened
            Of the same regions.
        """
        padding, groups = self.cwms.aligned_width, self._strong_groups
        found: list[At] = []
        left = [(group, at) for group, at in _left(groups, target, residual, screened) if len(at)]
        if not left:
            return _joined(found, target)
        values = functional.pad(residual.float(), (0, 0, 0, padding))
        over = _Over(
            windows_over(target, values, screened.codes),
            screened.energy.flatten(),
            target.length,
            padding,
        )
        for group, at in left:
            for some in torch.split(at, windows_at_once(at.device)):
                found += self._nominate_again(group, over, some, values.flatten(0, 1))
        return _joined(found, target)

    @property
    def _strong_groups(self) -> list[WidthGroup]:
        return [group for group in self.groups if group.strongest > 1]

    def _nominate_again(
        self, group: WidthGroup, over: _Over, at: Tensor, residual: Tensor
    ) -> Iterator[At]:
        """Nominate in windows whose slack is used up, unless their residual is too small."""
        row = over.row(at)
        target_sq = sliding(over.energy, group.narrowest).index_select(0, row).sum(1)
        threshold = (target_sq + 1).sqrt_().mul_(1 - group.margin)
        norm = sliding(residual, group.widest).index_select(0, row).square_().sum(1).sqrt_()
        keep = true_rows(norm * group.strongest > threshold)
        at, threshold, norm = (x.index_select(0, keep) for x in (at, threshold, norm))
        if len(at):
            # Unlike y, a residual may be large where S is not.
            atoms, _ = self._compare(group, over, at, threshold, norm.mul_(group.round_off))
            yield atoms

    def _compare(
        self,
        group: WidthGroup,
        over: _Over,
        at: Tensor,
        threshold: Tensor,
        spare: Tensor | None = None,
    ) -> tuple[At, Tensor]:
        """Return the atoms that pass in windows, and (N,) by how much the best other one does.

        Parameters
        ----------
        at : (N,) int64
            At most ``windows_at_once``, counted over regions of L bases.
        threshold : (N,) float32
            What the narrowest motif must exceed there.
        spare : (N,) float32 or None
            By how much thresholds are lowered further.
        """
        row = over.row(at)
        products = over.windows.times(group.table, row)
        excess = products.amax(1).sub_(threshold)
        if spare is not None:
            excess += spare
        passing = true_rows(excess > 0)
        own = products.index_select(0, passing)
        squares = sliding(over.energy, group.widest)
        squares = squares.index_select(0, row.index_select(0, passing))
        # S of every motif: sums of numbers that are not negative, so that nothing cancels.
        own.sub_(torch.addmm(group.one, squares, group.mask).sqrt_(), alpha=1 - group.margin)
        if spare is not None:
            own += spare.index_select(0, passing)[:, None]
        most = own.amax(1)
        found = true_rows(most > 0)
        own = own.index_select(0, found)
        atoms = self._taken(group, over, at.index_select(0, passing.index_select(0, found)), own)
        most.index_copy_(0, found, own.amax(1))
        return atoms, excess.index_copy_(0, passing, most)

    def _taken(self, group: WidthGroup, over: _Over, at: Tensor, excess: Tensor) -> At:
        """Return the atoms over their thresholds that fit inside their region.

        Entries of ``excess`` (N, G) over zero become minus infinity.
        """
        is_over = excess > 0
        found = true_rows(is_over)
        excess.masked_fill_(is_over, -torch.inf)
        window = found.div(excess.shape[1], rounding_mode="floor")
        member = found - window * excess.shape[1]
        at = at.index_select(0, window)
        region = at.div(over.length, rounding_mode="floor")
        anchor = at - region * over.length
        position = anchor - group.start.index_select(0, member)
        fits = true_rows((position >= 0) & (position <= over.length - self.cwms.width))
        motif = group.motif.index_select(0, member.index_select(0, fits))
        return region.index_select(0, fits), anchor.index_select(0, fits), motif


def _left(
    groups: list[WidthGroup], target: Target, residual: Tensor, screened: Screened
) -> Iterator[tuple[WidthGroup, Tensor]]:
    """Yield the windows (N,) of each group whose slack may be used up by what is explained."""
    padding = screened.energy.shape[1] - target.length
    explained = functional.pad((target.y - residual).float(), (0, 0, 0, padding))
    widths = [g.widest for g in groups]
    up = _window_sums(_energy(explained.clamp(min=0)), widths, target.length)
    down = _window_sums(_energy(explained.clamp(max=0)), widths, target.length)
    some = None
    if len(groups) > 1:
        # Few windows are left by any group: one look at all of them with the bounds of all.
        widest = max(widths)
        most = torch.add(
            reduce(torch.maximum, screened.slack),
            up[widest].sqrt(),
            alpha=max(g.negative for g in groups),
        )
        most.add_(down[widest].sqrt(), alpha=max(g.positive for g in groups))
        some = true_rows(most > 0)
    for group, slack in zip(groups, screened.slack, strict=True):
        terms = [slack, up[group.widest], down[group.widest]]
        if some is not None:
            terms = [term.reshape(-1).index_select(0, some) for term in terms]
        total = torch.add(terms[0], terms[1].sqrt(), alpha=group.negative)
        kept = true_rows(total.add_(terms[2].sqrt(), alpha=group.positive) > 0)
        yield group, kept if some is None else some.index_select(0, kept)


def _first_bounds(
    groups: list[WidthGroup], values: Tensor, energy: Tensor, length: int
) -> Iterator[Tensor]:
    """Yield (R, L) bounds of ``<y, w> / lambda`` over the motifs of each group."""
    by_sign = [g.widest for g in groups if g.uses_signs]
    whole = _window_sums(energy, [g.widest for g in groups if not g.uses_signs], length)
    up = down = whole
    if by_sign:
        up = _window_sums(_energy(values.clamp(min=0)), by_sign, length)
        down = _window_sums(_energy(values.clamp(max=0)), by_sign, length)
    for group in groups:
        if group.uses_signs:
            bound = up[group.widest].sqrt().mul_(group.positive)
            yield bound.add_(down[group.widest].sqrt(), alpha=group.negative)
        else:
            yield whole[group.widest].sqrt().mul_(group.strongest)


def _energy(values: Tensor) -> Tensor:
    """Return (R, T) squares of (R, T, C), summed over channels."""
    squares = values.square()
    return squares[..., 0] if values.shape[2] == 1 else squares.sum(2)


def _window_sums(values: Tensor, widths: list[int], length: int) -> dict[int, Tensor]:
    """Return for each width (R, L) sums over so many bases from each base on.

    Sums of 1, 2, 4, ... bases, each of two of the last, are shared by all widths. Nothing is
    subtracted, so that sums of squares are as good as float32 is.

    Parameters
    ----------
    values : (R, T) float32
        T at least ``length`` and the widest less one.
    """
    sums: dict[int, Tensor] = {}
    doubled, size = values, 1
    left = {width: (width, 0) for width in sorted(set(widths))}
    while left:
        for width, (rest, first) in list(left.items()):
            if rest & size:
                part = doubled[:, first : first + length]
                sums[width] = sums[width] + part if width in sums else part
                rest, first = rest - size, first + size
            left[width] = rest, first
            if not rest:
                del left[width]
        if left:
            doubled = doubled[:, size:] + doubled[:, :-size]
            size *= 2
    return sums


def _joined(found: list[At], target: Target) -> At:
    if not found:
        none = torch.zeros(0, dtype=torch.int64, device=target.y.device)
        return none, none, none
    region, anchor, motif = (torch.cat(column) for column in zip(*found, strict=True))
    return region, anchor, motif
