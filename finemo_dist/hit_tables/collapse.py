"""Which hit is the best of those that overlap: finemo's ``collapse-hits``."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.text import open_output
from finemo_dist.core import defaults
from finemo_dist.core.ahead import mapped
from finemo_dist.hit_tables.staged import PRIMARY, Bench, Said, StagedHits, contents, runs
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location

_COLUMNS: Final = (
    "chr", "start", "end", "start_untrimmed", "motif_name", "strand", "peak_id",
    "hit_coefficient", "hit_coefficient_global", "hit_similarity",
)  # fmt: skip
"""Those that the rule reads."""
_MILLION: Final = 1_000_000


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
        a copy of the hits in any case. Four fifths of the memory of the machine when None.
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
    n_hits = n_primary = 0
    with ExitStack() as stack:
        bench = stack.enter_context(Bench(memory_limit=memory_limit, threads=threads))
        if hits.is_dir():
            catalog = open_catalog(hits, memory_limit=memory_limit, threads=threads)
            tables = _samples(bench, stack.enter_context(catalog))
        else:
            tables = iter([(bench.stage_file(hits, Said.LINE, _COLUMNS), ())])
        temporary = stack.enter_context(committed(out))
        target = stack.enter_context(open_output(temporary, out))
        for number, (table, leading) in enumerate(tables):
            if not number:
                target.write("\t".join((*leading, *table.header, PRIMARY)).encode() + b"\n")
            flags = _flags(bench, table, overlap, by=by)
            for lines in mapped(_flagged, _with_flags(table, flags)):
                target.write(lines)
            table.remove()
            n_hits += len(flags)
            n_primary += int(np.count_nonzero(flags))
    return CollapseSummary(n_hits, n_primary)


def overlap_ppm(overlap: float) -> int:
    """Return a share as whole millionths, so that overlaps compare as integers."""
    return round(Fraction(repr(overlap)) * _MILLION)


def _samples(bench: Bench, catalog: Catalog) -> Iterator[tuple[StagedHits, tuple[str, ...]]]:
    """Yield samples of a run, and the columns that lead their lines."""
    has_column = len(catalog.samples) > 1
    stage = partial(bench.stage_sample, catalog, said=Said.HIT, wanted=_COLUMNS, is_ordered=True)
    for sample in catalog.samples:
        lead = f"{sample}\t" if has_column else ""
        yield stage(sample=sample, lead=lead), ("sample",) if has_column else ()


def _flags(bench: Bench, table: StagedHits, overlap: float, *, by: str) -> NDArray[np.bool_]:
    """Return of every row whether it is primary."""
    flags = np.ones(table.counts.total(), np.bool_)
    for chroms in runs(sorted(table.counts.items())):
        bench.show(table, chroms)
        if by == "score":
            bench.run("make_scored")
        hits = "scored_piece" if by == "score" else "piece"
        beaten = bench.column("beaten", hits=hits, overlap_ppm=overlap_ppm(overlap))
        flags[table.numbers(beaten, chroms)] = False
    return flags


def _with_flags(
    table: StagedHits, flags: NDArray[np.bool_]
) -> Iterator[tuple[pa.Array, NDArray[np.bool_]]]:
    n_done = 0
    for cells in table.lines():
        yield cells, flags[n_done : n_done + len(cells)]
        n_done += len(cells)


def _flagged(entry: tuple[pa.Array, NDArray[np.bool_]]) -> Any:  # noqa: ANN401
    """Return lines with their flags, as bytes."""
    cells, flags = entry
    ends = pa.array([b"0\n", b"1\n"], cells.type).take(pa.array(flags.astype(np.int8)))
    lines = pc.binary_join_element_wise(cells, ends, pa.scalar(b"\t", cells.type))
    return contents(lines)
