"""The plain reference: accelerated proximal gradient over every motif at every position.

Slow and obvious, in float32 or float64. It is the oracle of the tests, and with finemo's stopping
rule it reproduces finemo 0.41's answers, early stopping included.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Final, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from finemo_dist.core.config import SolverConfig
from finemo_dist.core.errors import UsageError
from finemo_dist.solver.certificate import duality_gap
from finemo_dist.solver.cwms import Cwms, trim_mask
from finemo_dist.solver.indices import true_rows
from finemo_dist.solver.solution import Hits, RegionFit, Solution
from finemo_dist.solver.target import Target, build_target

_POWER_ITERATIONS: Final = 50
_EIGENVALUE_MARGIN: Final = 1.1
"""Power iteration approaches the largest eigenvalue from below."""


@dataclass(frozen=True, slots=True)
class DenseProblem:
    """All of ``minimise 1/2 |y - q A c|^2 + <lambda, c>, c >= 0`` for R regions, written out."""

    y: Tensor
    """(R, 4, L)."""
    mask: Tensor
    """(R, 4, L) the one-hot sequence in projected modes, ones in hypothetical modes."""
    kernel: Tensor
    """(M, 4, W) trimmed CWMs."""
    weight: Tensor
    """(R, M, P) the scaling ``s = (S + 1)^(-1/2)`` of each atom."""
    penalty: Tensor
    """(M, 1) lambda."""

    def __getitem__(self, rows: Tensor) -> "DenseProblem":
        return replace(self, y=self.y[rows], mask=self.mask[rows], weight=self.weight[rows])

    def residual(self, coefficient: Tensor) -> Tensor:
        """Return ``y - A c``, (R, 4, L), of coefficients (R, M, P)."""
        return self.y - self.mask * functional.conv_transpose1d(
            coefficient * self.weight, self.kernel
        )

    def ascent(self, residual: Tensor) -> Tensor:
        """Return ``A^T r``, (R, M, P), the negative gradient of the squared error."""
        return functional.conv1d(residual, self.kernel) * self.weight

    def proximal_step(self, point: Tensor, ascent: Tensor, step_size: Tensor) -> Tensor:
        """Return the non-negative minimiser of the model of the objective at ``point``."""
        return functional.relu(point + step_size[:, None, None] * (ascent - self.penalty))

    def gap(self, coefficient: Tensor) -> Tensor:
        """Return the duality gap (R,) of coefficients (R, M, P); not divided by L."""
        residual = self.residual(coefficient).double()
        ratio = self.ascent(residual.to(self.y.dtype)) / self.penalty
        return duality_gap(
            residual_sq=residual.square().sum((1, 2)),
            residual_target=(residual * self.y).sum((1, 2)),
            penalty=(coefficient.double() * self.penalty).sum((1, 2)),
            largest_ratio=ratio.amax((1, 2)).double(),
        )


def build_dense_problem(target: Target, cwms: Cwms, dtype: torch.dtype) -> DenseProblem:
    """Write out the problem of a batch of regions in ``dtype``."""
    y = target.by_base(target.y).transpose(1, 2)
    ones = target.by_base(torch.ones_like(target.y)).transpose(1, 2)
    inside = trim_mask(cwms.start, cwms.trimmed_width, cwms.width)
    importance_sq = functional.conv1d(y.square().sum(1, keepdim=True), inside[:, None].double())
    return DenseProblem(
        y=y.to(dtype).contiguous(),
        mask=ones.to(dtype).expand_as(y).contiguous(),
        kernel=cwms.full.to(dtype),
        weight=(importance_sq.clamp(min=0) + 1).rsqrt().clamp(max=10).to(dtype),
        penalty=cwms.penalty[:, None].to(dtype),
    )


@dataclass(frozen=True, slots=True)
class _Iterate:
    """Where the iteration stands for R regions."""

    coefficient: Tensor
    point: Tensor
    """(R, M, P) the extrapolated point at which the gradient is taken."""
    momentum_age: Tensor
    """(R,) steps since the momentum was last reset."""
    n_steps: Tensor
    step_size: Tensor
    gap: Tensor
    """(R,) what the rule measured last."""
    nll: Tensor

    def __getitem__(self, rows: Tensor) -> "_Iterate":
        return _Iterate(*(getattr(self, f.name)[rows] for f in fields(self)))


_StepFunction = Callable[[DenseProblem, _Iterate, int], _Iterate]
"""One step of regions of some length."""


class StoppingRule(Protocol):
    """When a region counts as solved, and how boldly it is stepped towards."""

    restarts_momentum: bool
    """Whether momentum that points uphill is dropped."""

    def step_size(self, problem: DenseProblem, config: SolverConfig) -> Tensor:
        """Return the step size (R,) to begin with."""
        ...

    def gap(self, problem: DenseProblem, step: "_Step") -> Tensor:
        """Return what is compared with the tolerance times L, (R,)."""
        ...


@dataclass(frozen=True, slots=True)
class _Step:
    """One proximal step: where it was taken from, and where it led."""

    point: Tensor
    residual: Tensor
    ascent: Tensor
    """Residual and ascent at the point."""
    coefficient: Tensor


class TrueGapRule:
    """The duality gap of the coefficients themselves, with steps that always descend."""

    restarts_momentum = True

    def step_size(self, problem: DenseProblem, config: SolverConfig) -> Tensor:
        """Return the inverse of the largest eigenvalue of ``A^T A``, by power iteration."""
        del config
        vector = torch.rand(
            problem.weight.shape, dtype=problem.y.dtype, generator=torch.Generator().manual_seed(0)
        ).to(problem.y.device)
        for _ in range(_POWER_ITERATIONS):
            norm = vector.square().sum((1, 2), keepdim=True).sqrt()
            vector = problem.ascent(problem.y - problem.residual(vector / norm))
        return 1 / (_EIGENVALUE_MARGIN * vector.square().sum((1, 2)).sqrt())

    def gap(self, problem: DenseProblem, step: _Step) -> Tensor:
        """Return the duality gap of the new coefficients."""
        return problem.gap(step.coefficient)


class FinemoRule:
    """What finemo 0.41 compares with its tolerance, and its step size.

    It leaves ``theta`` off ``<r, y>`` and takes the absolute value, so it is no bound until every
    ``a / lambda`` is at most one. Kept to reproduce finemo's answers.
    """

    restarts_momentum = False

    def step_size(self, problem: DenseProblem, config: SolverConfig) -> Tensor:
        """Return the configured step size for every region."""
        return torch.full_like(problem.y[:, 0, 0], config.step_size_max)

    def gap(self, problem: DenseProblem, step: _Step) -> Tensor:
        """Return finemo's measure at the extrapolated point."""
        largest = (step.ascent / problem.penalty).amax((1, 2))
        theta = (1 / largest).clamp(max=1)
        squared = step.residual.square().sum((1, 2))
        penalty = (step.point.abs() * problem.penalty).sum((1, 2))
        target = (step.residual * problem.y).sum((1, 2))
        return (squared * (1 + theta.square()) / 2 - target + penalty).abs()


class DenseSolver:
    """Solves every region over all motifs and positions at once; satisfies ``Solver``."""

    def __init__(
        self,
        cwms: Cwms,
        config: SolverConfig,
        *,
        dtype: torch.dtype = torch.float32,
        rule: StoppingRule | None = None,
    ) -> None:
        self._cwms = cwms
        self._config = config
        self._dtype = dtype
        self._rule = rule or FinemoRule()
        self._step: _StepFunction = self._plain_step
        if config.use_compile:
            self._step = _compiled(self._plain_step)

    def solve(self, sequence: Tensor, contributions: Tensor) -> Solution:
        """Return hits and fits of a batch of regions."""
        target = build_target(
            sequence,
            contributions,
            is_hypothetical=self._config.mode.contributions_are_hypothetical,
            use_sqrt_transform=self._config.use_sqrt_transform,
        )
        problem = build_dense_problem(target, self._cwms, self._dtype)
        iterate = self._iterate(problem, target.length)
        return self._solution(target, problem, iterate)

    def _iterate(self, problem: DenseProblem, length: int) -> _Iterate:
        """Step until every region has stopped; stopped regions leave the batch."""
        state = _start(problem, self._rule.step_size(problem, self._config))
        smallest = state.step_size.clamp(max=self._config.step_size_min)
        final = state
        rows = torch.arange(len(problem.y), device=problem.y.device)
        while len(rows):
            state = self._step(problem, state, length)
            is_stopped = (
                (state.gap <= self._config.tolerance)
                | (state.n_steps > self._config.max_steps)
                | (state.step_size < smallest)
            )
            if is_stopped.any():
                _store(final, rows[is_stopped], state[is_stopped])
                left = (~is_stopped).nonzero()[:, 0]
                rows, state, problem = rows[left], state[left], problem[left]
                smallest = smallest[left]
        return final

    def _plain_step(self, problem: DenseProblem, state: _Iterate, length: int) -> _Iterate:
        residual = problem.residual(state.point)
        ascent = problem.ascent(residual)
        coefficient = problem.proximal_step(state.point, ascent, state.step_size)
        gap = self._rule.gap(problem, _Step(state.point, residual, ascent, coefficient)) / length
        move = coefficient - state.coefficient
        age = state.momentum_age
        if self._rule.restarts_momentum:
            is_uphill = ((state.point - coefficient) * move).sum((1, 2)) > 0
            age = torch.where(is_uphill, 0.0, age)
        # k / (k + 3), as in Tseng, "On accelerated proximal gradient methods", 2008.
        point = coefficient + (age / (age + 3))[:, None, None] * move
        is_diverged = ~torch.isfinite(gap)
        stable = (~is_diverged)[:, None, None]
        return _Iterate(
            coefficient=torch.where(stable, coefficient, 0.0),
            point=torch.where(stable, point, 0.0),
            momentum_age=torch.where(is_diverged, 0.0, age + 1),
            n_steps=torch.where(is_diverged, 0, state.n_steps + 1),
            step_size=torch.where(
                is_diverged, state.step_size * self._config.step_adjust, state.step_size
            ),
            gap=gap,
            nll=residual.square().sum((1, 2)) / (2 * length),
        )

    def _solution(self, target: Target, problem: DenseProblem, iterate: _Iterate) -> Solution:
        fit = RegionFit(
            nll=iterate.nll.double(),
            dual_gap=iterate.gap.double(),
            n_steps=iterate.n_steps,
            step_size=iterate.step_size.double(),
            global_scale=target.scale,
            converged=iterate.gap <= self._config.tolerance,
        )
        hits = dense_hits(problem, self._cwms, iterate.coefficient)
        if self._config.use_post_filter:
            hits = hits[true_rows(hits.similarity >= self._cwms.penalty[hits.motif])]
        return Solution(hits, fit)


def _compiled(step: _StepFunction) -> _StepFunction:
    """Return a step in compiled code, made at its first call for any number of regions."""
    # The compiler takes seconds to load.
    from torch._dynamo.exc import TorchDynamoException

    compiled = torch.compile(step, dynamic=True)

    def run(problem: DenseProblem, state: _Iterate, length: int) -> _Iterate:
        try:
            return compiled(problem, state, length)
        except TorchDynamoException as error:
            raise UsageError(
                f"-J: the step cannot be compiled here ({str(error).strip().splitlines()[0]}). "
                "Install a C++ compiler, as with `apt-get install g++`, or leave out -J."
            ) from error

    return run


def dense_hits(problem: DenseProblem, cwms: Cwms, coefficient: Tensor) -> Hits:
    """Return the positive coefficients (R, M, P) as hits with their scores."""
    region, motif, position = (coefficient > 0).nonzero(as_tuple=True)
    at = (region, motif, position)
    similarity = functional.conv1d(problem.y, problem.kernel)[at].double()
    importance_sq = problem.weight[at].double() ** -2 - 1
    inside = trim_mask(cwms.start, cwms.trimmed_width, cwms.width)
    absolute = functional.conv1d(
        problem.y.abs().sum(1, keepdim=True), inside[:, None].to(problem.y)
    )
    return Hits(
        region=region,
        motif=motif,
        position=position,
        coefficient=coefficient[at].double(),
        similarity=similarity / importance_sq.sqrt(),
        importance=absolute[at].double(),
        importance_sq=importance_sq,
    )


def _start(problem: DenseProblem, step_size: Tensor) -> _Iterate:
    zeros = torch.zeros_like(problem.weight)
    per_region = zeros[:, 0, 0]
    return _Iterate(
        coefficient=zeros,
        point=zeros.clone(),
        momentum_age=per_region.clone(),
        n_steps=torch.zeros_like(per_region, dtype=torch.int64),
        step_size=step_size,
        gap=torch.full_like(per_region, torch.inf),
        nll=per_region.clone(),
    )


def _store(final: _Iterate, rows: Tensor, stopped: _Iterate) -> None:
    """Write the regions that stopped into the result."""
    for field in fields(_Iterate):
        getattr(final, field.name)[rows] = getattr(stopped, field.name)
