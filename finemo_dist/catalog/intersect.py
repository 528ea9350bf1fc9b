"""Hits that several calls share: finemo's ``intersect-hits``, for files and runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import load_query
from finemo_dist.catalog.hit_file import HitFile
from finemo_dist.catalog.staging import Piece, Staging, pieces
from finemo_dist.catalog.text import open_output, whole_lines
from finemo_dist.core.errors import UsageError
from finemo_dist.core.files import committed
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS

_RELAXED_KEY: Final = ("chr", "start_untrimmed", "end_untrimmed", "motif_name", "strand")
_STRICT_KEY: Final = (*_RELAXED_KEY, "start", "end", "peak_name", "peak_id")
_FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class RunHits:
    """The hits of one sample of a run."""

    catalog: Catalog
    sample: str


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
    agree, suffixed by its position: ``hit_coefficient_1``. Lines are sorted by chromosome in
    natural order, start, end, motif, strand and peak; they do not depend on the order of the rows.
    ``queries/intersect.sql`` has the rule.

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
        For DuckDB; beyond the limit it spills to temporary files.

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
    with Staging(memory_limit=memory_limit, threads=threads) as staging:
        shared = _stage(staging, inputs, is_relaxed=is_relaxed)
        with committed(out) as temporary, open_output(temporary, out) as target:
            target.write(("\t".join(_header(len(inputs), is_relaxed=is_relaxed)) + "\n").encode())
            n_lines = 0
            for piece in shared:
                fragments = _intersect(staging, inputs, piece, is_relaxed=is_relaxed)
                n_lines += _write_lines(fragments, target, len(inputs))
    return n_lines


def _stage(staging: Staging, inputs: Sequence[HitSet], *, is_relaxed: bool) -> list[Piece]:
    """Read the files and return pieces of what may be shared: a chromosome of all inputs."""
    staging.run("intersect_tables")
    counts = []
    for number, hits in enumerate(inputs):
        if isinstance(hits, HitFile):
            staging.read(hits, "stage_intersect", {"input": number})
            if staging.run("staged_faults", {"input": number})[0][0]:
                hits.refuse_first_fault()
            counts.append(staging.run("staged_input_counts", {"input": number}))
        else:
            table = _table(hits, is_relaxed=is_relaxed)
            parameters = {"sample": hits.sample, "table": table}
            counts.append(hits.catalog.run("run_counts", parameters))
    everywhere = set.intersection(*({row[:2] for row in rows} for rows in counts))
    return list(pieces([row for rows in counts for row in rows if row[:2] in everywhere]))


def _table(hits: RunHits, *, is_relaxed: bool) -> str:
    # Where peaks overlap, hits has a site once a peak, and every copy would meet every other.
    by_place = is_relaxed and hits.catalog.sample(hits.sample).has_coordinates
    return "hits_unique" if by_place else "hits"


def _intersect(
    staging: Staging, inputs: Sequence[HitSet], piece: Piece, *, is_relaxed: bool
) -> Path:
    staging.run("new_intersect_piece")
    for number, hits in enumerate(inputs):
        if isinstance(hits, HitFile):
            staging.run("fill_intersect_piece", {"input": number, **piece.parameters()})
        else:
            wanted = {
                "input": number,
                "sample": hits.sample,
                "table": _table(hits, is_relaxed=is_relaxed),
                **piece.parameters(),
            }
            hits.catalog.rows("SET VARIABLE wanted = $wanted", {"wanted": wanted})
            staging.insert("piece", hits.catalog.sql(load_query("run_piece")))
    common = {"is_relaxed": is_relaxed}
    staging.run(
        "intersect",
        {"n_inputs": len(inputs), "chromosomes": list(piece.chromosomes), **common},
    )
    path = staging.folder / "fragments.tsv"
    staging.run("copy_intersection", {"path": str(path), **common})
    return path


def _header(n_inputs: int, *, is_relaxed: bool) -> Iterator[str]:
    key = _RELAXED_KEY if is_relaxed else _STRICT_KEY
    yield from FINEMO_HIT_COLUMNS
    for number in range(1, n_inputs):
        yield from (f"{name}_{number}" for name in FINEMO_HIT_COLUMNS if name not in key)


def _write_lines(fragments: Path, target: BinaryIO, n_inputs: int) -> int:
    """Join each ``n_inputs`` lines to one and return how many that makes."""
    n_done = 0
    with fragments.open("rb") as source:
        for lines in whole_lines(source):
            joined = bytearray(lines)
            ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n"))
            is_inner = np.arange(n_done + 1, n_done + len(ends) + 1) % n_inputs != 0
            np.frombuffer(joined, np.uint8)[ends[is_inner]] = ord("\t")
            target.write(joined)
            n_done += len(ends)
    return n_done // n_inputs
