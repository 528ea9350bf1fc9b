"""Solutions of batches, joined and parted."""

import dataclasses
import itertools

import torch

from finemo_dist.solver.api import make_solver
from finemo_dist.solver.solution import concatenate, split
from tests.problems import make_problem


def test_parting_undoes_joining():
    problem = make_problem(4, n_regions=9, length=60, penalty=0.3)
    contributions = problem.contributions.clone()
    contributions[2:5] = 0
    solver = make_solver(problem.motifs, problem.config, torch.device("cpu"))
    bounds = [0, 2, 5, 9]
    expected = [
        solver.solve(problem.sequence[a:b], contributions[a:b])
        for a, b in itertools.pairwise(bounds)
    ]

    found = split(concatenate(expected), [2, 3, 4])

    assert [len(part.hits) > 0 for part in expected] == [True, False, True]
    for ours, theirs in zip(found, expected, strict=True):
        for name in ("hits", "fit"):
            for field in dataclasses.fields(getattr(theirs, name)):
                a, b = (getattr(getattr(s, name), field.name) for s in (ours, theirs))
                assert torch.equal(a, b), field.name
