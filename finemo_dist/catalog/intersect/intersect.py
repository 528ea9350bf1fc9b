"""Hits that several calls share: finemo's ``intersect-hits``, for files and runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.hit_file import HitFile
from finemo_dist.catalog.hit_records import NameCodes
from finemo_dist.catalog.intersect.file_input import FileInput
from finemo_dist.catalog.intersect.inputs import Input, PieceHits, Said
from finemo_dist.catalog.intersect.pieces import natural, pieces
from finemo_dist.catalog.intersect.run_input import RunHits, RunInput
from finemo_dist.catalog.intersect.shared import shared_hits
from finemo_dist.catalog.staging import Staging
from finemo_dist.catalog.text import open_output
from finemo_dist.core.ahead import ahead, mapped
from finemo_dist.core.errors import UsageError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.storage.files import committed

_RELAXED_KEY: Final = ("chr", "start_untrimmed", "end_untrimmed", "motif_name", "strand")
_STRICT_KEY: Final = (*_RELAXED_KEY, "start", "end", "peak_name", "peak_id")
_FEWEST: Final = 2
_BLOCK_LINES: Final = 1 << 15

HitSet = HitFile | RunHits
"""One input."""


def run_inputs(catalog: Catalog) -> list[HitSet]:
    """Return one input for each sample of a run, in its order."""
    return [RunHits(catalog, sample) for sample in catalog.samples]


def intersect_hits(
    inputs: Sequence[HitSet],
    out: str | Path,
    *,
    is_relaxed: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> int:
    """Write the hits that all inputs share and return how many lines that are.

    The columns are those of the first input; then, of every other input, the columns that need not
    agree, suffixed by its position: ``hit_coefficient_1``. Lines come in the order of
    ``shared_hits``, chromosomes in natural order; they do not depend on the order of the rows.
    Cells of a file stand as they do there. ``queries/intersect.sql`` has the rule.

    Parameters
    ----------
    inputs
        Two or more. Of a run, ``is_relaxed`` reads ``hits_unique`` where there are coordinates,
        and ``hits`` otherwise.
    out
        The TSV to write, whole or not at all; gzipped where its name ends in ``.gz``.
    is_relaxed
        Whether untrimmed place, motif and strand are enough; otherwise trims and peaks must agree.
    memory_limit, threads
        For DuckDB, which reads runs; at most four threads read a file. Beside it there are the hits
        of one piece; records of files wait in temporary files.

    Raises
    ------
    UsageError
        There are fewer than two inputs, or they repeat a site too often to combine.
    InputError
        A file is not a table of hits.
    """
    if len(inputs) < _FEWEST:
        raise UsageError(
            f"-i names {len(inputs)} table of hits; expected two or more. Add files or runs."
        )
    out = Path(out)
    others = _others(is_relaxed=is_relaxed)
    header = [*FINEMO_HIT_COLUMNS, *(f"{c}_{i}" for i in range(1, len(inputs)) for c in others)]
    with Staging(memory_limit=memory_limit, threads=threads) as staging:
        codes = NameCodes()
        opened = _opened(inputs, staging, codes, is_relaxed=is_relaxed, threads=threads)
        loaded = ahead(_loaded(opened, codes), n_values=1)
        matched = ahead(_matched(loaded, is_relaxed=is_relaxed), n_values=1)
        with committed(out) as temporary, open_output(temporary, out) as target:
            target.write(("\t".join(header) + "\n").encode())
            n_lines = 0
            for n, block in mapped(_lines, _blocks(matched)):
                target.write(block)
                n_lines += n
    return n_lines


def _others(*, is_relaxed: bool) -> list[str]:
    """Return the columns that need not agree."""
    key = _RELAXED_KEY if is_relaxed else _STRICT_KEY
    return [name for name in FINEMO_HIT_COLUMNS if name not in key]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The hits of all inputs in a piece, and the ranks of their codes."""

    inputs: list[PieceHits]
    chrom_ranks: NDArray[np.int32]
    name_ranks: NDArray[np.int32]


def _opened(
    inputs: Sequence[HitSet],
    staging: Staging,
    codes: NameCodes,
    *,
    is_relaxed: bool,
    threads: int | None,
) -> Iterator[Input]:
    for number, hits in enumerate(inputs):
        columns = _others(is_relaxed=is_relaxed) if number else FINEMO_HIT_COLUMNS
        said = Said(columns, is_relaxed)
        if isinstance(hits, HitFile):
            yield FileInput(hits, staging, number, codes, said, threads)
        else:
            yield RunInput(hits, staging, codes, said)


def _loaded(opened: Iterator[Input], codes: NameCodes) -> Iterator[_Loaded]:
    inputs = list(opened)
    for piece in pieces([one.counts for one in inputs]):
        found = [one.hits(piece) for one in inputs]
        # Ranks after the hits, which may bring names not met before.
        yield _Loaded(found, _chrom_ranks(codes), codes.name_ranks())


def _chrom_ranks(codes: NameCodes) -> NDArray[np.int32]:
    ranks = {name: rank for rank, name in enumerate(sorted(codes.chroms, key=natural))}
    return np.array([ranks[name] for name in codes.chroms], np.int32)


Matched = tuple[list[PieceHits], NDArray[np.intp]]
"""The hits of all inputs in a piece; and of each line, the number of its hit in each input."""


def _matched(loaded: Iterator[_Loaded], *, is_relaxed: bool) -> Iterator[Matched]:
    for piece in loaded:
        rows = shared_hits(
            [hits.records for hits in piece.inputs],
            chrom_ranks=piece.chrom_ranks,
            name_ranks=piece.name_ranks,
            is_relaxed=is_relaxed,
        )
        yield piece.inputs, rows


def _blocks(matched: Iterator[Matched]) -> Iterator[Matched]:
    """Yield few lines at a time."""
    for inputs, rows in matched:
        for first in range(0, len(rows), _BLOCK_LINES):
            yield inputs, rows[first : first + _BLOCK_LINES]


def _lines(block: Matched) -> tuple[int, Any]:
    """Return how many lines there are, and their bytes."""
    inputs, rows = block
    texts = [text for number, hits in enumerate(inputs) for text in hits.texts(rows[:, number])]
    lines = pc.binary_join_element_wise(
        pc.binary_join_element_wise(*texts, pa.scalar(b"\t", pa.large_binary())),
        pa.scalar(b"\n", pa.large_binary()),
        pa.scalar(b"", pa.large_binary()),
    )
    # The entries of an array made anew stand side by side.
    return len(rows), lines.buffers()[2]
