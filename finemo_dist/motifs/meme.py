"""Motif files in the minimal MEME format, version 4 (meme-suite.org/meme/doc/meme-format.html)."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.storage.files import committed
from finemo_dist.storage.text import Line, read_lines, real_number

logger = logging.getLogger(__name__)

_HEADER: Final = (
    "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
    "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n"
)
_MATRIX: Final = "letter-probability matrix:"
_KEY: Final = re.compile(r"(\w+)\s*=\s*(\S+)")
_ROUNDING: Final = 0.05
"""How far a row of rounded probabilities may be from 1."""
_LEAST_COUNTS: Final = 1.5
"""Rows of counts sum to the number of sites, which is more than one."""
_UNSAFE: Final = re.compile(r"[^!-$&-~]")


@dataclass(frozen=True, slots=True)
class MemeMotif:
    """A motif as base frequencies."""

    name: str
    alternate: str
    """A second name; empty for none."""
    frequencies: NDArray[np.float64]
    """(4, W), columns sum to 1."""
    n_sites: int
    """Sites the frequencies were counted over; 0 where they were not counted."""


def write_meme(path: Path, motifs: Sequence[MemeMotif]) -> None:
    """Commit a MEME file.

    In names a space, a percent sign and what is not printable ASCII is percent-encoded, because
    the format ends a name with a space; different names stay different.
    """
    with committed(path) as temporary, temporary.open("w", encoding="ascii", newline="") as handle:
        handle.write(_HEADER)
        for motif in motifs:
            names = " ".join(_safe(name) for name in (motif.name, motif.alternate) if name)
            handle.write(
                f"\nMOTIF {names}\nletter-probability matrix: alength= 4 "
                f"w= {motif.frequencies.shape[1]} nsites= {max(motif.n_sites, 1)} E= 0\n"
            )
            for column in motif.frequencies.T:
                handle.write(" ".join(f"{value:.6f}" for value in column) + "\n")


def read_meme(path: str | Path) -> list[MemeMotif]:
    """Return the motifs of a MEME file, in its order; names may repeat.

    Rows of counts are divided by their sums, which is logged. All keys of the line that begins a
    matrix are optional, as the format says; if ``w=`` is given, it has to be right.

    Raises
    ------
    InputError
        The file cannot be read, holds no motif, or one that is not of four bases and numbers.
    """
    found = [_motif(path, block) for block in _blocks(path)]
    if not found:
        raise InputError(
            f"{path}: holds no motif. Expected the minimal MEME format, as JASPAR and HOCOMOCO "
            "offer it: a line `MOTIF name` and a `letter-probability matrix:` for each."
        )
    n_counts = sum(is_counts for _, is_counts in found)
    if n_counts:
        logger.warning(
            "%s: %d of %d motifs are counts where MEME has probabilities; their rows were divided "
            "by their sums.", path, n_counts, len(found),
        )  # fmt: skip
    return [motif for motif, _ in found]


@dataclass(slots=True)
class _Block:
    """The lines of one motif."""

    line: int
    heading: list[str]
    keys: dict[str, str] | None = None
    """Keys of the line that begins its matrix; None before that line."""
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    """Line number and cells."""
    is_open: bool = False
    """Whether the next line may be a row."""


def _blocks(path: str | Path) -> Iterator[_Block]:
    block: _Block | None = None
    for line in read_lines(path):
        words = line.text.split()
        if words[0] == "MOTIF":
            if block is not None:
                yield block
            block = _Block(line.number, words[1:])
        elif words[0].upper() == "ALPHABET=" or words[0].upper().startswith("ALPHABET="):
            _check_alphabet(path, line)
        elif block is not None and line.text.lstrip().startswith(_MATRIX):
            keys = _KEY.findall(line.text.split(":", 1)[1])
            block.keys, block.is_open = dict(keys), True
        elif block is not None and block.is_open:
            # A matrix ends with its last row; a URL or another matrix of the motif may follow.
            block.is_open = _is_row(words)
            if block.is_open:
                block.rows.append((line.number, words))
    if block is not None:
        yield block


def _check_alphabet(path: str | Path, line: Line) -> None:
    letters = line.text.split("=", 1)[1].strip()
    if letters and letters.upper() != "ACGT":
        raise InputError(
            f"{path}, line {line.number}: alphabet {letters[:40]!r}, expected ACGT. Give motifs of "
            "DNA."
        )


def _is_row(words: Sequence[str]) -> bool:
    try:
        real_number(words[0])
    except ValueError:
        return False
    return True


def _motif(path: str | Path, block: _Block) -> tuple[MemeMotif, bool]:
    """Return a motif, and whether it was given as counts."""
    where = f"{path}, line {block.line}"
    if not block.heading:
        raise InputError(f"{where}: a MOTIF without a name. Expected `MOTIF name`.")
    name = block.heading[0]
    if block.keys is None or not block.rows:
        raise InputError(
            f"{where}: motif {name!r} has no matrix. Expected a line `letter-probability matrix:` "
            "and one row per column of the motif, for A, C, G and T."
        )
    width = block.keys.get("w")
    if width is not None and width != str(len(block.rows)):
        raise InputError(
            f"{where}: motif {name!r} has {len(block.rows)} rows, but says w= {width}. The file is "
            "cut short or was edited; fetch it again."
        )
    rows = np.array([_row(f"{path}, line {n}", name, words) for n, words in block.rows])
    sums = rows.sum(axis=1, keepdims=True)
    is_counts = bool((sums > _LEAST_COUNTS).all())
    if not is_counts and (np.abs(sums - 1) > _ROUNDING).any():
        i = int((np.abs(sums - 1) > _ROUNDING).argmax())
        raise InputError(
            f"{path}, line {block.rows[i][0]}: a row of motif {name!r} sums to {sums[i, 0]:g}, "
            "expected 1, the probabilities of A, C, G and T. Fetch the file again."
        )
    alternate = " ".join(block.heading[1:])
    return MemeMotif(name, alternate, (rows / sums).T, 0), is_counts


def _row(where: str, name: str, words: Sequence[str]) -> list[float]:
    try:
        row = [real_number(word) for word in words]
    except ValueError:
        row = []
    if len(row) != 4 or not all(0 <= value < np.inf for value in row) or not sum(row):
        raise InputError(
            f"{where}: found {' '.join(words)[:80]!r} in motif {name!r}; expected four "
            "frequencies, for A, C, G and T."
        )
    return row


def _safe(name: str) -> str:
    return _UNSAFE.sub(lambda match: quote(match[0], safe=""), name)
