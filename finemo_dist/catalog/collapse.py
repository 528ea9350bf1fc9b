"""Which hit is the best of those that overlap: finemo's ``collapse-hits``, for files and runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.flagged_lines import write_flagged
from finemo_dist.catalog.hit_blocks import file_records
from finemo_dist.catalog.hit_file import HitFile, open_hit_file
from finemo_dist.catalog.hit_records import COLLAPSE_RECORD, HitRecords, NameCodes
from finemo_dist.catalog.primary import RivalHits, beaten_hits
from finemo_dist.catalog.sample_pieces import SamplePiece, sample_pieces
from finemo_dist.catalog.staging import Staging
from finemo_dist.catalog.text import Copy, write_text
from finemo_dist.catalog.window_file import WindowFile, touched_windows
from finemo_dist.core.ahead import ahead
from finemo_dist.core.errors import InputError
from finemo_dist.core.schema import DEFAULT_OVERLAP, FINEMO_HIT_COLUMNS

_PRIMARY: Final = "is_primary"


@dataclass(frozen=True, slots=True)
class CollapseSummary:
    """How many hits there were and how many of them are primary."""

    n_hits: int
    n_primary: int


def collapse_file(
    path: str | Path,
    out: str | Path,
    *,
    overlap: float = DEFAULT_OVERLAP,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> CollapseSummary:
    """Write a table of hits again, line by line as it is, with the column ``is_primary``.

    A hit is primary when no overlapping hit beats it; ``queries/collapse.sql`` has the rule. It
    does not depend on the order of the lines, which is kept. In memory there are a byte a line and
    the hits of one window of the genome; the rest waits in a temporary file.

    Parameters
    ----------
    path
        finemo's ``hits.tsv`` or ``hits_unique.tsv``, plain or gzipped.
    out
        The TSV to write, whole or not at all; gzipped where its name ends in ``.gz``.
    overlap
        Share, 0 to 1, of the mean length of two hits from which on they overlap; to the millionth.
    memory_limit
        Of DuckDB, which is not asked here: memory is as said above.
    threads
        That read the file; one per core when None, four at most.

    Raises
    ------
    InputError
        The file is not a table of hits.
    """
    file = open_hit_file(path)
    if _PRIMARY in file.columns:
        raise InputError(
            f"{path}: has a column {_PRIMARY!r} already. Give the hits.tsv it was made from."
        )
    with Staging(memory_limit=memory_limit, threads=threads) as staging:
        flags = _flags(staging, file, overlap, threads)
    write_flagged(file, Path(out), _PRIMARY, flags)
    return CollapseSummary(len(flags), int(np.count_nonzero(flags)))


def _flags(
    staging: Staging, file: HitFile, overlap: float, threads: int | None
) -> NDArray[np.uint8]:
    """Return 1 or 0 for every row."""
    codes = NameCodes()
    hits = HitRecords(COLLAPSE_RECORD, codes)
    windows = WindowFile(staging.folder / "windows", COLLAPSE_RECORD)
    with file.open() as source:
        for records, _ in file_records(file, source, hits, threads=threads):
            records["row"] = np.arange(hits.n_rows - len(records), hits.n_rows)
            windows.add(*touched_windows(records))
    flags = np.ones(hits.n_rows, np.uint8)
    ranks = codes.name_ranks()
    for records, window in ahead(windows.pieces()):
        flags[records["row"][beaten_hits(_rivals(records, window, ranks), overlap)]] = 0
    return flags


def _rivals(
    records: NDArray[Any], window: NDArray[np.int64], ranks: NDArray[np.int32]
) -> RivalHits:
    peak = records["peak_id"].astype(np.int64)
    return RivalHits(
        place=np.where(records["chr_code"] < 0, -1 - peak, window),
        start=records["start"].copy(),
        end=records["end"].copy(),
        start_untrimmed=records["start_untrimmed"],
        name_rank=ranks[records["name_code"]],
        hit_similarity=records["hit_similarity"],
        hit_coefficient=records["hit_coefficient"],
        hit_coefficient_global=records["hit_coefficient_global"],
        peak_id=peak,
        row=records["row"],
    )


def collapse_run(
    catalog: Catalog, out: str | Path, *, overlap: float = DEFAULT_OVERLAP
) -> CollapseSummary:
    """Write the hits of a run in the order of ``hits.tsv``, with the column ``is_primary``.

    Samples follow each other, each collapsed by itself; where there are several, the column
    ``sample`` leads.

    Raises
    ------
    RunError
        The run is damaged.
    """
    has_column = len(catalog.samples) > 1
    query = "copy_collapsed_tsv" + ("_with_sample" if has_column else "")
    columns = (*(("sample",) if has_column else ()), *FINEMO_HIT_COLUMNS, _PRIMARY)
    done: list[SamplePiece] = []

    def copies() -> Iterator[Copy]:
        for sample in catalog.samples:
            for piece in sample_pieces(catalog, sample, overlap):
                done.append(piece)
                yield catalog, query, {}

    write_text(Path(out), copies(), header=columns)
    n_hits = sum(piece.n_hits for piece in done)
    return CollapseSummary(n_hits, n_hits - sum(piece.n_beaten for piece in done))
