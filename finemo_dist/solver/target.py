"""What each region asks to be reconstructed: its contributions, normalised."""

from dataclasses import dataclass

import torch
from torch import Tensor

from finemo_dist.core.records import UNKNOWN_BASE
from finemo_dist.solver.cwms import signed_sqrt


@dataclass(frozen=True, slots=True)
class Target:
    """Normalised contributions of R regions of L bases.

    In projected modes only the base that is there has a value, so one channel (C = 1) holds it
    and the prediction is read at ``sequence``; in hypothetical modes C = 4.
    """

    y: Tensor
    """(R, L, C) float64, divided by ``scale``; zero at unknown bases in projected modes."""
    sequence: Tensor | None
    """(R, L) int64 codes 0-4 in projected modes, None in hypothetical modes."""
    scale: Tensor
    """(R,) float64 global scale g, root mean square contribution; 0 for an all-zero region."""

    def __len__(self) -> int:
        return len(self.y)

    @property
    def length(self) -> int:
        """Bases in every region, L."""
        return self.y.shape[1]

    @property
    def n_channels(self) -> int:
        """1 in projected modes, 4 in hypothetical modes."""
        return self.y.shape[2]

    def __getitem__(self, rows: Tensor) -> "Target":
        sequence = None if self.sequence is None else self.sequence[rows]
        return Target(self.y[rows], sequence, self.scale[rows])

    def by_base(self, values: Tensor) -> Tensor:
        """Return values (R, T, C) as (R, T, 4), each at its base, zero elsewhere.

        Values past the L bases of a region, if there are any, are zero.
        """
        if self.sequence is None:
            return values
        n_regions, length = self.sequence.shape
        by_base = values.new_zeros(n_regions, values.shape[1], UNKNOWN_BASE)
        known = values[:, :length] * (self.sequence != UNKNOWN_BASE)[..., None]
        at = self.sequence.clamp(max=UNKNOWN_BASE - 1)[..., None]
        by_base[:, :length].scatter_(2, at, known)
        return by_base


def build_target(
    sequence: Tensor,
    contributions: Tensor,
    *,
    is_hypothetical: bool,
    use_sqrt_transform: bool,
) -> Target:
    """Return the normalised target of a batch of regions.

    Parameters
    ----------
    sequence : (R, L) uint8
        Codes 0-4.
    contributions : (R, L) or (R, 4, L) floating
        Projected or hypothetical scores.
    is_hypothetical : bool
        Whether the mode reconstructs hypothetical scores; needs (R, 4, L).
    use_sqrt_transform : bool
        Replace contributions by their signed square roots first.

    Notes
    -----
    ``g = sqrt(sum(y^2) / L)`` and ``y / g``, finemo's normalisation. Sums are in float64, and
    values are first divided by their largest, so that neither 1e-30 nor 1e30 loses a hit.
    """
    codes = sequence.long()
    y = _channels(codes, contributions, is_hypothetical=is_hypothetical)
    if use_sqrt_transform:
        y = signed_sqrt(y)
    largest = y.abs().amax((1, 2))
    unit = y / _one_where_zero(largest)[:, None, None]
    root_mean_square = (unit.square().sum((1, 2)) / y.shape[1]).sqrt()
    return Target(
        y=unit / _one_where_zero(root_mean_square)[:, None, None],
        sequence=None if is_hypothetical else codes,
        scale=largest * root_mean_square,
    )


def _channels(codes: Tensor, contributions: Tensor, *, is_hypothetical: bool) -> Tensor:
    values = contributions.double()
    if is_hypothetical:
        if values.ndim != 3:
            raise ValueError("hypothetical modes need contributions of shape (R, 4, L)")
        return values.transpose(1, 2).contiguous()
    if values.ndim == 3:
        at_base = codes.clamp(max=3)[:, None, :]
        values = values.gather(1, at_base).squeeze(1)
    return (values * (codes != UNKNOWN_BASE))[..., None]


def _one_where_zero(values: Tensor) -> Tensor:
    return torch.where(values == 0, 1.0, values)
