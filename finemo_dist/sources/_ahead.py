"""Rows of an array read ahead: a member of an npz file is inflated while rows before are used."""

import weakref
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from finemo_dist.sources._npz import FileArray


@dataclass(frozen=True, slots=True)
class _Coming:
    """Rows that a thread reads."""

    start: int
    stop: int
    rows: "Future[NDArray[Any]]"


class AheadArray:
    """An array that is read from front to back, one block ahead in a thread of its own.

    Each array has its own thread, so that the members of one file are inflated side by side. In any
    other order the rows are the same, but come no sooner than without a thread.
    """

    def __init__(self, array: FileArray) -> None:
        self._array = array
        self.path = array.path
        self.shape = array.shape
        self._thread: ThreadPoolExecutor | None = None
        self._coming: _Coming | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_thread": None, "_coming": None}

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows ``start`` to ``stop``, and have as many that follow read meanwhile.

        Raises
        ------
        InputError
            The file is damaged in these rows.
        """
        coming, self._coming = self._coming, None
        if coming is not None and (coming.start, coming.stop) == (start, stop):
            rows = coming.rows.result()
        else:
            if coming is not None:
                # The array is a stream, which only one thread may read at a time.
                wait([coming.rows])
            rows = self._array.read(start, stop)
        self._read_on(stop, min(self.shape[0], 2 * stop - start))
        return rows

    def _read_on(self, start: int, stop: int) -> None:
        if start >= stop:
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="finemo_dist-npz")
            weakref.finalize(self, self._thread.shutdown, wait=False)
        self._coming = _Coming(start, stop, self._thread.submit(self._array.read, start, stop))
