"""The restricted problems against a library, and at their edges."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from finemo_dist.solver import quadratic
from finemo_dist.solver.quadratic import solve_nonnegative

_LARGEST_AMPLITUDE = 3_000.0


def draw_program(seed: int, n_programs: int, n_variables: int, n_rows: int):
    """Programs ``|b - Xz|^2`` as Gram matrices, with X and b."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n_programs, n_rows, n_variables))
    target = rng.normal(size=(n_programs, n_rows)) * 3
    gram = torch.from_numpy(design.transpose(0, 2, 1) @ design)
    linear = torch.from_numpy(np.einsum("brn,br->bn", design, target))
    return gram, linear, design, target


@given(seed=st.integers(0, 2**32 - 1), n_programs=st.integers(1, 5), n_variables=st.integers(1, 12))
def test_minimisers_are_those_of_nnls(seed, n_programs, n_variables):
    gram, linear, design, target = draw_program(seed, n_programs, n_variables, n_variables + 6)

    found = solve_nonnegative(gram, linear)

    expected = np.stack([nnls(x, y)[0] for x, y in zip(design, target, strict=True)])
    np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize("n_variables", [4, 16, 32, 64])
def test_a_program_is_solved_alone_as_in_company_to_the_last_bit(n_variables):
    gram, linear, *_ = draw_program(2, 23, n_variables, n_variables + 3)

    together = solve_nonnegative(gram, linear)

    alone = [solve_nonnegative(gram[i : i + 1], linear[i : i + 1]) for i in range(len(linear))]
    assert (together > 0).sum() > len(linear)
    assert torch.equal(together, torch.cat(alone))


@given(seed=st.integers(0, 2**32 - 1), n_variables=st.integers(2, 10))
def test_a_singular_program_still_reaches_the_minimum(seed, n_variables):
    """Fewer rows than variables: many minimisers, one minimum."""
    gram, linear, design, target = draw_program(seed, 3, n_variables, max(1, n_variables // 2))

    found = solve_nonnegative(gram, linear)

    assert (found >= 0).all()
    for x, y, z in zip(design, target, found.numpy(), strict=True):
        other, least = nnls(x, y)
        # The ridge cannot tell columns apart whose best amplitudes are thousands of times the
        # target: the certificate of a region finds such a program unsolved.
        if other.max() > _LARGEST_AMPLITUDE:
            continue
        excess = np.square(y - x @ z).sum() - least**2
        # Amplitudes reach hundreds where rows are nearly dependent, so round-off is not eps.
        assert excess <= 1e-12 * np.square(y).sum() + 1e-16 * np.square(z).sum()


@pytest.mark.parametrize("penalty", [0, 1])
def test_equal_variables_share_their_amplitude(penalty):
    """The third gains nothing where there is a penalty, and stays out."""
    vector = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    design = torch.cat((vector, vector, torch.eye(3, dtype=torch.float64)[:1]))
    gram = (design @ design.T)[None]

    found = solve_nonnegative(gram, (design @ vector.T * 4).T - penalty)

    share = (4 - penalty / 14) / 2
    assert found[0].tolist() == pytest.approx([share, share, 0], rel=1e-6, abs=1e-6)


def test_padding_stays_zero_and_changes_nothing():
    gram, linear, _, _ = draw_program(7, 4, 5, 9)
    padded_gram = torch.nn.functional.pad(gram, (0, 3, 0, 3))
    padded_linear = torch.nn.functional.pad(linear, (0, 3), value=-1.0)

    found = solve_nonnegative(padded_gram, padded_linear)

    assert (found[:, 5:] == 0).all()
    torch.testing.assert_close(found[:, :5], solve_nonnegative(gram, linear), rtol=0, atol=1e-12)


def test_a_program_without_gain_is_zero():
    gram = torch.eye(3, dtype=torch.float64)[None]

    assert (solve_nonnegative(gram, torch.full((1, 3), -0.5, dtype=torch.float64)) == 0).all()


def test_the_fallback_reaches_the_same_minimisers():
    """What a program goes to when round-off keeps the active set from ending."""
    gram, linear, _, _ = draw_program(3, 6, 8, 20)

    torch.testing.assert_close(
        quadratic._descend(gram, linear), solve_nonnegative(gram, linear), rtol=0, atol=1e-9
    )


def test_the_fallback_ends_with_what_it_has_and_that_is_no_worse_than_nothing(monkeypatch):
    gram, linear, _, _ = draw_program(3, 6, 8, 20)

    def objective(z):
        return (z[:, None] @ gram @ z[..., None]).flatten() / 2 - (linear * z).sum(1)

    best = objective(solve_nonnegative(gram, linear))
    monkeypatch.setattr(quadratic, "_MAX_GRADIENT_STEPS", 4)
    found = quadratic._descend(gram, linear)

    assert (found >= 0).all()
    assert (objective(found) < 0).all()
    assert (objective(found) > best + 1e-9).any(), "it was cut short"


def test_a_program_that_runs_out_of_steps_goes_to_the_fallback(monkeypatch):
    monkeypatch.setattr(quadratic, "_SPARE_STEPS", -22)
    gram, linear, _, _ = draw_program(3, 6, 8, 20)

    found = quadratic._active_set(gram, linear)

    monkeypatch.undo()
    torch.testing.assert_close(found, solve_nonnegative(gram, linear), rtol=0, atol=1e-9)
