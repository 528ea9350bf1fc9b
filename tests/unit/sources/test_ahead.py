"""Rows read ahead are the rows of the array, whatever the order in which they are asked for."""

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.sources._ahead import AheadArray
from finemo_dist.sources._npz import NpzArray

N_ROWS = 40
RANGES = [(0, 8), (8, 16), (16, 24), (32, 40), (24, 32), (0, 8), (8, 10), (10, 12), (36, 40)]


@pytest.fixture
def member(tmp_path: Path) -> tuple[Path, np.ndarray]:
    values = np.random.default_rng(0).integers(0, 100, size=(N_ROWS, 3, 5), dtype=np.int16)
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=values)
    return path, values


def test_rows_are_those_of_the_array_in_any_order(member: tuple[Path, np.ndarray]) -> None:
    path, values = member
    array = AheadArray(NpzArray(path, "a"))
    assert array.shape == values.shape
    for start, stop in RANGES:
        np.testing.assert_array_equal(array.read(start, stop), values[start:stop])


def test_the_block_that_follows_is_read_before_it_is_asked_for() -> None:
    asked, follows = [], threading.Event()

    class Recorded:
        path, shape = "recorded", (20, 2)

        def read(self, start: int, stop: int) -> np.ndarray:
            asked.append((start, stop, threading.current_thread() is threading.main_thread()))
            if len(asked) > 1:
                follows.set()
            return np.zeros((stop - start, 2))

    array = AheadArray(Recorded())
    array.read(0, 15)
    assert follows.wait(10), "nothing was read ahead"
    array.read(15, 20)
    # No row is read twice, and none beyond the end.
    assert asked == [(0, 15, True), (15, 20, False)]


def test_damage_is_told_where_its_rows_are_asked_for(member: tuple[Path, np.ndarray]) -> None:
    path, values = member

    class Damaged(NpzArray):
        def read(self, start: int, stop: int) -> np.ndarray:
            if stop > 16:
                raise InputError("damaged")
            return super().read(start, stop)

    array = AheadArray(Damaged(path, "a"))
    for start in (0, 8):
        np.testing.assert_array_equal(array.read(start, start + 8), values[start : start + 8])
    with pytest.raises(InputError, match="damaged"):
        array.read(16, 24)
    # Another order leaves the error of the rows that nobody wants unheard.
    array.read(8, 16)
    np.testing.assert_array_equal(array.read(0, 8), values[:8])


def test_it_is_sent_to_another_process_at_any_time(member: tuple[Path, np.ndarray]) -> None:
    path, values = member
    array = AheadArray(NpzArray(path, "a"))
    array.read(0, 8)
    copy = pickle.loads(pickle.dumps(array))
    np.testing.assert_array_equal(copy.read(8, 16), values[8:16])
