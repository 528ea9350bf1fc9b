"""CWMs as tensors: trimmed, transformed, and aligned for windows that start at the trim."""

from dataclasses import dataclass

import torch
from torch import Tensor

from finemo_dist.core.records import UNKNOWN_BASE, MotifSet


@dataclass(frozen=True, slots=True)
class Cwms:
    """The M motifs of a problem, one entry a strand, zero outside their trim windows.

    A motif at position ``p`` covers bases ``p + start`` to ``p + end`` of the region. Windows are
    counted by that first covered base, the *anchor* ``t = p + start``, because motifs that share
    an anchor share the data they look at.
    """

    full: Tensor
    """(M, 4, W) float64."""
    aligned: Tensor
    """(M, A, 5) float64: columns from the trim start on, A the widest trim window.

    Bases last, with a fifth that is always zero: the column of an unknown base.
    """
    start: Tensor
    """(M,) int64 first column inside the trim window."""
    trimmed_width: Tensor
    """(M,) int64."""
    penalty: Tensor
    """(M,) float64 lambda."""
    norm: Tensor
    """(M,) float64 Frobenius norm after trimming."""

    @property
    def width(self) -> int:
        """Columns of a full CWM, W."""
        return self.full.shape[2]

    @property
    def aligned_width(self) -> int:
        """Columns of the widest trim window, A."""
        return self.aligned.shape[1]

    def __len__(self) -> int:
        return self.full.shape[0]


def build_cwms(motifs: MotifSet, device: torch.device, *, use_sqrt_transform: bool) -> Cwms:
    """Return the CWMs of a motif set on a device.

    Values are those of the float16 CWMs, so that hits agree with what ``motif_cwms.npy`` says.
    With ``use_sqrt_transform`` trimmed CWMs become their signed square roots, norm 1.
    """
    # In one order whoever made the array: float32 convolutions round by how it lies in memory.
    full = torch.from_numpy(motifs.cwm.astype("float64", order="C"))
    start = torch.tensor(motifs.start)
    trimmed_width = torch.tensor(motifs.end) - start
    full = full * trim_mask(start, trimmed_width, motifs.width)[:, None, :]
    if use_sqrt_transform:
        full = signed_sqrt(full)
        full = full / full.square().sum((1, 2), keepdim=True).sqrt()
    return Cwms(
        full=full.to(device),
        aligned=_align(full, start, int(trimmed_width.max())).to(device),
        start=start.to(device),
        trimmed_width=trimmed_width.to(device),
        penalty=torch.tensor(motifs.penalty).to(device),
        norm=full.square().sum((1, 2)).sqrt().to(device),
    )


def trim_mask(start: Tensor, trimmed_width: Tensor, width: int) -> Tensor:
    """Return (M, W) whether a column lies in the trim window of a motif."""
    column = torch.arange(width, device=start.device)
    return (column >= start[:, None]) & (column < (start + trimmed_width)[:, None])


def signed_sqrt(values: Tensor) -> Tensor:
    """Return ``sign(x) sqrt(|x|)``."""
    return values.sign() * values.abs().sqrt()


def _align(full: Tensor, start: Tensor, aligned_width: int) -> Tensor:
    n_motifs, _, width = full.shape
    padded = torch.zeros(n_motifs, width + aligned_width, UNKNOWN_BASE + 1, dtype=full.dtype)
    padded[:, :width, :4] = full.transpose(1, 2)
    column = start[:, None] + torch.arange(aligned_width)
    return padded[torch.arange(n_motifs)[:, None], column].contiguous()
