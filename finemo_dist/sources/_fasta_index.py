"""Whether a FASTA index that stands beside its file is of that very file.

A ``.fai`` or ``.gzi`` has no checksum, and one that is off by a few bytes gives other bases without
a word. But the records of a FASTA file tile it: from the end of one sequence to the start of the
next there is one ``>`` line with its name, and after the last there is nothing. An index that does
not tile its file is made anew.

Formats: ``.fai`` and ``.gzi`` as ``samtools faidx`` and ``bgzip`` write them; BGZF as in the SAM
specification, section 4.1.
"""

import bisect
import struct
import zlib
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

_LONGEST_HEADER: Final = 1 << 20
_BLOCK_HEAD: Final = struct.Struct("<4s6xH2s2xH")
"""Magic, length of the extra field, its first subfield and the size of the block less one."""
_MAGIC: Final = b"\x1f\x8b\x08\x04"
_SUBFIELD: Final = b"BC"
_MAX_BLOCK_BYTES: Final = 1 << 16
_GZIP: Final = 31


class _Text(Protocol):
    """The text of a FASTA file by offsets in it, however it is stored."""

    size: int

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to ``end``."""
        ...


def index_fits(path: Path, index: dict[str, bytes]) -> bool:
    """Return whether the contents of the index files, by suffix, are those of a FASTA file."""
    with path.open("rb") as handle:
        try:
            text = _Plain(handle) if ".gzi" not in index else _Bgzf.open(handle, index[".gzi"])
            return text is not None and _tiles(text, index[".fai"])
        except (ValueError, ZeroDivisionError, struct.error, zlib.error):
            return False


def _tiles(text: _Text, fai: bytes) -> bool:
    position = 0
    for line in fai.decode().rstrip("\n").split("\n"):
        name, *numbers = line.split("\t")
        length, offset, bases, bytes_ = (int(number) for number in numbers)
        longest = min(text.size, position + _LONGEST_HEADER)
        if not (position < offset <= longest and length >= 0):
            return False
        header = text.read(position, offset)
        words = header[:-1].decode().strip().removeprefix(">").split()
        is_header = header.strip().startswith(b">") and header.strip().count(b"\n") == 0
        if not is_header or not header.endswith(b"\n") or words[:1] != [name]:
            return False
        if length and not 0 < bases < bytes_ <= bases + 2:
            return False
        end = offset + length + (-(-length // bases) * (bytes_ - bases) if length else 0)
        # A sequence ends where a line ends; the last line of all need not.
        if length and end <= text.size and text.read(end - 1, end) != b"\n":
            return False
        position = end
    if position <= text.size:
        return not text.read(position, text.size).strip()
    return position - text.size <= 2 and not text.read(text.size - 1, text.size).isspace()


class _Plain:
    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.size = handle.seek(0, 2)

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to ``end``."""
        self._handle.seek(start)
        return self._handle.read(end - start)


class _Bgzf:
    def __init__(self, handle: BinaryIO, stored: list[int], offsets: list[int]) -> None:
        self._handle = handle
        self._stored = stored
        self._offsets = offsets
        self.size = offsets[-1]

    @classmethod
    def open(cls, handle: BinaryIO, gzi: bytes) -> Self | None:
        """Return the text; None if the blocks are not where the index has them."""
        stored, offsets = _find_blocks(handle)
        (n_blocks,) = struct.unpack_from("<Q", gzi)
        found = struct.unpack_from(f"<{2 * n_blocks}Q", gzi, 8) if n_blocks < len(stored) else ()
        if len(gzi) != 8 + 16 * n_blocks or len(found) != 2 * n_blocks:
            return None
        known = set(zip(stored, offsets, strict=True))
        pairs = list(zip(found[::2], found[1::2], strict=True))
        # The first block is left out, and by some also the empty one at the end.
        needed = {pair for pair in known if 0 < pair[1] < offsets[-1]}
        is_same = needed <= set(pairs) | {(0, 0)} and set(pairs) <= known and pairs == sorted(pairs)
        return cls(handle, stored, offsets) if is_same else None

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to ``end``."""
        if start >= end:
            return b""
        first = bisect.bisect_right(self._offsets, start) - 1
        last = bisect.bisect_left(self._offsets, end)
        self._handle.seek(self._stored[first])
        content = self._handle.read(self._stored[last] - self._stored[first])
        text = b""
        while content and len(text) < end - self._offsets[first]:
            inflater = zlib.decompressobj(_GZIP)
            text += inflater.decompress(content)
            content = inflater.unused_data
        return text[start - self._offsets[first] : end - self._offsets[first]]


def _find_blocks(handle: BinaryIO) -> tuple[list[int], list[int]]:
    """Return where each block begins, in the file and in the text, and at last where both end."""
    size = handle.seek(0, 2)
    stored, lengths = [0], []
    while stored[-1] < size:
        handle.seek(stored[-1])
        magic, _, subfield, n_bytes = _BLOCK_HEAD.unpack(handle.read(_BLOCK_HEAD.size))
        end = stored[-1] + n_bytes + 1
        if magic != _MAGIC or subfield != _SUBFIELD or end > size:
            raise ValueError("not bgzipped")
        handle.seek(end - 4)
        (length,) = struct.unpack("<I", handle.read(4))
        if length > _MAX_BLOCK_BYTES:
            raise ValueError("not bgzipped")
        stored.append(end)
        lengths.append(length)
    return stored, list(accumulate(lengths, initial=0))
