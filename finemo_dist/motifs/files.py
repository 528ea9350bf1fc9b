"""Motif files of any kind as patterns."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from finemo_dist.core.errors import UsageError
from finemo_dist.motifs.modisco import Pattern, read_patterns


def read_motif_files(paths: Sequence[str | Path]) -> list[Pattern]:
    """Return the motifs of files, in their order, each with the file it comes from.

    Raises
    ------
    InputError
        A file cannot be read.
    UsageError
        No file is given.
    """
    if not paths:
        raise UsageError("No motif file was given. Expected at least one.")
    return [replace(p, source=str(path)) for path in paths for p in read_patterns(path)]
