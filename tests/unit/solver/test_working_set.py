"""What the working set keeps of what was nominated."""

import dataclasses

import pytest
import torch

from finemo_dist.core.records import Mode
from finemo_dist.solver import screening, working_set
from finemo_dist.solver.atoms import build_atoms, running_sum
from finemo_dist.solver.target import build_target
from finemo_dist.solver.working_set import WorkingSetSolver
from tests.problems import make_problem


@pytest.mark.parametrize("mode", [Mode.PP, Mode.HH])
def test_an_atom_that_did_not_enter_at_first_may_enter_later(mode, monkeypatch):
    """With a wide margin every atom is nominated at first, and most are refused."""
    problem = make_problem(
        11, n_regions=6, length=120, width=9, n_motifs=12, mode=mode, penalty=0.3
    )
    solver = WorkingSetSolver(problem.cwms, problem.config)
    expected = solver.solve(problem.sequence, problem.contributions)

    monkeypatch.setattr(screening, "_NOMINATION_MARGIN", 20.0)
    found = solver.solve(problem.sequence, problem.contributions)

    assert expected.fit.n_steps.max() > 1
    for field in dataclasses.fields(expected.hits):
        assert torch.equal(getattr(found.hits, field.name), getattr(expected.hits, field.name))


def test_a_nominee_of_the_working_set_is_dropped():
    problem = make_problem(3, n_motifs=2)
    cwms, length = problem.cwms, problem.sequence.shape[1]
    target = build_target(
        problem.sequence,
        problem.contributions,
        is_hypothetical=False,
        use_sqrt_transform=False,
    )
    cumulative_sq = running_sum(target.y.square().sum(2), cwms.aligned_width)
    at = tuple(torch.tensor(x) for x in ([0, 0, 1], [4, 9, 4], [1, 0, 1]))
    known = build_atoms(target, cwms, cumulative_sq, at)
    nominees = tuple(torch.tensor(x) for x in ([0, 0, 1, 2], [4, 9, 9, 4], [1, 1, 1, 1]))

    left = working_set._unknown(nominees, known, cwms, length)

    assert [x.tolist() for x in left] == [[0, 1, 2], [9, 9, 4], [1, 1, 1]]


def test_where_nothing_is_in_the_working_set_every_nominee_is_new():
    problem = make_problem(3, n_motifs=2)
    cwms, length = problem.cwms, problem.sequence.shape[1]
    target = build_target(
        problem.sequence, problem.contributions, is_hypothetical=False, use_sqrt_transform=False
    )
    cumulative_sq = running_sum(target.y.square().sum(2), cwms.aligned_width)
    none = torch.zeros(0, dtype=torch.int64)
    known = build_atoms(target, cwms, cumulative_sq, (none, none, none))
    nominees = tuple(torch.tensor(x) for x in ([0, 1], [4, 9], [1, 0]))

    assert working_set._unknown(nominees, known, cwms, length) == nominees
