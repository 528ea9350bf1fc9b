"""What must not change a hit: batch, order, company, strand, scale."""

import dataclasses
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.records import Mode
from finemo_dist.solver.solution import Solution, concatenate
from finemo_dist.solver.working_set import WorkingSetSolver
from tests.problems import Problem, hits_by_key, make_problem, problems

SAME = 1e-9
"""Relative: float64 solves of the same program in another batch."""


def solve(problem: Problem, rows: slice | list[int] = slice(None)) -> Solution:
    solver = WorkingSetSolver(problem.cwms, problem.config)
    return solver.solve(problem.sequence[rows], problem.contributions[rows])


def solve_in_batches(problem: Problem, size: int) -> Solution:
    """As a worker, which has one solver for all its batches."""
    solver = WorkingSetSolver(problem.cwms, problem.config)
    batches = (slice(i, i + size) for i in range(0, len(problem.sequence), size))
    return concatenate(
        [solver.solve(problem.sequence[rows], problem.contributions[rows]) for rows in batches]
    )


@cache
def solved_together(mode: Mode) -> tuple[Problem, Solution]:
    """Return regions whose clusters are large, and their solution in one batch."""
    problem = make_problem(
        11, n_regions=40, length=120, width=9, n_motifs=24, mode=mode, penalty=0.3
    )
    return problem, solve(problem)


@given(problem=problems(), size=st.integers(1, 3))
def test_hits_do_not_depend_on_the_batch(problem, size):
    together, apart = solve(problem), solve_in_batches(problem, size)

    assert hits_by_key(apart) == pytest.approx(hits_by_key(together), rel=SAME)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 7, 32])
@pytest.mark.parametrize("mode", Mode)
def test_columns_of_a_batch_are_the_same_to_the_last_bit_in_any_batch(mode, size):
    """Large clusters, which take many steps: several shards are solved in one batch."""
    problem, together = solved_together(mode)

    apart = solve_in_batches(problem, size)

    assert len(together.hits) > 500
    for part in ("hits", "fit"):
        for field in dataclasses.fields(getattr(together, part)):
            a = getattr(getattr(together, part), field.name)
            b = getattr(getattr(apart, part), field.name)
            assert torch.equal(a, b), field.name


@given(problem=problems(), seed=st.integers(0, 100))
def test_hits_do_not_depend_on_the_order_of_regions(problem, seed):
    order = np.random.default_rng(seed).permutation(len(problem.sequence)).tolist()

    shuffled = {
        (order[region], motif, position): value
        for (region, motif, position), value in hits_by_key(solve(problem, order)).items()
    }

    assert shuffled == pytest.approx(hits_by_key(solve(problem)), rel=SAME)


@given(problem=problems())
def test_the_reverse_complement_has_the_hits_of_the_other_strand(problem):
    is_base = problem.sequence < 4
    flipped = dataclasses.replace(
        problem,
        sequence=torch.where(is_base, 3 - problem.sequence, problem.sequence).flip(1),
        contributions=problem.contributions.flip(1, 2),
    )
    last = problem.sequence.shape[1] - problem.motifs.width

    mirrored = {
        (region, motif ^ 1, last - position): value
        for (region, motif, position), value in hits_by_key(solve(flipped)).items()
    }

    assert mirrored == pytest.approx(hits_by_key(solve(problem)), rel=1e-7)


@given(problem=problems(), exponent=st.integers(-90, 90))
def test_hits_do_not_depend_on_the_scale_of_contributions(problem, exponent):
    """Powers of two, so that float32 itself changes nothing."""
    scaled = dataclasses.replace(problem, contributions=problem.contributions * 2.0**exponent)

    before, after = solve(problem), solve(scaled)

    assert hits_by_key(after) == pytest.approx(hits_by_key(before), rel=SAME)
    if not problem.config.use_sqrt_transform:
        torch.testing.assert_close(
            after.fit.global_scale, before.fit.global_scale * 2.0**exponent, rtol=1e-12, atol=0
        )


@given(problem=problems())
def test_every_region_is_certified(problem):
    fit = solve(problem).fit

    assert fit.converged.all()
    assert (fit.dual_gap >= -1e-12).all(), "a gap below round-off is a bug, not a bound"


def test_unknown_bases_carry_no_contribution_in_projected_modes():
    problem = make_problem(5, n_regions=2)
    hidden = problem.sequence.clone()
    hidden[:, 10:20] = 4
    loud = problem.contributions.clone()
    loud[:, :, 10:20] = 1e3

    with_loud = solve(dataclasses.replace(problem, sequence=hidden, contributions=loud))
    with_quiet = solve(dataclasses.replace(problem, sequence=hidden))

    assert hits_by_key(with_loud) == pytest.approx(hits_by_key(with_quiet), rel=SAME)
