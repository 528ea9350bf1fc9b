"""The sample sheet of ``run``: a tab-separated table with one row per sample."""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from finemo_dist.core.config import MotifConfig, SolverConfig
from finemo_dist.core.errors import UsageError, nearest
from finemo_dist.hits.layout import check_sample_name
from finemo_dist.storage.text import read_lines
from finemo_dist.workflow.config import (
    INPUT_KINDS,
    BigWigInput,
    BpnetInput,
    ChromBpnetInput,
    ModiscoArraysInput,
    SampleConfig,
    with_absolute_paths,
)

_INPUT_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "regions": ("regions",),
    "bigwig": tuple(BigWigInput.model_fields),
    "chrombpnet_h5": tuple(ChromBpnetInput.model_fields),
    "bpnet_h5": tuple(BpnetInput.model_fields),
    "modisco_arrays": tuple(ModiscoArraysInput.model_fields),
}
"""Kind of input to the columns it takes: the keys of that kind in a configuration."""
_TELLING: Final = {
    "regions": "regions",
    "bigwigs": "bigwig",
    "sequences": "modisco_arrays",
    "attributions": "modisco_arrays",
}
"""Columns that only one kind of input has."""
_LISTS: Final = ("bigwigs", "h5s", "attributions", "motifs.include")
_INPUTS: Final = tuple(dict.fromkeys(c for cs in _INPUT_COLUMNS.values() for c in cs))
_BY_MOTIF: Final = ("trim_thresholds", "trim_coords", "penalties", "names")
"""Settings of single motifs: columns such as ``motifs.penalties.pos_patterns.pattern_0``."""
_SETTINGS: Final = (
    *(f"motifs.{key}.MOTIF" if key in _BY_MOTIF else f"motifs.{key}" for key in
      MotifConfig.model_fields),
    *(f"solver.{key}" for key in SolverConfig.model_fields),
)  # fmt: skip
_META: Final = "meta"
"""Columns such as ``meta.tissue`` are for ``compare`` and for people."""
_COLUMNS: Final = ("name", "kind", *_INPUTS, "modisco_h5", *_SETTINGS)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a sheet, and where it is."""

    where: str
    """``FILE, line N``."""
    cells: Mapping[str, str]
    """Column to text, empty cells left out."""


def read_sample_sheet(
    path: Path, *, taken: Collection[str] = (), has_modisco: bool = True
) -> tuple[SampleConfig, ...]:
    """Return the samples of a sheet in its order; relative paths count from its folder.

    The first line names the columns: keys of ``samples`` in a configuration, of ``motifs`` and
    ``solver`` with their dots. Columns ``meta.NAME`` are left to ``compare``.
    Separate several files in a cell by ``;`` or ``,``. Empty cells
    count as not given. Blank lines and lines that begin with ``#`` are skipped.

    Parameters
    ----------
    taken
        Names of samples that the sheet may not use.
    has_modisco
        Whether the configuration has motifs for samples that name none.

    Raises
    ------
    UsageError
        The sheet cannot be read, has a column that is none, or a row that is no sample; the message
        names file and line.
    """
    folder = path.resolve().parent
    samples: dict[str, SampleConfig] = {}
    for row in _rows(path):
        sample = _sample(row)
        if sample.name in samples or sample.name in taken:
            other = "in this sheet" if sample.name in samples else "in the configuration"
            raise UsageError(
                f"{row.where}: there is already a sample {sample.name!r} {other}. Give each "
                "sample its own name."
            )
        if sample.modisco_h5 is None and not has_modisco:
            raise UsageError(
                f"{row.where}: column 'modisco_h5' is empty, and the configuration gives none for "
                "all samples."
            )
        samples[sample.name] = with_absolute_paths(sample, folder)
    if not samples:
        raise UsageError(
            f"{path}: lists no sample. Expected a line of column names ({', '.join(_COLUMNS)}), "
            "then one line per sample."
        )
    return tuple(samples.values())


def _rows(path: Path) -> Iterator[_Row]:
    header: list[str] | None = None
    for line in read_lines(path, kind=UsageError):
        where = f"{path}, line {line.number}"
        cells = [] if line.text.startswith("#") else _cells(line.text, where)
        if not any(cells):
            continue
        if header is None:
            header = cells
            _check_header(header, where)
            continue
        if len(cells) > len(header) and any(cells[len(header) :]):
            raise UsageError(
                f"{where}: has {len(cells)} cells and the header has {len(header)} columns. "
                "Separate cells by single tabs."
            )
        # A short line leaves its last columns empty.
        given = {column: cell for column, cell in zip(header, cells, strict=False) if cell}
        if "" in given:
            raise UsageError(f"{where}: {given['']!r} is in a column without a name.")
        yield _Row(where, given)


def _cells(line: str, where: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], "excel-tab", strict=True), [])]
    except csv.Error as error:
        raise UsageError(f"{where}: is not a line of a tab-separated table ({error}).") from error


def _check_header(header: list[str], where: str) -> None:
    if "name" not in header:
        raise UsageError(
            f"{where}: the first line has no column 'name', found {', '.join(header)}. Name the "
            f"columns there, separated by tabs: {', '.join(_COLUMNS)}."
        )
    for i, column in enumerate(header):
        if column and column in header[:i]:
            raise UsageError(f"{where}: column {column!r} appears twice. Keep one.")
        if column and not _is_known(column):
            raise UsageError(
                f"{where}: there is no column {column!r}.{nearest(column, _COLUMNS)} Columns are "
                f"{', '.join(_COLUMNS)}."
            )


def _is_known(column: str) -> bool:
    section, _, key = column.partition(".")
    key, _, motif = key.partition(".")
    if section == _META:
        return bool(key)
    return column in _COLUMNS or bool(section == "motifs" and key in _BY_MOTIF and motif)


def _sample(row: _Row) -> SampleConfig:
    if "name" not in row.cells:
        raise UsageError(f"{row.where}: column 'name' is empty. Give each sample a name.")
    values: dict[str, Any] = {"name": row.cells["name"]}
    kind = _kind(row)
    given = {c: _value(c, text) for c, text in row.cells.items() if c in _INPUTS}
    values[kind] = given["regions"] if kind == "regions" else given
    if "modisco_h5" in row.cells:
        values["modisco_h5"] = row.cells["modisco_h5"]
    for column, text in row.cells.items():
        if "." in column and not column.startswith(f"{_META}."):
            _set(values, column, _value(column, text))
    try:
        check_sample_name(values["name"])
        return SampleConfig(**values)
    except UsageError as error:
        raise UsageError(f"{row.where}: {error}") from error
    except ValidationError as error:
        raise UsageError(f"{row.where}{_fault(error, kind)}") from error


def _kind(row: _Row) -> str:
    """Return the kind of input of a row: what it says, or what only that kind has."""
    said = row.cells.get("kind")
    if said is not None and said not in INPUT_KINDS:
        raise UsageError(
            f"{row.where}, column 'kind': there is no kind of input {said!r}."
            f"{nearest(said, INPUT_KINDS)} Expected one of {', '.join(INPUT_KINDS)}."
        )
    kind = said or next((_TELLING[c] for c in _TELLING if c in row.cells), None)
    if kind is None:
        what = (
            "h5s may come from ChromBPNet or BPNet: say which in column 'kind' (chrombpnet_h5 or "
            "bpnet_h5)."
            if "h5s" in row.cells else
            "sample has no input. Fill regions, bigwigs, h5s, or sequences and attributions."
        )  # fmt: skip
        raise UsageError(f"{row.where}: {what}")
    for column in row.cells:
        if column in _INPUTS and column not in _INPUT_COLUMNS[kind]:
            raise UsageError(
                f"{row.where}, column {column!r}: a sample of kind {kind!r} has no such column. "
                "It takes "
                f"{', '.join(_INPUT_COLUMNS[kind])}."
            )
    if kind == "regions" and "regions" not in row.cells:
        raise UsageError(f"{row.where}: column 'regions' is empty.")
    return kind


def _set(values: dict[str, Any], column: str, value: object) -> None:
    """Set the key that a dotted column names; what follows a setting of motifs is a motif."""
    section, key = column.split(".", 1)
    settings = values.setdefault(section, {})
    key, _, motif = key.partition(".")
    if motif:
        settings.setdefault(key, {})[motif] = value
    else:
        settings[key] = value


def _value(column: str, text: str) -> str | list[str]:
    if column not in _LISTS and not column.startswith("motifs.trim_coords."):
        return text
    # A path may hold the one while the other parts.
    return [item.strip() for item in text.split(";" if ";" in text else ",") if item.strip()]


def _fault(error: ValidationError, kind: str) -> str:
    """Return what is wrong with a row, by column."""
    first = error.errors()[0]
    steps = [str(step) for step in first["loc"] if isinstance(step, str)]
    column = ".".join(steps[1:] if steps[:1] == [kind] and steps[1:] else steps)
    if first["type"] == "missing":
        return f": column {column!r} is empty, and kind {kind!r} needs it."
    return f", column {column!r}: {first['msg']} (found {first['input']!r})."
