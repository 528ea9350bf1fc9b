"""The solve step on CUDA tensors that are not there: no device mixed up, few waits, all known."""

from collections import Counter
from functools import cache

import pytest
import torch

from finemo_dist.core.config import SolverConfig
from finemo_dist.core.records import Mode
from finemo_dist.solver import working_set
from finemo_dist.solver.api import make_solver
from tests.fake_cuda import record, sizes_of_cuda, solve_on_fake_cuda
from tests.problems import make_problem

ONCE_A_ROUND = {
    "screening.first": "windows left by the bound",
    "screening._left": "windows whose slack is used up",
    "screening._nominate_again": "those whose residual is large enough",
    "screening._compare": "windows over the least threshold, and over that of a motif",
    "screening._taken": "atoms over their threshold",
    "working_set._unknown": "those not in the working set",
    "working_set._violators": "nominees that are refused, and atoms that must enter",
    "working_set.solve": "regions that go on",
    "working_set._finish": "regions that are done, and their hits",
    "working_set._continue": "atoms and violators of those that go on",
    "working_set._subtract": "amplitudes that moved",
    "clusters.find_clusters": "where clusters begin",
}
"""Where the host waits for the device, and for the number of what."""
ONCE_A_SIZE = {
    "clusters.solve_clusters": "clusters to solve",
    "clusters._buckets": "their sizes, and the widest of a size",
    "quadratic._active_set": "programs done, every fourth step",
    "quadratic._share_ties": "programs with equal atoms",
}
ONCE = {"working_set._hits": "hits that pass the filter"}


def solver_and_regions(n_regions=3, mode=Mode.PP):
    problem = make_problem(3, n_motifs=4, n_regions=n_regions, length=60, mode=mode, penalty=0.3)
    solver = make_solver(problem.motifs, SolverConfig(mode=mode), torch.device("cpu"))
    return solver, problem.sequence, problem.contributions


@cache
def solved(n_regions, mode):
    """What a solve launches and waits for, on the host and on CUDA that is not there."""
    return solve_on_fake_cuda(*solver_and_regions(n_regions, mode))


@pytest.mark.slow
@pytest.mark.parametrize("mode", [Mode.PP, Mode.HH])
def test_the_whole_solve_runs_on_one_device_and_waits_only_where_it_must(mode):
    real, faked = solved(3, mode)

    assert faked.places == real.places
    assert len(faked.waits) == len(faked.places)
    flops, faked_flops = (sum(x.n_flops for x in log.launches) for log in (real, faked))
    assert faked_flops == pytest.approx(flops, rel=0.01)
    assert faked.peak_bytes == pytest.approx(real.peak_bytes, rel=0.01)
    assert set(faked.places) <= ONCE_A_ROUND.keys() | ONCE_A_SIZE.keys() | ONCE.keys()
    assert {"screening._left", "quadratic._active_set"} <= set(faked.places)


@pytest.mark.slow
def test_the_waits_of_a_round_do_not_grow_with_the_regions():
    few, many = (solved(n, Mode.PP)[1].places for n in (3, 12))

    per_round = {place: Counter(many)[place] for place in ONCE_A_ROUND}
    n_rounds = Counter(many)["clusters.find_clusters"]
    assert per_round.keys() >= set(few) & ONCE_A_ROUND.keys()
    assert max(per_round.values()) <= 3 * (n_rounds + 1)


@pytest.mark.parametrize(
    ("operation", "n_flops", "n_bytes"),
    [
        (lambda x: x @ x.T, 2 * 100 * 40 * 100, 4 * (4000 + 4000 + 10_000)),
        (lambda x: x + 1, 4000, 4 * 8000),
        (lambda x: x.sum(), 4000, 4 * 4001),
        (lambda x: x.index_select(0, torch.arange(3)), 0, 2 * 4 * 120 + 8 * 3),
        (lambda x: x.as_strided((3901, 100), (1, 1)).clone(), 0, 4 * (4000 + 390_100)),
        (lambda x: torch.linalg.cholesky_ex(x[:3, :3]), 9, 4 * (9 + 9) + 4),
    ],
    ids=["product", "element-wise", "sum", "gather", "overlapping view", "Cholesky"],
)
def test_an_operation_counts_what_it_must_compute_and_move(operation, n_flops, n_bytes):
    values = torch.rand(100, 40)

    with record() as log:
        operation(values)

    last = log.launches[-1]
    assert last.n_flops == n_flops
    assert last.n_bytes == n_bytes
    assert last.n_kernels >= 1


def test_memory_that_is_given_back_does_not_count_twice():
    values = torch.rand(1000)

    with record() as log:
        for _ in range(5):
            values + 1

    assert log.peak_bytes == 4000


def test_views_launch_nothing():
    with record() as log:
        torch.zeros(4, 4).T[1:].flatten(0)[0:0].view(0, 2)

    assert [launch.name for launch in log.launches] == ["aten.zeros.default", "aten.clone.default"]


def test_the_sizes_set_for_a_gpu_change_no_hit():
    solver, *regions = solver_and_regions(20)
    expected = solver.solve(*regions).hits

    with sizes_of_cuda():
        found = solver.solve(*regions).hits

    assert torch.equal(found.region, expected.region)
    assert torch.equal(found.motif, expected.motif)
    assert torch.equal(found.position, expected.position)
    torch.testing.assert_close(found.coefficient, expected.coefficient, rtol=1e-9, atol=0)


@pytest.mark.slow
def test_a_tensor_left_on_the_host_is_found(monkeypatch):
    gap = working_set._gap
    on_host = torch.ones(3, dtype=torch.float64)
    monkeypatch.setattr(working_set, "_gap", lambda *words: gap(*words) * on_host[0:1])

    with pytest.raises(Exception, match=r"[Dd]evice|non-fake|fake"):
        solve_on_fake_cuda(*solver_and_regions())


def test_a_hidden_wait_is_found(monkeypatch):
    gap = working_set._gap
    monkeypatch.setattr(
        working_set, "_gap", lambda *words: gap(*words) + len(gap(*words).unique()) * 0
    )

    with pytest.raises(Exception, match=r"[Dd]ynamic|data-dependent|unique|fake"):
        solve_on_fake_cuda(*solver_and_regions())


@pytest.mark.slow
def test_a_value_asked_for_shows_among_the_waits(monkeypatch):
    gap = working_set._gap

    def curious(*words):
        found = gap(*words)
        return found + int(found.isnan().sum())

    curious.__name__ = "curious"
    monkeypatch.setattr(working_set, "_gap", curious)

    _, faked = solve_on_fake_cuda(*solver_and_regions())

    assert "working_set.solve" in faked.places
