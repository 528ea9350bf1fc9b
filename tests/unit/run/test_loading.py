"""Batches on their way to a device."""

import numpy as np
import pytest
import torch

from finemo_dist.run.loading import load_batches


class Store:
    """Regions whose bases and contributions say which they are."""

    def __init__(self):
        self.read_rows = []

    def read(self, first, last):
        self.read_rows.append((first, last))
        rows = np.arange(first, last)
        batch = type("Batch", (), {})()
        batch.sequence = np.repeat(rows[:, None].astype(np.uint8), 3, axis=1)
        batch.contributions = np.repeat(rows[:, None].astype(np.float32), 3, axis=1)
        return batch


@pytest.fixture
def sent(monkeypatch):
    """What reaches a device that is not there, in order."""
    found = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    to = torch.Tensor.to

    def send(tensor, device, *, non_blocking):
        assert non_blocking
        found.append(tensor[:, 0].tolist())
        return to(tensor, device)

    monkeypatch.setattr(torch.Tensor, "to", send)
    return found


def test_batches_reach_a_device_in_order_one_read_ahead(sent):
    store = Store()

    batches = load_batches(store, range(2, 9), size=3, device=torch.device("meta"))
    shapes = [tuple(part.shape) for batch in batches for part in batch]

    assert shapes == [(3, 3), (3, 3), (3, 3), (3, 3), (1, 3), (1, 3)]
    assert sent == [[2, 3, 4], [2, 3, 4], [5, 6, 7], [5, 6, 7], [8], [8]]
    assert store.read_rows == [(2, 5), (5, 8), (8, 9)]


def test_what_reading_raises_is_raised_where_its_batch_would_have_come(sent):
    store = Store()
    whole, store.read = store.read, None

    def read(first, last):
        if first == 5:
            raise OSError("gone")
        return whole(first, last)

    store.read = read
    batches = load_batches(store, range(2, 9), size=3, device=torch.device("meta"))

    next(batches)
    with pytest.raises(OSError, match="gone"):
        next(batches)


def test_a_cpu_reads_a_batch_when_it_is_asked_for():
    store = Store()
    batches = load_batches(store, range(6), size=3, device=torch.device("cpu"))

    sequence, contributions = next(batches)

    assert store.read_rows == [(0, 3)]
    assert sequence[:, 0].tolist() == contributions[:, 0].tolist() == [0, 1, 2]
