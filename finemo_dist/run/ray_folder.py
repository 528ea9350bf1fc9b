"""A folder short enough for Ray's sockets, which need not be where large files go.

A socket has a name of at most 107 bytes (unix(7)), and Ray puts its own below its folder:
``session_2026-01-02_03-04-05_678901_1234567/sockets/plasma_store``.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from finemo_dist.core.errors import RunError

LONGEST: Final = 41
"""Bytes of ``TMPDIR`` with which the names of Ray's sockets still fit."""
_SHORT: Final = ("/tmp", "/dev/shm", "/var/tmp")


@contextmanager
def short_folder() -> Iterator[str | None]:
    """Yield where Ray is to lie, removed afterwards; None where its own choice is short enough.

    Raises
    ------
    RunError
        No short folder can be written.
    """
    chosen = tempfile.gettempdir()
    if len(os.fsencode(chosen)) <= LONGEST:
        yield None
        return
    place = next((p for p in _SHORT if os.access(p, os.W_OK | os.X_OK)), None)
    if place is None:
        raise RunError(
            f"TMPDIR is {chosen}, of {len(os.fsencode(chosen))} bytes: sockets of several workers "
            f"need one of at most {LONGEST}, and none of {', '.join(_SHORT)} can be written. Name "
            "a shorter folder in TMPDIR, or use one worker (--workers 1)."
        )
    with tempfile.TemporaryDirectory(prefix="fd-", dir=place, ignore_cleanup_errors=True) as folder:
        yield folder
