"""Bases of a genome as codes, from a plain or bgzipped FASTA."""

import logging
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyfaidx
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import UNKNOWN_BASE
from finemo_dist.sources._fasta_index import index_fits
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import local_input

logger = logging.getLogger(__name__)

_PIECE_BASES = 1 << 22
_NOT_A_BASE = 255
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
    pyfaidx.FastaIndexingError,
    pyfaidx.FetchError,
    pyfaidx.UnsupportedCompressionFormat,
)


def _code_of_byte() -> NDArray[np.uint8]:
    table = np.full(256, _NOT_A_BASE, dtype=np.uint8)
    for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*-.?":
        table[letter] = UNKNOWN_BASE
    for code, letters in enumerate((b"Aa", b"Cc", b"Gg", b"Tt")):
        table[list(letters)] = code
    return table


_CODE_OF_BYTE = _code_of_byte()


class Genome:
    """Chromosomes of a FASTA file, decoded when first asked for.

    Each process decodes a chromosome once, into an unnamed temporary file that is mapped into
    memory: peaks in any order read as fast as sorted ones, and nothing is left behind however the
    process ends.

    Raises
    ------
    InputError
        The file is missing, is not FASTA, or is compressed by anything but bgzip.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._codes: dict[str, NDArray[np.uint8]] = {}
        file = local_input(path)
        if not file.is_file():
            raise InputError(
                f"{path}: no such file. Expected a genome as FASTA, plain or bgzipped."
            )
        with _errors_named(self.path):
            self._index = _read_index(file)
            with closing(_open(file, self._index)) as faidx:
                self.lengths = {name: int(entry.rlen) for name, entry in faidx.index.items()}
            if not self.lengths:
                raise ValueError("it has no '>' line")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_codes": {}}

    def codes(self, chrom: str) -> NDArray[np.uint8]:
        """Return all bases of a chromosome: 0-3 for A, C, G, T in either case, 4 for any other.

        Raises
        ------
        InputError
            The file is damaged, or changed after it was opened.
        """
        if chrom not in self._codes:
            with (
                _errors_named(self.path),
                closing(_open(local_input(self.path), self._index)) as faidx,
            ):
                self._codes[chrom] = _decode(faidx, chrom, self.lengths[chrom])
        return self._codes[chrom]


@contextmanager
def _errors_named(path: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise InputError(
            f"{path}: cannot be read as FASTA ({error}). Expected lines of equal length under a "
            f"'>' line for each chromosome, plain or compressed by bgzip (not gzip)."
        ) from error


def _read_index(path: Path) -> dict[str, bytes]:
    """Return the contents of the index files by suffix, made if there are none that fit."""
    suffixes = (".fai", ".gzi") if path.suffix.lower() in {".gz", ".bgz"} else (".fai",)
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
    index = _build_index(path, suffixes)
    # The mode is asked because root could write into a folder that is marked read-only.
    is_writable = bool(path.parent.stat().st_mode & _ANY_WRITE_BIT)
    for suffix, target in beside.items():
        # An index that stands there is stale but someone else's, so it stays as it is.
        if is_writable and not target.exists():
            with suppress(OSError), committed(target) as temporary:
                temporary.write_bytes(index[suffix])
    return index


def _build_index(path: Path, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="finemo_dist-") as folder:
        link = Path(folder, path.name)
        link.symlink_to(path.resolve())
        pyfaidx.Faidx(str(link)).close()
        return {suffix: link.with_name(link.name + suffix).read_bytes() for suffix in suffixes}


def _open(path: Path, index: dict[str, bytes]) -> Any:  # noqa: ANN401
    """Open through a link in a private folder that holds the index; both are read at once."""
    with tempfile.TemporaryDirectory(prefix="finemo_dist-") as folder:
        link = Path(folder, path.name)
        link.symlink_to(path.resolve())
        for suffix, content in index.items():
            link.with_name(link.name + suffix).write_bytes(content)
        return pyfaidx.Faidx(str(link), as_raw=True)


def _decode(faidx: Any, chrom: str, length: int) -> NDArray[np.uint8]:  # noqa: ANN401
    if not length:
        return np.empty(0, dtype=np.uint8)
    with tempfile.TemporaryFile() as handle:
        for start in range(0, length, _PIECE_BASES):
            end = min(start + _PIECE_BASES, length)
            text = faidx.fetch(chrom, start + 1, end).encode()
            codes = _CODE_OF_BYTE[np.frombuffer(text, dtype=np.uint8)]
            if len(codes) != end - start or codes.max() == _NOT_A_BASE:
                raise ValueError(
                    f"{chrom} does not lie where the index has it; delete the .fai beside it"
                )
            # Written and then mapped: a full disk is an error here, and a crash in a mapping.
            _write_temporary(handle, codes.tobytes(), chrom)
        return np.memmap(handle, dtype=np.uint8, mode="r", shape=(length,))


def _write_temporary(handle: IO[bytes], content: bytes, chrom: str) -> None:
    try:
        handle.write(content)
        handle.flush()
    except OSError as error:
        raise InputError(
            f"{tempfile.gettempdir()}: cannot hold the bases of {chrom}, one byte each, while they "
            f"are read ({error.strerror}). Free some space there, or name another folder in TMPDIR."
        ) from error
