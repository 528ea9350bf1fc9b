"""Which samples are compared with which: by a column of a sample sheet, or by lists."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.core.errors import InputError, UsageError, nearest
from finemo_dist.storage.text import read_lines


@dataclass(frozen=True, slots=True)
class Groups:
    """Two groups of samples, and what the sheet says about samples."""

    names: tuple[str, str]
    side: Mapping[str, int]
    """Sample to its group, 0 or 1; the samples of the first group first."""
    metadata: Mapping[str, Mapping[str, str]]
    """Column of the sheet to sample to text."""

    def samples(self, side: int) -> tuple[str, ...]:
        """Return the samples of a group."""
        return tuple(sample for sample, own in self.side.items() if own == side)


def read_groups(
    known: Sequence[str],
    *,
    sheet: Path | None,
    column: str | None,
    groups: Sequence[str],
    first: Sequence[str],
    second: Sequence[str],
) -> Groups:
    """Return two groups of the samples of a run.

    Parameters
    ----------
    known
        The samples of the run.
    sheet, column
        A table with a column ``name`` or ``sample``, and the column whose values are groups.
    groups
        The two values to compare; those of the column when empty.
    first, second
        Samples of the groups instead.

    Raises
    ------
    InputError
        The sheet cannot be read.
    UsageError
        There is no such column, value or sample, or not two groups.
    """
    metadata = {} if sheet is None else _metadata(sheet, known)
    if first or second:
        if column is not None or not (first and second):
            raise UsageError("Give either two lists of samples, or a sheet and a column.")
        return Groups(("first", "second"), _sides(known, first, second), metadata)
    if sheet is None or column is None:
        raise UsageError("Nothing says what to compare. Give --sheet and --by, or -a and -b.")
    if column not in metadata:
        raise UsageError(
            f"{sheet}: has no column {column!r}.{nearest(column, metadata)} Its columns are "
            f"{', '.join(metadata) or 'none'}."
        )
    of = metadata[column]
    values = list(dict.fromkeys(of[sample] for sample in known if of.get(sample)))
    chosen = list(groups) or values
    if len(chosen) != 2 or len(set(chosen)) != 2:
        raise UsageError(
            f"{sheet}: column {column!r} has {len(values)} values for samples of the run "
            f"({', '.join(values)}). Name two of them with --groups."
        )
    for value in chosen:
        if value not in values:
            raise UsageError(
                f"{sheet}: no sample of the run has {value!r} in column {column!r}."
                f"{nearest(value, values)} It has {', '.join(values)}."
            )
    lists = [[sample for sample in known if of.get(sample) == value] for value in chosen]
    return Groups((chosen[0], chosen[1]), _sides(known, *lists), metadata)


def _sides(known: Sequence[str], first: Sequence[str], second: Sequence[str]) -> dict[str, int]:
    for name in (*first, *second):
        if name not in known:
            raise UsageError(f"The run has no sample {name!r}.{nearest(name, known)}")
    if both := set(first) & set(second):
        raise UsageError(f"Sample {sorted(both)[0]!r} is in both groups. Give it to one.")
    return {**dict.fromkeys(first, 0), **dict.fromkeys(second, 1)}


def _metadata(path: Path, known: Sequence[str]) -> dict[str, dict[str, str]]:
    header: list[str] = []
    found: dict[str, dict[str, str]] = {}
    for line in read_lines(path):
        if line.text.startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line.text], "excel-tab"))]
        if not header:
            header = cells
            names = [name for name in ("name", "sample") if name in header]
            if not names:
                raise InputError(
                    f"{path}, line {line.number}: has no column 'name' or 'sample', found "
                    f"{', '.join(header)}. Name the columns in the first line, separated by tabs."
                )
            found = {column: {} for column in header if column and column != names[0]}
            at = header.index(names[0])
            continue
        own = dict(zip(header, cells, strict=False))
        if len(cells) > at and cells[at] in known:
            for column in found:
                found[column][cells[at]] = own.get(column, "")
    if not any(found.values()):
        raise InputError(
            f"{path}: names no sample of the run. Expected {', '.join(known[:3])}, ..."
        )
    return found
