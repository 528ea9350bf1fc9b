"""Text files written by DuckDB piece by piece and committed as one."""

import gzip
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np
import pyarrow as pa

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import run_errors, stream_errors
from finemo_dist.core.ticker import every
from finemo_dist.storage.files import committed
from finemo_dist.storage.temporary import temporary_path

Copy = tuple[Catalog, str, Mapping[str, object]]
"""Catalog, name of a ``copy_`` query, and its parameters but ``path``."""

_BLOCK_BYTES: Final = 1 << 20
BATCH_ROWS: Final = 1 << 16
"""Lines that are made and written at once."""
_FLUSH_S: Final = 0.5


def write_text(path: Path, copies: Iterable[Copy], *, header: Sequence[str] = ()) -> None:
    """Commit the answers to COPY queries, one after the other, under a header line.

    A piece is appended while DuckDB writes the next. The file is gzipped where its name ends in
    ``.gz``.

    Raises
    ------
    RunError
        A part is damaged, or the disk is full.
    """
    with committed(path) as temporary:
        # Two names in turn: a piece is written over once the one after it is.
        pieces = [temporary_path(temporary, f"{path.name}.piece{i}") for i in range(2)]
        try:
            with open_output(temporary, path) as target, ThreadPoolExecutor(1) as appender:
                if header:
                    target.write(("\t".join(header) + "\n").encode())
                appended: Future[None] | None = None
                for i, (catalog, query, parameters) in enumerate(copies):
                    piece = pieces[i % 2]
                    catalog.run(query, {**parameters, "path": str(piece)})
                    if appended is not None:
                        appended.result()
                    appended = appender.submit(_append, piece, target)
                if appended is not None:
                    appended.result()
        finally:
            for piece in pieces:
                piece.unlink(missing_ok=True)


def write_hit_lines(
    path: Path, chunks: Iterable[tuple[Catalog, Mapping[str, object]]], *, header: Sequence[str]
) -> None:
    """Commit the lines of ``hit_lines.sql`` for each chunk, under a header line.

    The file is gzipped where its name ends in ``.gz``.

    Raises
    ------
    RunError
        A part is damaged, or the disk is full.
    """
    with committed(path) as temporary, open_output(temporary, path) as target:
        target.write(("\t".join(header) + "\n").encode())
        for catalog, chunk in chunks:
            with run_errors(catalog.run_dir), stream_errors():
                lines = catalog.stream_chunk(chunk, "hit_lines").to_arrow_reader(BATCH_ROWS)
                for batch in lines:
                    target.write(contents(batch.column(0)))


def contents(texts: pa.Array) -> Any:  # noqa: ANN401
    """Return the bytes of texts side by side."""
    _, offsets, content = texts.buffers()
    # 32 bits each, or 64.
    ends = np.frombuffer(offsets, np.int64 if pa.types.is_large_binary(texts.type) else np.int32)
    first, last = ends[texts.offset], ends[texts.offset + len(texts)]
    return memoryview(content)[first:last] if content is not None else b""


@contextmanager
def open_output(temporary: Path, out: Path) -> Iterator[BinaryIO]:
    """Yield a file to write, gzipped where the name of what it becomes ends in ``.gz``.

    What is written goes to the disk meanwhile, so that little is left to wait for at the end.
    """
    with temporary.open("wb") as plain, every(_FLUSH_S, partial(_flush, plain.fileno())):
        if out.suffix == ".gz":
            # No name and no time in the header: the same rows are the same bytes.
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=plain, mtime=0) as packed:
                yield cast("BinaryIO", packed)
        else:
            yield plain


def _flush(descriptor: int) -> None:
    # The flush before the commit says what is wrong with a disk.
    with suppress(OSError):
        os.fdatasync(descriptor)


def _append(piece: Path, target: BinaryIO) -> None:
    with piece.open("rb") as source:
        shutil.copyfileobj(source, target, _BLOCK_BYTES)
    piece.unlink()
