"""Bases of a genome as codes, from a plain or bgzipped FASTA."""

import fcntl
import logging
import os
import shutil
import struct
import tempfile
import threading
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import InputError, brief
from finemo_dist.core.memory import readable
from finemo_dist.core.records import UNKNOWN_BASE
from finemo_dist.core.system_errors import fault
from finemo_dist.sources._fasta_index import Text, build_index, index_fits, is_bgzipped, text_of
from finemo_dist.sources.shared_file import shared_file
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import local_input
from finemo_dist.storage.text import what_else

logger = logging.getLogger(__name__)

_PIECE_BASES = 1 << 22
_SPARE_BYTES = 256 << 20
"""Of the temporary folder, which are left to others."""
_IS_WHOLE: Final = b"\x01"
_GZIP: Final = b"\x1f\x8b"
_MARK: Final = b"\xef\xbb\xbf"
_NOT_A_BASE = 255
_LINE_END = 254
_ANY_WRITE_BIT = 0o222
_DAMAGE = (
    OSError,
    ValueError,
    RuntimeError,
    EOFError,
    KeyError,
    OverflowError,
    MemoryError,
    IndexError,
    zlib.error,
    struct.error,
)


def _code_of_byte() -> NDArray[np.uint8]:
    table = np.full(256, _NOT_A_BASE, dtype=np.uint8)
    for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*-.?":
        table[letter] = UNKNOWN_BASE
    table[list(b"\r\n")] = _LINE_END
    for code, letters in enumerate((b"Aa", b"Cc", b"Gg", b"Tt")):
        table[list(letters)] = code
    return table


_CODE_OF_BYTE = _code_of_byte()


class Bases(Protocol):
    """The bases of a chromosome as codes."""

    def __getitem__(self, part: slice) -> NDArray[np.uint8]:
        """Return those of a range."""
        ...


class Genome:
    """Chromosomes of a FASTA file, decoded when first asked for.

    Each chromosome is decoded once, to its place in one unnamed temporary file that is mapped into
    memory: peaks in any order read as fast as sorted ones, scaffolds by the ten thousand take no
    more open files than one chromosome, and no base is left behind however a process ends. All
    processes of a user on one machine share that file as long as one of them has it, so that a
    node decodes a genome once for all workers and samples (``shared_file.py``). Where the
    temporary folder has no room, bases are decoded region by region.

    Raises
    ------
    InputError
        The file is missing, is not FASTA, or is compressed by anything but bgzip.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        file = local_input(path)
        if not file.is_file():
            raise InputError(
                f"{path}: no such file. Expected a genome as FASTA, plain or bgzipped."
            )
        with _errors_named(self.path):
            _refuse_other_forms(file)
            self._is_bgzf = is_bgzipped(file)
            self._index = _read_index(file, is_bgzf=self._is_bgzf)[".fai"]
            self.lengths = {name: place.length for name, place in _places(self._index).items()}
            self._decoded = _IN_USE.get(_content_key(file, self._index))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_decoded": None}

    def codes(self, chrom: str) -> Bases:
        """Return all bases of a chromosome: 0-3 for A, C, G, T in either case, 4 for any other.

        Raises
        ------
        InputError
            The file is damaged, or changed after it was opened.
        """
        with _errors_named(self.path):
            if self._decoded is None:
                file = local_input(self.path)
                key = _content_key(file, self._index)
                self._decoded = _IN_USE.get(key) or _IN_USE.setdefault(
                    key, _Decoded.of(file, key, _places(self._index), is_bgzf=self._is_bgzf)
                )
            return self._decoded.codes(chrom)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a chromosome lies in the text of a FASTA: a line of its index."""

    length: int
    offset: int
    line_bases: int
    line_bytes: int
    first: int
    """Bases of all chromosomes before it: its place in the file of decoded bases."""

    def position(self, base: int) -> int:
        """Return the offset of a base in the text."""
        n_lines, rest = divmod(base, self.line_bases)
        return self.offset + n_lines * self.line_bytes + rest


def _places(fai: bytes) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    n_bases = 0
    for line in fai.decode().splitlines():
        name, *numbers = line.split("\t")
        length, offset, line_bases, line_bytes = (int(number) for number in numbers[:4])
        places[name] = _Place(length, offset, line_bases, line_bytes, n_bases)
        n_bases += length
    return places


class _OnDemand:
    """The bases of a chromosome, decoded where they are asked for."""

    def __init__(self, text: Text, chrom: str, place: _Place) -> None:
        self._text = text
        self._chrom = chrom
        self._place = place

    def __getitem__(self, part: slice) -> NDArray[np.uint8]:
        start, end, _ = part.indices(self._place.length)
        return _decoded(self._text, self._chrom, self._place, start, end)


class _Decoded:
    """The bases of a genome, filled in chromosome by chromosome.

    They are one file of the node, of a byte for each base and then one for each chromosome, which
    says that it is whole. Whoever decodes a chromosome has a lock on that byte.
    """

    def __init__(
        self, text: Text, places: dict[str, _Place], handle: IO[bytes], n_bases: int
    ) -> None:
        self._text = text
        self._places = places
        self._handle = handle
        self._first_flag = n_bases
        self._rank = {chrom: i for i, chrom in enumerate(places)}
        self._codes = np.memmap(handle, dtype=np.uint8, mode="r", shape=(max(n_bases, 1),))
        self._whole: dict[str, Bases] = {}
        self._turn = threading.Lock()

    @classmethod
    def of(cls, file: Path, key: "_Key", places: dict[str, _Place], *, is_bgzf: bool) -> Self:
        """Return the bases of a file, of which others may have decoded some."""
        source = file.open("rb")
        n_bases = sum(place.length for place in places.values())
        try:
            with _room_for_bases():
                handle = shared_file(digest_of(list(map(str, key))), max(n_bases, 1) + len(places))
            decoded = cls(text_of(source, is_bgzf=is_bgzf), places, handle, n_bases)
        except BaseException:
            source.close()
            raise
        weakref.finalize(decoded, source.close)
        weakref.finalize(decoded, handle.close)
        return decoded

    def codes(self, chrom: str) -> Bases:
        """Return the bases of a chromosome."""
        with self._turn:
            if chrom not in self._whole:
                self._whole[chrom] = self._filled(chrom, self._places[chrom])
            return self._whole[chrom]

    def _filled(self, chrom: str, place: _Place) -> Bases:
        flag = max(self._first_flag, 1) + self._rank[chrom]
        with _locked(self._handle, flag):
            if os.pread(self._handle.fileno(), 1, flag) != _IS_WHOLE:
                if not self._has_room(place):
                    return _OnDemand(self._text, chrom, place)
                self._decode(chrom, place)
                os.pwrite(self._handle.fileno(), _IS_WHOLE, flag)
        # As a plain array: a slice of a mapping takes four times as long.
        return self._codes[place.first : place.first + place.length].view(np.ndarray)

    def _has_room(self, place: _Place) -> bool:
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if free >= place.length + _SPARE_BYTES:
            return True
        logger.warning(
            "%s (TMPDIR): has no room for the bases of a chromosome (%s are free); they are read "
            "region by region, which is slower. Set TMPDIR to a larger disk.",
            folder, readable(free),
        )  # fmt: skip
        return False

    def _decode(self, chrom: str, place: _Place) -> None:
        for start in range(0, place.length, _PIECE_BASES):
            end = min(start + _PIECE_BASES, place.length)
            codes = _decoded(self._text, chrom, place, start, end)
            # Written and not assigned: a full disk is an error here, and a crash in a mapping.
            with _room_for_bases():
                written, position = memoryview(codes.tobytes()), place.first + start
                while written:
                    n_bytes = os.pwrite(self._handle.fileno(), written, position)
                    written, position = written[n_bytes:], position + n_bytes


def _decoded(text: Text, chrom: str, place: _Place, start: int, end: int) -> NDArray[np.uint8]:
    """Return the codes of some bases of a chromosome."""
    if start >= end:
        return np.zeros(0, np.uint8)
    stored = text.read(place.position(start), place.position(end - 1) + 1)
    codes: NDArray[np.uint8] = _CODE_OF_BYTE[np.frombuffer(stored, dtype=np.uint8)]
    codes = codes[codes != _LINE_END]
    if len(codes) != end - start:
        raise ValueError(f"{chrom} is not where the index says it is; delete the .fai beside it")
    if codes.max() == _NOT_A_BASE:
        odd = bytes({byte for byte in stored if _CODE_OF_BYTE[byte] == _NOT_A_BASE})
        raise ValueError(f"{chrom} holds {odd[:8]!r} where bases should be")
    return codes


@contextmanager
def _locked(handle: IO[bytes], position: int) -> Iterator[None]:
    """Hold a lock on a byte of a file against other processes."""
    fcntl.lockf(handle, fcntl.LOCK_EX, 1, position)
    try:
        yield
    finally:
        fcntl.lockf(handle, fcntl.LOCK_UN, 1, position)


_Key = tuple[Path, int, int, int, bytes]
_IN_USE: weakref.WeakValueDictionary[_Key, _Decoded] = weakref.WeakValueDictionary()
"""Genomes that some source of this process reads."""


def _content_key(file: Path, fai: bytes) -> _Key:
    """Return a key that differs between files, and changes when a file changes."""
    stat = file.stat()
    return file.resolve(), stat.st_ino, stat.st_size, stat.st_mtime_ns, fai


@contextmanager
def _room_for_bases() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f"{tempfile.gettempdir()} (TMPDIR), where bases are kept while a genome is read"
        what = f"{where}: cannot be written ({error})."
        raise fault(where, error, otherwise=what, kind=InputError, doing="written") from error


@contextmanager
def _errors_named(path: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        what = (
            f"{path}: cannot be read as FASTA ({brief(error)}). Expected lines of equal length "
            "under a '>' line for each chromosome, plain or compressed by bgzip (not gzip)."
        )
        raise fault(path, error, otherwise=what, kind=InputError) from error


def _refuse_other_forms(file: Path) -> None:
    """Refuse a file whose first bytes are not those of a FASTA, whatever its name."""
    with file.open("rb") as handle:
        head = handle.read(32)
    if (said := what_else(head)) is not None:
        raise ValueError(f"it is {said[0]}: {said[1].rstrip('.')}")
    if head.startswith(_MARK):
        raise ValueError(
            "it begins with a byte order mark, so no index fits it: remove the mark, for example "
            "with "
            "`tail -c +4`"
        )
    if head.startswith(_GZIP) and not is_bgzipped(file):
        raise ValueError("it is compressed by gzip: `gunzip` it and compress it with `bgzip`")


def _read_index(path: Path, *, is_bgzf: bool) -> dict[str, bytes]:
    """Return the contents of the index files by suffix, made if there are none that fit."""
    suffixes = (".fai", ".gzi") if is_bgzf else (".fai",)
    beside = {suffix: path.with_name(path.name + suffix) for suffix in suffixes}
    made_at = path.stat().st_mtime
    if all(p.is_file() and p.stat().st_mtime >= made_at for p in beside.values()):
        standing = {suffix: p.read_bytes() for suffix, p in beside.items()}
        if index_fits(path, standing):
            return standing
        logger.warning(
            "%s: does not describe %s (damaged, or of another file); a new index is used. "
            "Remove it to have the new one kept.",
            beside[".fai"],
            path.name,
        )
    index = build_index(path, is_bgzf=is_bgzf)
    if not index[".fai"]:
        # Before it is written: an index of nothing would outlive the damaged file.
        raise ValueError("it has no '>' line")
    # The mode is asked because root could write into a folder that is marked read-only.
    is_writable = bool(path.parent.stat().st_mode & _ANY_WRITE_BIT)
    for suffix, target in beside.items():
        # An index that exists is stale, but it is someone else's: leave it as it is.
        if is_writable and not target.exists():
            with suppress(OSError), committed(target) as temporary:
                temporary.write_bytes(index[suffix])
    return index
