"""Text files written by DuckDB piece by piece and committed as one."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.files import committed

Copy = tuple[Catalog, str, Mapping[str, object]]
"""Catalog, name of a ``copy_`` query, and its parameters but ``path``."""


def write_text(path: Path, copies: Iterable[Copy], *, header: Sequence[str] = ()) -> None:
    """Commit the answers to COPY queries, one after the other, under a header line.

    Raises
    ------
    RunError
        A part is damaged, or the disk is full.
    """
    with committed(path) as temporary:
        piece = temporary.with_suffix(".piece")
        try:
            with temporary.open("wb") as target:
                if header:
                    target.write(("\t".join(header) + "\n").encode())
                for catalog, query, parameters in copies:
                    catalog.run(query, {**parameters, "path": str(piece)})
                    with piece.open("rb") as source:
                        shutil.copyfileobj(source, target, 1 << 20)
        finally:
            piece.unlink(missing_ok=True)
