"""Tables of hits to work on: files, as Parquet in a temporary folder, and samples of runs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet as pq

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import (
    connect,
    limit_errors,
    load_query,
    no_room,
    run_errors,
)
from finemo_dist.catalog.text import BATCH_ROWS
from finemo_dist.core.ahead import mapped
from finemo_dist.core.errors import FinemoDistError, InputError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS, FINEMO_SCORE_COLUMNS
from finemo_dist.core.system_errors import fault
from finemo_dist.hits.hits_tsv import BLOCK_BYTES, HitBlock, open_hit_table, text_of
from finemo_dist.storage.temporary import scratch_folder

PRIMARY: Final = "is_primary"
_FILE_SHIFT: Final = 40
"""Of ``row`` in ``queries/make_piece.sql``."""
_STREAM_ROWS: Final = 1 << 19
"""Hits of a run that are handed over at once."""
ROOM: Final = "finemo_dist.hit_tables"


class Said(StrEnum):
    """What of a line is written; the rest of it only decides."""

    LINE = "line"
    """Every column a file has."""
    HIT = "hit"
    """The columns of ``hits.tsv``."""
    SCORES = "scores"
    """Those in which hits of one site differ."""
    ALL_BUT_SITE = "all but site"
    """Those in which they differ when only the untrimmed place has to agree."""

    def columns(self, of_file: Sequence[str] = FINEMO_HIT_COLUMNS) -> tuple[str, ...]:
        """Return the columns, in the order in which they are written."""
        if self is Said.LINE:
            return tuple(of_file)
        if self is Said.HIT:
            return FINEMO_HIT_COLUMNS
        others = ("start", "end", *FINEMO_SCORE_COLUMNS, "peak_name", "peak_id")
        return FINEMO_SCORE_COLUMNS if self is Said.SCORES else others


@dataclass(frozen=True, slots=True)
class Told:
    """How what is written of a hit goes through the joins, and how it becomes text."""

    macro: str
    """Of ``queries/told.sql``."""
    text: str
    """In SQL, of the column ``{}``."""


_CELLS: Final = Told("cells_told", "{}")
_NUMBERS: Final = {
    Said.HIT: Told("hit_told", "line_of('', {}, '')"),
    Said.SCORES: Told("scores_told", "scores_of({})"),
    Said.ALL_BUT_SITE: Told("hit_told", "beyond_site({})"),
}
"""Of a run, of which only lines that are written become text."""


@dataclass(frozen=True)
class StagedHits:
    """Hits in Parquet files: what the rules read, the cells of a file, and a number a row.

    Attributes
    ----------
    files
        In the order of the rows, each with its hits by chromosome; the chromosome is empty where
        there is none.
    header
        Names of the cells.
    """

    files: Sequence[tuple[Path, Mapping[str, int]]]
    header: tuple[str, ...]
    told: Told = _CELLS

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise what goes wrong when hits are read as what it is."""
        yield

    @cached_property
    def counts(self) -> Counter[str]:
        """Chromosome to its number of hits."""
        return sum((Counter(counts) for _, counts in self.files), Counter())

    @cached_property
    def _firsts(self) -> list[int]:
        """The number of the first row of each file."""
        sizes = (sum(counts.values()) for _, counts in self.files)
        return list(accumulate(sizes, initial=0))[:-1]

    def files_of(self, chroms: Sequence[str]) -> list[str]:
        """Return the files that have hits of some chromosomes."""
        wanted = set(chroms)
        return [str(path) for path, counts in self.files if not wanted.isdisjoint(counts)]

    def numbers(self, rows: NDArray[np.int64], chroms: Sequence[str]) -> NDArray[np.int64]:
        """Return of rows, as the view ``piece`` of some chromosomes has them, their numbers."""
        first = dict(zip((path for path, _ in self.files), self._firsts, strict=True))
        firsts = np.array([first[Path(name)] for name in self.files_of(chroms)], np.int64)
        numbers: NDArray[np.int64] = firsts[rows >> _FILE_SHIFT] + (rows & (1 << _FILE_SHIFT) - 1)
        return numbers

    def lines(self) -> Iterator[pa.Array]:
        """Yield the cells of rows of a file, in their order."""
        for path, _ in self.files:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=["cells"]):
                    yield batch.column(0)


@dataclass(frozen=True)
class SampleHits:
    """Hits of a sample of a run, read by chromosome when they are asked for.

    Attributes
    ----------
    table
        ``hits`` or ``hits_unique``.
    chroms
        Chromosome, empty where there is none, to its ``chr_id`` and about how many hits it has.
    header, told
        As of ``StagedHits``.
    """

    catalog: Catalog
    sample: str
    table: str
    chroms: Mapping[str, tuple[int, int]]
    header: tuple[str, ...]
    told: Told

    @classmethod
    def of(cls, catalog: Catalog, sample: str, said: Said, *, table: str = "hits") -> Self:
        """Return the hits of a sample; ``said`` is what of them is written.

        Raises
        ------
        RunError
            The run is damaged; also when hits are read.
        """
        rows = catalog.rows(load_query("sample_counts", ROOM), {"sample": sample})
        chroms = {chrom: (chr_id, n_hits) for chr_id, chrom, n_hits in rows}
        return cls(catalog, sample, table, chroms, said.columns(), _NUMBERS[said])

    @cached_property
    def counts(self) -> Counter[str]:
        """Chromosome to about how many hits it has."""
        return Counter({chrom: n_hits for chrom, (_, n_hits) in self.chroms.items()})

    def stream(self, chroms: Sequence[str]) -> pa.RecordBatchReader:
        """Return the hits of some chromosomes, as ``queries/hits_of_chunk.sql`` has them."""
        ids = [self.chroms[chrom][0] for chrom in chroms]
        chunk = {
            "table": f"named_{self.table}", "sample": self.sample, "chroms": ids,
            "first": min(ids), "last": max(ids),
        }  # fmt: skip
        wanted = [name for name in FINEMO_HIT_COLUMNS if name != "hit_correlation"]
        self.catalog.rows("SET VARIABLE wanted = $wanted", {"wanted": wanted})
        self.catalog.rows("SET VARIABLE chunk = $chunk", {"chunk": chunk})
        with self.errors():
            hits = self.catalog.sql(load_query("hits_of_chunk", ROOM))
            return hits.to_arrow_reader(_STREAM_ROWS)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise what goes wrong when hits are read as ``RunError``."""
        with run_errors(self.catalog.run_dir):
            yield


class Bench:
    """A DuckDB, and a folder in TMPDIR for the tables that it works on."""

    def __init__(self, *, memory_limit: str | None, threads: int | None) -> None:
        self._threads = threads
        self._n_files = 0
        with ExitStack() as undo:
            folder = scratch_folder()
            undo.callback(folder.cleanup)
            self._folder = Path(folder.name)
            self._connection = connect(
                self._folder / "spill", memory_limit=memory_limit, threads=threads
            )
            undo.callback(self._connection.close)
            # Every file is read once or twice; to keep it would take the memory of the work.
            self._connection.execute("SET enable_external_file_cache = false")
            self._connection.execute(load_query("collapse"))
            self._connection.execute(load_query("with_cells"))
            for name in ("intersect", "told"):
                self._connection.execute(load_query(name, ROOM))
            self._resources = undo.pop_all()

    def stage_file(self, path: Path, said: Said, wanted: Sequence[str]) -> StagedHits:
        """Stage a table of hits, plain or gzipped; rows are its lines.

        Parameters
        ----------
        wanted
            Columns that the rule reads.

        Raises
        ------
        InputError
            The file is not a table of hits.
        """
        with open_hit_table(path) as table:
            if said is Said.LINE and PRIMARY in table.columns:
                raise InputError(
                    f"{path}: already has a column {PRIMARY!r}. Give the hits.tsv it was made from."
                )
            header = said.columns(table.columns)
            places = [table.columns.index(name) for name in header]
            write = partial(self._write, said=said, n_columns=len(table.columns), places=places)
            blocks = table.blocks(wanted, threads=self._threads)
            files = list(mapped(write, ((block, self._next_file()) for block in blocks)))
        return StagedHits(files, header)

    def show(self, hits: "StagedHits | SampleHits", chroms: Sequence[str]) -> None:
        """Show hits of some chromosomes as the view ``piece``; those of a run can be read once."""
        self.rows("SET VARIABLE chroms = $chroms", chroms=list(chroms))
        if isinstance(hits, SampleHits):
            self._connection.register("streamed", hits.stream(chroms))
            self.run("make_sample_piece")
            return
        self.rows("SET VARIABLE files = $files", files=hits.files_of(chroms))
        self.run("make_piece")

    def run(self, name: str, **parameters: object) -> list[Any]:
        """Return the rows of a query of this room."""
        return self.rows(load_query(name, ROOM), **parameters)

    def rows(self, query: str, **parameters: object) -> list[Any]:
        """Return the rows of a query."""
        with limit_errors():
            return self._connection.execute(query, parameters or None).fetchall()

    def make(self, kind: Literal["TABLE", "VIEW"], name: str, query: str) -> None:
        """Make a temporary table or view, over one of that name if there is one."""
        self.rows(f"CREATE OR REPLACE TEMP {kind} {name} AS {query}")

    def table(self, name: str) -> pa.Table:
        """Return the answer to a query of this room."""
        with limit_errors():
            return self._connection.sql(load_query(name, ROOM)).to_arrow_table()

    def column(self, name: str, *, pairs: pa.Table, **parameters: object) -> Any:  # noqa: ANN401
        """Return the first column of what a query of this room says of the table ``pairs``."""
        with limit_errors():
            self._connection.register("pairs", pairs)
            found = self._connection.execute(load_query(name, ROOM), parameters).fetchnumpy()
            self._connection.unregister("pairs")
        return next(iter(found.values()))

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """Yield the answer to a query."""
        with limit_errors():
            yield from self._connection.sql(query).to_arrow_reader(BATCH_ROWS)

    def close(self) -> None:
        """Remove everything."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next_file(self) -> Path:
        self._n_files += 1
        return self._folder / f"{self._n_files:06}.parquet"

    def _write(
        self,
        entry: tuple[HitBlock, Path],
        said: Said,
        n_columns: int,
        places: Sequence[int],
    ) -> tuple[Path, Mapping[str, int]]:
        block, path = entry
        columns = {name: block.rows.column(name) for name in block.rows.schema.names}
        columns["cells"] = text_of(block, n_columns, places)
        if said is not Said.LINE:
            # Of columns that were all read as text.
            columns["cells"] = columns["cells"].view(pa.large_string())
        try:
            pq.write_table(
                pa.table(columns),
                path,
                use_dictionary=["chr", "motif_name", "strand", "peak_name"],
                compression="none",
                write_batch_size=BLOCK_BYTES,
                write_statistics=False,
                store_schema=False,
            )
        except OSError as error:
            where = f"{self._folder} (TMPDIR)"
            what = str(no_room(error))
            raise fault(
                where, error, otherwise=what, kind=FinemoDistError, doing="written"
            ) from error
        counts = block.rows.column("chr").value_counts()
        return path, {entry["values"] or "": entry["counts"] for entry in counts.to_pylist()}
