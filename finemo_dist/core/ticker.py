"""Doing something again and again while other work goes on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_PATIENCE_S: Final = 2.0


@contextmanager
def every(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Call a function every so many seconds, from a thread of its own, while the context is open.

    ``act`` must not raise.
    """
    is_over = threading.Event()

    def tick() -> None:
        while not is_over.wait(seconds):
            act()

    thread = threading.Thread(target=tick, name="finemo_dist-ticker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        # A disk that does not answer must not keep the program from ending.
        thread.join(_PATIENCE_S)
