"""No atom that may enter is missed, whatever bounds rule out and however products are made."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.core.config import MotifConfig
from finemo_dist.core.records import Mode
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.solver import products, screening
from finemo_dist.solver.cwms import build_cwms
from finemo_dist.solver.dense import DenseProblem, build_dense_problem
from finemo_dist.solver.screening import At, Screen, group_by_width
from finemo_dist.solver.target import Target, build_target
from tests.problems import Problem, make_patterns, make_problem

Keys = set[tuple[int, int, int]]

needs_bags = pytest.mark.skipif(
    not products._HAS_BAGS["cpu"], reason="this build of PyTorch has no FBGEMM"
)


def draw_problem(seed: int, mode: Mode, n_motifs: int = 9) -> Problem:
    return make_problem(
        seed, n_motifs=n_motifs, width=9, n_regions=5, length=70, mode=mode, penalty=0.3
    )


def written_out(problem: Problem) -> tuple[Target, DenseProblem, Screen]:
    target = build_target(
        problem.sequence,
        problem.contributions,
        is_hypothetical=problem.config.mode.contributions_are_hypothetical,
        use_sqrt_transform=False,
    )
    dense = build_dense_problem(target, problem.cwms, torch.float64)
    return target, dense, Screen(problem.cwms, group_by_width(problem.cwms))


def violators(dense: DenseProblem, residual: torch.Tensor) -> Keys:
    """(region, motif, position) of every atom with ``a > lambda``, densely in float64."""
    found = (dense.ascent(residual) > dense.penalty).nonzero()
    return {tuple(row) for row in found.tolist()}


def keys(problem: Problem, at: At) -> Keys:
    region, anchor, motif = at
    position = anchor - problem.cwms.start[motif]
    return set(zip(region.tolist(), motif.tolist(), position.tolist(), strict=True))


def refuse_all(screened: screening.Screened, at: At) -> None:
    screened.refuse(at[0], at[1])


def explain(dense: DenseProblem, target: Target, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what some random atoms leave, as (R, 4, L) and as (R, L, C)."""
    generator = torch.Generator().manual_seed(seed)
    n_regions, _, length = dense.y.shape
    shape = (n_regions, len(dense.kernel), length - dense.kernel.shape[2] + 1)
    drawn = torch.rand(shape, generator=generator, dtype=torch.float64)
    residual = dense.residual(torch.where(drawn > 0.99, drawn * 4, 0.0))
    by_channel = residual.transpose(1, 2)
    if target.n_channels == 1:
        by_channel = by_channel.sum(2, keepdim=True)
    return residual, by_channel.contiguous()


@pytest.mark.slow
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), mode=st.sampled_from(Mode), n_motifs=st.integers(1, 80))
def test_every_violator_is_nominated_before_and_after_anything_is_explained(seed, mode, n_motifs):
    problem = draw_problem(seed, mode, n_motifs)
    target, dense, screen = written_out(problem)

    at, screened = screen.first(target)
    assert violators(dense, dense.y) <= keys(problem, at)

    residual, by_channel = explain(dense, target, seed)
    later = keys(problem, screen.again(target, by_channel, screened))
    assert violators(dense, residual) - keys(problem, at) <= later
    refuse_all(screened, at)
    assert violators(dense, residual) <= keys(problem, screen.again(target, by_channel, screened))


@needs_bags
@pytest.mark.parametrize("mode", [Mode.PP, Mode.HP])
def test_bags_and_matrix_products_are_the_same(mode, monkeypatch):
    problem = draw_problem(5, mode)
    target, _, screen = written_out(problem)
    padding = problem.cwms.aligned_width
    values = torch.nn.functional.pad(target.y.float(), (0, 0, 0, padding))
    rows = torch.arange(len(target) * (target.length + padding) - padding)
    table = screen.groups[0].table

    bags = products.windows_over(target, values, products.base_codes(target, padding))
    monkeypatch.setitem(products._HAS_BAGS, "cpu", False)
    gathered = products.windows_over(target, values, products.base_codes(target, padding))

    assert type(bags) is not type(gathered)
    expected = gathered.times(table, rows)
    assert expected.abs().max() > 1
    torch.testing.assert_close(bags.times(table, rows), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 7])
def test_the_windows_of_a_product_change_no_nominee(at_once, monkeypatch):
    problem = draw_problem(6, Mode.PP)
    target, dense, screen = written_out(problem)
    _, by_channel = explain(dense, target, 6)

    def nominees() -> list[Keys]:
        at, screened = screen.first(target)
        refuse_all(screened, at)
        return [keys(problem, at), keys(problem, screen.again(target, by_channel, screened))]

    expected = nominees()
    monkeypatch.setitem(products._WINDOWS_PER_PRODUCT, "cpu", at_once)
    monkeypatch.setitem(products._PRODUCTS_AT_ONCE, "cpu", 2)

    assert all(expected)
    assert nominees() == expected


def test_where_no_cwm_is_negative_what_is_explained_opens_no_window(monkeypatch):
    """The bound proves it, so nothing is multiplied after the first round."""
    patterns = [
        Pattern(p.name, np.abs(p.contributions), np.abs(p.hypothetical))
        for p in make_patterns(np.random.default_rng(3), 9, 9)
    ]
    problem = draw_problem(3, Mode.PP)
    cwms = build_cwms(
        build_motif_set(patterns, MotifConfig(penalty=0.3), Mode.PP),
        torch.device("cpu"),
        use_sqrt_transform=False,
    )
    target, _, _ = written_out(problem)
    dense = build_dense_problem(target, cwms, torch.float64)
    screen = Screen(cwms, group_by_width(cwms))
    _, screened = screen.first(target)
    _, by_channel = explain(dense, target, 3)
    compared = []
    monkeypatch.setattr(Screen, "_compare", lambda *words: compared.append(words))

    screen.again(target, by_channel, screened)

    assert (target.y != by_channel).any(1).all()
    assert not compared


@given(
    seed=st.integers(0, 2**32 - 1),
    widths=st.lists(st.integers(1, 40), min_size=1, max_size=5),
)
def test_window_sums_are_those_of_the_windows(seed, widths):
    values = torch.rand(3, 90, generator=torch.Generator().manual_seed(seed))

    sums = screening._window_sums(values, widths, 50)

    assert sums.keys() == set(widths)
    for width, found in sums.items():
        torch.testing.assert_close(found, values.unfold(1, width, 1)[:, :50].sum(2))


@pytest.mark.parametrize("use_signs", [False, True])
def test_a_region_that_is_one_cwm_meets_the_bound_with_equality(use_signs, monkeypatch):
    monkeypatch.setattr(screening, "_SIGNS_WORTH", 1.1 if use_signs else 0.0)
    problem = draw_problem(8, Mode.HH, n_motifs=1)
    cwms = problem.cwms
    full, aligned = cwms.full, cwms.aligned
    if use_signs:
        full, aligned = full.abs(), aligned.abs()
    cwms = replace(cwms, full=full, aligned=aligned, penalty=0.97 * cwms.norm)
    contributions = torch.zeros(1, 4, 70)
    contributions[0, :, 30 : 30 + cwms.width] = full[0]
    target = build_target(
        torch.zeros(1, 70, dtype=torch.uint8),
        contributions,
        is_hypothetical=True,
        use_sqrt_transform=False,
    )
    (group,) = group_by_width(cwms)

    (region, anchor, motif), _ = Screen(cwms, (group,)).first(target)

    assert group.uses_signs is use_signs
    position = (anchor - cwms.start[motif]).tolist()
    found = set(zip(region.tolist(), motif.tolist(), position, strict=True))
    assert (0, 0, 30) in found
