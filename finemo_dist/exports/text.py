"""Text files written by DuckDB piece by piece and committed as one."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.files import committed

Copy = tuple[Catalog, str, Mapping[str, object]]
"""Catalog, name of a ``copy_`` query, and its parameters but ``path``."""

_BLOCK_BYTES = 1 << 20


def write_text(path: Path, copies: Iterable[Copy], *, header: Sequence[str] = ()) -> None:
    """Commit the answers to COPY queries, one after the other, under a header line.

    A piece is appended while DuckDB writes the next.

    Raises
    ------
    RunError
        A part is damaged, or the disk is full.
    """
    with committed(path) as temporary:
        # Two names in turn: a piece is written over once the one after it is.
        pieces = [temporary.with_suffix(f".piece{i}") for i in range(2)]
        try:
            with temporary.open("wb") as target, ThreadPoolExecutor(1) as appender:
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


def _append(piece: Path, target: BinaryIO) -> None:
    with piece.open("rb") as source:
        shutil.copyfileobj(source, target, _BLOCK_BYTES)
    piece.unlink()
