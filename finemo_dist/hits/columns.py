"""From numpy columns to Arrow tables of exactly the types that ``core.schema`` names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
