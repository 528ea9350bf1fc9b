"""The compiled steps of the dense solver lead where the plain ones lead."""

import shutil

import pytest
import torch

from finemo_dist.core.config import SolverName
from finemo_dist.core.errors import UsageError
from finemo_dist.solver import dense
from finemo_dist.solver.api import make_solver
from tests.conftest import skip_or_fail
from tests.problems import hits_by_key, make_problem

# What PyTorch's own modules say as they are loaded.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def solver_of(problem, *, use_compile):
    config = problem.config.model_copy(update={"use_compile": use_compile})
    return make_solver(problem.motifs, config, torch.device("cpu"))


def solve(problem, *, use_compile):
    solver = solver_of(problem, use_compile=use_compile)
    return solver.solve(problem.sequence, problem.contributions)


@pytest.fixture
def problem():
    return make_problem(
        5, n_regions=6, length=80, penalty=0.3, name=SolverName.DENSE, tolerance=1e-5, max_steps=300
    )


def test_compiled_steps_find_the_hits_of_plain_ones_in_any_batch(problem):
    if shutil.which("g++") is None:
        skip_or_fail("compiler", "no C++ compiler is installed")
    plain = solve(problem, use_compile=False)

    # As a worker, which has one solver for all its batches: its steps are compiled once.
    solver = solver_of(problem, use_compile=True)
    compiled = solver.solve(problem.sequence, problem.contributions)
    # Regions leave the batch one by one, until one is alone.
    apart = [
        solver.solve(problem.sequence[i : i + 1], problem.contributions[i : i + 1])
        for i in range(2)
    ]

    assert len(plain.hits.region) > 6
    assert len(plain.fit.n_steps.unique()) > 3
    assert hits_by_key(compiled) == pytest.approx(hits_by_key(plain), rel=1e-3)
    alone = {(i, *key[1:]): c for i, one in enumerate(apart) for key, c in hits_by_key(one).items()}
    together = {key: c for key, c in hits_by_key(compiled).items() if key[0] < 2}
    assert alone == pytest.approx(together, rel=1e-3)


def test_the_compiler_is_used_only_where_it_is_asked_for(problem, monkeypatch):
    compiled = []
    monkeypatch.setattr(dense, "_compiled", lambda step: compiled.append(step) or step)

    solve(problem, use_compile=False)
    assert not compiled

    solve(problem, use_compile=True)
    assert len(compiled) == 1


def test_without_a_compiler_the_cure_is_said(problem, monkeypatch, tmp_path):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", (str(tmp_path / "absent"),))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch._dynamo.reset()

    with pytest.raises(UsageError, match=r"^-J: the step cannot be compiled .* leave out -J\.$"):
        solve(problem, use_compile=True)
