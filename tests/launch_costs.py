"""What an operation of PyTorch costs a GPU: floating-point operations, bytes, kernels.

Matrix products are counted by PyTorch's own formulas (``torch.utils.flop_counter``), the systems of
the active set by their usual counts, everything else by the elements it reads or writes. Bytes are
those that must move: of a gather what is taken and not what it is taken from, of an overlapping
view its storage and not its shape.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

aten = torch.ops.aten

_FREE = {
    torch.ops.prim.device.default,
    aten._unsafe_view.default,
    aten.empty.memory_format,
    aten.new_empty.default,
    aten.lift_fresh.default,
}
"""Answered by the host."""

_MOVES = {
    aten.index.Tensor, aten.index_select.default, aten.gather.default, aten.cat.default,
    aten.clone.default, aten._to_copy.default, aten.copy_.default, aten.fill_.Scalar,
    aten.zeros_like.default, aten.ones_like.default, aten.full_like.default, aten.zeros.default,
    aten.new_zeros.default, aten.new_full.default, aten.full.default, aten.scalar_tensor.default,
    aten.arange.default, aten.arange.start_step, aten.scatter_.src, aten.constant_pad_nd.default,
    aten.diag_embed.default, aten.nonzero.default, aten._local_scalar_dense.default,
}  # fmt: skip
"""Move data and compute nothing."""

_GATHERS = {aten.index.Tensor, aten.index_select.default, aten.gather.default}
_SCATTERS = {
    aten.scatter_.src, aten.index_put_.default, aten.index_add_.default,
    aten.scatter_reduce_.two,
}  # fmt: skip

_KERNELS = {
    aten.nonzero.default: 5,
    aten.sort.default: 10,
    aten.sort.stable: 10,
    aten.topk.default: 4,
    aten.cumsum.default: 2,
    aten.cumsum.out: 2,
    aten.cummax.default: 2,
    aten.linalg_cholesky_ex.default: 4,
    aten.cholesky_solve.default: 4,
    aten.diag_embed.default: 2,
}
"""Kernels of what is more than one in PyTorch's CUDA backend: passes of a radix sort or of a
selection, the copies around a batched factorisation. Rounded; an assumption, not a measurement.
"""
_KERNELS_OF_ACCUMULATION = 14
"""``index_put_`` that adds sorts its indices first, so that the order of addition is fixed."""


def is_free(func) -> bool:
    """Whether an operation launches nothing."""
    return func.is_view or func in _FREE


def n_kernels(func, args: Sequence[object]) -> int:
    """Return about how many kernels an operation launches."""
    if func is aten.index_put_.default and len(args) > 3 and args[3]:
        return _KERNELS_OF_ACCUMULATION
    return _KERNELS.get(func, 1)


def n_flops(func, args: Sequence[object], kwargs: Mapping[str, object], result: object) -> int:
    """Return the floating-point operations of a call."""
    if func in _MOVES or is_free(func):
        return 0
    if formula := flop_registry.get(func.overloadpacket):
        return int(formula(*args, **kwargs, out_val=result))
    if func is aten.linalg_cholesky_ex.default:
        *batch, size, _ = args[0].shape
        return math.prod(batch) * size**3 // 3
    if func is aten.cholesky_solve.default:
        *batch, size, n_right = args[0].shape
        return 2 * math.prod(batch) * size**2 * n_right
    # A sum adds what it reads, an element-wise operation counts by what it writes.
    return max((tensor.numel() for tensor in tensors_in((args, kwargs, result))), default=0)


def n_bytes(func, args: Sequence[object], kwargs: Mapping[str, object], result: object) -> int:
    """Return the bytes that a call must read and write."""
    written = [_bytes(tensor) for tensor in tensors_in(result)]
    if func in _GATHERS:
        return 2 * sum(written) + sum(map(_bytes, _indices(args[1:])))
    if func in _SCATTERS:
        others = list(tensors_in((args[1:], kwargs)))
        values = max((_bytes(t) for t in others if t.dtype is not torch.int64), default=0)
        return sum(map(_bytes, others)) + 2 * values
    return sum(written) + sum(map(_bytes, tensors_in((args, kwargs))))


def tensors_in(value: object) -> Iterator[Tensor]:
    """Yield the tensors inside arguments or results."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from tensors_in(tuple(value.values()))
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part)


def _indices(args: Sequence[object]) -> Iterator[Tensor]:
    return (tensor for tensor in tensors_in(args) if tensor.dtype is torch.int64)


def _bytes(tensor: Tensor) -> int:
    """Return the distinct bytes of a tensor: of what overlaps or repeats, its storage."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())
