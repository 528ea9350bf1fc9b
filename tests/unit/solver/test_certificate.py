"""The certificate never promises more than holds."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.config import SolverConfig
from finemo_dist.solver.certificate import duality_gap
from finemo_dist.solver.dense import DenseProblem, DenseSolver, TrueGapRule, build_dense_problem
from finemo_dist.solver.target import build_target
from finemo_dist.solver.working_set import WorkingSetSolver
from tests.problems import Problem, dense_coefficient, make_problem, problems

ROUND_OFF = 1e-9
"""Of objectives of order 100 in float64, with room."""


def write_out(problem: Problem) -> DenseProblem:
    target = build_target(
        problem.sequence,
        problem.contributions,
        is_hypothetical=problem.config.mode.contributions_are_hypothetical,
        use_sqrt_transform=problem.config.use_sqrt_transform,
    )
    return build_dense_problem(target, problem.cwms, torch.float64)


def objective(dense: DenseProblem, coefficient: torch.Tensor) -> torch.Tensor:
    penalty = (coefficient * dense.penalty).sum((1, 2))
    return dense.residual(coefficient).square().sum((1, 2)) / 2 + penalty


@given(problem=problems(), scale=st.floats(0, 2), seed=st.integers(0, 1000))
def test_gap_bounds_the_distance_to_the_minimum(problem, scale, seed):
    """Wherever we stop, the gap is no smaller than what is left to gain."""
    dense = write_out(problem)
    solution = WorkingSetSolver(problem.cwms, problem.config).solve(
        problem.sequence, problem.contributions
    )
    best = dense_coefficient(problem, solution)
    noise = torch.rand(best.shape, generator=torch.Generator().manual_seed(seed)).double()
    coefficient = best * scale + (noise > 0.9) * noise * scale

    excess = objective(dense, coefficient) - objective(dense, best)

    assert (dense.gap(coefficient) >= excess - ROUND_OFF).all()


@given(problem=problems())
def test_the_dense_gap_confirms_what_the_working_set_reports(problem):
    """Recomputed over every motif and position, by convolution instead of by window."""
    solution = WorkingSetSolver(problem.cwms, problem.config).solve(
        problem.sequence, problem.contributions
    )

    gap = write_out(problem).gap(dense_coefficient(problem, solution))

    length = problem.sequence.shape[1]
    assert solution.fit.converged.all()
    torch.testing.assert_close(gap / length, solution.fit.dual_gap, rtol=0, atol=1e-9)


def test_gap_is_zero_where_nothing_exceeds_lambda():
    """At c = 0 with all correlations below lambda, y itself is dual optimal."""
    squared = torch.tensor([4.0], dtype=torch.float64)

    gap = duality_gap(
        residual_sq=squared,
        residual_target=squared,
        penalty=torch.zeros_like(squared),
        largest_ratio=torch.tensor([0.9], dtype=torch.float64),
    )

    assert gap == 0


def test_a_negative_ratio_does_not_shrink_the_dual_point():
    """Where every correlation is negative, zero is the optimum and the gap says so."""
    squared = torch.tensor([4.0], dtype=torch.float64)

    gap = duality_gap(
        residual_sq=squared,
        residual_target=squared,
        penalty=torch.zeros_like(squared),
        largest_ratio=torch.tensor([-3.0], dtype=torch.float64),
    )

    assert gap == 0


def test_the_steps_of_the_dense_solver_follow_from_the_largest_eigenvalue():
    problem = make_problem(6, length=16, n_regions=2)
    dense = write_out(problem)

    step = TrueGapRule().step_size(dense, problem.config)

    for row in range(2):
        one = dense[torch.tensor([row])]
        shape = one.ascent(one.y).shape[1:]
        units = torch.eye(shape.numel(), dtype=torch.float64).view(-1, *shape)
        many = dense[torch.full((len(units),), row)]
        design = (many.y - many.residual(units)).flatten(1)
        largest = torch.linalg.eigvalsh(design @ design.T)[-1]
        # Steps are a tenth shorter than the longest that descends.
        assert step[row] == pytest.approx(float(1 / (1.1 * largest)), rel=1e-3)


@given(problem=problems())
def test_the_dense_solver_stops_at_its_tolerance(problem):
    config = SolverConfig(**{**problem.config.model_dump(), "tolerance": 1e-7})
    solver = DenseSolver(problem.cwms, config, dtype=torch.float64, rule=TrueGapRule())

    solution = solver.solve(problem.sequence, problem.contributions)

    assert (solution.fit.converged == (solution.fit.dual_gap <= 1e-7)).all()
    assert solution.fit.converged.all()
    gap = write_out(problem).gap(dense_coefficient(problem, solution))
    torch.testing.assert_close(
        solution.fit.dual_gap, gap / problem.sequence.shape[1], rtol=1e-3, atol=1e-12
    )
