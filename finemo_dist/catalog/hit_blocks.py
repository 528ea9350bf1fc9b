"""Rows of a table of hits, parsed block by block, and where in the file their lines lie."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from finemo_dist.catalog.hit_file import HIT_TYPES, NULLS, HitFile
from finemo_dist.catalog.hit_records import NAME_COLUMNS, HitRecords
from finemo_dist.catalog.text import line_blocks
from finemo_dist.core.ahead import mapped

_BLOCK_BYTES: Final = 1 << 23
_MOST_THREADS: Final = 4
"""What is done with the rows, by one thread, does not keep up with more."""
_LF: Final = ord("\n")
_CODES: Final = pa.dictionary(pa.int32(), pa.string())
_TYPES: Final = {"FLOAT": pa.float32(), "VARCHAR": pa.string()}
_FEW_NAMES: Final = frozenset({"chr", *NAME_COLUMNS})


@dataclass(frozen=True, slots=True)
class HitBlock:
    """Some rows of a table, and where their lines lie in the file as it reads decompressed.

    Attributes
    ----------
    rows
        The columns asked for; whole numbers as ``int64``, or ``double`` where one is written with
        a point.
    line_starts, line_bytes
        (rows,) where lines start, and their bytes without the line feed.
    """

    rows: pa.RecordBatch
    line_starts: NDArray[np.int64]
    line_bytes: NDArray[np.int64]


def file_records(
    file: HitFile,
    source: BinaryIO,
    hits: HitRecords,
    *,
    beside: Sequence[str] = (),
    threads: int | None = None,
) -> Iterator[tuple[NDArray[Any], HitBlock]]:
    """Yield the records of a table, and the rows they are of, in the order of its lines.

    Parameters
    ----------
    file
        What errors speak of, and whose columns the lines have.
    source
        Its bytes, header and all.
    hits
        What makes records of rows.
    beside
        Columns of the rows beside those that the records need.
    threads
        That parse; one per core when None, four at most.

    Raises
    ------
    InputError
        The file is not a table of hits throughout.
    """
    source.readline()
    n_threads = min(threads or os.cpu_count() or 1, _MOST_THREADS)
    parse = partial(_parsed, file=file, columns=[*hits.columns, *beside])
    with file.reading():
        for block in mapped(parse, _placed(source), n_threads=n_threads):
            n_before = hits.n_rows
            records, fault = hits.take(block.rows)
            if fault is not None:
                file.refuse_row(fault, block.rows.slice(fault - n_before, 1).to_pylist()[0])
            yield records, block


def _placed(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield what is left of a file in blocks of whole lines, each with its place."""
    place = source.tell()
    for lines in line_blocks(source, _BLOCK_BYTES):
        yield place, lines if lines.endswith(b"\n") else lines + b"\n"
        place += len(lines)


def _parsed(block: tuple[int, bytes], file: HitFile, columns: Sequence[str]) -> HitBlock:
    place, lines = block
    try:
        rows = _rows(lines, file, columns, pa.int64())
    except pa.ArrowInvalid:
        rows = _rows(lines, file, columns, pa.float64())
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == _LF)
    if len(ends) != rows.num_rows:
        file.refuse_lines()
    starts = np.concatenate(([0], ends[:-1] + 1))
    return HitBlock(rows, starts + place, ends - starts)


def _rows(
    lines: bytes, file: HitFile, columns: Sequence[str], whole: pa.DataType
) -> pa.RecordBatch:
    types = {
        name: _CODES if name in _FEW_NAMES else _TYPES.get(HIT_TYPES[name], whole)
        for name in columns
    }
    table = csv.read_csv(
        pa.py_buffer(lines),
        csv.ReadOptions(use_threads=False, block_size=len(lines), column_names=file.columns),
        csv.ParseOptions(delimiter="\t", quote_char=False),
        csv.ConvertOptions(
            column_types=types,
            include_columns=columns,
            null_values=NULLS,
            strings_can_be_null=True,
        ),
    )
    return table.combine_chunks().to_batches()[0]
