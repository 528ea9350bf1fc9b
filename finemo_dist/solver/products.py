"""Products of windows with the CWMs of a group, by whatever is quickest where it runs.

In projected modes a window has one value for each base. On a CPU with FBGEMM the product is then a
weighted sum of rows of the table of CWMs, an *embedding bag*: a quarter of the multiplications of a
matrix product. Elsewhere windows are gathered, four values for each base, and multiplied. Both are
float32 and only nominate, so answers do not depend on which it was.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from finemo_dist.core.records import UNKNOWN_BASE
from finemo_dist.solver.target import Target

_HAS_BAGS = {"cpu": "fbgemm" in torch.backends.quantized.supported_engines, "cuda": False}
"""FBGEMM is in builds of PyTorch for x86."""
_WINDOWS_PER_PRODUCT = {"cpu": 1 << 11, "cuda": 1 << 18}
"""Few enough to stay in a CPU's cache, or within a GPU's memory; enough to fill the product."""
_PRODUCTS_AT_ONCE = {"cpu": 4, "cuda": 1}
"""Compared with their thresholds together: each comparison is many small operations."""


class Windows(Protocol):
    """Windows over the values of R regions, which begin at any of their bases."""

    def times(self, table: Tensor, row: Tensor) -> Tensor:
        """Return products (N, G) float32.

        Parameters
        ----------
        table : (4 * W, G) float32
            CWMs of W columns, position by position, the four bases of each together.
        row : (N,) int64
            Where windows begin, counted over regions of L + A bases; at most ``windows_at_once``.
        """
        ...


def windows_at_once(device: torch.device) -> int:
    """Return how many windows are multiplied and compared together."""
    return _WINDOWS_PER_PRODUCT[device.type] * _PRODUCTS_AT_ONCE[device.type]


def base_codes(target: Target, padding: int) -> Tensor | None:
    """Return (R, L + padding) int32 codes 0-3 for windows that are bags; None where none are."""
    if target.sequence is None or not _HAS_BAGS[target.y.device.type]:
        return None
    # The value at an unknown base is zero, whatever its code.
    return functional.pad(target.sequence.int().clamp_(max=UNKNOWN_BASE - 1), (0, padding))


def windows_over(target: Target, values: Tensor, codes: Tensor | None) -> Windows:
    """Return the windows over values (R, L + A, C) float32, zero at unknown bases and past L."""
    if codes is None:
        return _Gathered(target.by_base(values))
    return _Bags(codes.flatten(), values.flatten())


def sliding(values: Tensor, width: int) -> Tensor:
    """View (T, ...) contiguous values as (T - width + 1, width * ...) overlapping windows."""
    n_values = values.shape[1:].numel()
    n_windows = len(values) - width + 1
    return values.as_strided((n_windows, width * n_values), (n_values, 1))


@dataclass(frozen=True, slots=True)
class _Bags:
    code: Tensor
    """(T,) int32."""
    value: Tensor
    """(T,) float32."""

    def times(self, table: Tensor, row: Tensor) -> Tensor:
        width = len(table) // 4
        index = sliding(self.code, width).index_select(0, row)
        index += torch.arange(0, 4 * width, 4, dtype=torch.int32)
        value = sliding(self.value, width).index_select(0, row)
        return functional.embedding_bag(index, table, mode="sum", per_sample_weights=value)


@dataclass(frozen=True, slots=True)
class _Gathered:
    data: Tensor
    """(R, L + A, 4) float32."""

    def times(self, table: Tensor, row: Tensor) -> Tensor:
        size = min(_WINDOWS_PER_PRODUCT[row.device.type], len(row))
        slices = sliding(self.data.flatten(0, 1), len(table) // 4)
        window = slices.new_empty(size, len(table))
        products = slices.new_empty(len(row), table.shape[1])
        for part, out in zip(torch.split(row, size), torch.split(products, size), strict=True):
            torch.index_select(slices, 0, part, out=window[: len(part)])
            torch.mm(window[: len(part)], table, out=out)
        return products
