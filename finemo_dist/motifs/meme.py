"""Motif files in the minimal MEME format, version 4 (meme-suite.org/meme/doc/meme-format.html)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.optional import require
from finemo_dist.storage.files import committed

_HEADER: Final = (
    "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
    "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n"
)
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


def read_meme(path: Path) -> list[MemeMotif]:
    """Return the motifs of a MEME file, in its order.

    Raises
    ------
    InputError
        The file cannot be read, holds no motif, or one that is not of four bases and numbers.
    UsageError
        memelite is not installed.
    """
    io = require("memelite.io", needed_for="--database", extra="motifs")
    try:
        found = io.read_meme(str(path))
    except (OSError, ValueError, IndexError, UnicodeDecodeError, AttributeError) as error:
        raise InputError(
            f"{path}: cannot be read as MEME motifs ({error}). Expected the minimal MEME format, "
            "as JASPAR and HOCOMOCO offer it."
        ) from error
    motifs = [_motif(path, heading, np.asarray(pwm, np.float64)) for heading, pwm in found.items()]
    if not motifs:
        raise InputError(f"{path}: holds no motif. Expected the minimal MEME format.")
    return motifs


def _motif(path: Path, heading: str, frequencies: NDArray[np.float64]) -> MemeMotif:
    name, _, alternate = heading.partition(" ")
    is_table = frequencies.ndim == 2 and frequencies.shape[0] == 4 and frequencies.shape[1] > 0
    if not is_table or not np.isfinite(frequencies).all() or (frequencies < 0).any():
        raise InputError(
            f"{path}: motif {name!r} is of shape {frequencies.shape} or holds no frequencies; "
            "expected four columns of frequencies, for A, C, G and T."
        )
    return MemeMotif(name, alternate, frequencies, 0)


def _safe(name: str) -> str:
    return _UNSAFE.sub(lambda match: quote(match[0], safe=""), name)
