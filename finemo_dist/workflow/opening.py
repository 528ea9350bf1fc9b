"""A run as Python users see it: SQL, named queries, hits, and what it holds."""

import weakref
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.connection import query_errors
from finemo_dist.catalog.motif_choice import chosen_motif
from finemo_dist.catalog.named import ask
from finemo_dist.catalog.selection import HitView, hits_of, motifs_of
from finemo_dist.catalog.summary import SampleSummary, summarise
from finemo_dist.catalog.table import Table
from finemo_dist.core.locus import parse_locus
from finemo_dist.core.words import count
from finemo_dist.workflow.reporting import report as write_report

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from finemo_dist.workflow.plotting import Figure


class Run:
    """The tables of a run directory; made by ``open_run``.

    It shows what was committed when it was opened. Use it as a context manager to free its memory
    and temporary files early; otherwise they are freed with the object.

    Examples
    --------
    >>> run = finemo_dist.open_run("run")  # doctest: +SKIP
    >>> run.sql("SELECT motif_name, count(*) AS n FROM hits GROUP BY ALL").to_pandas()
    >>> run.query("counts", motif="pos_patterns.pattern_0")
    >>> run.hits(motif="pos_patterns.pattern_0", locus="chrII:5000-9000")
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        # In a notebook nobody closes it.
        self._close = weakref.finalize(self, catalog.close)

    @property
    def path(self) -> Path:
        """The run directory."""
        return self._catalog.run_dir

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of the samples, in the order of the run."""
        return self._catalog.samples

    @property
    def motifs(self) -> Table:
        """The motifs and their strands: view ``motifs`` of ``data_dictionary``."""
        return motifs_of(self._catalog)

    @property
    def is_complete(self) -> bool:
        """Whether every shard of every sample was committed when the run was opened."""
        return all(sample.is_complete for sample in self._summaries())

    @property
    def connection(self) -> "DuckDBPyConnection":
        """The DuckDB connection with the views, for whatever else DuckDB can do with them."""
        return self._catalog.connection

    def sql(self, query: str, parameters: Mapping[str, object] | None = None) -> Table:
        """Return the answer to a query over the views of the run.

        Parameters
        ----------
        query
            SQL in DuckDB's dialect. The view ``data_dictionary`` lists all views and columns.
        parameters
            Values of ``$name`` in the query.

        Raises
        ------
        UsageError
            The query is wrong.
        RunError
            The run is damaged, or the memory limit is too small.
        """
        with query_errors(self.path):
            cursor = self._catalog.cursor({}, question="")
            query = self._catalog.narrow(cursor, query, parameters)
            relation = cursor.sql(query, params=dict(parameters) if parameters else None)
            return Table(relation.to_arrow_table())

    def query(self, name: str, **parameters: object) -> Table:
        """Return the answer to a named query; ``finemo-dist query`` lists them.

        Raises
        ------
        UsageError
            There is no such query or parameter, or a value is not allowed.
        InputError
            A file that a parameter names cannot be read.
        """
        return Table(ask(self._catalog, name, parameters).arrow())

    def hits(
        self,
        *,
        sample: str | None = None,
        motif: str | None = None,
        locus: str | None = None,
        table: HitView = "hits",
    ) -> Table:
        """Return hits, sorted by sample, place, motif and strand.

        Parameters
        ----------
        sample, motif
            Only hits of this sample or motif; all when None. A motif may be named by its
            annotation, such as a factor that one motif alone has.
        locus
            Only hits that share a base with ``chrom`` or ``chrom:start-end`` (0-based, half-open).
        table
            All hits, one hit per place where regions overlap, or the best of overlapping hits.

        Raises
        ------
        UsageError
            There is no such sample, motif or table, or the locus is malformed.
        RunError
            The run is damaged.
        """
        if sample is not None:
            self._catalog.sample(sample)
        if motif is not None:
            motif = chosen_motif(self._catalog, motif)
        place = None if locus is None else parse_locus(locus)
        return hits_of(self._catalog, table=table, sample=sample, motif=motif, locus=place)

    def plot(
        self,
        loci: str | Sequence[str],
        out: str | Path | None = None,
        **options: Any,  # noqa: ANN401
    ) -> "Figure":
        """Draw loci and return the figure, which a notebook shows; see ``plot``.

        Raises
        ------
        UsageError
            A locus is not one, no region covers it, or it is too long to be drawn.
        InputError, StoreError
            A file is missing or damaged.
        """
        # What draws is loaded when something is drawn.
        from finemo_dist.workflow.plotting import plot_open

        figure = plot_open(self._catalog, loci, **options)
        if out is not None:
            figure.save(out)
        return figure

    def report(self, out: str | Path, **options: Any) -> Path:  # noqa: ANN401  (of report, by name)
        """Write the report of the run into a folder and return its page; see ``report``."""
        return write_report(self.path, out, **options)

    def close(self) -> None:
        """Free memory and temporary files."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Run {str(self.path)!r}: {self._what()}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(s.sample)}</td><td>{s.n_regions:,}</td><td>{s.n_hits:,}</td>"
            f"<td>{s.n_shards_committed:,} of {s.n_shards:,}</td></tr>"
            for s in self._summaries()
        )
        head = "<tr><th>sample</th><th>regions</th><th>hits</th><th>shards committed</th></tr>"
        return (
            f"<p><b>Run {escape(str(self.path))}</b>: {self._what()}</p>"
            f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
        )

    def _summaries(self) -> Sequence[SampleSummary]:
        return summarise(self._catalog)

    def _what(self) -> str:
        found = self._summaries()
        n_motifs = len(self._catalog.motifs.names) // 2
        numbers = [
            count(len(found), "sample"),
            count(sum(s.n_regions for s in found), "region"),
            count(sum(s.n_hits for s in found), "hit"),
            count(n_motifs, "motif"),
        ]
        n_left = sum(s.n_shards - s.n_shards_committed for s in found)
        state = f"incomplete ({count(n_left, 'shard')} missing)" if n_left else "complete"
        return f"{', '.join(numbers)}; {state}"


def open_run(
    path: str | Path,
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    samples: Sequence[str] | None = None,
    largest_q: float | None = None,
) -> Run:
    """Open the tables of a run directory: hits, peaks, motifs and counts.

    Parameters
    ----------
    path
        Directory that ``call-hits -o`` or ``run -o`` wrote.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``. Beyond that it spills to temporary files.
        Four fifths of the memory of the machine when None.
    threads
        Number of threads; one per core when None.
    samples
        Samples to show; all when None.
    largest_q
        Show only hits with a ``decoy_q`` of at most this; all when None.

    Raises
    ------
    RunError
        There is no run, or it is damaged.
    UsageError
        There is no such sample, a limit is not understood, or a largest q is asked of a run that
        has none.
    """
    return Run(
        open_catalog(
            path, memory_limit=memory_limit, threads=threads, samples=samples, largest_q=largest_q
        )
    )
