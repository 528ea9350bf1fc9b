"""Reading ahead: what comes next is made while what came last is worked on."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")
Result = TypeVar("Result")
_END: Final = object()


def ahead(values: Iterator[T], *, n_values: int = 2) -> Iterator[T]:
    """Yield what an iterator yields, ``n_values`` of them made ahead by a thread of their own.

    What the iterator raises is raised where its value would have been yielded.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="finemo_dist-ahead") as maker:
        coming: deque[Future[Any]] = deque(
            maker.submit(next, values, _END) for _ in range(n_values)
        )
        while (value := coming.popleft().result()) is not _END:
            coming.append(maker.submit(next, values, _END))
            yield value


def mapped(
    function: Callable[[T], Result], values: Iterable[T], *, n_threads: int = 2
) -> Iterator[Result]:
    """Yield what a function makes of values, in their order, each made by one of some threads.

    What the function raises is raised where its result would have been yielded.
    """
    with ThreadPoolExecutor(n_threads, thread_name_prefix="finemo_dist-mapped") as makers:
        coming: deque[Future[Result]] = deque()
        for value in values:
            coming.append(makers.submit(function, value))
            if len(coming) > n_threads:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
