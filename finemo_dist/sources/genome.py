"""Bases of a genome as codes, from a plain or bgzipped FASTA."""

import logging
import struct
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, brief
from finemo_dist.core.records import UNKNOWN_BASE
from finemo_dist.core.system_errors import fault
from finemo_dist.sources._fasta_index import Text, build_index, index_fits, is_bgzipped, text_of
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import local_input
from finemo_dist.storage.text import what_else

logger = logging.getLogger(__name__)

_PIECE_BASES = 1 << 22
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


class Genome:
    """Chromosomes of a FASTA file, decoded when first asked for.

    A process decodes each chromosome once, to its place in one unnamed temporary file that is
    mapped into memory: peaks in any order read as fast as sorted ones, scaffolds by the ten
    thousand take no more open files than one chromosome, and nothing is left behind however the
    process ends. Sources of one genome share that file as long as one of them lives, so that a
    worker decodes a genome once for all samples.

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

    def codes(self, chrom: str) -> NDArray[np.uint8]:
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
                    key, _Decoded.of(file, _places(self._index), is_bgzf=self._is_bgzf)
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
        """Return where a base stands in the text."""
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


class _Decoded:
    """The bases of a genome, filled in chromosome by chromosome."""

    def __init__(self, text: Text, places: dict[str, _Place], codes: NDArray[np.uint8]) -> None:
        self._text = text
        self._places = places
        self._codes = codes
        self._whole: dict[str, NDArray[np.uint8]] = {}
        self._handle: Any = None

    @classmethod
    def of(cls, file: Path, places: dict[str, _Place], *, is_bgzf: bool) -> Self:
        """Return the bases of a file, none of which is decoded yet."""
        source = file.open("rb")
        handle = tempfile.TemporaryFile()  # noqa: SIM115  (as long as this object)
        n_bases = sum(place.length for place in places.values())
        try:
            # A hole as large as the genome: what is not asked for takes no room.
            with _room_for_bases():
                handle.truncate(max(n_bases, 1))
            codes = np.memmap(handle, dtype=np.uint8, mode="r", shape=(max(n_bases, 1),))
            decoded = cls(text_of(source, is_bgzf=is_bgzf), places, codes)
        except BaseException:
            source.close()
            handle.close()
            raise
        decoded._handle = handle
        weakref.finalize(decoded, source.close)
        weakref.finalize(decoded, handle.close)
        return decoded

    def codes(self, chrom: str) -> NDArray[np.uint8]:
        """Return the bases of a chromosome."""
        if chrom not in self._whole:
            place = self._places[chrom]
            self._decode(chrom, place)
            # As a plain array: a slice of a mapping takes four times as long.
            bases = self._codes[place.first : place.first + place.length]
            self._whole[chrom] = bases.view(np.ndarray)
        return self._whole[chrom]

    def _decode(self, chrom: str, place: _Place) -> None:
        for start in range(0, place.length, _PIECE_BASES):
            end = min(start + _PIECE_BASES, place.length)
            text = self._text.read(place.position(start), place.position(end - 1) + 1)
            codes = _CODE_OF_BYTE[np.frombuffer(text, dtype=np.uint8)]
            codes = codes[codes != _LINE_END]
            if len(codes) != end - start:
                raise ValueError(
                    f"{chrom} is not where the index says it is; delete the .fai beside it"
                )
            if codes.max() == _NOT_A_BASE:
                odd = bytes({byte for byte in text if _CODE_OF_BYTE[byte] == _NOT_A_BASE})
                raise ValueError(f"{chrom} holds {odd[:8]!r} where bases should be")
            # Written and not assigned: a full disk is an error here, and a crash in a mapping.
            self._write(codes.tobytes(), place.first + start)

    def _write(self, content: bytes, position: int) -> None:
        with _room_for_bases():
            self._handle.seek(position)
            self._handle.write(content)
            self._handle.flush()


_Key = tuple[Path, int, int, int, bytes]
_IN_USE: weakref.WeakValueDictionary[_Key, _Decoded] = weakref.WeakValueDictionary()
"""Genomes that some source of this process reads."""


def _content_key(file: Path, fai: bytes) -> _Key:
    """Return what tells a file from another, and from itself before it was changed."""
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
    """Refuse what is no FASTA by its first bytes, whatever its name."""
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
        # An index that stands there is stale but someone else's, so it stays as it is.
        if is_writable and not target.exists():
            with suppress(OSError), committed(target) as temporary:
                temporary.write_bytes(index[suffix])
    return index
