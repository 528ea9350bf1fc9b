"""A user's BED or VCF as the temporary table ``intervals``, read line by line.

BED is 0-based and half-open. VCF (version 4.5, section 1.6.1) is 1-based: a record stands for the
bases of its REF, ``[POS - 1, POS - 1 + len(REF))``, or up to its ``END`` where ALT is symbolic.
"""

import gzip
import itertools
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

import duckdb

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import load_query
from finemo_dist.core.errors import InputError, nearest

_BATCH_LINES: Final = 50_000
_GZIP: Final = b"\x1f\x8b"
_END: Final = re.compile(r"(?:^|;)END=(\d+)")


class Interval(NamedTuple):
    """One line of a BED or VCF."""

    line: int
    chr: str
    start: int
    end: int
    name: str | None


def load_intervals(catalog: Catalog, cursor: duckdb.DuckDBPyConnection, path: str | Path) -> None:
    """Fill the table ``intervals`` of a connection from a BED or VCF, plain or gzipped.

    Raises
    ------
    InputError
        The file cannot be read, holds no interval or a malformed line, or shares no chromosome
        with the run.
    """
    cursor.execute(load_query("make_intervals"))
    fill = load_query("fill_intervals")
    first: Interval | None = None
    intervals = read_intervals(path)
    while batch := list(itertools.islice(intervals, _BATCH_LINES)):
        first = first or batch[0]
        columns = zip(Interval._fields, zip(*batch, strict=True), strict=True)
        cursor.execute(fill, {name: list(values) for name, values in columns})
    if first is None:
        raise InputError(f"{path}: holds no interval. Expected a BED or a VCF with records.")
    if not cursor.execute(load_query("chromosomes_in_common")).fetchall():
        known = [row[0] for row in catalog.run("chromosome_names")]
        raise InputError(
            f"{path}, line {first.line}: chromosome {first.chr!r}, and no other of the file, is "
            f"one of the run.{nearest(first.chr, known)} Rename the chromosomes of the file."
        )


def read_intervals(path: str | Path) -> Iterator[Interval]:
    """Yield the intervals of a BED or VCF, plain or gzipped, in the order of its lines.

    Raises
    ------
    InputError
        The file cannot be read, or a line is malformed.
    """
    read: Callable[[int, list[str]], Interval] | None = None
    try:
        for number, line in _lines(Path(path)):
            if line.startswith("#"):
                read = read or (_vcf if line.startswith("##fileformat=VCF") else None)
                continue
            if not line.strip() or line.startswith(("track", "browser")):
                continue
            read = read or _bed
            try:
                yield read(number, line.split("\t") if "\t" in line else line.split())
            except (ValueError, IndexError) as error:
                raise InputError(
                    f"{path}, line {number}: found {line[:80]!r}, expected "
                    + ("CHROM, POS, ID, REF and ALT of a VCF" if read is _vcf else _BED_NEEDS)
                    + ", separated by tabs."
                ) from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error}). Check the path.") from error


_BED_NEEDS: Final = "chromosome, start and end of a BED with 0 <= start <= end"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as handle:
        is_gzip = handle.read(2) == _GZIP
        handle.seek(0)
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=handle)) if is_gzip else handle
        for number, line in enumerate(stream, start=1):
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")


def _bed(number: int, fields: list[str]) -> Interval:
    start, end = int(fields[1]), int(fields[2])
    if not 0 <= start <= end:
        raise ValueError(fields)
    return Interval(number, fields[0], start, end, fields[3] if len(fields) > 3 else None)


def _vcf(number: int, fields: list[str]) -> Interval:
    chrom, position, _, ref, alt = fields[:5]
    start = int(position) - 1
    end = start + len(ref)
    if not ref or start < -1:
        raise ValueError(fields)
    if alt.startswith("<") and len(fields) > 7 and (match := _END.search(fields[7])):
        end = max(end, int(match[1]))
    # Position 0 is the telomere, before the first base.
    return Interval(number, chrom, max(start, 0), end, f"{chrom}:{position}:{ref}:{alt}")
