"""What was left out of a derived run: tables beside its parts.

::

    RUN/filter/funnel.parquet            hits before and dropped, by sample, rule and motif
    RUN/filter/dropped-00000.parquet     the dropped hits, one file per sample
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finemo_dist.core.schema import DROPPED_COLUMNS, FUNNEL_COLUMNS
from finemo_dist.hits.columns import arrow_schema
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location


def filter_directory(run: str | Path) -> Path:
    """Return where the tables lie."""
    return location(run) / "filter"


def funnel_path(run: str | Path) -> Path:
    """Return where the funnel of a derived run lies."""
    return filter_directory(run) / "funnel.parquet"


def dropped_path(run: str | Path, index: int) -> Path:
    """Return where the dropped hits of a sample lie, by its number in the run."""
    return filter_directory(run) / f"dropped-{index:05d}.parquet"


def write_funnel(run: str | Path, rows: Sequence[dict[str, Any]]) -> None:
    """Commit the funnel of a derived run."""
    table = pa.Table.from_pylist(list(rows), schema=arrow_schema(FUNNEL_COLUMNS))
    with committed(funnel_path(run)) as path:
        pq.write_table(table, path, compression="zstd")


def write_dropped(run: str | Path, index: int, hits: pa.Table) -> None:
    """Commit the dropped hits of a sample of a derived run."""
    schema = arrow_schema(DROPPED_COLUMNS)
    with committed(dropped_path(run, index)) as path:
        pq.write_table(hits.select(schema.names).cast(schema), path, compression="zstd")
