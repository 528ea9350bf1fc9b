"""Which hit is the best of those that overlap: finemo's ``collapse-hits``, for files and runs."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import chromosome_chunks
from finemo_dist.catalog.hit_file import HitFile, open_hit_file
from finemo_dist.catalog.staging import Staging, pieces
from finemo_dist.core.errors import InputError
from finemo_dist.core.files import committed
from finemo_dist.core.schema import DEFAULT_OVERLAP, FINEMO_HIT_COLUMNS

_MILLION: Final = 1_000_000
_BLOCK_BYTES: Final = 1 << 20
_PRIMARY: Final = "is_primary"
_IS_PRIMARY: Final = b"\t1\n"


@dataclass(frozen=True, slots=True)
class CollapseSummary:
    """How many hits there were and how many of them are primary."""

    n_hits: int
    n_primary: int


def overlap_ppm(overlap: float) -> int:
    """Return a share as whole millionths, so that overlaps compare as integers."""
    return round(Fraction(repr(overlap)) * _MILLION)


def collapse_file(
    path: str | Path,
    out: str | Path,
    *,
    overlap: float = DEFAULT_OVERLAP,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> CollapseSummary:
    """Write a table of hits again, line by line as it is, with the column ``is_primary``.

    A hit is primary when no overlapping hit beats it; ``queries/collapse.sql`` has the rule. It
    does not depend on the order of the lines, which is kept.

    Parameters
    ----------
    path
        finemo's ``hits.tsv`` or ``hits_unique.tsv``, plain or gzipped.
    out
        The TSV to write, whole or not at all; gzipped where its name ends in ``.gz``.
    overlap
        Share, 0 to 1, of the mean length of two hits from which on they overlap; to the millionth.
    memory_limit, threads
        For DuckDB; beyond the limit it spills to temporary files.

    Raises
    ------
    InputError
        The file is not a table of hits.
    """
    file = open_hit_file(path)
    if _PRIMARY in file.columns:
        raise InputError(
            f"{path}: has a column {_PRIMARY!r} already. Give the hits.tsv it was made from."
        )
    with Staging(memory_limit=memory_limit, threads=threads) as staging:
        flags = _flags(staging, file, overlap_ppm(overlap))
    _write_flagged(file, Path(out), flags)
    return CollapseSummary(len(flags), sum(flags))


def _flags(staging: Staging, file: HitFile, ppm: int) -> bytearray:
    """Return 1 or 0 for every row."""
    staging.run("collapse")
    staging.read(file, "stage_collapse", {})
    (n_rows, n_faults, widest) = staging.run("staged_size")[0]
    if n_faults:
        file.refuse_first_fault()
        _refuse_lengths(file, staging)
    flags = bytearray(n_rows)
    for piece in pieces(staging.run("staged_counts")):
        staging.run("make_staged_piece", piece.parameters())
        limits = {"overlap_ppm": ppm, "widest": widest}
        np.frombuffer(flags, np.uint8)[staging.column("staged_primary", limits)] = 1
    return flags


def _refuse_lengths(file: HitFile, staging: Staging) -> None:
    (row, start, end) = staging.run("staged_fault")[0]
    raise InputError(
        f"{file.path}: line {row + 2} is not a hit (start {start}, end {end}); expected numbers, "
        "and an end above the start. Write the file again with the command that made it."
    )


def _write_flagged(file: HitFile, out: Path, flags: bytearray) -> None:
    with file.open() as source, committed(out) as temporary, open_output(temporary, out) as target:
        target.write(source.readline().rstrip(b"\r\n") + b"\t" + _PRIMARY.encode() + b"\n")
        n_done = 0
        for block in _whole_lines(source):
            flagged, n_lines = _flagged(block, flags, n_done)
            target.write(flagged)
            n_done += n_lines


def _whole_lines(source: BinaryIO) -> Iterator[bytes]:
    """Yield what is left of a file in blocks of whole lines, each ended by a line feed alone."""
    rest = b""
    while block := source.read(_BLOCK_BYTES):
        whole, end, tail = block.rpartition(b"\n")
        if not end:
            rest += tail
            continue
        lines, rest = rest + whole + end, tail
        yield lines.replace(b"\r\n", b"\n") if b"\r" in lines else lines
    if rest:
        yield rest.removesuffix(b"\r") + b"\n"


def _flagged(block: bytes, flags: bytearray, first: int) -> tuple[bytes, int]:
    """Return lines with the flags from ``first`` on as last column, and how many lines."""
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    flagged = np.empty(len(text) + 2 * len(ends), np.uint8)
    tab = ends + 2 * np.arange(len(ends))
    is_text = np.ones(len(flagged), np.bool_)
    is_text[tab] = is_text[tab + 1] = False
    flagged[is_text] = text
    flagged[tab] = ord("\t")
    flagged[tab + 1] = ord("0") + np.frombuffer(flags, np.uint8, len(ends), first)
    return flagged.tobytes(), len(ends)


@contextmanager
def open_output(temporary: Path, out: Path) -> Iterator[BinaryIO]:
    """Yield a file to write, gzipped where the name of what it becomes ends in ``.gz``."""
    if out.suffix == ".gz":
        # No name and no time in the header: the same rows are the same bytes.
        with (
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        ):
            yield cast("BinaryIO", packed)
    else:
        with temporary.open("wb", _BLOCK_BYTES) as plain:
            yield plain


def collapse_run(
    catalog: Catalog, out: str | Path, *, overlap: float = DEFAULT_OVERLAP
) -> CollapseSummary:
    """Write the hits of a run in the order of ``hits.tsv``, with the column ``is_primary``.

    Samples follow each other, each collapsed by itself; where there are several, the column
    ``sample`` leads.

    Raises
    ------
    RunError
        The run is damaged.
    """
    out = Path(out)
    has_column = len(catalog.samples) > 1
    query = "copy_collapsed_tsv" + ("_with_sample" if has_column else "")
    columns = (*(("sample",) if has_column else ()), *FINEMO_HIT_COLUMNS, _PRIMARY)
    n_hits = n_primary = 0
    with committed(out) as temporary, open_output(temporary, out) as target:
        target.write(("\t".join(columns) + "\n").encode())
        fragment = temporary.with_suffix(".piece")
        try:
            for sample in catalog.samples:
                for first, last in chromosome_chunks(catalog, sample):
                    catalog.run("make_piece", {"sample": sample, "first": first, "last": last})
                    limits = {"overlap_ppm": overlap_ppm(overlap), "path": str(fragment)}
                    catalog.run(query, limits)
                    counted = _append(fragment, target)
                    n_hits, n_primary = n_hits + counted[0], n_primary + counted[1]
        finally:
            fragment.unlink(missing_ok=True)
    return CollapseSummary(n_hits, n_primary)


def _append(fragment: Path, target: BinaryIO) -> tuple[int, int]:
    n_hits = n_primary = 0
    with fragment.open("rb") as source:
        while lines := source.readlines(_BLOCK_BYTES):
            block = b"".join(lines)
            target.write(block)
            n_hits += len(lines)
            n_primary += block.count(_IS_PRIMARY)
    return n_hits, n_primary
