"""What is done with hits once they are called: time and memory, against finemo's functions."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.main import _COMMANDS
from tests.benchmarks.efforts import Effort
from tests.benchmarks.finemo_env import Finemo
from tests.benchmarks.hit_runs import N_CHROMS, N_MOTIFS, write_hit_run
from tests.benchmarks.processes import Measured, measure
from tests.benchmarks.programs import finemo_dist
from tests.benchmarks.tables import megabytes, number, table

_LIMITS: Final = ("--memory-limit", "2GB")
_DROPPED: Final = 0.1
"""Share of the hits that each of the intersected runs lacks."""

_NOTE = """{n_hits:,} simulated hits of {n_motifs} motifs on {n_chroms} chromosomes, under
`--memory-limit 2GB`, on all cores. Wall times and peak resident sets of whole processes, reading
and writing included. finemo 0.41 runs the functions of its command line on the TSV of the same
hits. The three runs that are intersected hold {n_each:,} hits each, less a tenth that differs.
"""

# Pairs of motifs by the regions they share; each region and motif counts once.
_COOCCURRENCE: Final = """
WITH present AS (SELECT DISTINCT sample, peak_id, motif_id // 2 AS motif FROM hits)
SELECT a.motif, b.motif, count(*)
FROM present a JOIN present b USING (sample, peak_id)
WHERE a.motif < b.motif
GROUP BY ALL
"""

_FINEMO_UNIQUE: Final = """
import sys, polars as pl
from finemo import data_io
hits = data_io.load_hits(sys.argv[1], lazy=True).filter(pl.col("chr").is_not_null())
place = ["chr", "start", "motif_name", "strand"]
data_io.write_hits_processed(hits.unique(subset=place, maintain_order=True), sys.argv[2])
"""
_FINEMO_COLLAPSE: Final = """
import sys
from finemo.main import collapse_hits
collapse_hits(sys.argv[1], sys.argv[2])
"""
_FINEMO_INTERSECT: Final = """
import sys
from finemo.main import intersect_hits
intersect_hits(sys.argv[2:], sys.argv[1])
"""
_FINEMO_COOCCURRENCE: Final = """
import sys
from finemo import data_io, evaluation
names = [f"pattern_{i}" for i in range(int(sys.argv[2]))]
evaluation.get_motif_occurences(data_io.load_hits(sys.argv[1], lazy=True), names)
"""


@dataclass(frozen=True, slots=True)
class _Steps:
    """Runs of hits, and where answers go."""

    work: Path
    finemo: Finemo | None

    @property
    def run(self) -> Path:
        return self.work / "run"

    @property
    def atlas(self) -> Path:
        return self.work / "atlas"

    @property
    def tsv(self) -> Path:
        return self.work / "hits.tsv"

    def ours(self, *words: object) -> Measured:
        """Run a command of finemo-dist within the limits."""
        return finemo_dist(*words, *_LIMITS)

    def export(self, run: Path, out: Path) -> None:
        """Write the hits of a run as TSV, unless it stands."""
        if not out.exists():
            self.ours("export", run, "--to", "tsv", "-o", out)

    def theirs(self, code: str, *words: object) -> Measured | None:
        """Run code with finemo, where there is one."""
        if self.finemo is None:
            return None
        return measure([self.finemo.executable.parent / "python", "-c", code, *words])


def measure_catalog(effort: Effort, work: Path, *, finemo: Finemo | None) -> str:
    """Return the table of post-processing and the table of queries."""
    work.mkdir(parents=True, exist_ok=True)
    steps = _Steps(work, finemo)
    note = _NOTE.format(
        n_hits=effort.catalog_hits,
        n_motifs=N_MOTIFS,
        n_chroms=N_CHROMS,
        n_each=effort.catalog_hits // 3,
    )
    return "\n".join([note, _post_processing(effort, steps), "", _atlas(effort, steps)])


def _post_processing(effort: Effort, steps: _Steps) -> str:
    click.echo("catalog: writing hits", err=True)
    write_hit_run(steps.run, {"s": 1}, n_hits=effort.catalog_hits)
    steps.export(steps.run, steps.tsv)
    rows = [
        _row("unique, run to TSV", _unique(steps)),
        _row("collapse, TSV to TSV", _collapse(steps)),
        _row("collapse, run to TSV", (_collapse_run(steps), None)),
        _row(f"co-occurrence of {N_MOTIFS} motifs", _cooccurrence(steps)),
    ]
    rows.extend(_intersections(effort, steps))
    return table(["", "finemo-dist s", "peak", "finemo s", "its peak", "times"], rows)


Pair = tuple[Measured, Measured | None]


def _unique(steps: _Steps) -> Pair:
    out = steps.work / "out.tsv"
    ours = steps.ours("export", steps.run, "--to", "tsv", "--table", "unique", "-o", out)
    return ours, steps.theirs(_FINEMO_UNIQUE, steps.tsv, out)


def _collapse(steps: _Steps) -> Pair:
    out = steps.work / "out.tsv"
    ours = steps.ours("collapse-hits", "-i", steps.tsv, "-o", out)
    return ours, steps.theirs(_FINEMO_COLLAPSE, steps.tsv, out)


def _collapse_run(steps: _Steps) -> Measured:
    return steps.ours("collapse-hits", "-i", steps.run, "-o", steps.work / "out.tsv")


def _cooccurrence(steps: _Steps) -> Pair:
    named = ("query", "cooccurrence", steps.run)
    words = named if "query" in _COMMANDS else ("sql", steps.run, _COOCCURRENCE)
    answer = ("--format", "tsv", "-o", steps.work / "out.tsv")
    return steps.ours(*words, *answer), steps.theirs(_FINEMO_COOCCURRENCE, steps.tsv, N_MOTIFS)


def _intersections(effort: Effort, steps: _Steps) -> list[list[str]]:
    out = steps.work / "out.tsv"
    runs, tables = [], []
    for i in range(3):
        run = write_hit_run(
            steps.work / f"run{i}", {"s": 2}, n_hits=effort.catalog_hits // 3, dropped=_DROPPED
        )
        tables.append(steps.work / f"run{i}.tsv")
        runs.append(run)
        steps.export(run, tables[-1])
    theirs = steps.theirs(_FINEMO_INTERSECT, out, *tables)
    rows = []
    for kind, inputs in (("runs", runs), ("TSVs", tables)):
        ours = steps.ours("intersect-hits", "-i", *inputs, "-o", out)
        rows.append(_row(f"intersection of three {kind}", (ours, theirs)))
    return rows


def _row(name: str, pair: Pair) -> list[str]:
    ours, theirs = pair
    figures = [number(ours.wall_s), megabytes(ours.peak_bytes), "-", "-", "-"]
    if theirs is not None:
        ratio = number(theirs.wall_s / ours.wall_s)
        figures[2:] = [number(theirs.wall_s), megabytes(theirs.peak_bytes), ratio]
    click.echo(f"catalog: {name}: {', '.join(figures)}", err=True)
    return [name, *figures]


_QUESTIONS: Final = {
    "one locus, all samples": "SELECT * FROM hits WHERE chr = 'chr7' "
    "AND start BETWEEN 50000000 AND 50100000",
    "one locus, one sample": "SELECT * FROM hits WHERE sample = 's001' AND chr = 'chr7' "
    "AND start BETWEEN 50000000 AND 50100000",
    "one motif, all samples": "SELECT sample, count(*), avg(hit_similarity) FROM hits "
    "WHERE motif_name = 'pattern_7' GROUP BY sample",
    "counts per sample and motif": "SELECT sample, motif_name, n_hits FROM motif_counts",
}


def _atlas(effort: Effort, steps: _Steps) -> str:
    click.echo("catalog: writing the atlas", err=True)
    samples = {f"s{i:03}": i for i in range(effort.catalog_samples)}
    write_hit_run(steps.atlas, samples, n_hits=effort.catalog_sample_hits)
    n_hits = effort.catalog_samples * effort.catalog_sample_hits
    # Of an earlier measurement with the same --work.
    shutil.rmtree(steps.atlas / "compact", ignore_errors=True)
    parts = _asked(steps)
    compacted = steps.ours("compact", steps.atlas)
    click.echo("catalog: compacted", err=True)
    sorted_ = _asked(steps)
    rows = [[name, *_figures(parts[name]), *_figures(sorted_[name])] for name in _QUESTIONS]
    header = ["", "parts s", "peak", "compacted s", "peak "]
    return (
        f"{n_hits:,} hits of {len(samples)} samples on disk, {_bytes(steps.atlas, 'hits')} of "
        f"parts and {_bytes(steps.atlas, 'compact')} compacted in {number(compacted.wall_s)} s "
        f"({megabytes(compacted.peak_bytes)}); `finemo-dist sql` as a whole process:\n\n"
        + table(header, rows)
    )


def _asked(steps: _Steps) -> dict[str, Measured]:
    answer = ("--format", "tsv", "-o", steps.work / "out.tsv")
    return {
        name: steps.ours("sql", steps.atlas, query, *answer) for name, query in _QUESTIONS.items()
    }


def _figures(measured: Measured) -> Sequence[str]:
    return number(measured.wall_s), megabytes(measured.peak_bytes)


def _bytes(run: Path, folder: str) -> str:
    return megabytes(sum(p.stat().st_size for p in (run / folder).rglob("*.parquet")))
