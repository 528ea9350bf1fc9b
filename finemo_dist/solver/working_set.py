"""The fast exact method: solve over few atoms, look for any that should have been among them.

A round screens windows, recomputes in float64 every atom nominated there, and so certifies regions
or finds violators. These join the working set, the clusters they fall into are solved to round-off,
and the residual is updated. What decides is float64 and belongs to one region alone, so batches
never change an answer.
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from finemo_dist.core.config import SolverConfig
from finemo_dist.solver.atoms import (
    Atoms,
    atom_key,
    build_atoms,
    merge_atoms,
    running_sum,
    window_bases,
    windows,
)
from finemo_dist.solver.certificate import duality_gap
from finemo_dist.solver.clusters import find_clusters, solve_clusters
from finemo_dist.solver.cwms import Cwms
from finemo_dist.solver.indices import true_rows
from finemo_dist.solver.screening import Screen, Screened, group_by_width
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
    screened: Screened | None
    """What the first round left of the windows; None before it."""
    n_rounds: Tensor
    """(R,) int64 restricted problems solved."""
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

    @torch.inference_mode()
    def solve(self, sequence: Tensor, contributions: Tensor) -> Solution:
        """Return hits and fits of a batch of regions."""
        target = build_target(
            sequence,
            contributions,
            is_hypothetical=self._config.mode.contributions_are_hypothetical,
            use_sqrt_transform=self._config.use_sqrt_transform,
        )
        state, finished, n_rounds = _start(target, self._cwms), [], 0
        while True:
            state, violators, largest_ratio = self._violators(state)
            has_violator = torch.zeros_like(largest_ratio, dtype=torch.bool)
            has_violator[violators.region] = True
            # A gap within tolerance ends no region: a weak hit hides under it, and the restricted
            # problems are solved to round-off anyway. The tolerance says what counts as converged.
            is_kept = has_violator & (n_rounds < self._config.max_steps)
            rows = true_rows(is_kept)
            # Regions that are done change no more: to copy the others pays once they are few.
            if 2 * len(rows) <= len(is_kept):
                finished.append(_finish(state, largest_ratio, ~is_kept))
                if not len(rows):
                    break
                state, violators = _continue(state, violators, is_kept, rows)
            state = self._solve_restricted(state, violators)
            n_rounds += 1
        return self._solution(target, finished)

    def _violators(self, state: _State) -> tuple[_State, Atoms, Tensor]:
        """Return the state with its windows screened, and new atoms with ``a > lambda``.

        The third result (R,) is the largest ``a / lambda`` of all.
        """
        known, screened = state.atoms, state.screened
        is_first = screened is None
        if screened is None:
            at, screened = self._screen.first(state.target)
            state = replace(state, screened=screened)
        else:
            at = self._screen.again(state.target, state.residual, screened)
            at = _unknown(at, known, self._cwms, state.target.length)
        nominees = build_atoms(state.target, self._cwms, state.cumulative_sq, at)
        # Before anything is explained the residual is the target.
        ratio = (
            nominees.correlation / nominees.penalty if is_first else self._ratio(state, nominees)
        )
        largest = torch.zeros(len(state.row), dtype=ratio.dtype, device=ratio.device)
        largest.scatter_reduce_(0, nominees.region, ratio, "amax")
        largest.scatter_reduce_(0, known.region, self._ratio(state, known), "amax")
        is_violator = ratio > 1 + _VIOLATION
        refused = true_rows(~is_violator)
        screened.refuse(
            nominees.region.index_select(0, refused), nominees.anchor.index_select(0, refused)
        )
        return state, nominees[true_rows(is_violator)], largest

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
        n_rounds = state.n_rounds.clone()
        n_rounds[violators.region] += 1
        return replace(
            state,
            residual=_subtract(state.residual, atoms, after - before),
            n_rounds=n_rounds,
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
            hits = hits[true_rows(hits.similarity >= lam)]
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
        screened=None,
        n_rounds=torch.zeros(len(target), dtype=torch.int64, device=target.y.device),
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
    keep = true_rows(known_key[place] != key)
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


def _finish(state: _State, largest_ratio: Tensor, is_done: Tensor) -> _Finished:
    rows = true_rows(is_done)
    hits = true_rows(is_done.index_select(0, state.atoms.region) & (state.amplitude > 0))
    atoms = state.atoms[hits]
    residual_sq = state.residual.square().sum((1, 2))
    gap = _gap(state, residual_sq, largest_ratio) / state.target.length
    return _Finished(
        row=state.row[rows],
        nll=residual_sq[rows] / (2 * state.target.length),
        gap=gap[rows],
        n_rounds=state.n_rounds[rows],
        atoms=_with_regions(atoms, state.row[atoms.region]),
        amplitude=state.amplitude[hits],
    )


def _continue(
    state: _State, violators: Atoms, is_kept: Tensor, rows: Tensor
) -> tuple[_State, Atoms]:
    """Return the state and the violators of the regions that are not done, ``rows``."""
    new_region = is_kept.cumsum(0) - 1
    own = true_rows(is_kept.index_select(0, state.atoms.region))
    atoms, kept = state.atoms[own], violators[true_rows(is_kept[violators.region])]
    assert state.screened is not None
    return (
        _State(
            row=state.row[rows],
            target=state.target[rows],
            cumulative_sq=state.cumulative_sq[rows],
            residual=state.residual[rows],
            screened=state.screened[rows],
            n_rounds=state.n_rounds[rows],
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


def _subtract(residual: Tensor, atoms: Atoms, change: Tensor) -> Tensor:
    """Return the residual (R, L, C) less the change in amplitudes."""
    moved = true_rows(change != 0)
    values = atoms.values.index_select(0, moved)
    row = window_bases(
        atoms.region.index_select(0, moved),
        atoms.anchor.index_select(0, moved),
        values.shape[1],
        residual.shape[1],
    )
    flat = residual.flatten(0, 1).clone()
    # Not index_add_: on CUDA its order of summation, and so the last bits, change from run to run.
    flat.index_put_((row,), -change[moved, None, None] * values, accumulate=True)
    return flat.view_as(residual)
