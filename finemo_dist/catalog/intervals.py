"""A user's BED or VCF as the temporary table ``intervals``, read line by line.

BED is 0-based and half-open. VCF (version 4.5, section 1.6.1) is 1-based: a record stands for the
bases of its REF, ``[POS - 1, POS - 1 + len(REF))``, or up to its ``END`` where ALT is symbolic.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import load_query
from finemo_dist.core.errors import InputError, nearest
from finemo_dist.storage.text import read_lines, whole_number

_BATCH_LINES: Final = 50_000
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
            f"{path}, line {first.line}: the run has neither chromosome {first.chr!r} nor any "
            f"other of the file.{nearest(first.chr, known)} Rename the chromosomes of the file."
        )


def read_intervals(path: str | Path) -> Iterator[Interval]:
    """Yield the intervals of a BED or VCF, plain or gzipped, in the order of its lines.

    Raises
    ------
    InputError
        The file cannot be read, or a line is malformed.
    """
    read: Callable[[int, list[str]], Interval] | None = None
    for line in read_lines(path):
        if line.text.startswith("#"):
            read = read or (_vcf if line.text.startswith("##fileformat=VCF") else None)
            continue
        if line.text.startswith(("track", "browser")):
            continue
        read = read or _bed
        try:
            yield read(line.number, line.cells)
        except (ValueError, IndexError) as error:
            raise InputError(
                f"{path}, line {line.number}: found {line.text[:80]!r}, expected "
                + ("CHROM, POS, ID, REF and ALT of a VCF" if read is _vcf else _BED_NEEDS)
                + ", separated by tabs."
            ) from error


_BED_NEEDS: Final = "chromosome, start and end of a BED with 0 <= start <= end"


def _bed(number: int, fields: list[str]) -> Interval:
    start, end = whole_number(fields[1]), whole_number(fields[2])
    if not 0 <= start <= end:
        raise ValueError(fields)
    return Interval(number, fields[0], start, end, fields[3] if len(fields) > 3 else None)


def _vcf(number: int, fields: list[str]) -> Interval:
    chrom, position, _, ref, alt = fields[:5]
    start = whole_number(position) - 1
    end = start + len(ref)
    if not ref or start < -1:
        raise ValueError(fields)
    if alt.startswith("<") and len(fields) > 7 and (match := _END.search(fields[7])):
        end = max(end, int(match[1]))
    # Position 0 is the telomere, before the first base.
    return Interval(number, chrom, max(start, 0), end, f"{chrom}:{position}:{ref}:{alt}")
