"""A DuckDB beside the runs, in which tables of hits are read."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from finemo_dist.catalog.connection import connect, first_line, load_query, stream_errors
from finemo_dist.catalog.hit_file import HitFile
from finemo_dist.core.errors import FinemoDistError

_STREAM_ROWS: Final = 51_200


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

    def stream(self, file: HitFile, query: str) -> Iterator[Any]:
        """Yield the answer to a query that reads the view ``file``, as Arrow batches in order.

        Raises
        ------
        InputError
            The file is not a table of hits throughout.
        """
        with _limit_errors(), file.reading(), stream_errors():
            file.relation(self._connection).create_view("file", replace=True)
            yield from self._connection.sql(load_query(query)).to_arrow_reader(_STREAM_ROWS)

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
