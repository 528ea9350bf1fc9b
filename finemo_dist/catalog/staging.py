"""Hits from files and runs, brought piece by piece before the queries that compare them."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from finemo_dist.catalog.connection import connect, first_line, load_query, stream_errors
from finemo_dist.catalog.hit_file import HitFile
from finemo_dist.core.errors import FinemoDistError, UsageError

_PIECE_HITS: Final = 2_000_000
_TOO_MANY: Final = "too many combinations"
"""What ``intersect.sql`` says of a site."""
_BATCH_ROWS: Final = 100_000
_STREAM_ROWS: Final = 51_200
_PEAK_BLOCK: Final = 10_000
"""Regions without a chromosome that stay together."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some chromosomes; or some regions, by number, of those without a chromosome."""

    chromosomes: tuple[str, ...]
    first_peak: int = 0
    last_peak: int = -1

    def parameters(self) -> dict[str, object]:
        """Return what the queries call it."""
        return {
            "chromosomes": list(self.chromosomes),
            "first_peak": self.first_peak,
            "last_peak": self.last_peak,
        }


class Staging:
    """A database of what files say; beyond the memory limit it lies in temporary files."""

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

    def run(self, name: str, parameters: Mapping[str, object] | None = None) -> list[Any]:
        """Return all rows of a query of ``catalog/queries``, as tuples."""
        with _limit_errors():
            return self._connection.execute(load_query(name), parameters or None).fetchall()

    def read(self, file: HitFile, query: str, parameters: Mapping[str, object]) -> None:
        """Run a query that reads the view ``file``, the rows of a TSV.

        Raises
        ------
        InputError
            The file is not a table of hits throughout.
        """
        with _limit_errors(), file.reading():
            file.relation(self._connection).create_view("file", replace=True)
            self._connection.execute(load_query(query), parameters or None)

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

    def insert(self, table: str, answer: duckdb.DuckDBPyRelation) -> None:
        """Append an answer of another database to a table with the same columns, as a stream."""
        with _limit_errors():
            reader = answer.to_arrow_reader(_BATCH_ROWS)
            self._connection.from_arrow(reader).insert_into(table)

    def close(self) -> None:
        """Remove everything."""
        self._resources.close()

    def __enter__(self) -> "Staging":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def pieces(counts: Sequence[tuple[str | None, int, int]]) -> Iterator[Piece]:
    """Yield pieces of about two million hits that together hold everything, in output order.

    Chromosomes come in natural order, ``chr2`` before ``chr10``, whatever the order of the rows.

    Parameters
    ----------
    counts
        (chromosome, block of regions, hits), the block for rows without a chromosome.
    """
    by_name: dict[str, int] = {}
    blocks: dict[int, int] = {}
    for name, block, n_hits in counts:
        if name is None:
            blocks[block] = blocks.get(block, 0) + n_hits
        else:
            by_name[name] = by_name.get(name, 0) + n_hits
    for group in _groups([(block, blocks[block]) for block in sorted(blocks)]):
        yield Piece((), group[0] * _PEAK_BLOCK, (group[-1] + 1) * _PEAK_BLOCK - 1)
    for names in _groups([(name, by_name[name]) for name in sorted(by_name, key=natural)]):
        yield Piece(tuple(names))


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return a key that sorts numbers within names as numbers."""
    found = re.findall(r"(\D*)(\d*)", name, re.ASCII)
    return (*((text, int(digits or -1)) for text, digits in found), (name, 0))


def _groups(counts: Sequence[tuple[Any, int]]) -> Iterator[list[Any]]:
    group: list[Any] = []
    n_held = 0
    for value, n_hits in counts:
        group.append(value)
        n_held += n_hits
        if n_held >= _PIECE_HITS:
            yield group
            group, n_held = [], 0
    if group:
        yield group


@contextmanager
def _limit_errors() -> Iterator[None]:
    try:
        yield
    except duckdb.InvalidInputException as error:
        if _TOO_MANY not in str(error):
            raise
        raise UsageError(
            "A site is there so often in these inputs that its combinations are over 10,000, as "
            "where peaks overlap. Give hits_unique.tsv instead of hits.tsv, or leave out -r."
        ) from error
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
