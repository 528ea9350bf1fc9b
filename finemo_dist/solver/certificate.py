"""How far an answer can be from the minimum, whatever way it was found."""

import torch
from torch import Tensor


def duality_gap(
    *, residual_sq: Tensor, residual_target: Tensor, penalty: Tensor, largest_ratio: Tensor
) -> Tensor:
    """Bound how far each region's objective is above its minimum.

    With ``theta = min(1, 1 / max(a / lambda))`` the shrunken residual ``theta r`` is dual feasible,
    so ``(1/2 |r|^2 + <lambda, c>) - (theta <r, y> - 1/2 theta^2 |r|^2)`` is a bound [1]_. It is not
    passed through ``abs``: a value below round-off is a bug to be seen, not hidden.

    Parameters
    ----------
    residual_sq : (R,) float64
        ``|r|^2`` of ``r = y - A c``.
    residual_target : (R,) float64
        ``<r, y>``.
    penalty : (R,) float64
        ``<lambda, c>`` of a coefficient vector ``c >= 0``.
    largest_ratio : (R,) float64
        ``max(a / lambda)`` over all atoms, with ``a = A^T r``.

    Returns
    -------
    (R,) float64, squared normalised contribution units; not divided by L.

    References
    ----------
    .. [1] Kim, Koh, Lustig, Boyd, Gorinevsky, "An interior-point method for large-scale
       l1-regularized least squares", IEEE J. Sel. Top. Signal Process. 1(4), 2007, section III.
    """
    theta = torch.where(largest_ratio > 1, 1 / largest_ratio, 1.0)
    primal = residual_sq / 2 + penalty
    dual = theta * residual_target - theta.square() * residual_sq / 2
    return primal - dual
