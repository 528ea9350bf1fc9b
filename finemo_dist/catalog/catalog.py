"""A run's tables as DuckDB views over its committed parts."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb

from finemo_dist.catalog.confidence import require_confidence
from finemo_dist.catalog.connection import (
    connect,
    load_query,
    run_errors,
    stream_errors,
)
from finemo_dist.catalog.content import Content, read_content
from finemo_dist.catalog.footer_counts import counted_by_footers
from finemo_dist.catalog.part_files import PartFiles
from finemo_dist.catalog.scope import Node, Scopes, scopes_in, tree_of
from finemo_dist.catalog.views import Shown, Views
from finemo_dist.core.errors import UsageError, nearest
from finemo_dist.core.program import program
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.motifs import read_run_motifs
from finemo_dist.hits.run_motifs import RunMotifs
from finemo_dist.hits.run_parts import RunParts
from finemo_dist.hits.seal import check_seal
from finemo_dist.record.run_record import RunRecord, SampleRecord
from finemo_dist.storage.locations import location
from finemo_dist.storage.objects import ObjectPath, filesystem
from finemo_dist.storage.temporary import scratch_folder

logger = logging.getLogger(__name__)

_BATCH_ROWS: Final = 100_000


class Catalog:
    """The views of ``core.schema.VIEWS`` over a run.

    Made by ``open_catalog``; a context manager. What was committed when it was opened is what it
    shows. Samples with a current compaction are read from it.
    """

    def __init__(
        self,
        run_dir: Path,
        content: Content,
        *,
        memory_limit: str | None,
        threads: int | None,
        largest_q: float | None = None,
    ) -> None:
        self.run_dir = run_dir
        self._limits: dict[str, Any] = {
            "memory_limit": memory_limit, "threads": threads, "largest_q": largest_q,
        }  # fmt: skip
        self._is_restricted = False
        self._is_shared = False
        self._temporary = scratch_folder()
        with ExitStack() as undo:
            undo.callback(self._temporary.cleanup)
            self._connection = connect(
                Path(self._temporary.name), memory_limit=memory_limit, threads=threads
            )
            self._last_cursor = self._connection
            undo.callback(self._connection.close)
            if isinstance(run_dir, ObjectPath):
                self._connection.register_filesystem(filesystem())
                # What was read of a part is kept while there is memory; older DuckDB cannot.
                with suppress(duckdb.CatalogException):
                    self._connection.execute("SET validate_external_file_cache = 'NO_VALIDATION'")
            self._take(content)
            with run_errors(run_dir):
                self._views = Views(self._connection.cursor(), self._shown)
            self._resources = undo.pop_all()

    def _take(self, content: Content) -> None:
        """Have this be the content, and check what every question may read of it."""
        self.record = content.record
        self._content = content
        self._records = {sample.name: sample for sample in content.record.samples}
        self._motifs = content.motifs
        self._shown_parts: frozenset[str] = frozenset()
        """The views of parts that our own connection shows all files of."""
        self._listed: Mapping[str, Sequence[str]] = {}
        """View to the files of the last question."""
        scratch, parts = Path(self._temporary.name), content.parts
        samples = {name: self.sample(name) for name in parts}
        widths = {name: sample.region_width for name, sample in samples.items()}
        self._files = PartFiles.of(
            self.run_dir, parts, content.compactions, content.places, widths, scratch
        )
        self._shown = Shown(
            run_dir=self.run_dir,
            record=self.record,
            samples=samples,
            parts=parts,
            files=self._files,
            motifs=lambda: self.motifs,
            is_renamed=content.motifs is not None,
            scratch=scratch,
            largest_q=self._limits["largest_q"],
        )
        if self._shown.largest_q is not None:
            found = self._shown.confidence
            require_confidence(self.run_dir, found.record, found.samples, parts)
        for file in self._shown.motif_files:
            check_seal(location(file))

    def turn(self, content: Content) -> bool:
        """Show something else of the same run, if the tables can do so; whether they could.

        To open a catalog takes longer than all that a small sample is asked.
        """
        if self._is_restricted or self._is_shared:
            return False
        self._take(content)
        with run_errors(self.run_dir):
            return self._views.turn(self._shown)

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of the samples shown, in the order of the run."""
        return tuple(self._content.parts)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection with the views, for whatever DuckDB can do with them."""
        if not self._is_shared:
            with run_errors(self.run_dir):
                self._views.make_all()
                # Its cursors do not have its variables.
                for view, files in self._files.lists().items():
                    self._views.show(view, files)
            self._is_shared = True
        return self._connection

    @property
    def compacted(self) -> tuple[str, ...]:
        """The samples that are read from a current compaction."""
        return tuple(self._content.compactions)

    @property
    def is_placed(self) -> bool:
        """Whether the hits of all samples lie by place, and that is current."""
        return self._content.places is not None

    @property
    def parts(self) -> RunParts:
        """What each sample shown has committed."""
        return self._content.parts

    @property
    def has_q(self) -> bool:
        """Whether a sample shown has q of its hits."""
        return bool(self.rows("SELECT EXISTS (FROM motif_steps)")[0][0])

    @property
    def motifs(self) -> RunMotifs:
        """Which motifs the run has, and where its sets have them."""
        if self._motifs is None:
            self._motifs = read_run_motifs(self.run_dir, self.record)
        return self._motifs

    def units(self, sample: str) -> Mapping[int, PartFooter]:
        """Return shard and footer of the committed units of a sample."""
        return self._content.parts[sample].units

    def n_hits(self, sample: str) -> int:
        """Return how many hits a sample has by its footers, whatever their q."""
        return sum(footer.n_rows for footer in self.units(sample).values())

    def shards(self, sample: str) -> frozenset[int]:
        """Return the committed shards of a sample."""
        return frozenset(self._content.parts[sample].shards)

    def sample(self, name: str) -> SampleRecord:
        """Return the record of a sample shown.

        Raises
        ------
        UsageError
            There is no such sample.
        """
        found = self._records.get(name) if name in self._content.parts else None
        if found is None:
            raise UsageError(
                f"{self.run_dir}: has no sample {name!r}.{nearest(name, self._content.parts)} "
                f"`{program()} status` lists the samples."
            )
        return found

    def only(self, sample: str) -> "Catalog":
        """Return a catalog of one sample, without looking at the parts again."""
        self.sample(sample)
        content = replace(self._content, motifs=self._motifs)
        return Catalog(self.run_dir, content.only(sample), **self._limits)

    def measured(self, lengths: Mapping[str, int]) -> "Catalog":
        """Return a catalog as if all samples had chromosomes of these lengths."""
        record = self.record.measured(lengths)
        content = replace(self._content, record=record, motifs=self._motifs)
        return Catalog(self.run_dir, content, **self._limits)

    def as_called(self, sample: str) -> "Catalog":
        """Return a catalog of one sample as if it were a run: its motif set under its own names."""
        motifs = self.motifs.alone(self.sample(sample).motif_set)
        content = replace(self._content, record=self.record.only(sample), motifs=motifs)
        return Catalog(self.run_dir, content.only(sample), **self._limits)

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return the answer to a query of our own, unevaluated; for a user's see ``readonly``."""
        with run_errors(self.run_dir):
            self._make(query)
            return self._connection.sql(query)

    def rows(self, query: str, parameters: Mapping[str, object] | None = None) -> list[Any]:
        """Return all rows of a query of our own, as tuples."""
        with run_errors(self.run_dir):
            self._make(query, parameters)
            return self._connection.execute(query, parameters or None).fetchall()

    def run(
        self,
        name: str,
        parameters: Mapping[str, object] | None = None,
        *,
        scopes: Scopes | None = None,
    ) -> list[Any]:
        """Return all rows of a query of ``catalog/queries``, by its name, about some scopes."""
        if scopes is None:
            return self.rows(load_query(name), parameters)
        query = load_query(name)
        with run_errors(self.run_dir):
            self._views.make(query, parameters)
            cursor = self.cursor(scopes, question=query)
            return cursor.execute(query, parameters or None).fetchall()

    def arrow(self, name: str, parameters: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401
        """Return the answer to a query of ``catalog/queries`` as an Arrow table."""
        query = load_query(name)
        with run_errors(self.run_dir):
            self._make(query, parameters)
            relation = self._connection.sql(query, params=dict(parameters or {}) or None)
            return relation.to_arrow_table()

    def columns(self, name: str, parameters: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Return the answer to a query of ``catalog/queries`` as one numpy array a column."""
        query = load_query(name)
        with run_errors(self.run_dir):
            self._make(query, parameters)
            return self._connection.execute(query, parameters or None).fetchnumpy()

    def stream(self, name: str, chunk: Mapping[str, object]) -> Iterator[Any]:
        """Yield the answer to a query that reads the variable ``chunk``, as Arrow batches."""
        query = load_query(name)
        with run_errors(self.run_dir), stream_errors():
            self._views.make(query, chunk)
            cursor = self.cursor(question=query)
            # A parameter instead of a variable would have the whole answer held.
            cursor.execute("SET VARIABLE chunk = $chunk", {"chunk": dict(chunk)})
            yield from cursor.sql(query).to_arrow_reader(_BATCH_ROWS)

    def stream_chunk(
        self, chunk: Mapping[str, object], query: str = "ordered"
    ) -> duckdb.DuckDBPyRelation:
        """Return the answer to a query of the variable ``chunk``, to be read as a stream at once.

        Unlike ``stream`` it sees the temporary tables of the catalog.
        """
        # The views that the chunk names are made on the way.
        self.rows("SET VARIABLE chunk = $chunk", {"chunk": dict(chunk)})
        return self.sql(load_query(query))

    def cursor(
        self, scopes: Scopes | None = None, *, question: str | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Return a connection for a query of our own, with variables of its own.

        Parameters
        ----------
        scopes
            What it is asked about: views show no less. Everything when None.
        question
            What it is asked, or the names of the views in it, so that no others need be made; see
            ``narrow`` where that is not known yet. Anything when None.
        """
        with run_errors(self.run_dir):
            if question is None:
                self._views.make_all()
            else:
                self._views.make(question)
        self._last_cursor = cursor = self._connection.cursor()
        self._show_parts(cursor, scopes)
        return cursor

    def interrupt(self) -> None:
        """End the statement of the last ``cursor``, from another thread."""
        self._last_cursor.interrupt()

    def narrow(
        self,
        cursor: duckdb.DuckDBPyConnection,
        query: str,
        values: Mapping[str, object] | None = None,
        *,
        names_all: bool = False,
    ) -> str:
        """Have a connection open only the files that a query needs; see ``scopes_of``.

        The views that it needs are made; all where it is not understood. Returns what to ask: the
        query, or one with the same answer that opens no part.

        Parameters
        ----------
        names_all
            Whether its text names all views that it needs, understood or not. A user's query may
            put names together.
        """
        tree = tree_of(cursor, query)
        if tree is not None and (counting := self._counted(cursor, tree)) is not None:
            query, tree = counting, tree_of(cursor, counting)
        scopes = None if tree is None else scopes_in(tree, values)
        with run_errors(self.run_dir):
            if scopes is None and not names_all:
                self._views.make_all()
            else:
                self._views.make(query)
        self._show_parts(cursor, scopes)
        return query

    def _counted(self, cursor: duckdb.DuckDBPyConnection, tree: Node) -> str | None:
        """Return a query that counts hits as a tree does by their footers, if it does no more."""
        # With a largest q not all hits of the footers are shown.
        if self._limits["largest_q"] is not None:
            return None
        found = counted_by_footers(tree, lambda: tree_of(cursor, load_query("footer_counts")))
        if found is None:
            return None
        ((text,),) = cursor.execute(load_query("user_text_of_tree"), {"tree": found}).fetchall()
        return str(text)

    def focus(self, cursor: duckdb.DuckDBPyConnection, scopes: Scopes) -> None:
        """Have a connection open only the parts that may hold rows of some scopes."""
        self._show_parts(cursor, scopes)

    def from_parts(self) -> "Catalog":
        """Return a catalog of the same samples that reads nothing that was compacted."""
        content = replace(self._content, compactions={}, places=None, motifs=self._motifs)
        return Catalog(self.run_dir, content, **self._limits)

    def restricted_cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection that reads the committed parts and nothing else, for good.

        From here on the whole catalog can neither open another file nor change a setting. What the
        connection is asked goes through ``narrow`` first.
        """
        self._restrict(self._shown.paths())
        return self.cursor({}, question="")

    def cursor_for(self, query: str) -> tuple[duckdb.DuckDBPyConnection, str]:
        """Return a connection that can open only what one query needs, and the query to ask.

        The catalog stays so restricted; ``narrow`` says what the query becomes. DuckDB takes 10 us
        for each file that it is allowed to open, which is most of the time of a small question to a
        run of many parts.
        """
        # Until the files are known, the query is parsed and not run.
        cursor = self.cursor({}, question="")
        question = self.narrow(cursor, query)
        self._restrict(self._shown.paths(self._listed))
        return cursor, question

    def _restrict(self, paths: Sequence[str]) -> None:
        if not self._is_restricted:
            self.rows("SET allowed_paths = $paths", {"paths": list(paths)})
            self.rows("SET enable_external_access = false")
            self.rows("SET lock_configuration = true")
            self._is_restricted = True

    def close(self) -> None:
        """Let go of memory and temporary files."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _make(self, query: str, values: object = None) -> None:
        """Make what a query of our own needs, over all files."""
        self._views.make(query, values)
        if self._views.of_parts != self._shown_parts:
            self._show_parts(self._connection, None)
            self._shown_parts = self._views.of_parts

    def _show_parts(self, connection: duckdb.DuckDBPyConnection, scopes: Scopes | None) -> None:
        self._listed = self._files.lists(scopes)
        for view in sorted(self._views.of_parts):
            connection.execute(load_query(f"set_{view}"), {"files": self._listed[view]})


def open_catalog(
    run_dir: str | Path,
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    samples: Sequence[str] | None = None,
    record: RunRecord | None = None,
    allow_damaged: bool = False,
    largest_q: float | None = None,
    reused: Catalog | None = None,
) -> Catalog:
    """Open the tables of a run.

    A part counts when it and its twin are whole and were made with the configuration and from the
    store that ``run.json`` names; those of another configuration or store are logged and left out.
    Every byte of the parts is read against its checksum, so that no query answers from damage; of
    parts larger than 2 GB together only the footers are, and ``verify`` reads the rest.

    Parameters
    ----------
    memory_limit, threads
        For DuckDB; see ``connect``.
    samples
        Which samples to show; all when None.
    record
        What the run is; its ``run.json`` is read when None.
    allow_damaged
        Whether damaged parts are logged and left out; only footers are read, to count parts.
    largest_q
        Show only hits with a ``decoy_q`` of at most this, in all views of hits and what is made of
        them; ``decoy_q_pooled`` of motifs without a q of their own. All hits when None.
    reused
        A catalog of the run with the same limits that is done with: it is returned, if it can show
        these samples, because that is quicker.

    Raises
    ------
    RunError
        There is no run, or it or one of its parts is damaged.
    UsageError
        There is no such sample, a limit is not understood, or a largest q is asked of a run that
        has none.
    """
    # Absolute, so that a name is what DuckDB reports, and a local one never looks like a URL.
    run_dir = location(run_dir).resolve()
    record = record or RunRecord.load(run_dir)
    content = read_content(run_dir, record, samples, allow_damaged=allow_damaged)
    if reused is not None and reused.run_dir == run_dir and reused.turn(content):
        return reused
    return Catalog(
        run_dir, content, memory_limit=memory_limit, threads=threads, largest_q=largest_q
    )
