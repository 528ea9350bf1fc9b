"""Values made ahead come as they would have come, errors included."""

import threading
import time

import pytest

from finemo_dist.core.ahead import ahead, mapped


@pytest.mark.parametrize("n_values", [1, 2, 5])
@pytest.mark.parametrize("n_there", [0, 1, 2, 7])
def test_all_values_come_in_order(n_values, n_there):
    assert list(ahead(iter(range(n_there)), n_values=n_values)) == list(range(n_there))


def test_the_next_value_is_made_while_the_last_is_worked_on():
    is_made = threading.Event()

    def values():
        yield 1
        is_made.set()
        yield 2

    for value in ahead(values()):
        if value == 1:
            assert is_made.wait(10)


def test_no_more_than_asked_for_are_made_ahead():
    made = []

    def values():
        for value in range(100):
            made.append(value)
            yield value

    taken = ahead(values(), n_values=3)
    next(taken)
    taken.close()

    assert len(made) <= 4


def test_what_is_raised_comes_after_the_values_before_it():
    def values():
        yield 1
        raise ValueError("the second")

    taken = ahead(values())

    assert next(taken) == 1
    with pytest.raises(ValueError, match="the second"):
        next(taken)


def test_whoever_stops_early_leaves_no_thread():
    taken = ahead(iter(range(10)))
    next(taken)
    taken.close()

    assert not [t for t in threading.enumerate() if t.name.startswith("finemo_dist-ahead")]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_the_order_of_their_values(n_threads):
    def slow_first(value):
        time.sleep(0.02 if not value % 3 else 0)
        return 10 * value

    assert list(mapped(slow_first, range(10), n_threads=n_threads)) == list(range(0, 100, 10))


def test_threads_work_side_by_side_and_no_further_ahead():
    together = threading.Barrier(2, timeout=240)
    taken = []

    def values():
        for value in range(8):
            taken.append(value)
            yield value

    results = mapped(lambda _: together.wait() >= 0, values(), n_threads=2)

    assert next(results)
    assert len(taken) == 3
    assert all(results)


def test_what_is_raised_in_a_thread_is_raised_in_its_turn():
    results = mapped(lambda value: 1 // value, [1, 0, 1])

    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
