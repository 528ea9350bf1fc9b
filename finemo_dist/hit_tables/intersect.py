"""Hits that several calls share: finemo's ``intersect-hits``."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.chunks import whole_runs
from finemo_dist.catalog.connection import load_query
from finemo_dist.catalog.text import contents, open_output
from finemo_dist.core.errors import UsageError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.core.words import count, natural
from finemo_dist.hit_tables.staged import ROOM, Bench, Said, SampleHits, StagedHits
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location

_FEWEST: Final = 2
_MOST_COMBINATIONS: Final = 10_000
_Table = StagedHits | SampleHits


@dataclass(frozen=True, slots=True)
class IntersectSummary:
    """How many inputs there were, and how many lines they share."""

    n_inputs: int
    n_lines: int


def intersect_hits(
    hits: Sequence[str | Path],
    out: str | Path,
    *,
    relaxed: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> IntersectSummary:
    """Write the hits that all inputs share.

    The output has the columns of the first input. Then follow, for every other input, the columns
    that need not agree, with its position as a suffix: ``hit_coefficient_1``. Chromosomes are in
    natural order, and lines in that of ``queries/shared_lines.sql``, whatever the order of the
    input. Cells of a file keep their text. ``queries/intersect.sql`` has the rule.

    Parameters
    ----------
    hits
        Two or more inputs: tables of hits, plain or gzipped, and run directories, each sample of
        which is one input. ``relaxed`` reads ``hits_unique`` of a run with coordinates, and
        ``hits`` of one without.
    out
        The TSV to write, whole or not at all; gzipped if its name ends in ``.gz``.
    relaxed
        Whether untrimmed place, motif and strand must agree; otherwise trims and peaks must too.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``. Beyond that it spills to TMPDIR, which holds
        a copy of files in any case. Four fifths of the memory of the machine when None.
    threads
        Number of threads; one per core when None.

    Raises
    ------
    UsageError
        There are fewer than two inputs, or they repeat a site too often to combine.
    InputError
        A file is not a table of hits.
    RunError
        A run is damaged.
    """
    out = location(out)
    with ExitStack() as stack:
        bench = stack.enter_context(Bench(memory_limit=memory_limit, threads=threads))
        inputs: list[Path | tuple[Catalog, str]] = []
        for path in map(location, hits):
            if path.is_dir():
                catalog = open_catalog(path, memory_limit=memory_limit, threads=threads)
                stack.enter_context(catalog)
                inputs.extend((catalog, sample) for sample in catalog.samples)
            else:
                inputs.append(path)
        if len(inputs) < _FEWEST:
            raise UsageError(
                f"-i names {count(len(inputs), 'table')} of hits; expected two or more. Add "
                "files or runs."
            )
        tables = list(_staged(bench, inputs, relaxed=relaxed))
        bench.rows("SET VARIABLE is_relaxed = $relaxed", relaxed=relaxed)
        temporary = stack.enter_context(committed(out))
        target = stack.enter_context(open_output(temporary, out))
        suffixed = (f"{name}_{i}" for i, t in enumerate(tables[1:], 1) for name in t.header)
        target.write("\t".join((*tables[0].header, *suffixed)).encode() + b"\n")
        n_lines = sum(_write_shared(bench, tables, chroms, target) for chroms in _places(tables))
    return IntersectSummary(len(inputs), n_lines)


def _staged(
    bench: Bench, inputs: Sequence[Path | tuple[Catalog, str]], *, relaxed: bool
) -> Iterator[_Table]:
    said = Said.HIT
    for source in inputs:
        if isinstance(source, Path):
            yield bench.stage_file(source, said, FINEMO_HIT_COLUMNS)
        else:
            catalog, sample = source
            has_coordinates = catalog.sample(sample).has_coordinates
            # Where peaks overlap, hits has a site once a peak, and every copy would meet every
            # other.
            table = "hits_unique" if relaxed and has_coordinates else "hits"
            yield SampleHits.of(catalog, sample, said, table=table)
        said = Said.ALL_BUT_SITE if relaxed else Said.SCORES


def _places(tables: Sequence[_Table]) -> Iterator[list[str]]:
    """Yield runs of the chromosomes that all tables have, in output order: first, what has none."""
    shared = set.intersection(*(set(table.counts) for table in tables))
    if "" in shared:
        yield [""]
    chroms = sorted(shared - {""}, key=natural)
    yield from whole_runs([(chrom, sum(t.counts[chrom] for t in tables)) for chrom in chroms])


def _write_shared(
    bench: Bench, tables: Sequence[_Table], chroms: Sequence[str], target: BinaryIO
) -> int:
    """Write the lines of some chromosomes and return how many they are."""
    _make_sites(bench, tables, chroms)
    _require_few(bench, tables)
    bench.run("first_input")
    for number in range(1, len(tables)):
        bench.make("VIEW", "sites", f"FROM sites_{number}")
        bench.run("make_joined")
        if number < len(tables) - 1:
            bench.make(
                "TABLE", f"shared_{number}", f"SELECT * RENAME (told AS told_{number}) FROM joined"
            )
            bench.make("VIEW", "shared", f"FROM shared_{number}")
            bench.rows(f"DROP TABLE IF EXISTS shared_{number - 1}")
    n_lines = 0
    for batch in bench.stream(_lines(tables)):
        target.write(contents(batch.column(0)))
        n_lines += batch.num_rows
    return n_lines


def _lines(tables: Sequence[_Table]) -> str:
    """Return the query that makes text of the lines of the view ``joined``."""
    columns = (*(f"told_{number}" for number in range(len(tables) - 1)), "told")
    cells = (table.told.text.format(name) for table, name in zip(tables, columns, strict=True))
    shared = load_query("shared_lines", ROOM).rstrip().removesuffix(";")
    return f"SELECT concat({', chr(9), '.join(cells)}, chr(10)) AS line FROM ({shared})"


def _make_sites(bench: Bench, tables: Sequence[_Table], chroms: Sequence[str]) -> None:
    """Make tables of hits, and of each the view ``sites_0``, ``sites_1`` and so on."""
    bench.run("repeated_sites")
    for number, table in enumerate(tables):
        bench.show(table, chroms)
        with table.errors():
            bench.run("make_hits")
        bench.run("add_repeated", input=number)
        bench.run("number_hits", input=number)
        bench.rows(f"DROP TABLE IF EXISTS hits_{number}")
        bench.rows(f"ALTER TABLE made RENAME TO hits_{number}")
        bench.make("VIEW", f"sites_{number}", f"FROM {table.told.macro}('hits_{number}')")


def _require_few(bench: Bench, tables: Sequence[_Table]) -> None:
    ((most,),) = bench.run("most_lines")
    if most is None or most <= _MOST_COMBINATIONS:
        return
    # Some table may lack the sites that others repeat.
    bench.run("counted_sites")
    for number in range(len(tables)):
        bench.make("VIEW", "sites", f"FROM sites_{number}")
        bench.run("add_counted", input=number)
    ((most,),) = bench.run("most_shared_lines", n_inputs=len(tables))
    if most is not None and most > _MOST_COMBINATIONS:
        raise UsageError(
            "A site occurs so often in these inputs that it has over 10,000 combinations, as where "
            "peaks overlap. Give hits_unique.tsv instead of hits.tsv, or leave out -r."
        )
