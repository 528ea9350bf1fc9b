"""The tab-separated file that says what motifs are: transcription factor, family, cluster."""

import csv
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import InputError, nearest
from finemo_dist.core.program import program
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.storage.locations import location

KEY: Final = "motif_name"
FIELDS: Final = ("tf", "family", "cluster")
_NOTHING: Final = {"", "NA"}


def read_annotation(path: str | Path, motif_names: Collection[str]) -> tuple[MotifAnnotation, ...]:
    """Return what a file says about motifs, in the order of its lines.

    A header names the columns: ``motif_name`` and any of ``tf``, ``family`` and ``cluster``; others
    are passed over. Several motifs may share a value. An empty cell and ``NA`` say nothing.

    Raises
    ------
    InputError
        The file cannot be read, has no such header or no line, or a line names a motif that is
        not one of ``motif_names``, names one again, or holds a character that is not printable.
    """
    try:
        # Spreadsheets begin their text with a byte order mark.
        with location(path).open(encoding="utf-8-sig", newline="") as handle:
            lines = list(csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: cannot be read as tab-separated text ({error}). Check the path."
        ) from error
    columns = _columns(path, lines)
    found: dict[str, MotifAnnotation] = {}
    for number, fields in enumerate(lines[1:], start=2):
        if any(field.strip() for field in fields):
            motif = _motif(f"{path}, line {number}", columns, fields)
            _check_name(f"{path}, line {number}", motif.motif_name, motif_names, found)
            found[motif.motif_name] = motif
    if not found:
        raise InputError(f"{path}: annotates no motif. Expected a line a motif under the header.")
    return tuple(found.values())


def _columns(path: str | Path, lines: Sequence[Sequence[str]]) -> dict[str, int]:
    header = [field.strip() for field in lines[0]] if lines else []
    if KEY not in header or not set(FIELDS) & set(header):
        raise InputError(
            f"{path}, line 1: found {header!r}, expected a header with {KEY} and at least one of "
            f"{', '.join(FIELDS)}, separated by tabs."
        )
    for name in (KEY, *FIELDS):
        if header.count(name) > 1:
            raise InputError(f"{path}, line 1: names the column {name} twice. Keep one.")
    return {name: header.index(name) for name in (KEY, *FIELDS) if name in header}


def _motif(where: str, columns: dict[str, int], fields: Sequence[str]) -> MotifAnnotation:
    values: dict[str, str | None] = {}
    for name, i in columns.items():
        value = fields[i].strip() if i < len(fields) else ""
        if not value.isprintable():
            raise InputError(
                f"{where}: found {value!r} under {name}, expected printable characters."
            )
        values[name] = value if name == KEY or value not in _NOTHING else None
    return MotifAnnotation(
        values[KEY] or "", values.get("tf"), values.get("family"), values.get("cluster")
    )


def _check_name(
    where: str, name: str, motif_names: Collection[str], found: Collection[str]
) -> None:
    if name not in motif_names:
        raise InputError(
            f"{where}: names motif {name!r}, which the run does not have."
            f"{nearest(name, motif_names)} `{program()} sql RUN 'FROM motifs'` lists its motifs."
        )
    if name in found:
        raise InputError(f"{where}: names motif {name!r} a second time. Keep one line.")
