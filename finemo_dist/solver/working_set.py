"""The fast exact method: solve over few atoms, look for any that should have been among them.

A round screens the windows whose residual changed, recomputes in float64 every atom nominated
there, and certifies each region. Regions within tolerance leave. In the rest the violators join
the working set, the clusters they fall into are solved to round-off, and the residual is updated.
What decides is float64 and belongs to one region alone, so batches never change an answer.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from finemo_dist.core.config import SolverConfig
from finemo_dist.solver.atoms import (
    Atoms,
    atom_key,
    build_atoms,
    merge_atoms,
    running_sum,
    windows,
)
from finemo_dist.solver.certificate import duality_gap
from finemo_dist.solver.clusters import find_clusters, solve_clusters
from finemo_dist.solver.cwms import Cwms
from finemo_dist.solver.screening import Screen, group_by_width
from finemo_dist.solver.solution import Hits, RegionFit, Solution
from finemo_dist.solver.target import Target, build_target

_VIOLATION = 1e-9
"""By how much ``a`` must exceed ``lambda``, relative, for an atom to be let in."""


@dataclass(frozen=True, slots=True)
class _State:
    """R regions under way."""

    row: Tensor
    """(R,) their rows in the batch."""
    target: Target
    cumulative_sq: Tensor
    """(R, L + 1 + A) running sum of y^2."""
    residual: Tensor
    """(R, L, C)."""
    is_open: Tensor | None
    """(R, L) bool, bases whose residual changed since windows over them were screened.

    None stands for all of them.
    """
    atoms: Atoms
    """The working set."""
    amplitude: Tensor
    """(N,) ``z`` of each atom."""


@dataclass(frozen=True, slots=True)
class _Finished:
    """Regions that left, and their positive atoms, with regions counted in the batch."""

    row: Tensor
    nll: Tensor
    gap: Tensor
    n_rounds: Tensor
    atoms: Atoms
    amplitude: Tensor


class WorkingSetSolver:
    """Solves batches of regions exactly; satisfies ``Solver``."""

    def __init__(self, cwms: Cwms, config: SolverConfig) -> None:
        self._cwms = cwms
        self._config = config
        self._screen = Screen(cwms, group_by_width(cwms))

    def solve(self, sequence: Tensor, contributions: Tensor) -> Solution:
        """Return hits and fits of a batch of regions."""
        target = build_target(
            sequence,
            contributions,
            is_hypothetical=self._config.mode.contributions_are_hypothetical,
            use_sqrt_transform=self._config.use_sqrt_transform,
        )
        state, finished, n_rounds = _start(target, self._cwms), [], 0
        while len(state.row):
            violators, largest_ratio = self._violators(state)
            residual_sq = state.residual.square().sum((1, 2))
            gap = _gap(state, residual_sq, largest_ratio) / target.length
            has_violator = torch.zeros_like(gap, dtype=torch.bool)
            has_violator[violators.region] = True
            # A gap within tolerance ends no region: a weak hit hides under it, and the restricted
            # problems are solved to round-off anyway. The tolerance says what counts as converged.
            is_done = ~has_violator | (n_rounds >= self._config.max_steps)
            finished.append(_finish(state, residual_sq, gap, is_done, n_rounds))
            state, violators = _continue(state, violators, ~is_done)
            state = self._solve_restricted(state, violators)
            n_rounds += 1
        return self._solution(target, finished)

    def _violators(self, state: _State) -> tuple[Atoms, Tensor]:
        """Return new atoms with ``a > lambda`` and (R,) the largest ``a / lambda`` of all."""
        known = state.atoms
        at = self._screen.nominate(state.target, state.residual, state.cumulative_sq, state.is_open)
        at = _unknown(at, known, self._cwms, state.target.length)
        nominees = build_atoms(state.target, self._cwms, state.cumulative_sq, at)
        ratio = self._ratio(state, nominees)
        largest = torch.zeros(len(state.row), dtype=ratio.dtype, device=ratio.device)
        largest.scatter_reduce_(0, nominees.region, ratio, "amax")
        largest.scatter_reduce_(0, known.region, self._ratio(state, known), "amax")
        return nominees[(ratio > 1 + _VIOLATION).nonzero()[:, 0]], largest

    def _ratio(self, state: _State, atoms: Atoms) -> Tensor:
        """Return (N,) ``a / lambda`` in float64."""
        residual = windows(state.residual, atoms.region, atoms.anchor, self._cwms.aligned_width)
        return (residual * atoms.values).sum((1, 2)) / atoms.penalty

    def _solve_restricted(self, state: _State, violators: Atoms) -> _State:
        """Let violators in, solve the clusters they join, and update the residual."""
        length = state.target.length
        atoms, order = merge_atoms(state.atoms, violators, self._cwms, length)
        n_known = len(state.atoms)
        before = torch.cat((state.amplitude, state.amplitude.new_zeros(len(violators))))[order]
        after = solve_clusters(
            find_clusters(atoms, self._cwms, length),
            atoms,
            self._cwms,
            length=length,
            amplitude=before,
            is_new=order >= n_known,
        )
        residual, is_open = _subtract(state.residual, atoms, after - before)
        return _State(
            row=state.row,
            target=state.target,
            cumulative_sq=state.cumulative_sq,
            residual=residual,
            is_open=is_open,
            atoms=atoms,
            amplitude=after,
        )

    def _solution(self, target: Target, finished: list[_Finished]) -> Solution:
        row, nll, gap, n_rounds = (
            torch.cat([getattr(part, name) for part in finished])
            for name in ("row", "nll", "gap", "n_rounds")
        )
        order = row.argsort()
        fit = RegionFit(
            nll=nll[order],
            dual_gap=gap[order],
            n_steps=n_rounds[order],
            step_size=torch.zeros_like(nll),
            global_scale=target.scale,
            converged=gap[order] <= self._config.tolerance,
        )
        return Solution(self._hits(target, finished), fit)

    def _hits(self, target: Target, finished: list[_Finished]) -> Hits:
        """Return the positive atoms as hits, ordered by region, motif, position."""
        region, anchor, motif, importance_sq, penalty, correlation = (
            torch.cat([getattr(part.atoms, name) for part in finished])
            for name in ("region", "anchor", "motif", "importance_sq", "penalty", "correlation")
        )
        amplitude = torch.cat([part.amplitude for part in finished])
        lam = self._cwms.penalty[motif]
        hits = Hits(
            region=region,
            motif=motif,
            position=anchor - self._cwms.start[motif],
            coefficient=amplitude * penalty / lam,
            similarity=correlation / importance_sq.sqrt(),
            importance=_importance(target, (region, anchor, motif), self._cwms),
            importance_sq=importance_sq,
        )
        if self._config.use_post_filter:
            hits = hits[(hits.similarity >= lam).nonzero()[:, 0]]
        n_motifs, length = len(self._cwms), target.length
        return hits[((hits.region * n_motifs + hits.motif) * length + hits.position).argsort()]


def _start(target: Target, cwms: Cwms) -> _State:
    cumulative_sq = running_sum(target.y.square().sum(2), cwms.aligned_width)
    none = torch.zeros(0, dtype=torch.int64, device=target.y.device)
    return _State(
        row=torch.arange(len(target), device=target.y.device),
        target=target,
        cumulative_sq=cumulative_sq,
        residual=target.y,
        is_open=None,
        atoms=build_atoms(target, cwms, cumulative_sq, (none, none, none)),
        amplitude=target.y.new_zeros(0),
    )


def _unknown(
    at: tuple[Tensor, Tensor, Tensor], known: Atoms, cwms: Cwms, length: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Drop the nominees that are in the working set."""
    if not len(known):
        return at
    region, anchor, motif = at
    key = atom_key(region, anchor, motif, n_motifs=len(cwms), length=length)
    known_key = known.key(cwms, length)
    place = torch.searchsorted(known_key, key).clamp(max=len(known) - 1)
    keep = (known_key[place] != key).nonzero()[:, 0]
    return region[keep], anchor[keep], motif[keep]


def _gap(state: _State, residual_sq: Tensor, largest_ratio: Tensor) -> Tensor:
    """Return the duality gap (R,) of each region, not divided by L."""
    penalty = torch.zeros_like(largest_ratio)
    penalty.index_put_(
        (state.atoms.region,), state.amplitude * state.atoms.penalty, accumulate=True
    )
    return duality_gap(
        residual_sq=residual_sq,
        residual_target=(state.residual * state.target.y).sum((1, 2)),
        penalty=penalty,
        largest_ratio=largest_ratio,
    )


def _finish(
    state: _State, residual_sq: Tensor, gap: Tensor, is_done: Tensor, n_rounds: int
) -> _Finished:
    rows = is_done.nonzero()[:, 0]
    hits = (is_done[state.atoms.region] & (state.amplitude > 0)).nonzero()[:, 0]
    atoms = state.atoms[hits]
    return _Finished(
        row=state.row[rows],
        nll=residual_sq[rows] / (2 * state.target.length),
        gap=gap[rows],
        n_rounds=torch.full_like(rows, n_rounds),
        atoms=_with_regions(atoms, state.row[atoms.region]),
        amplitude=state.amplitude[hits],
    )


def _continue(state: _State, violators: Atoms, is_kept: Tensor) -> tuple[_State, Atoms]:
    """Return the state and the violators of the regions that are not done."""
    rows = is_kept.nonzero()[:, 0]
    new_region = is_kept.cumsum(0) - 1
    own = is_kept[state.atoms.region].nonzero()[:, 0]
    atoms, kept = state.atoms[own], violators[is_kept[violators.region].nonzero()[:, 0]]
    return (
        _State(
            row=state.row[rows],
            target=state.target[rows],
            cumulative_sq=state.cumulative_sq[rows],
            residual=state.residual[rows],
            is_open=None,
            atoms=_with_regions(atoms, new_region[atoms.region]),
            amplitude=state.amplitude[own],
        ),
        _with_regions(kept, new_region[kept.region]),
    )


def _importance(target: Target, at: tuple[Tensor, Tensor, Tensor], cwms: Cwms) -> Tensor:
    """Return (N,) sums of ``|y|`` over the trim windows of atoms at (region, anchor, motif)."""
    region, anchor, motif = at
    column = torch.arange(cwms.aligned_width, device=region.device)
    is_inside = column < cwms.trimmed_width[motif, None]
    absolute = windows(target.y, region, anchor, cwms.aligned_width).abs().sum(2)
    return torch.where(is_inside, absolute, 0.0).sum(1)


def _with_regions(atoms: Atoms, region: Tensor) -> Atoms:
    columns = {f.name: getattr(atoms, f.name) for f in fields(Atoms)}
    return Atoms(**{**columns, "region": region})


def _subtract(residual: Tensor, atoms: Atoms, change: Tensor) -> tuple[Tensor, Tensor]:
    """Return the residual (R, L, C) less the change in amplitudes, and (R, L) where it changed."""
    moved = change.nonzero()[:, 0]
    n_regions, length, _ = residual.shape
    base = atoms.anchor[moved, None] + torch.arange(atoms.values.shape[1], device=residual.device)
    row = atoms.region[moved, None] * length + base.clamp(max=length - 1)
    flat = residual.flatten(0, 1).clone()
    # Not index_add_: on CUDA its order of summation, and so the last bits, change from run to run.
    flat.index_put_((row,), -change[moved, None, None] * atoms.values[moved], accumulate=True)
    is_open = torch.zeros(n_regions * length, dtype=torch.bool, device=residual.device)
    is_open[row.flatten()] = True
    return flat.view_as(residual), is_open.view(n_regions, length)
