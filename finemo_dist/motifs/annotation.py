"""The tab-separated file that says what motifs are: transcription factor, family, cluster."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import InputError, nearest
from finemo_dist.core.program import program
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.storage.text import read_lines, split_tabs

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
    lines = list(read_lines(path))
    columns = _columns(path, split_tabs(lines[0].text) if lines else [])
    found: dict[str, MotifAnnotation] = {}
    for line in lines[1:]:
        fields = split_tabs(line.text)
        where = f"{path}, line {line.number}"
        motif = _motif(where, columns, fields)
        _check_name(where, motif.motif_name, motif_names, found)
        found[motif.motif_name] = motif
    if not found:
        raise InputError(
            f"{path}: annotates no motif. Expected one line per motif under the header."
        )
    return tuple(found.values())


def _columns(path: str | Path, header: Sequence[str]) -> dict[str, int]:
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
        value = fields[i] if i < len(fields) else ""
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
