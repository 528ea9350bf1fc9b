"""One bigWig: a check of its header, then values by pybigtools.

The layout is that of Kent et al., "BigWig and BigBed", Bioinformatics 26(17), 2010, supplement.
"""

import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pybigtools
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, brief
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.locations import local_copy, local_input, location

_MAGIC = 0x888FFC26
_HEADER = struct.Struct("<IHHQQQHHQQIQ")
_ZOOM = struct.Struct("<IIQQ")
_TREE = struct.Struct("<IIIIQQ")
_NODE = struct.Struct("<BBH")
_CHROM = struct.Struct("<II")
_MOST_LEVELS = 32
"""Of the tree of chromosomes; a node has at least two below it."""
_TREE_MAGIC = 0x78CA8C91
_INDEX_MAGIC = 0x2468ACE0


class BigWigFile:
    """Values of a bigWig, opened on first use.

    Raises
    ------
    InputError
        The file is missing, truncated, or no bigWig.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        _check_header(location(path))
        self._handle: Any = None
        self.lengths: dict[str, int] = dict(self._open().chroms())

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_handle": None}

    def read_into(self, values: NDArray[np.float64], chrom: str, start: int, end: int) -> None:
        """Fill ``values`` (B,) with those of bases ``start`` to ``end``; 0 where there is none.

        A NaN that was written stays.

        Raises
        ------
        InputError
            The file is damaged.
        """
        handle = self._open()
        try:
            handle.values(chrom, start, end, fillna=0.0, arr=values)
        except BaseException as error:
            raise _damaged(self.path, error, f"damaged at {chrom}:{start}-{end}") from error

    def _open(self) -> Any:  # noqa: ANN401
        if self._handle is None:
            try:
                self._handle = pybigtools.open(str(local_input(self.path)))
            except BaseException as error:
                raise _damaged(self.path, error, "damaged or truncated bigWig") from error
        return self._handle


def _damaged(path: str, error: BaseException, what: str) -> BaseException:
    """Return what to raise; Rust's panics are no ``Exception``, and have no public class."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        return error
    said = f"{path}: {what} ({brief(error)}). Write or fetch it again."
    return fault(path, error, otherwise=said, kind=InputError)


def _check_header(path: Path) -> None:
    """Refuse files that crash readers, which follow the header without checking it."""
    try:
        file = local_copy(path)
        with file.open("rb") as handle:
            problem = _problem(handle, file.stat().st_size)
    except OSError as error:
        what = f"{path}: cannot be read ({error.strerror or error}). Check the path."
        raise fault(path, error, otherwise=what, kind=InputError) from error
    if problem:
        raise InputError(f"{path}: {problem}")


def _problem(handle: BinaryIO, size: int) -> str | None:
    """Return what is wrong with the header, its offsets or the blocks at them."""
    head = handle.read(_HEADER.size)
    magic, _, n_zooms, *_ = fields = _HEADER.unpack(head.ljust(_HEADER.size, b"\0"))
    if magic != _MAGIC:
        return (
            f"not a bigWig (its first bytes are {head[:4]!r}). Give the contribution scores as "
            "bigWig, or use the extract command of the format they are in."
        )
    zooms = handle.read(n_zooms * _ZOOM.size)
    is_whole = len(head) == _HEADER.size and len(zooms) == n_zooms * _ZOOM.size
    levels = list(_ZOOM.iter_unpack(zooms)) if is_whole else []
    offsets = [*fields[3:6], *fields[8:10], fields[11], *(o for level in levels for o in level[2:])]
    if not is_whole or max(offsets) >= size:
        return (
            f"truncated bigWig: {size:,} bytes, but its header names an offset beyond them. "
            "Write or fetch it again."
        )
    indexes = [fields[5], *(level[3] for level in levels)]
    if not _has_magic(handle, _TREE_MAGIC, fields[3]) or not all(
        _has_magic(handle, _INDEX_MAGIC, offset) for offset in indexes
    ):
        return (
            "damaged bigWig: its chromosomes or an index are not where its header says they are. "
            "Write or fetch it again."
        )
    if not _has_whole_chromosomes(handle, fields[3], size):
        return "damaged bigWig: its list of chromosomes is not one. Write or fetch it again."
    return None


def _has_whole_chromosomes(handle: BinaryIO, offset: int, size: int) -> bool:
    """Return whether the B+ tree of chromosomes numbers each of them once, from 0.

    Readers look blocks up by these numbers; libBigWig writes to the places that they name.
    """
    handle.seek(offset)
    head = handle.read(_TREE.size)
    if len(head) < _TREE.size:
        return False
    _, _, key_bytes, value_bytes, n_chroms, _ = _TREE.unpack(head)
    if value_bytes != _CHROM.size or key_bytes > size or n_chroms > size:
        return False
    found: list[int] = []
    nodes = [(offset + _TREE.size, _MOST_LEVELS)]
    while nodes:
        at, n_levels = nodes.pop()
        handle.seek(at)
        head = handle.read(_NODE.size)
        if len(head) < _NODE.size or not n_levels:
            return False
        is_leaf, _, n_entries = _NODE.unpack(head)
        # Eight bytes follow each name: number and length here, or where a node is.
        entries = handle.read(n_entries * (key_bytes + _CHROM.size))
        if len(entries) < n_entries * (key_bytes + _CHROM.size):
            return False
        values = [
            entries[i + key_bytes : i + key_bytes + _CHROM.size]
            for i in range(0, len(entries), key_bytes + _CHROM.size)
        ]
        if is_leaf:
            found += [_CHROM.unpack(value)[0] for value in values]
        else:
            nodes += [(int.from_bytes(value, "little"), n_levels - 1) for value in values]
        if len(found) > n_chroms or len(nodes) > n_chroms:
            return False
    return sorted(found) == list(range(n_chroms))


def _has_magic(handle: BinaryIO, magic: int, offset: int) -> bool:
    handle.seek(offset)
    return handle.read(4) == magic.to_bytes(4, "little")
