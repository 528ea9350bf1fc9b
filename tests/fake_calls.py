"""Fake CUDA tensors on a PyTorch without CUDA.

A few calls, ``tensor[key]`` among them, go through a device guard that such a build lacks, while
the operations that they stand for do not. This mode spells them out in those.
"""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

aten = torch.ops.aten


class SpelledOutCalls(TorchFunctionMode):
    """Takes the calls of ``_SPELLED_OUT`` whose tensor is on CUDA."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        spelled_out = _SPELLED_OUT.get(func)
        if spelled_out is not None and args[0].device.type == "cuda":
            return spelled_out(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _nonzero(tensor: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    found = aten.nonzero(tensor)
    return found.unbind(1) if as_tuple else found


def _get(tensor: Tensor, key: Any) -> Tensor:
    view, indices = _resolve(tensor, key)
    return aten.index.Tensor(view, indices) if indices else view


def _set(tensor: Tensor, key: Any, value: Any) -> None:
    view, indices = _resolve(tensor, key)
    if not indices:
        aten.copy_(view, value) if isinstance(value, Tensor) else aten.fill_.Scalar(view, value)
        return
    if not isinstance(value, Tensor):
        value = aten.full([], value, dtype=tensor.dtype, layout=torch.strided, device=tensor.device)
    aten.index_put_(view, indices, value)


def _resolve(tensor: Tensor, key: Any) -> tuple[Tensor, list[Tensor | None]]:
    """Return the view that ints, slices, None and ... make, and the index tensors by dimension."""
    keys = list(key) if isinstance(key, tuple) else [key]
    n_taken = sum(k is not None and k is not Ellipsis for k in keys)
    view, indices, dim = tensor, [], 0
    for k in keys:
        if k is None:
            view, dim = view.unsqueeze(dim), dim + 1
            indices.append(None)
        elif k is Ellipsis:
            n_skipped = tensor.ndim - n_taken
            dim += n_skipped
            indices += [None] * n_skipped
        elif isinstance(k, slice):
            view, dim = aten.slice.Tensor(view, dim, k.start, k.stop, k.step or 1), dim + 1
            indices.append(None)
        elif isinstance(k, int):
            view = aten.select.int(view, dim, k)
        else:
            assert k.dtype is torch.int64, "a mask as an index makes the host wait"
            indices.append(k)
            dim += 1
    return view, indices if any(index is not None for index in indices) else []


_SPELLED_OUT = {
    Tensor.__getitem__: _get,
    Tensor.__setitem__: _set,
    Tensor.__invert__: aten.bitwise_not,
    Tensor.__int__: lambda tensor: int(aten._local_scalar_dense(tensor)),
    Tensor.nonzero: _nonzero,
    Tensor.contiguous: lambda tensor: aten.clone(tensor, memory_format=torch.contiguous_format),
}
