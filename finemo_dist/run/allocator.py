"""Memory that a worker frees stays with its process.

glibc gives freed memory at the top of its heap back to the system, and every array of the next
batch is then faulted in anew, page by page: a fifth of the time of a solver on a CPU.
"""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
"""Parameters of ``mallopt(3)``."""
_KEPT_BYTES: Final = 256 << 20
"""Three times what a batch takes."""
_LARGEST_ARRAY_BYTES: Final = 32 << 20
"""The most that glibc takes; larger arrays still come from the system and go back to it."""


def keep_freed_memory() -> None:
    """Tell the C library to keep freed memory for the next batch, where it can be told."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # macOS and musl have none
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_ARRAY_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
