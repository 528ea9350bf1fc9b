"""The tab-separated files that give single motifs their own name, penalty or trim."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from finemo_dist.core.errors import InputError
from finemo_dist.storage.text import read_lines, real_number, split_tabs, whole_number

_Value = TypeVar("_Value")


def read_names(path: str | Path) -> tuple[str, ...]:
    """Return the first column: modisco names of motifs (option ``-I``).

    Raises
    ------
    InputError
        The file cannot be read, is empty, or names a motif twice.
    """
    return tuple(_read_rows(path, n_columns=1, parse=lambda row: row[0], what="motif name"))


def read_renames(path: str | Path) -> dict[str, str]:
    """Return modisco name to output name (option ``-N``).

    Raises
    ------
    InputError
        The file cannot be read, is empty, names a motif twice, or gives a name that would break
        a tab-separated table.
    """
    return _read_rows(path, n_columns=2, parse=_output_name, what="motif name, new name")


def read_numbers(path: str | Path) -> dict[str, float]:
    """Return modisco name to a number: penalties (``-L``) or trim thresholds (``-T``).

    Raises
    ------
    InputError
        The file cannot be read, is empty, names a motif twice, or the second column is no number.
    """
    return _read_rows(
        path, n_columns=2, parse=lambda row: real_number(row[1]), what="motif name, number"
    )


def read_windows(path: str | Path) -> dict[str, tuple[int, int]]:
    """Return modisco name to trim window ``(start, end)``, half-open columns (option ``-R``).

    Raises
    ------
    InputError
        The file cannot be read, is empty, names a motif twice, or columns two and three are no
        integers.
    """
    return _read_rows(
        path,
        n_columns=3,
        parse=lambda row: (whole_number(row[1]), whole_number(row[2])),
        what="motif name, first column, column after the last",
    )


def _output_name(row: list[str]) -> str:
    if not row[1].isprintable() or not row[1]:
        raise ValueError("a name of printable characters is needed")
    return row[1]


def _read_rows(
    path: str | Path, *, n_columns: int, parse: Callable[[list[str]], _Value], what: str
) -> dict[str, _Value]:
    rows: dict[str, _Value] = {}
    for line in read_lines(path):
        fields = split_tabs(line.text)
        try:
            value = parse(fields)
        except (ValueError, IndexError) as error:
            raise InputError(
                f"{path}, line {line.number}: found {fields!r}, expected {n_columns} tab-separated "
                f"columns: {what}."
            ) from error
        if fields[0] in rows:
            raise InputError(
                f"{path}, line {line.number}: names {fields[0]!r} a second time. Keep one line."
            )
        rows[fields[0]] = value
    if not rows:
        raise InputError(f"{path}: is empty, expected one motif per line: {what}.")
    return rows
