"""The restricted problems: small dense non-negative quadratic programs, many at a time.

Each is ``minimise 1/2 z'Gz - h'z, z >= 0``. Block principal pivoting [1]_ guesses which variables
are positive, solves for them, and swaps every variable whose sign or gradient is wrong; a few
guesses suffice. The few programs on which it cycles go to an accelerated proximal gradient with
restart [2]_.

References
----------
.. [1] Portugal, Judice, Vicente, "A comparison of block pivoting and interior-point algorithms for
   linear least squares problems with nonnegative variables", Math. Comp. 63, 1994; in the form of
   Kim, Park, "Fast nonnegative matrix factorization", SIAM J. Sci. Comput. 33(6), 2011.
.. [2] O'Donoghue, Candes, "Adaptive restart for accelerated gradient schemes", Found. Comput.
   Math. 15, 2015.
"""

import torch
from torch import Tensor

_RIDGE = 1e-9
"""Relative to the diagonal. Equal atoms share their amplitude evenly; refinement removes it."""
_SLACK = 1e-10
"""Relative to the size of ``h``: signs below it are round-off."""
_MAX_PIVOTS = 60
_BLOCK_TRIES = 3
"""Exchanges of whole blocks that may fail to help before single variables are exchanged."""
_MAX_GRADIENT_STEPS = 20_000
_STEPS_BETWEEN_CHECKS = 50


def solve_nonnegative(gram: Tensor, linear: Tensor, is_likely: Tensor) -> Tensor:
    """Return the minimisers (B, N) of ``1/2 z'Gz - h'z`` over ``z >= 0``.

    Parameters
    ----------
    gram : (B, N, N) float64
        Symmetric, positive semi-definite; padding has zero rows and columns.
    linear : (B, N) float64
        ``h``; negative at padding, which therefore stays zero.
    is_likely : (B, N) bool
        First guess of the positive variables; decides the time taken, not the answer.
    """
    ridged = gram + _ridge(gram)
    amplitude, is_solved = _pivot(gram, ridged, linear, is_likely)
    if not is_solved.all():
        left = (~is_solved).nonzero()[:, 0]
        amplitude[left] = _descend(gram[left], linear[left])
    return amplitude


def _ridge(gram: Tensor) -> Tensor:
    diagonal = gram.diagonal(dim1=1, dim2=2)
    largest = diagonal.amax(1, keepdim=True).clamp(min=torch.finfo(gram.dtype).tiny)
    return torch.diag_embed(_RIDGE * largest.expand_as(diagonal))


def _pivot(
    gram: Tensor, ridged: Tensor, linear: Tensor, is_passive: Tensor
) -> tuple[Tensor, Tensor]:
    """Return minimisers (B, N) and which of the B programs reached theirs."""
    amplitude = torch.zeros_like(linear)
    is_solved = torch.zeros(len(linear), dtype=torch.bool, device=linear.device)
    rows = torch.arange(len(linear), device=linear.device)
    fewest_wrong = torch.full_like(rows, linear.shape[1] + 1)
    tries = torch.full_like(rows, _BLOCK_TRIES)
    for _ in range(_MAX_PIVOTS):
        guess = _solve_passive(gram[rows], ridged[rows], linear[rows], is_passive)
        is_wrong = _wrong_signs(gram[rows], linear[rows], guess, is_passive)
        n_wrong = is_wrong.sum(1)
        done = n_wrong == 0
        amplitude[rows[done]] = guess[done].clamp(min=0)
        is_solved[rows[done]] = True
        if done.all():
            break
        swap, fewest_wrong, tries = _exchange(is_wrong, n_wrong, fewest_wrong, tries)
        rows, is_passive = rows[~done], (is_passive ^ swap)[~done]
        fewest_wrong, tries = fewest_wrong[~done], tries[~done]
    return amplitude, is_solved


def _solve_passive(gram: Tensor, ridged: Tensor, linear: Tensor, is_passive: Tensor) -> Tensor:
    """Solve ``G z = h`` over the passive variables, zero elsewhere; one step of refinement."""
    both = is_passive[:, :, None] & is_passive[:, None, :]
    system = torch.where(both, ridged, 0.0)
    system.diagonal(dim1=1, dim2=2).add_((~is_passive).to(system.dtype))
    factor, _ = torch.linalg.cholesky_ex(system)
    right = torch.where(is_passive, linear, 0.0)[..., None]
    first = torch.cholesky_solve(right, factor)
    left_over = torch.where(is_passive[..., None], right - gram @ first, 0.0)
    return (first + torch.cholesky_solve(left_over, factor)).squeeze(2)


def _wrong_signs(gram: Tensor, linear: Tensor, guess: Tensor, is_passive: Tensor) -> Tensor:
    """Return (B, N): passive variables below zero, and others whose gradient asks to enter."""
    scale = linear.abs().amax(1, keepdim=True)
    gain = linear - (gram @ guess[..., None]).squeeze(2)
    # Negated so that a NaN, from a factor that failed, counts as wrong.
    return torch.where(is_passive, ~(guess >= -_SLACK * scale), ~(gain <= _SLACK * scale))


def _exchange(
    is_wrong: Tensor, n_wrong: Tensor, fewest_wrong: Tensor, tries: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Choose the variables to swap: all wrong ones while that helps, else the last (Murty)."""
    is_better = n_wrong < fewest_wrong
    tries = torch.where(is_better, _BLOCK_TRIES, tries - 1)
    fewest_wrong = torch.minimum(fewest_wrong, n_wrong)
    index = torch.arange(is_wrong.shape[1], device=is_wrong.device)
    last = torch.where(is_wrong, index, -1).amax(1, keepdim=True)
    swap = torch.where(tries[:, None] >= 0, is_wrong, is_wrong & (index == last))
    return swap, fewest_wrong, tries


def _descend(gram: Tensor, linear: Tensor) -> Tensor:
    """Minimise by accelerated proximal gradient with restart."""
    # The largest absolute row sum bounds the largest eigenvalue.
    step = 1 / gram.abs().sum(2).amax(1).clamp(min=torch.finfo(gram.dtype).tiny)[:, None]
    current = torch.zeros_like(linear)
    point, age = current, torch.zeros_like(step)
    for n_steps in range(1, _MAX_GRADIENT_STEPS + 1):
        gain = linear - (gram @ point[..., None]).squeeze(2)
        following = (point + step * gain).clamp(min=0)
        move = following - current
        is_uphill = ((point - following) * move).sum(1, keepdim=True) > 0
        age = torch.where(is_uphill, 0.0, age + 1)
        point = following + age / (age + 3) * move
        current = following
        if n_steps % _STEPS_BETWEEN_CHECKS == 0 and move.abs().amax() <= 1e-15 * current.amax():
            break
    return current
