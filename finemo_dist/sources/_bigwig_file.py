"""One bigWig: a check of its header, then values by pyBigWig."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError

_MAGIC = 0x888FFC26
_HEADER = struct.Struct("<IHHQQQHHQQIQ")
_ZOOM = struct.Struct("<IIQQ")


class BigWigFile:
    """Values of a bigWig, opened on first use; NaN where it has none.

    Raises
    ------
    InputError
        The file is missing, truncated, or no bigWig.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        _check_header(Path(path))
        self._handle: Any = None
        self.lengths: dict[str, int] = dict(self._open().chroms())

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_handle": None}

    def values(self, chrom: str, start: int, end: int) -> NDArray[np.float32]:
        """Return the values of bases ``start`` to ``end``.

        Raises
        ------
        InputError
            The file is damaged.
        """
        try:
            values: NDArray[np.float32] = self._open().values(chrom, start, end, numpy=True)
        except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
            raise InputError(
                f"{self.path}: damaged at {chrom}:{start}-{end} ({error}). Write or fetch it again."
            ) from error
        if len(values) != end - start:
            raise InputError(
                f"{self.path}: damaged at {chrom}:{start}-{end} ({len(values)} values). Write or "
                f"fetch it again."
            )
        return values

    def _open(self) -> Any:  # noqa: ANN401
        if self._handle is None:
            try:
                self._handle = pyBigWig.open(self.path)
            except (RuntimeError, ValueError, OverflowError, MemoryError) as error:
                raise InputError(
                    f"{self.path}: damaged or truncated bigWig ({error}). Write or fetch it again."
                ) from error
        return self._handle


def _check_header(path: Path) -> None:
    """Refuse what libBigWig would crash on: a file shorter than its header says."""
    try:
        size = path.stat().st_size
        with path.open("rb") as handle:
            head = handle.read(_HEADER.size)
            magic, _, n_zooms, *_ = fields = _HEADER.unpack(head.ljust(_HEADER.size, b"\0"))
            zooms = handle.read(n_zooms * _ZOOM.size) if magic == _MAGIC else b""
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    if magic != _MAGIC:
        raise InputError(
            f"{path}: not a bigWig (its first bytes are {head[:4]!r}). Give the contribution "
            f"scores as bigWig, or use the extract command of the format they are in."
        )
    offsets = [*fields[3:6], *fields[8:10], fields[11]]
    is_whole = len(head) == _HEADER.size and len(zooms) == n_zooms * _ZOOM.size
    if is_whole:
        offsets += [offset for zoom in _ZOOM.iter_unpack(zooms) for offset in zoom[2:]]
    if not is_whole or max(offsets) >= size:
        raise InputError(
            f"{path}: truncated bigWig: {size:,} bytes, while its header names an offset beyond. "
            f"Write or fetch it again."
        )
