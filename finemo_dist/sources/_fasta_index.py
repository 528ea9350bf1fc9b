"""Whether a FASTA index beside its file belongs to that very file.

A ``.fai`` or ``.gzi`` has no checksum, and one that is off by a few bytes gives other bases without
a word. But the records of a FASTA file tile it: from the end of one sequence to the start of the
next there is one ``>`` line with its name, and after the last there is nothing. An index that does
not tile its file is made anew.

Formats: ``.fai`` and ``.gzi`` as ``samtools faidx`` and ``bgzip`` write them; BGZF as in the SAM
specification, section 4.1.
"""

import bisect
import gzip
import struct
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self, cast

_LONGEST_HEADER: Final = 1 << 20
_BLOCK_HEAD: Final = struct.Struct("<4s6xH2s2xH")
"""Magic, length of the extra field, its first subfield and the size of the block less one."""
_MAGIC: Final = b"\x1f\x8b\x08\x04"
_SUBFIELD: Final = b"BC"
_MAX_BLOCK_BYTES: Final = 1 << 16
_GZIP: Final = 31


class Text(Protocol):
    """The text of a FASTA file by offsets in it, however it is stored."""

    size: int

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to ``end``."""
        ...


def is_bgzipped(path: Path) -> bool:
    """Return whether a file is compressed by bgzip, which its first bytes say."""
    with path.open("rb") as handle:
        head = handle.read(_BLOCK_HEAD.size)
    if len(head) < _BLOCK_HEAD.size:
        return False
    magic, _, subfield, _ = _BLOCK_HEAD.unpack(head)
    return bool(magic == _MAGIC and subfield == _SUBFIELD)


def text_of(handle: BinaryIO, *, is_bgzf: bool) -> Text:
    """Return the text of an open FASTA file, to be read by offsets.

    Raises
    ------
    ValueError, struct.error
        It is not bgzipped, though it should be.
    """
    return _Bgzf(handle, *_find_blocks(handle)) if is_bgzf else _Plain(handle)


def build_index(path: Path, *, is_bgzf: bool) -> dict[str, bytes]:
    """Return the contents of the index files of a FASTA, by suffix, as samtools would write them.

    Blank lines between and after sequences are taken, as samtools takes them.

    Raises
    ------
    ValueError
        It is no FASTA of lines of equal length; says which line.
    """
    with gzip.open(path) if is_bgzf else path.open("rb") as lines:
        index = {".fai": _fai(cast("Iterable[bytes]", lines))}
    if is_bgzf:
        with path.open("rb") as handle:
            stored, offsets = _find_blocks(handle)
        pairs = list(zip(stored, offsets, strict=True))[1:-1]
        numbers = [len(pairs), *(number for pair in pairs for number in pair)]
        index[".gzi"] = struct.pack(f"<{len(numbers)}Q", *numbers)
    return index


@dataclass(slots=True)
class _Record:
    """One sequence as its lines come."""

    name: str
    offset: int
    length: int = 0
    line_bases: int = 0
    line_bytes: int = 0
    is_over: bool = False
    """Whether a line was shorter than the first, which only the last may be."""

    def add(self, n_bases: int, n_bytes: int) -> None:
        if not self.line_bases:
            self.line_bases, self.line_bytes = n_bases, n_bytes
        if self.is_over or n_bases > self.line_bases:
            raise ValueError(f"{self.name!r} has lines of unequal length")
        self.is_over = n_bases < self.line_bases or n_bytes != self.line_bytes
        self.length += n_bases


def _fai(lines: Iterable[bytes]) -> bytes:
    records: dict[str, _Record] = {}
    record: _Record | None = None
    position = 0
    for number, line in enumerate(lines, start=1):
        position += len(line)
        bases = line.rstrip(b"\r\n")
        try:
            if line.startswith(b">"):
                name = _name(line, records)
                record = records[name] = _Record(name, position)
            elif not bases:
                # What follows a blank line is not the same sequence any more.
                if record is not None and record.length:
                    record.is_over = True
            else:
                _begun(record).add(len(bases), len(line))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    rows = (
        f"{r.name}\t{r.length}\t{r.offset}\t{r.line_bases}\t{r.line_bytes}\n"
        for r in records.values()
    )
    return "".join(rows).encode()


def _begun(record: _Record | None) -> _Record:
    if record is None:
        raise ValueError("no '>' line before it")
    return record


def _name(line: bytes, known: Collection[str]) -> str:
    words = line[1:].split()
    if not words:
        raise ValueError("a '>' without a name")
    name = words[0].decode()
    if name in known:
        raise ValueError(f"the name {name!r} appears twice")
    return name


def index_fits(path: Path, index: dict[str, bytes]) -> bool:
    """Return whether the contents of the index files, by suffix, are those of a FASTA file."""
    with path.open("rb") as handle:
        try:
            text = _Plain(handle) if ".gzi" not in index else _Bgzf.open(handle, index[".gzi"])
            return text is not None and _tiles(text, index[".fai"])
        except (ValueError, ZeroDivisionError, struct.error, zlib.error):
            return False


def _tiles(text: Text, fai: bytes) -> bool:
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
