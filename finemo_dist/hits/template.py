"""Parquet files without rows, which show DuckDB the columns of a table that a run does not have."""

from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from finemo_dist.core.schema import Column
from finemo_dist.hits.columns import empty_table


def write_template(path: Path, columns: tuple[Column, ...]) -> str:
    """Write a file of these columns and no row, and return its path."""
    path.write_bytes(_content(columns))
    return str(path)


@cache
def _content(columns: tuple[Column, ...]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(empty_table(columns), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content
