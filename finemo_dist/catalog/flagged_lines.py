"""The lines of a table, copied as they are with one more column of zeros and ones."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.hit_file import HitFile
from finemo_dist.catalog.text import open_output, whole_lines
from finemo_dist.core.ahead import ahead
from finemo_dist.storage.files import committed

_BLOCKS_TOGETHER: Final = 64


def write_flagged(file: HitFile, out: Path, name: str, flags: NDArray[np.uint8]) -> None:
    """Commit a table with the flags of its lines as a last column, gzipped where ``out`` says so.

    Lines are flagged while those before them are written.

    Parameters
    ----------
    name
        Of the column.
    flags
        (lines,) 0 or 1.
    """
    with (
        file.open() as source,
        committed(out) as temporary,
        open_output(temporary, out) as target,
    ):
        target.write(source.readline().rstrip(b"\r\n") + b"\t" + name.encode() + b"\n")
        for blocks in ahead(_together(_flagged_blocks(source, flags))):
            target.writelines(blocks)


def _together(blocks: Iterator[bytearray]) -> Iterator[list[bytearray]]:
    while some := list(islice(blocks, _BLOCKS_TOGETHER)):
        yield some


def _flagged_blocks(source: BinaryIO, flags: NDArray[np.uint8]) -> Iterator[bytearray]:
    """Yield the lines that are left of a file, each with its flag."""
    n_done = 0
    for lines in whole_lines(source):
        ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n"))
        flagged = bytearray(lines.replace(b"\n", b"\t0\n"))
        # Two bytes more a line, the second of them its flag.
        places = ends + np.arange(1, 2 * len(ends), 2)
        np.frombuffer(flagged, np.uint8)[places] += flags[n_done : n_done + len(ends)]
        n_done += len(ends)
        yield flagged
