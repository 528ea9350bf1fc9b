"""The restricted problems: small dense non-negative quadratic programs, many at a time.

Each is ``minimise 1/2 z'Gz - h'z, z >= 0``. Few of its variables end up positive, so the active set
of Lawson and Hanson [1]_ builds them up one by one: let in the variable with the steepest gain,
solve for all that are in, and where one turns negative step back to the boundary and drop it. Every
step solves a system no larger than the steps taken, for all programs of the batch at once. Any
program on which round-off keeps this from ending goes to an accelerated proximal gradient with
restart [2]_.

References
----------
.. [1] Lawson, Hanson, "Solving Least Squares Problems", 1974, chapter 23.
.. [2] O'Donoghue, Candes, "Adaptive restart for accelerated gradient schemes", Found. Comput.
   Math. 15, 2015.
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from finemo_dist.solver.indices import true_rows

_RIDGE = 1e-9
"""Relative to the diagonal. Equal atoms share their amplitude evenly; refinement removes it."""
_SLACK = 1e-10
"""Relative to the size of ``h``: gains below it are round-off."""
_SPARE_STEPS = 24
"""Steps allowed beyond three a variable before a program counts as cycling."""
_STEPS_BETWEEN_SYNCS = {"cpu": 1, "cuda": 4}
"""To ask which programs are done makes the host wait for a GPU."""
_UNALIGNED_SLOTS = 8
_MAX_GRADIENT_STEPS = 20_000
_STEPS_BETWEEN_CHECKS = 50


def solve_nonnegative(gram: Tensor, linear: Tensor) -> Tensor:
    """Return the minimisers (B, N) of ``1/2 z'Gz - h'z`` over ``z >= 0``.

    Where several are, as with equal atoms, variables whose gain is zero share the amplitude.

    Parameters
    ----------
    gram : (B, N, N) float64
        Symmetric, positive semi-definite; padding has zero rows and columns.
    linear : (B, N) float64
        ``h``; negative at padding, which therefore stays zero.
    """
    if gram.shape[1] == 1:
        return (linear / gram[:, 0].clamp(min=torch.finfo(gram.dtype).tiny)).clamp(min=0)
    return _active_set(gram, linear)


@dataclass(frozen=True, slots=True)
class _Programs:
    """Programs under way."""

    row: Tensor
    """(B,) their rows in the batch."""
    gram: Tensor
    linear: Tensor
    slack: Tensor
    """(B, 1) gain that counts as none."""
    is_passive: Tensor
    """(B, N) variables that are let in."""
    value: Tensor
    """(B, N) a feasible point, zero outside the passive variables."""
    is_done: Tensor
    """(B, 1) programs that are solved; their values and gains stay as they are."""
    gain: Tensor
    """(B, N) ``h - Gz`` at the last point that was solved for."""

    def __getitem__(self, rows: Tensor) -> "_Programs":
        return _Programs(*(getattr(self, f.name).index_select(0, rows) for f in fields(self)))


def _active_set(gram: Tensor, linear: Tensor) -> Tensor:
    n_variables = linear.shape[1]
    every = _STEPS_BETWEEN_SYNCS[linear.device.type]
    result = torch.zeros_like(linear)
    programs, enters = _let_in(_first_guess(gram, linear), linear)
    programs = programs[true_rows(enters)]
    for n_steps in range(1, 3 * n_variables + _SPARE_STEPS):
        if not len(programs.row):
            return result
        at = _passive_index(programs.is_passive, _n_slots(n_steps, n_variables))
        guess = _solve_passive(programs, at)
        gain = programs.linear - _times(programs.gram, guess, at)
        programs = _advance(programs, guess, gain)
        if n_steps % every:
            continue
        # Programs that are done stay as they are, so they may stay in the batch until they are
        # half of it: taking out one by one would copy the Gram matrices at every step.
        if 2 * int(programs.is_done.sum()) >= len(programs.row):
            done = programs[true_rows(programs.is_done)]
            result[done.row] = _share_ties(done)
            programs = programs[true_rows(~programs.is_done)]
    result[programs.row] = _descend(programs.gram, programs.linear)
    return result


def _first_guess(gram: Tensor, linear: Tensor) -> _Programs:
    return _Programs(
        row=torch.arange(len(linear), device=linear.device),
        gram=gram,
        linear=linear,
        slack=_SLACK * linear.abs().amax(1, keepdim=True),
        is_passive=torch.zeros_like(linear, dtype=torch.bool),
        value=torch.zeros_like(linear),
        is_done=linear.new_zeros(len(linear), 1, dtype=torch.bool),
        gain=linear,
    )


def _let_in(programs: _Programs, gain: Tensor) -> tuple[_Programs, Tensor]:
    """Let in the variable of the steepest gain of each program that has one; say which (B,) do."""
    gain = torch.where(programs.is_passive, -torch.inf, gain)
    steepest, column = gain.max(1, keepdim=True)
    enters = steepest > programs.slack
    entered = torch.zeros_like(programs.is_passive).scatter_(1, column, enters)
    return replace(programs, is_passive=programs.is_passive | entered), enters[:, 0]


def _advance(programs: _Programs, guess: Tensor, gain: Tensor) -> _Programs:
    """Accept feasible guesses and let a variable in; elsewhere step to the boundary and drop.

    A program is done when its guess is feasible with no variable to let in. What is done is not
    touched again: a later guess, solved with more slots, differs in its last bits, and those would
    depend on the other programs of the batch.
    """
    blocks = programs.is_passive & ~(guess > 0)
    is_blocked = blocks.any(1)
    feasible = ~is_blocked[:, None]
    # How far along the way to the guess each blocking variable reaches zero.
    way = torch.where(blocks, programs.value / (programs.value - guess), torch.inf)
    share = way.amin(1, keepdim=True).clamp(max=1)
    boundary = programs.value + share * (guess - programs.value)
    is_dropped = blocks & (way <= share)
    kept = programs.is_passive & ~is_dropped
    value = torch.where(feasible, guess, torch.where(kept, boundary.clamp(min=0), 0.0))
    is_done = programs.is_done
    stepped = replace(
        programs,
        is_passive=torch.where(feasible | is_done, programs.is_passive, kept),
        value=torch.where(is_done, programs.value, value),
        gain=torch.where(is_done, programs.gain, gain),
    )
    may_enter = torch.where(feasible & ~is_done, gain, -torch.inf)
    advanced, enters = _let_in(stepped, may_enter)
    return replace(advanced, is_done=is_done | ~(is_blocked | enters)[:, None])


def _n_slots(n_steps: int, n_variables: int) -> int:
    """Return how many variables a step solves for: no fewer than can have been let in.

    Past eight a multiple of eight. Then the matrices of a batch begin at whole cache lines;
    otherwise LAPACK adds up in an order that depends on where a matrix happens to lie.
    """
    n_slots = n_steps if n_steps <= _UNALIGNED_SLOTS else -(-n_steps // 8) * 8
    return min(n_slots, n_variables)


def _passive_index(is_passive: Tensor, n_slots: int) -> Tensor:
    """Return (B, K) columns, every passive variable among them."""
    return is_passive.to(torch.uint8).topk(n_slots, dim=1).indices


def _solve_passive(programs: _Programs, at: Tensor) -> Tensor:
    """Return (B, N) the unconstrained optimum over the passive variables, zero elsewhere."""
    n_slots = at.shape[1]
    is_in = programs.is_passive.gather(1, at)
    both = is_in[:, :, None] & is_in[:, None, :]
    rows = programs.gram.gather(1, at[:, :, None].expand(-1, -1, programs.gram.shape[2]))
    block = torch.where(both, rows.gather(2, at[:, None, :].expand(-1, n_slots, -1)), 0.0)
    diagonal = block.diagonal(dim1=1, dim2=2)
    ridge = _RIDGE * diagonal.amax(1, keepdim=True)
    factor, _ = torch.linalg.cholesky_ex(block + torch.diag_embed(torch.where(is_in, ridge, 1.0)))
    right = torch.where(is_in, programs.linear.gather(1, at), 0.0)[..., None]
    first = torch.cholesky_solve(right, factor)
    # One refinement takes the ridge out again, except between equal atoms.
    solved = first + torch.cholesky_solve(right - _product(block, first), factor)
    return torch.zeros_like(programs.linear).scatter_(1, at, solved.squeeze(2))


def _product(matrix: Tensor, vector: Tensor) -> Tensor:
    """Return (B, K, 1) products that do not depend on how many matrices there are.

    BLAS adds up in another order for one large matrix than for several.
    """
    if matrix.shape[1] <= _UNALIGNED_SLOTS:
        return matrix @ vector
    return (matrix * vector.mT).sum(2, keepdim=True)


def _times(gram: Tensor, value: Tensor, at: Tensor) -> Tensor:
    """Return ``G z`` (B, N) of vectors that are zero outside the columns ``at`` (B, K)."""
    rows = gram.gather(1, at[:, :, None].expand(-1, -1, gram.shape[2]))
    return (value.gather(1, at)[:, None, :] @ rows).squeeze(1)


def _share_ties(programs: _Programs) -> Tensor:
    """Let variables of zero gain share, where the evenest of the many minimisers is feasible."""
    value = programs.value
    is_tied = (programs.gain.abs() <= programs.slack) & (programs.gram.diagonal(dim1=1, dim2=2) > 0)
    rows = true_rows((is_tied & ~programs.is_passive).any(1))
    if not len(rows):
        return value
    tied = programs[rows]
    tied = replace(tied, is_passive=tied.is_passive | is_tied[rows])
    shared = _solve_passive(tied, _passive_index(tied.is_passive, value.shape[1]))
    is_feasible = (shared >= 0).all(1, keepdim=True)
    value = value.clone()
    value[rows] = torch.where(is_feasible, shared, value[rows])
    return value


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
