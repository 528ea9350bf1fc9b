"""From the store to the device, one batch at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor

from finemo_dist.core.ahead import ahead
from finemo_dist.core.protocols import RegionReader

Batch = tuple[Tensor, Tensor]
"""(R, L) uint8 codes and (R, L) or (R, 4, L) float32 contributions."""


def load_batches(
    store: RegionReader, rows: range, *, size: int, device: torch.device
) -> Iterator[Batch]:
    """Yield the regions of consecutive rows on the device, at most ``size`` at once, evenly.

    For a GPU the next batch is read into pinned memory and sent while the last is solved. A worker
    on a CPU has one core: a thread beside it would only take turns.

    Raises
    ------
    StoreError
        A file of the store is missing or damaged.
    """
    # Not full batches and a small rest: few regions take as long as many.
    even = max(1, -(-len(rows) // max(1, -(-len(rows) // size))))
    parts = [rows[first : first + even] for first in range(0, len(rows), even)]
    if device.type == "cpu":
        for part in parts:
            yield _read(store, part)
        return
    for pinned in ahead((_read_pinned(store, part) for part in parts), n_values=1):
        sequence, contributions = (part.to(device, non_blocking=True) for part in pinned)
        yield sequence, contributions


def _read(store: RegionReader, rows: range) -> Batch:
    batch = store.read(rows.start, rows.stop)
    return torch.from_numpy(batch.sequence), torch.from_numpy(batch.contributions)


def _read_pinned(store: RegionReader, rows: range) -> Batch:
    sequence, contributions = _read(store, rows)
    return sequence.pin_memory(), contributions.pin_memory()
