"""The answer to a user's query as a file or a stream of text."""

import csv
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from finemo_dist.catalog.readonly import TextRow, UserQuery
from finemo_dist.core.errors import UsageError
from finemo_dist.storage.files import committed

_TSV_ESCAPES = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r"})


class OutputFormat(StrEnum):
    """What an answer can be written as."""

    TABLE = "table"
    """Aligned text."""
    TSV = "tsv"
    """Null is ``NA``; tabs and line ends within a value as ``\\t``, ``\\n``, ``\\r``."""
    CSV = "csv"
    """Null is empty; quotes where needed."""
    JSON = "json"
    """One array of objects, one object a line."""
    PARQUET = "parquet"
    """To a file only."""


def write_answer(query: UserQuery, output_format: OutputFormat, stream: TextIO) -> None:
    """Write an answer as text, as it arrives.

    Raises
    ------
    UsageError
        The query fails, or the format is not text, or not one a plan can take.
    """
    if output_format is OutputFormat.PARQUET:
        raise UsageError("Parquet is not text. Name a file with `-o FILE`.")
    if output_format is OutputFormat.JSON:
        _refuse_plan(query)
        _write_json(query.json_rows(), stream)
    elif output_format is OutputFormat.CSV:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(query.columns)
        writer.writerows(query.text_rows())
    elif output_format is OutputFormat.TSV:
        stream.writelines(_tsv_line(row) for row in _with_header(query))
    else:
        stream.writelines(aligned_lines(query))


def save_answer(query: UserQuery, output_format: OutputFormat, path: Path) -> None:
    """Write an answer to a file, whole or not at all.

    Raises
    ------
    UsageError
        As ``write_answer``, but for a stream.
    RunError
        A Parquet answer fails after its first rows.
    """
    with committed(path) as temporary:
        if output_format is OutputFormat.PARQUET:
            _refuse_plan(query)
            query.save_parquet(temporary)
        else:
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                write_answer(query, output_format, stream)


def aligned_lines(query: UserQuery) -> Iterator[str]:
    """Yield an answer as a table of aligned columns, numbers to the right; holds all rows."""
    rows = [[("" if v is None else v) for v in row] for row in query.text_rows()]
    table = [list(query.columns), *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(query.columns))]
    for row in table:
        cells = (
            cell.rjust(width) if is_numeric else cell.ljust(width)
            for cell, width, is_numeric in zip(row, widths, query.is_numeric, strict=True)
        )
        yield "  ".join(cells).rstrip() + "\n"


def _with_header(query: UserQuery) -> Iterator[TextRow]:
    yield query.columns
    yield from query.text_rows()


def _tsv_line(row: TextRow) -> str:
    cells = ("NA" if value is None else value.translate(_TSV_ESCAPES) for value in row)
    return "\t".join(cells) + "\n"


def _write_json(rows: Iterator[str], stream: TextIO) -> None:
    separator = "[\n"
    for row in rows:
        stream.write(separator + row)
        separator = ",\n"
    stream.write("\n]\n" if separator == ",\n" else "[]\n")


def _refuse_plan(query: UserQuery) -> None:
    if query.is_explain:
        raise UsageError("A plan is text. Use `--format table` or `tsv`.")
