"""A DuckDB beside the runs, and a folder of temporary files."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from finemo_dist.catalog.connection import connect, first_line, load_query
from finemo_dist.core.errors import FinemoDistError


class Staging:
    """A database without tables, and a folder of temporary files that goes with it."""

    def __init__(self, *, memory_limit: str | None, threads: int | None) -> None:
        with ExitStack() as undo:
            folder = tempfile.TemporaryDirectory(prefix="finemo_dist-")
            undo.callback(folder.cleanup)
            self.folder = Path(folder.name)
            self._connection = connect(
                self.folder / "spill",
                memory_limit=memory_limit,
                threads=threads,
            )
            undo.callback(self._connection.close)
            self._resources = undo.pop_all()

    def answer(self, query: str, rows: pa.Table) -> pa.Table:
        """Return the answer to a query that reads the view ``rows``, in their order.

        Several threads may ask at once.
        """
        with _limit_errors(), self._connection.cursor() as cursor:
            cursor.register("rows", rows)
            return cursor.sql(load_query(query)).to_arrow_table()

    def close(self) -> None:
        """Remove everything."""
        self._resources.close()

    def __enter__(self) -> "Staging":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _limit_errors() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise FinemoDistError(
            f"The work needs more than the memory limit ({first_line(error)}). "
            "Raise --memory-limit, or give TMPDIR a directory with more room."
        ) from error
    except duckdb.IOException as error:
        raise no_room(first_line(error)) from error


def no_room(reason: object) -> FinemoDistError:
    """Return the error that says a temporary file could not be written."""
    return FinemoDistError(
        f"Temporary files cannot be written ({reason}). Give TMPDIR a directory with more room."
    )
