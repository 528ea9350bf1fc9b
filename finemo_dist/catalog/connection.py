"""A DuckDB connection to nothing but what the catalog shows it, and its errors in our terms."""

import errno
import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from finemo_dist.core.errors import FinemoDistError, RunError, UsageError
from finemo_dist.core.program import program
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.objects import ObjectPath, raise_service_error

_POINTER: Final = re.compile(r"LINE \d+:")
_OUT_OF_MEMORY: Final = "Out of Memory"
_REQUEST: Final = "Error performing"
"""How errors of object storage begin."""
_WRITTEN: Final = re.compile(r'file \\?"([^"\\]+)')
"""The file of a write that failed; the quotes may be escaped."""

_QUERY_MISTAKES: Final = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.SyntaxException,
)


@cache
def load_query(name: str, room: str = "finemo_dist.catalog") -> str:
    """Return the text of a query: ``room/queries/name.sql``."""
    return files(room).joinpath("queries", f"{name}.sql").read_text("utf-8")


def connect(
    temporary: Path, *, memory_limit: str | None, threads: int | None
) -> duckdb.DuckDBPyConnection:
    """Return an in-memory database that spills into ``temporary``.

    Parameters
    ----------
    memory_limit
        As DuckDB reads it, ``2GB``; four fifths of the machine's memory when None.
    threads
        One per core when None.

    Raises
    ------
    UsageError
        A limit is not one DuckDB understands.
    """
    # Variables of the caller's Python must not answer a query that misspells a table.
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(temporary),
        "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    if threads is not None:
        config["threads"] = threads
    try:
        connection = duckdb.connect(":memory:", config=config)
    except duckdb.Error as error:
        raise UsageError(
            f"Memory limit {memory_limit!r} or number of threads {threads!r} is refused: "
            f"{first_line(error)}. Give them like '2GB' and 4."
        ) from error
    # DuckDB draws one on standard output, where answers go, when Python was started without a file.
    # In Jupyter without ipywidgets it draws none, and even turning that off is an error.
    # All rows are fetched: an answer that is open keeps the tables of its moment.
    bar = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()
    if bar == [(True,)]:
        connection.execute("SET enable_progress_bar = false")
    return connection


def first_line(error: duckdb.Error) -> str:
    """Return what DuckDB says went wrong, without the query it repeats below."""
    return str(error).strip().splitlines()[0]


def explanation(error: duckdb.Error) -> str:
    """Return what DuckDB says went wrong and what it suggests, in one line, as a sentence.

    Without the lines that repeat the query and point into it.
    """
    text = str(error).strip()
    lines = itertools.takewhile(lambda line: not _POINTER.match(line), text.splitlines())
    said = " ".join(line.strip() for line in lines if line.strip())
    if re.search(r'at or near "end"', said):
        said += ' (the column end is a word of SQL: write it as "end", in double quotes)'
    return said if said.endswith((".", "!", "?")) else f"{said}."


@contextmanager
def stream_errors() -> Iterator[None]:
    """Raise what goes wrong inside an Arrow stream of DuckDB's as the error of DuckDB it was."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        is_memory = _OUT_OF_MEMORY in str(error)
        raise (duckdb.OutOfMemoryException if is_memory else duckdb.Error)(str(error)) from error


def _full_disk(error: duckdb.Error) -> OSError | None:
    """Return what the system said where DuckDB had no space to write; None for anything else."""
    if os.strerror(errno.ENOSPC) not in str(error):
        return None
    named = _WRITTEN.search(str(error))
    return OSError(errno.ENOSPC, first_line(error), named[1] if named else None)


@contextmanager
def run_errors(run_dir: Path) -> Iterator[None]:
    """Raise what DuckDB cannot do with a run as ``RunError``."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise RunError(
            f"{run_dir}: a query needs more than the memory limit ({first_line(error)}). "
            "Raise the limit, or give TMPDIR a directory with more room."
        ) from error
    except duckdb.Error as error:
        if isinstance(run_dir, ObjectPath) and _REQUEST in str(error):
            raise_service_error(str(error), run_dir)
            # A refusal that DuckDB has met has no reason in it; that of another object has.
            (run_dir / "run.json").read_bytes()
        if (full := _full_disk(error)) is not None:
            where = full.filename or run_dir
            raise fault(where, full, otherwise="", kind=RunError, doing="written") from full
        raise RunError(
            f"{run_dir}: its tables cannot be read ({first_line(error)}). "
            f"Run `{program()} verify` on it; a rerun of the same command makes damaged parts "
            "again."
        ) from error


def is_cut_file(error: duckdb.Error, run_dir: Path) -> bool:
    """Whether DuckDB cannot read a file of a run as Parquet: one was cut since it was listed.

    DuckDB gives it the class of a mistake in a query.
    """
    named = re.compile(rf"[Ff]ile ['\"]{re.escape(str(run_dir))}/")
    return isinstance(error, duckdb.InvalidInputException) and named.search(str(error)) is not None


@contextmanager
def query_errors(run_dir: Path) -> Iterator[None]:
    """Raise what is wrong with a caller's query as ``UsageError``, the rest as ``run_errors``."""
    try:
        with run_errors(run_dir):
            yield
    except ImportError as error:
        raise UsageError(
            f"The answer needs {error.name}, which is not installed: `pip install {error.name}`."
        ) from error
    except RunError as error:
        mistake = error.__cause__
        if isinstance(mistake, _QUERY_MISTAKES) and not is_cut_file(mistake, run_dir):
            raise UsageError(
                f"The query failed: {explanation(mistake)} "
                "The table data_dictionary lists all tables and columns."
            ) from error
        raise


@contextmanager
def limit_errors() -> Iterator[None]:
    """Raise what memory or TMPDIR is too small for as an error with its cure."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise FinemoDistError(
            f"The work needs more than the memory limit ({first_line(error)}). "
            "Raise --memory-limit, or set TMPDIR to a directory with more space."
        ) from error
    except duckdb.IOException as error:
        raise no_room(first_line(error)) from error


def no_room(reason: object) -> FinemoDistError:
    """Return the error of a TMPDIR that cannot be written to."""
    return FinemoDistError(
        f"Temporary files cannot be written ({reason}). Set TMPDIR to a directory with more space."
    )
