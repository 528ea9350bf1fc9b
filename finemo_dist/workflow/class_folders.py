"""A sample sheet for folders with a file for each class, as multi-task models write them.

CREsted saves ``CLASS_oh.npz`` and ``CLASS_contrib.npz``, and motifs as
``CLASS_modisco_results.h5``; peaks and bigWigs lie beside as ``CLASS.narrowPeak`` and ``CLASS.bw``.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.hits.layout import check_sample_name
from finemo_dist.sources._npz import open_array
from finemo_dist.storage.files import committed

_COLUMN_OF: Final[Mapping[str, str]] = {
    "_oh.npz": "sequences",
    "_contrib.npz": "attributions",
    "_modisco_results.h5": "modisco_h5",
    "_modisco.h5": "modisco_h5",
    ".narrowPeak": "peaks",
    ".narrowPeak.gz": "peaks",
    ".bed": "peaks",
    ".bed.gz": "peaks",
    ".bw": "bigwigs",
    ".bigWig": "bigwigs",
    ".bigwig": "bigwigs",
}
"""End of a file name to the column of the sheet; the part before it is the class."""
_COLUMNS: Final = (
    "name", "sequences", "attributions", "bigwigs", "peaks", "fasta", "modisco_h5", "axis_order",
)  # fmt: skip


def make_sample_sheet(
    folders: Sequence[Path], out: Path, *, fasta: Path | None = None, force: bool = False
) -> tuple[str, ...]:
    """Write a sample sheet with a row for each class of some folders, and return the classes.

    Files of a class may lie in different folders. Paths are written relative to the sheet.

    Parameters
    ----------
    fasta
        The genome of all classes; needed for bigWigs.
    force
        Replace a sheet that exists.

    Raises
    ------
    UsageError
        The sheet exists.
    InputError
        There is no class with scores, or one lacks a file or has two of a kind.
    """
    if out.exists() and not force:
        raise UsageError(f"{out}: exists. Choose another name, or replace it with --force.")
    classes = _classes(folders)
    rows = [_row(name, files, fasta) for name, files in sorted(classes.items())]
    where = out.resolve().parent
    with committed(out) as temporary:
        lines = ["\t".join(_COLUMNS)]
        lines += ["\t".join(_cell(row.get(c, ""), where) for c in _COLUMNS) for row in rows]
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tuple(sorted(classes))


def _classes(folders: Sequence[Path]) -> dict[str, dict[str, Path]]:
    found: dict[str, dict[str, Path]] = {}
    for folder in folders:
        for file in sorted(p for p in folder.iterdir() if p.is_file()):
            end = max((e for e in _COLUMN_OF if file.name.endswith(e)), key=len, default=None)
            name = file.name.removesuffix(end or "")
            if end is None or not name or name.startswith("."):
                continue
            files = found.setdefault(name, {})
            if (other := files.setdefault(_COLUMN_OF[end], file)) != file:
                raise InputError(
                    f"{file}: class {name!r} already has {other} as its {_COLUMN_OF[end]}. Keep "
                    "one file per class and kind, or leave out one of the folders."
                )
    # Peaks and motifs alone are of no class that has scores here.
    scored = {n: f for n, f in found.items() if f.keys() & {"sequences", "attributions", "bigwigs"}}
    if not scored:
        named = ", ".join(map(str, folders))
        raise InputError(
            f"{named}: has no file of scores. Expected CLASS_oh.npz and CLASS_contrib.npz, as "
            "CREsted "
            "writes them, or CLASS.bw."
        )
    return scored


def _row(name: str, files: Mapping[str, Path], fasta: Path | None) -> dict[str, str | Path]:
    check_sample_name(name)
    row: dict[str, str | Path] = {"name": name, **files}
    has_arrays = "sequences" in files or "attributions" in files
    if has_arrays and "bigwigs" in files:
        raise InputError(
            f"{files['bigwigs']}: class {name!r} also has arrays. Expected one or the other."
        )
    missing = [c for c in ("sequences", "attributions") if has_arrays and c not in files]
    missing += ["peaks"] if "bigwigs" in files and "peaks" not in files else []
    if missing:
        ends = " or ".join(name + end for end, column in _COLUMN_OF.items() if column == missing[0])
        raise InputError(
            f"{next(iter(files.values()))}: class {name!r} has no {missing[0]} beside it. Expected "
            f"{ends} in one of the folders."
        )
    if "bigwigs" in files and fasta is None:
        raise UsageError(f"{files['bigwigs']}: a bigWig needs its genome. Give it with -f.")
    if fasta is not None and "peaks" in files:
        row["fasta"] = fasta
    if has_arrays:
        shape = open_array(files["sequences"]).shape
        row["axis_order"] = "nla" if len(shape) == 3 and shape[2] == 4 != shape[1] else ""
    return row


def _cell(value: str | Path, folder: Path) -> str:
    return os.path.relpath(value.resolve(), folder) if isinstance(value, Path) else value
