"""Motif files of any kind as patterns."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.motifs.jaspar import read_jaspar
from finemo_dist.motifs.known import known_pattern
from finemo_dist.motifs.meme import MemeMotif, read_meme
from finemo_dist.motifs.modisco import Pattern, read_patterns
from finemo_dist.storage.h5_file import is_h5
from finemo_dist.storage.locations import local_copy, location
from finemo_dist.storage.text import open_bytes

logger = logging.getLogger(__name__)

_MAX_HEAD_BYTES: Final = 1 << 16
_FEW_BITS: Final = 6
"""A sequence fits a motif of so many bits once in 64 places, by chance alone."""


def read_motif_files(paths: Sequence[str | Path]) -> list[Pattern]:
    """Return the motifs of files, in their order, each with the file it comes from.

    A file is told by its content: MEME has lines ``MOTIF``, JASPAR begins with ``>``, and all else
    is read as TF-MoDISco's H5. Frequencies become matrices by ``known_pattern``.

    Raises
    ------
    InputError
        A file cannot be read, or a name is in them twice.
    UsageError
        No file is given.
    """
    if not paths:
        raise UsageError("No motif file was given. Expected at least one.")
    patterns = [replace(p, source=str(path)) for path in paths for p in _read(path)]
    source_of: dict[str, str] = {}
    for pattern in patterns:
        other = source_of.setdefault(pattern.name, pattern.source)
        if other != pattern.source:
            raise InputError(
                f"{pattern.source}: names motif {pattern.name!r}, as {other} does. Expected "
                "different names: rename it in one of the files, or leave one file out."
            )
    return patterns


def _read(path: str | Path) -> list[Pattern]:
    head = _head(path)
    if head.startswith(">"):
        return _known(path, read_jaspar(path))
    if any(line.startswith(("MEME version", "MOTIF", "ALPHABET")) for line in head.splitlines()):
        return _known(path, read_meme(Path(path)))
    return read_patterns(path)


def _head(path: str | Path) -> str:
    """Return the beginning of a file if it is text, else nothing: the reader says what it is."""
    file = local_copy(location(path))
    if not file.is_file() or is_h5(file):
        return ""
    with open_bytes(path) as handle:
        head = handle.read(_MAX_HEAD_BYTES)
    return "" if b"\0" in head else head.decode("utf-8", errors="ignore").lstrip()


def _known(path: str | Path, motifs: Sequence[MemeMotif]) -> list[Pattern]:
    seen: set[str] = set()
    for motif in motifs:
        if motif.name in seen:
            raise InputError(
                f"{path}: names motif {motif.name!r} twice. Expected different names; rename one."
            )
        if not motif.name.isprintable():
            raise InputError(
                f"{path}: names a motif {motif.name!r}. Expected printable characters."
            )
        seen.add(motif.name)
    patterns = [known_pattern(motif) for motif in motifs]
    weak = [p.name for p in patterns if p.contributions.sum() < _FEW_BITS]
    if weak:
        logger.warning(
            "%s: %d of %d motifs carry less than %d bits of information, so that they fit many "
            "sites by chance: %s%s. Leave them out with --motifs-include.",
            path, len(weak), len(patterns), _FEW_BITS, ", ".join(weak[:5]),
            " and others" if len(weak) > 5 else "",
        )  # fmt: skip
    return patterns
