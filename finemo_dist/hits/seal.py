"""A checksum of a whole Parquet file inside it.

Parquet sums its pages, if asked, and nothing else: neither the footer nor the statistics by which
readers skip rows, and DuckDB does not look at the sums. So a file is written with eight zeros in
its metadata and then sealed: the CRC-32 of all its bytes takes the place of the zeros.
"""

import zlib
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import RunError
from finemo_dist.core.system_errors import fault

_KEY: Final = b"finemo_dist_seal"
_MARK: Final = b"crc32:"
_ZEROS: Final = b"00000000"

UNSEALED: Final = {_KEY: _MARK + _ZEROS}
"""Metadata a file must be written with to be sealed."""


def seal(path: Path) -> None:
    """Put the checksum of a file, written with ``UNSEALED`` metadata, into it."""
    content = path.read_bytes()
    place = _place(content)
    assert place is not None, f"{path}: was not written to be sealed"
    with path.open("r+b") as handle:
        handle.seek(place)
        handle.write(_sum(content, place))


def check_seal(path: Path) -> None:
    """Refuse a file any byte of which is not as it was sealed; see ``sealed_bytes``."""
    sealed_bytes(path)


def sealed_bytes(path: Path) -> bytes:
    """Return a file every byte of which is as it was sealed.

    Raises
    ------
    RunError
        The file is damaged or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        what = f"{path}: cannot be read ({error.strerror or error})."
        raise fault(path, error, otherwise=what, kind=RunError) from error
    place = _place(content)
    if place is None or content[place : place + len(_ZEROS)] != _sum(content, place):
        raise RunError(
            f"{path}: is damaged: its bytes have changed since it was written (checksum). Rerun "
            "the "
            "same command to make it again."
        )
    return content


def _place(content: bytes) -> int | None:
    """Return where the checksum is: the key and, a few bytes on, the mark."""
    key = content.rfind(_KEY)
    mark = content.find(_MARK, key, key + len(_KEY) + 8) if key >= 0 else -1
    return mark + len(_MARK) if mark >= 0 else None


def _sum(content: bytes, place: int) -> bytes:
    view = memoryview(content)
    state = zlib.crc32(_ZEROS, zlib.crc32(view[:place]))
    return b"%08x" % zlib.crc32(view[place + len(_ZEROS) :], state)
