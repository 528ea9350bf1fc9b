"""Where things are true: the one question whose answer has a size that depends on data."""

import torch
from torch import Tensor

_COUNTS_BY_NUMPY = {"cpu": True, "cuda": False}
"""NumPy finds true entries two to six times faster than PyTorch does on a CPU."""


def true_rows(mask: Tensor) -> Tensor:
    """Return (N,) int64 flat indices of the true entries of a bool tensor, ascending.

    On a GPU the host waits for the device here.
    """
    if _COUNTS_BY_NUMPY[mask.device.type]:
        (row,) = mask.numpy().ravel().nonzero()
        return torch.from_numpy(row)
    return mask.flatten().nonzero()[:, 0]
