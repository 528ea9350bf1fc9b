"""Which motifs of a database the motifs of a run are like: one small table beside the motifs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from finemo_dist.core.schema import Column
from finemo_dist.hits.columns import arrow_schema
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location, readable

_COLUMNS: Final = (
    Column("motif_name", "string", "name of the motif, after renaming"),
    Column("target", "string", "name of the motif of the database"),
    Column("factor", "string", "its second name, or its name where it has none"),
    Column("p_value", "double", "of the best alignment over offsets and strands"),
    Column("q_value", "double", "Benjamini and Hochberg over all pairs"),
    Column("strand", "string", "- where the reverse complement of the target fits better"),
    Column("offset", "int64", "columns of the target, so turned, before the first of the motif"),
    Column("overlap", "int64", "aligned columns"),
    Column("database", "string", "file of the database"),
)
_HEIGHTS: Final = pa.field("heights", pa.list_(pa.float32()), nullable=False)
"""Heights of the logo of the target: four rows, one after the other."""


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """A motif of a database that a motif of a run is like."""

    motif_name: str
    target: str
    factor: str
    p_value: float
    q_value: float
    strand: str
    offset: int
    overlap: int
    database: str
    heights: NDArray[np.float32]
    """(4, W) of its logo, bits, on the strand of the database."""


def matches_path(run: str | Path) -> Path:
    """Return the path of the matches of a run's motifs, if it has some."""
    return location(run) / "motifs" / "matches.parquet"


def write_matches(run: str | Path, matches: Sequence[StoredMatch]) -> None:
    """Commit the matches of a run's motifs, replacing existing ones."""
    names = [column.name for column in _COLUMNS]
    schema = arrow_schema(_COLUMNS).append(_HEIGHTS)
    columns = {name: [getattr(match, name) for match in matches] for name in names}
    columns[_HEIGHTS.name] = [match.heights.ravel().tolist() for match in matches]
    with committed(matches_path(run)) as path:
        pq.write_table(pa.Table.from_pydict(columns, schema=schema), path, compression="zstd")


def read_matches(run: str | Path) -> dict[str, list[StoredMatch]]:
    """Return the matches of each motif, the best first; empty where the run has none."""
    path = matches_path(run)
    if not path.exists():
        return {}
    with readable(path) as source:
        rows = pq.read_table(source, partitioning=None).to_pylist()
    found: dict[str, list[StoredMatch]] = {}
    for row in rows:
        heights = np.array(row.pop(_HEIGHTS.name), np.float32).reshape(4, -1)
        match = StoredMatch(**row, heights=heights)
        found.setdefault(match.motif_name, []).append(match)
    return found
