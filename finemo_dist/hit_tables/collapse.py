"""Which hit is the best of those that overlap: finemo's ``collapse-hits``."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.chunks import chromosome_chunks, whole_runs
from finemo_dist.catalog.connection import load_query, run_errors, stream_errors
from finemo_dist.catalog.text import BATCH_ROWS, contents, open_output
from finemo_dist.core import defaults
from finemo_dist.core.ahead import mapped
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.hit_tables.staged import (
    PRIMARY,
    ROOM,
    Bench,
    Said,
    StagedHits,
)
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location

_COLUMNS: Final = (
    "chr", "start", "end", "start_untrimmed", "motif_name", "strand", "peak_id",
    "hit_coefficient", "hit_coefficient_global", "hit_similarity",
)  # fmt: skip
"""Those that the rule reads."""
_MILLION: Final = 1_000_000
_COMPARED: Final = 5_000_000
"""About how many hits are compared at once; their columns take half a gigabyte."""
_SET_WINDOW: Final = "SET VARIABLE starts = $starts"
_Tables = Iterator[tuple[NDArray[np.bool_], Iterator[pa.Array]]]
"""For some hits: whether each is primary, and their cells."""


@dataclass(frozen=True, slots=True)
class CollapseSummary:
    """How many hits there were and how many of them are primary."""

    n_hits: int
    n_primary: int


def collapse_hits(
    hits: str | Path,
    out: str | Path,
    *,
    overlap: float = defaults.OVERLAP,
    by: Literal["similarity", "score"] = defaults.COLLAPSE_BY,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> CollapseSummary:
    """Write hits with the column ``is_primary``: 1 if no overlapping hit beats the hit, else 0.

    The hit with the larger similarity wins; ``catalog/queries/collapse.sql`` has the whole rule,
    which does not depend on the order of the hits. Lines of a file keep their text and order. Hits
    of a run are in the order of ``hits.tsv``, sample after sample. Each sample is collapsed by
    itself; if there are several, ``sample`` is the first column.

    Parameters
    ----------
    hits
        finemo's ``hits.tsv`` or ``hits_unique.tsv``, plain or gzipped; or a run directory.
    out
        The TSV to write, whole or not at all; gzipped if its name ends in ``.gz``.
    overlap
        Share, 0 to 1, of the mean length of two hits that they must have in common to overlap;
        rounded to the millionth.
    by
        ``similarity``: finemo's rule. ``score``: the larger square root of ``hit_coefficient``
        times ``hit_coefficient_global`` wins, which agrees better with outside evidence.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``. Beyond that it spills to TMPDIR, which holds
        a copy of a file in any case. Four fifths of the memory of the machine when None.
    threads
        Number of threads; one per core when None.

    Raises
    ------
    InputError
        The file is not a table of hits.
    RunError
        The run is damaged.
    UsageError
        A limit is not understood.
    """
    hits, out = location(hits), location(out)
    ppm, is_scored = overlap_ppm(overlap), by == "score"
    n_hits = n_primary = 0
    with ExitStack() as stack:
        bench = stack.enter_context(Bench(memory_limit=memory_limit, threads=threads))
        if hits.is_dir():
            catalog = open_catalog(hits, memory_limit=memory_limit, threads=threads)
            stack.enter_context(catalog)
            header = ("sample",) * (len(catalog.samples) > 1) + FINEMO_HIT_COLUMNS
            tables = _of_run(bench, catalog, ppm, is_scored=is_scored)
        else:
            table = bench.stage_file(hits, Said.LINE, _COLUMNS)
            header = table.header
            tables = iter([(_flags_of_file(bench, table, ppm, is_scored=is_scored), table.lines())])
        temporary = stack.enter_context(committed(out))
        target = stack.enter_context(open_output(temporary, out))
        target.write("\t".join((*header, PRIMARY)).encode() + b"\n")
        for flags, cells in tables:
            for lines in mapped(_flagged, _with_flags(cells, flags)):
                target.write(lines)
            n_hits += len(flags)
            n_primary += int(np.count_nonzero(flags))
    return CollapseSummary(n_hits, n_primary)


def overlap_ppm(overlap: float) -> int:
    """Return a share as whole millionths, so that overlaps compare as integers."""
    return round(Fraction(repr(overlap)) * _MILLION)


def touching(
    place: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the pairs of hits that share a base, each pair once, about a million at a time.

    Parameters
    ----------
    place
        A number for each hit; hits of different places do not overlap.
    start, end
        Of each hit.

    Yields
    ------
    For some pairs: the numbers of the one hit, and of the other.
    """
    order = np.lexsort((start, place))
    place, start, end = place[order], start[order], end[order]
    one = np.flatnonzero((place[1:] == place[:-1]) & (start[1:] < end[:-1]))
    step, n_held = 1, 0
    held: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    while len(one):
        held.append((order[one], order[one + step]))
        n_held += len(one)
        # A hit that does not reach the start of the next hit but one reaches none after it.
        step += 1
        one = one[: np.searchsorted(one, len(order) - step)]
        one = one[(place[one + step] == place[one]) & (start[one + step] < end[one])]
        if n_held >= _MILLION or not len(one):
            ones, others = (np.concatenate(side) for side in zip(*held, strict=True))
            for first in range(0, n_held, _MILLION):
                some = slice(first, first + _MILLION)
                yield ones[some], others[some]
            held, n_held = [], 0


def _of_run(bench: Bench, catalog: Catalog, ppm: int, *, is_scored: bool) -> _Tables:
    """Yield flags and cells of chromosomes of the samples of a run, in order."""
    catalog.rows("SET VARIABLE is_scored = $is_scored", {"is_scored": is_scored})
    catalog.rows("SET VARIABLE wanted = $wanted", {"wanted": FINEMO_HIT_COLUMNS})
    compared, cells, extent = (load_query(q, ROOM) for q in ("compared", "cells", "extent"))
    for sample in catalog.samples:
        lead = f"{sample}\t" if len(catalog.samples) > 1 else ""
        catalog.rows("SET VARIABLE lead = $lead", {"lead": lead})
        for first, last in chromosome_chunks(catalog, sample):
            chunk = {"table": "named_hits", "sample": sample, "first": first, "last": last}
            catalog.rows("SET VARIABLE chunk = $chunk", {"chunk": chunk})
            catalog.rows(f"CREATE OR REPLACE TEMP VIEW chunk_hits AS {load_query('ordered')}")
            catalog.rows(load_query("make_lined", ROOM))
            catalog.rows(load_query("make_lined_piece", ROOM))
            ((n_hits,),) = catalog.rows("SELECT count(*) FROM lined")
            flags = np.ones(n_hits, np.bool_)
            for window in _windows(n_hits, *catalog.rows(extent)):
                catalog.rows(_SET_WINDOW, {"starts": window})
                for rows in _beaten(bench, catalog.sql(compared).to_arrow_table(), ppm):
                    flags[rows] = False
            with run_errors(catalog.run_dir), stream_errors():
                stream = catalog.sql(cells).to_arrow_reader(BATCH_ROWS)
                yield flags, (batch.column(0) for batch in stream)


def _flags_of_file(
    bench: Bench, table: StagedHits, ppm: int, *, is_scored: bool
) -> NDArray[np.bool_]:
    """Return of every row of a staged table whether it is primary."""
    bench.rows("SET VARIABLE is_scored = $is_scored", is_scored=is_scored)
    flags = np.ones(table.counts.total(), np.bool_)
    for chroms in whole_runs(sorted(table.counts.items())):
        bench.show(table, chroms)
        n_hits = sum(table.counts[chrom] for chrom in chroms)
        for window in _windows(n_hits, *bench.run("extent")):
            bench.rows(_SET_WINDOW, starts=window)
            for rows in _beaten(bench, bench.table("compared"), ppm):
                flags[table.numbers(rows, chroms)] = False
    return flags


def _windows(n_hits: int, extent: tuple[int, int, int]) -> Iterator[dict[str, int]]:
    """Yield first and last start of hits that are compared at once, so that memory has a bound."""
    if not n_hits:
        return
    first, last, longest = extent
    n_windows = -(-n_hits // _COMPARED)
    bounds = [first + (last + 1 - first) * i // n_windows for i in range(n_windows + 1)]
    for low, high in pairwise(bounds):
        # A hit that reaches into a window starts no more than the longest hit before it.
        yield {"low": low - longest, "high": high - 1}


def _beaten(bench: Bench, hits: pa.Table, ppm: int) -> Iterator[NDArray[np.int64]]:
    """Yield "row" of hits that are beaten, some at a time; a hit may come again."""
    chrom = pc.dictionary_encode(hits["chr"]).combine_chunks().indices
    place = chrom.fill_null(-1).to_numpy()
    if chrom.null_count:
        place = np.where(place < 0, -1 - hits["peak_id"].to_numpy().astype(np.int64), place)
    columns = hits.drop_columns("chr")
    for sides in touching(place, hits["start"].to_numpy(), hits["end"].to_numpy()):
        both = (columns.take(pa.array(side)).to_struct_array() for side in sides)
        pairs = pa.table(dict(zip(("one", "other"), both, strict=True)))
        yield bench.column("beaten", pairs=pairs, overlap_ppm=ppm)


def _with_flags(
    cells: Iterator[pa.Array], flags: NDArray[np.bool_]
) -> Iterator[tuple[pa.Array, NDArray[np.bool_]]]:
    n_done = 0
    for some in cells:
        yield some, flags[n_done : n_done + len(some)]
        n_done += len(some)


def _flagged(entry: tuple[pa.Array, NDArray[np.bool_]]) -> Any:  # noqa: ANN401
    """Return lines with their flags, as bytes."""
    cells, flags = entry
    ends = pa.array([b"0\n", b"1\n"], cells.type).take(pa.array(flags.astype(np.int8)))
    lines = pc.binary_join_element_wise(cells, ends, pa.scalar(b"\t", cells.type))
    return contents(lines)
