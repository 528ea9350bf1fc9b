"""Knowing the rows of a part by their content, whatever file or library version holds them."""

import hashlib
import json
from typing import Any

import pyarrow as pa


def rows_digest(table: pa.Table) -> str:
    """Return a digest of column names, types, order and every value; equal rows, equal digest."""
    state = hashlib.blake2b(digest_size=16)
    for name, column in zip(table.schema.names, table.columns, strict=True):
        values, categories = _canonical(column)
        heading = json.dumps([name, str(values.type), len(values), categories])
        state.update(heading.encode("utf-8", "surrogatepass"))
        state.update(values.to_numpy(zero_copy_only=False).tobytes())
    return state.hexdigest()


def _canonical(column: pa.ChunkedArray) -> tuple[Any, list[str] | None]:
    """Return plain values; of strings the codes by first use, -1 for null, and the strings."""
    kind = column.type
    if not (pa.types.is_dictionary(kind) or pa.types.is_string(kind)):
        return _joined(column), None
    encoded = _joined(column.cast(pa.string())).dictionary_encode()
    return encoded.indices.fill_null(-1), encoded.dictionary.to_pylist()


def _joined(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
