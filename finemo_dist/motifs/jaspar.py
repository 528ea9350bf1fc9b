"""Motif files of JASPAR: counts of bases, as its PFM files have them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from finemo_dist.core.errors import InputError
from finemo_dist.motifs.meme import MemeMotif
from finemo_dist.storage.text import read_lines, real_number

_BASES: Final = "ACGT"
_BRACKETS: Final = str.maketrans("[]", "  ")


@dataclass(slots=True)
class _Block:
    """The lines of one motif."""

    line: int
    name: str
    alternate: str
    rows: list[list[str]] = field(default_factory=list)


def read_jaspar(path: str | Path) -> list[MemeMotif]:
    """Return the motifs of a JASPAR file, in its order, as frequencies.

    A line ``>ID name`` and four lines of counts, for A, C, G and T; with or without the letter in
    front and brackets around them. Each column is divided by its sum.

    Raises
    ------
    InputError
        The file cannot be read, holds no motif, or one that is not four rows of counts.
    """
    motifs = [_motif(path, block) for block in _blocks(path, _lines(path))]
    if not motifs:
        raise InputError(f"{path}: holds no motif. Expected JASPAR's format, `>ID name` first.")
    return motifs


def _lines(path: str | Path) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in read_lines(path)]


def _blocks(path: str | Path, lines: Iterable[tuple[int, str]]) -> list[_Block]:
    blocks: list[_Block] = []
    for number, line in lines:
        if line.startswith(">"):
            name, *alternate = line[1:].split() or [""]
            blocks.append(_Block(number, name, " ".join(alternate)))
        elif blocks:
            blocks[-1].rows.append(line.translate(_BRACKETS).split())
        else:
            raise InputError(
                f"{path}, line {number}: found {line[:80]!r}, expected `>ID name` before the "
                "counts of a motif."
            )
    return blocks


def _motif(path: str | Path, block: _Block) -> MemeMotif:
    where = f"{path}, line {block.line}"
    if not block.name:
        raise InputError(f"{where}: a motif without a name. Expected `>ID name`.")
    rows = block.rows
    if len(rows) == 4 and all(row and row[0].isalpha() for row in rows):
        letters = "".join(row[0] for row in rows)
        if letters.upper() != _BASES:
            raise InputError(
                f"{where}: motif {block.name!r} has rows {letters}, expected A, C, G and T."
            )
        rows = [row[1:] for row in rows]
    try:
        counts = np.array([[real_number(cell) for cell in row] for row in rows])
    except ValueError:
        counts = np.empty(0)
    is_table = counts.ndim == 2 and counts.shape[0] == 4 and counts.shape[1] > 0
    if not is_table or not np.isfinite(counts).all() or (counts < 0).any():
        raise InputError(
            f"{where}: motif {block.name!r} is not four rows of counts of one length, for A, C, G "
            "and T. Fetch the file again."
        )
    sums = counts.sum(axis=0)
    if not sums.all():
        column = int((sums == 0).argmax()) + 1
        raise InputError(f"{where}: column {column} of motif {block.name!r} counts no base.")
    return MemeMotif(block.name, block.alternate, counts / sums, 0)
