"""From numpy columns to Arrow tables of exactly the types that ``core.schema`` names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.core.schema import Column


@dataclass(frozen=True, slots=True)
class Categorical:
    """A column of few different strings, as codes into them."""

    codes: NDArray[np.integer]
    """(H,) position in ``categories``; -1 for null."""
    categories: Sequence[str]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: NDArray[np.intp]) -> "Categorical":
        return Categorical(self.codes[rows], self.categories)


ColumnValues = NDArray[np.generic] | Categorical
"""One column as it is handed over; strings as objects (None for null) or as ``Categorical``."""


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow schema of a table, each field with its meaning as metadata."""
    return pa.schema([_field(column) for column in columns])


def arrow_table(columns: Sequence[Column], values: Mapping[str, ColumnValues]) -> pa.Table:
    """Return a table with ``columns`` in their order."""
    schema = arrow_schema(columns)
    arrays = [_array(values[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def empty_table(columns: Sequence[Column]) -> pa.Table:
    """Return a table without rows.

    That of ``Schema.empty_table`` would load pandas, where there is one, and take longer than all
    else that a small query does.
    """
    schema = arrow_schema(columns)
    return pa.Table.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def plain_array(values: Sequence[Any] | NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return values, None for null, as an array of texts, numbers or booleans.

    ``pyarrow.array`` would load pandas, where there is one; see ``empty_table``.
    """
    n = len(values)
    if isinstance(values, np.ndarray):
        is_valid = None
    else:
        is_valid = np.fromiter((value is not None for value in values), bool, n)
    validity = None if is_valid is None or is_valid.all() else _bits(is_valid)
    if pa.types.is_string(kind):
        texts = [b"" if value is None else value.encode() for value in values]
        ends = np.zeros(n + 1, np.int32)
        np.cumsum([len(text) for text in texts], out=ends[1:])
        buffers = [validity, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    elif pa.types.is_boolean(kind):
        buffers = [validity, _bits(np.array(values, bool))]
    else:
        filled = values if is_valid is None else [0 if v is None else v for v in values]
        buffers = [validity, pa.py_buffer(np.array(filled, kind.to_pandas_dtype()))]
    return pa.Array.from_buffers(kind, n, buffers)


def plain_values(array: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Return the values of an array: objects where they are texts, NaN for a null number.

    ``to_numpy`` would load pandas as well; see ``plain_array``.
    """
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_string(array.type):
        return np.array(array.to_pylist(), object)
    if not len(array):
        return np.zeros(0, bool if pa.types.is_boolean(array.type) else float)
    places = slice(array.offset, array.offset + len(array))
    validity, content = array.buffers()
    if pa.types.is_boolean(array.type):
        return _read_bits(content)[places]
    values = np.frombuffer(content, str(array.type).replace("double", "float64"))[places]
    if array.null_count:
        values = np.where(_read_bits(validity)[places], values, np.nan)
    return values


def _read_bits(buffer: pa.Buffer) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(buffer, np.uint8), bitorder="little").astype(bool)


def _bits(values: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def _field(column: Column) -> pa.Field:
    return pa.field(
        column.name,
        _arrow_type(column.type),
        nullable=column.is_nullable,
        metadata={"meaning": column.meaning} | ({"unit": column.unit} if column.unit else {}),
    )


def _arrow_type(name: str) -> pa.DataType:
    if name == "dictionary":
        return pa.dictionary(pa.int32(), pa.string())
    return pa.type_for_alias(name)


def _array(values: ColumnValues, kind: pa.DataType) -> pa.Array:
    if isinstance(values, Categorical):
        array = _strings(values)
    elif values.dtype.kind in "OUT":
        array = pa.array(values.tolist(), pa.string())
    else:
        return pa.array(values).cast(kind)
    # Encoded here, in order of first use, so that bytes do not depend on how codes were given.
    return array.dictionary_encode() if pa.types.is_dictionary(kind) else array


def _strings(values: Categorical) -> pa.Array:
    codes = pa.array(values.codes.astype(np.int32), mask=values.codes < 0)
    categories = pa.array(list(values.categories), pa.string())
    return pa.DictionaryArray.from_arrays(codes, categories).cast(pa.string())
