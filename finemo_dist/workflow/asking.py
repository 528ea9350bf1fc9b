"""Questions to a run, answered to a stream or into a file; and its hits sorted for them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.compact import CompactSummary, compact_sample
from finemo_dist.catalog.compact_places import compact_places
from finemo_dist.catalog.format import OutputFormat, Screen, save_answer, write_answer
from finemo_dist.catalog.named import NamedQuery, ask, find_query, named_queries
from finemo_dist.catalog.readonly import UserQuery, run_user_query
from finemo_dist.catalog.summary import remember_counts
from finemo_dist.catalog.unsafe import run_unsafe_query
from finemo_dist.core.errors import UsageError
from finemo_dist.record.lease import driving_run
from finemo_dist.storage.text import read_text

__all__ = [
    "NamedQuery", "Screen", "Session", "answer_query", "answer_sql", "compact", "find_query",
    "named_queries", "open_session", "read_query",
]  # fmt: skip

logger = logging.getLogger(__name__)


def answer_sql(
    run: Path,
    query: str,
    to: TextIO | Path,
    *,
    output_format: str = "table",
    unsafe: bool = False,
    memory_limit: str | None = None,
    screen: Screen | None = None,
) -> None:
    """Write the answer to a query of the user's.

    Parameters
    ----------
    to
        A stream, or the file to write.
    output_format
        ``table``, ``tsv``, ``csv``, ``json`` or ``parquet``.
    unsafe
        Whether the query may do all that DuckDB can; otherwise it can only read the run.
    screen
        The terminal that a table is read on; None for one that has every row.

    Raises
    ------
    UsageError
        The query is not one that reads, is not SQL, or names what is not there.
    RunError
        There is no run, or it is damaged.
    """
    with open_session(run, unsafe=unsafe, memory_limit=memory_limit) as session:
        session.answer(query, to, output_format=output_format, screen=screen, is_only=True)


def read_query(path: Path) -> str:
    """Return the query that a file holds.

    Raises
    ------
    InputError
        The file cannot be read, or is not text.
    """
    return read_text(path)


class Session:
    """A run that is open for several questions; made by ``open_session``."""

    def __init__(self, catalog: Catalog, *, unsafe: bool) -> None:
        self._catalog = catalog
        self._unsafe = unsafe

    def answer(
        self,
        query: str,
        to: TextIO | Path,
        *,
        output_format: str = "table",
        screen: Screen | None = None,
        is_only: bool = False,
    ) -> None:
        """Write the answer to a query; see ``answer_sql`` and ``run_user_query``."""
        if self._unsafe:
            found = run_unsafe_query(self._catalog, query)
        else:
            found = run_user_query(self._catalog, query, is_only=is_only)
        _write(found, to, output_format, screen)

    def interrupt(self) -> None:
        """End the statement that another thread is at, if it is at one."""
        self._catalog.interrupt()

    def columns(self) -> dict[str, list[tuple[str, str, str]]]:
        """Return the columns of each table: name, type, and meaning with its unit."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        for view, name, kind, meaning in self._catalog.run("user_columns"):
            found.setdefault(view, []).append((name, kind, meaning))
        return found


@contextmanager
def open_session(
    run: Path, *, unsafe: bool = False, memory_limit: str | None = None
) -> Iterator[Session]:
    """Open a run for several queries of the user's.

    Raises
    ------
    RunError
        There is no run, or it is damaged.
    """
    with open_catalog(run, memory_limit=memory_limit) as catalog:
        if unsafe:
            logger.warning("--unsafe: the query may read, write and remove any file you can.")
        yield Session(catalog, unsafe=unsafe)


def answer_query(
    run: Path,
    name: str,
    parameters: Mapping[str, str],
    to: TextIO | Path,
    *,
    output_format: str = "table",
    memory_limit: str | None = None,
    screen: Screen | None = None,
    largest_q: float | None = None,
) -> None:
    """Write the answer to a named query, of hits with at most a largest q where one is given.

    Raises
    ------
    UsageError
        There is no such query or parameter, or a value is not one it can have.
    InputError
        A file that a parameter names cannot be read.
    RunError
        There is no run, or it is damaged.
    """
    # Before a run is opened: a misspelt name is known at once.
    find_query(name)
    with open_catalog(run, memory_limit=memory_limit, largest_q=largest_q) as catalog:
        _write(ask(catalog, name, parameters), to, output_format, screen)


def compact(
    run: Path,
    samples: Sequence[str] | None = None,
    *,
    by_place: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> Iterator[CompactSummary]:
    """Sort the hits of samples by place and yield what was done for each.

    Parameters
    ----------
    by_place
        Whether the hits of all samples are sorted together: one summary, of all.

    Raises
    ------
    UsageError
        There is no such sample, or samples are chosen to be sorted together.
    RunError
        The run is damaged, another command is writing it, or the disk is full.
    """
    if by_place and samples is not None:
        raise UsageError("Hits are sorted together of all samples. Leave out --sample, or --by.")
    with (
        driving_run(run),
        open_catalog(run, memory_limit=memory_limit, threads=threads, samples=samples) as catalog,
    ):
        if by_place:
            yield compact_places(catalog)
        else:
            for sample in catalog.samples:
                yield compact_sample(catalog, sample)
        if samples is None:
            remember_counts(catalog)


def _write(
    answer: UserQuery, to: TextIO | Path, output_format: str, screen: Screen | None = None
) -> None:
    if isinstance(to, Path):
        save_answer(answer, OutputFormat(output_format), to)
    else:
        write_answer(answer, OutputFormat(output_format), to, screen=screen)
