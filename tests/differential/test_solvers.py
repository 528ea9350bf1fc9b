"""Working sets against the dense float64 reference against scikit-learn.

Compared: the coefficients of every motif and position, and the scores of each hit. Not compared:
which of several minimisers is taken where motifs are exactly equal (drawn CWMs never are).
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from finemo_dist.core.config import SolverConfig
from finemo_dist.core.records import Mode
from finemo_dist.solver.dense import DenseSolver, TrueGapRule, dense_hits
from finemo_dist.solver.working_set import WorkingSetSolver
from tests.conftest import skip_or_fail
from tests.problems import dense_coefficient, hits_by_key, make_problem, problems
from tests.unit.solver.test_certificate import write_out


@pytest.fixture(scope="module")
def lasso():
    """scikit-learn's, which takes over a second to load."""
    try:
        from sklearn.linear_model import Lasso
    except ModuleNotFoundError:
        skip_or_fail("sklearn", "scikit-learn is not installed")
    return Lasso


@settings(max_examples=40)
@given(problem=problems())
def test_working_set_finds_the_coefficients_of_the_dense_reference(problem):
    reference = SolverConfig(
        **{**problem.config.model_dump(), "tolerance": 1e-13, "max_steps": 20_000}
    )
    dense = DenseSolver(problem.cwms, reference, dtype=torch.float64, rule=TrueGapRule())
    expected = dense.solve(problem.sequence, problem.contributions)

    found = WorkingSetSolver(problem.cwms, problem.config).solve(
        problem.sequence, problem.contributions
    )

    # A gap of 1e-13 leaves coefficients within about its square root.
    torch.testing.assert_close(
        dense_coefficient(problem, found),
        dense_coefficient(problem, expected),
        rtol=1e-4,
        atol=2e-5,
    )


@settings(max_examples=25)
@given(problem=problems())
def test_working_set_finds_the_coefficients_of_scikit_learn(lasso, problem):
    found = WorkingSetSolver(problem.cwms, problem.config).solve(
        problem.sequence, problem.contributions
    )
    coefficient = dense_coefficient(problem, found)
    dense = write_out(problem)
    n_atoms = coefficient[0].numel()
    units = torch.eye(n_atoms, dtype=torch.float64).view(n_atoms, *coefficient.shape[1:])
    per_atom = dense.penalty.expand(coefficient.shape[1:]).flatten().numpy()
    for row in range(len(coefficient)):
        one = dense[torch.tensor([row] * n_atoms)]
        design = (one.y - one.residual(units)).flatten(1).T.numpy()
        target = dense.y[row].flatten().numpy()
        # Lasso knows one penalty: columns over lambda turn coefficients into lambda c.
        model = lasso(
            alpha=1 / len(target), positive=True, fit_intercept=False, tol=1e-12, max_iter=200_000
        )
        model.fit(design / per_atom, target)

        np.testing.assert_allclose(
            coefficient[row].flatten().numpy() * per_atom, model.coef_, rtol=1e-3, atol=2e-4
        )


@given(problem=problems())
def test_scores_of_hits_are_those_of_the_dense_reference(problem):
    """Similarity and importances by window against the same by convolution."""
    found = WorkingSetSolver(problem.cwms, problem.config).solve(
        problem.sequence, problem.contributions
    )

    expected = dense_hits(write_out(problem), problem.cwms, dense_coefficient(problem, found))

    assert hits_by_key(found).keys() == {
        (int(r), int(m), int(p))
        for r, m, p in zip(expected.region, expected.motif, expected.position, strict=True)
    }
    for name in ("similarity", "importance", "importance_sq"):
        torch.testing.assert_close(
            getattr(found.hits, name), getattr(expected, name), rtol=1e-6, atol=1e-9
        )


@pytest.mark.parametrize("solver", [WorkingSetSolver, DenseSolver])
def test_the_filter_keeps_the_hits_that_are_at_least_as_similar_as_lambda(solver):
    problem = make_problem(0, n_motifs=6, width=9, length=60, penalty=0.3, mode=Mode.HH)
    filtering = SolverConfig(**{**problem.config.model_dump(), "use_post_filter": True})
    every = solver(problem.cwms, problem.config).solve(problem.sequence, problem.contributions)
    is_kept = every.hits.similarity >= problem.cwms.penalty[every.hits.motif]

    kept = solver(problem.cwms, filtering).solve(problem.sequence, problem.contributions)

    assert 0 < len(kept.hits) < len(every.hits)
    expected = every.hits[is_kept.nonzero()[:, 0]]
    assert torch.equal(kept.hits.position, expected.position)
    assert torch.equal(kept.hits.similarity, expected.similarity)


def test_a_region_of_zeros_has_no_hits_and_no_gap():
    problem = make_problem(1)
    solver = WorkingSetSolver(problem.cwms, problem.config)

    solution = solver.solve(problem.sequence, torch.zeros_like(problem.contributions))

    assert len(solution.hits) == 0
    assert (solution.fit.dual_gap == 0).all()
    assert solution.fit.converged.all()
    assert solution.fit.global_scale.eq(0).all()


def test_hypothetical_modes_refuse_projected_contributions():
    problem = make_problem(2, mode=Mode.HH)
    solver = WorkingSetSolver(problem.cwms, problem.config)

    with pytest.raises(ValueError, match=r"\(R, 4, L\)"):
        solver.solve(problem.sequence, problem.contributions[:, 0])
