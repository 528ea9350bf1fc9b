"""Questions to a run, answered to a stream or into a file; and its hits sorted for them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.compact import CompactSummary, compact_sample
from finemo_dist.catalog.format import OutputFormat, save_answer, write_answer
from finemo_dist.catalog.named import NamedQuery, ask, find_query, named_queries
from finemo_dist.catalog.readonly import UserQuery, run_user_query
from finemo_dist.catalog.unsafe import run_unsafe_query

__all__ = ["NamedQuery", "answer_query", "answer_sql", "compact", "find_query", "named_queries"]

logger = logging.getLogger(__name__)


def answer_sql(
    run: Path,
    query: str,
    to: TextIO | Path,
    *,
    output_format: str = "table",
    unsafe: bool = False,
    memory_limit: str | None = None,
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

    Raises
    ------
    UsageError
        The query is not one that reads, is not SQL, or names what is not there.
    RunError
        There is no run, or it is damaged.
    """
    with open_catalog(run, memory_limit=memory_limit) as catalog:
        if unsafe:
            logger.warning("--unsafe: the query may read, write and remove any file you can.")
        answer = run_unsafe_query(catalog, query) if unsafe else run_user_query(catalog, query)
        _write(answer, to, output_format)


def answer_query(
    run: Path,
    name: str,
    parameters: Mapping[str, str],
    to: TextIO | Path,
    *,
    output_format: str = "table",
    memory_limit: str | None = None,
) -> None:
    """Write the answer to a named query.

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
    with open_catalog(run, memory_limit=memory_limit) as catalog:
        _write(ask(catalog, name, parameters), to, output_format)


def compact(
    run: Path,
    samples: Sequence[str] | None = None,
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> Iterator[CompactSummary]:
    """Sort the hits of samples by place and yield what was done for each.

    Raises
    ------
    UsageError
        There is no such sample.
    RunError
        The run is damaged, or the disk is full.
    """
    with open_catalog(run, memory_limit=memory_limit, threads=threads, samples=samples) as catalog:
        for sample in catalog.samples:
            yield compact_sample(catalog, sample)


def _write(answer: UserQuery, to: TextIO | Path, output_format: str) -> None:
    if isinstance(to, Path):
        save_answer(answer, OutputFormat(output_format), to)
    else:
        write_answer(answer, OutputFormat(output_format), to)
