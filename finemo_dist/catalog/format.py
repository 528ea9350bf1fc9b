"""The answer to a user's query as a file or a stream of text."""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from finemo_dist.catalog.readonly import TextRow, UserQuery
from finemo_dist.core.errors import UsageError
from finemo_dist.core.words import count
from finemo_dist.storage.files import committed

_LONG_NUMBER = re.compile(r"-?\d*\.\d+(?:e[+-]?\d+)?|-?\d+(?:\.\d+)?e[+-]?\d+", re.IGNORECASE)
_MOST_CHARS = 80
"""Characters that a cell has on a terminal."""
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


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal that a table is written to: for the eye, not for a program."""

    width: int
    """Characters in a line; columns that do not fit are named and left out."""
    most_rows: int = 40
    """The others are counted and left out."""


def write_answer(
    query: UserQuery,
    output_format: OutputFormat,
    stream: TextIO,
    *,
    screen: Screen | None = None,
) -> None:
    """Write an answer as text, as it arrives.

    Parameters
    ----------
    screen
        Where a table is to be read by eye: it is cut to fit, and its numbers are rounded.

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
    elif screen is not None:
        stream.writelines(screen_lines(query, screen))
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
    yield from _aligned([list(query.columns), *rows], query.is_numeric)


def screen_lines(query: UserQuery, screen: Screen) -> Iterator[str]:
    """Yield an answer as a table that fits a terminal, and what was left out of it."""
    if query.is_explain:
        # A plan is drawn over many lines.
        yield from (f"{part}\n{(plan or '').rstrip()}\n" for part, plan in query.text_rows())
        return
    found, n_rows = query.first_rows(screen.most_rows)
    rows = [
        [
            _for_the_eye(value, is_numeric)
            for value, is_numeric in zip(row, query.is_numeric, strict=True)
        ]
        for row in found
    ]
    table = [list(query.columns), *rows]
    taken = itertools.accumulate(
        max(len(row[i]) for row in table) + 2 for i in range(len(query.columns))
    )
    n_columns = max(1, sum(width - 2 <= screen.width for width in taken))
    yield from _aligned([row[:n_columns] for row in table], query.is_numeric[:n_columns])
    left_out = query.columns[n_columns:]
    if left_out:
        yield f"({count(len(left_out), 'column')} left out: {', '.join(left_out)})\n"
    if n_rows > len(found):
        yield f"({n_rows - len(found):,} of {n_rows:,} rows left out; -o FILE writes all)\n"


def _for_the_eye(value: str | None, is_numeric: bool) -> str:  # noqa: FBT001
    """Return a cell of one line: numbers in six digits, long text shortened."""
    if value is None:
        return ""
    if is_numeric and _LONG_NUMBER.fullmatch(value):
        return f"{float(value):.6g}"
    text = " ".join(value.split("\n"))
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"


def _aligned(table: Sequence[Sequence[str]], is_numeric: Sequence[bool]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in table) for i in range(len(is_numeric))]
    for row in table:
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_numeric, strict=True)
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
