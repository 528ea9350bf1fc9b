"""The answer to a query, as a table for Python users."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import pyarrow as pa

from finemo_dist.core.errors import UsageError
from finemo_dist.core.optional import require

_SHOWN_ROWS: Final = 10
_SHOWN_WIDTH: Final = 40


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows and named columns, held in memory as Arrow.

    ``to_pandas``, ``to_polars`` and ``to_arrow`` hand it on; iterating yields one dict per row.
    """

    _arrow: pa.Table

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._arrow.column_names)

    def to_arrow(self) -> pa.Table:
        """Return a ``pyarrow.Table``, without a copy."""
        return self._arrow

    def to_pandas(self) -> Any:  # noqa: ANN401  (pandas is optional)
        """Return a ``pandas.DataFrame``; dictionary columns become categories.

        Raises
        ------
        UsageError
            pandas is not installed.
        """
        require("pandas", needed_for="to_pandas", extra="pandas")
        return self._arrow.to_pandas()

    def to_polars(self) -> Any:  # noqa: ANN401  (polars is optional)
        """Return a ``polars.DataFrame``.

        Raises
        ------
        UsageError
            polars is not installed.
        """
        return require("polars", needed_for="to_polars", extra="polars").from_arrow(self._arrow)

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self._arrow.to_batches():
            yield from batch.to_pylist()

    def __getitem__(self, column: str) -> list[Any]:
        """Return a column as a list of Python's values.

        Raises
        ------
        UsageError
            There is no such column.
        """
        if column not in self._arrow.column_names:
            raise UsageError(f"There is no column {column!r}; there are {', '.join(self.columns)}.")
        values: list[Any] = self._arrow[column].to_pylist()
        return values

    def __repr__(self) -> str:
        rows = [self.columns, *(tuple(map(_cell, row.values())) for row in self._head())]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, f"[{len(self):,} rows x {len(self.columns)} columns]"])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row.values()) + "</tr>"
            for row in self._head()
        )
        size = f"{len(self):,} rows x {len(self.columns)} columns"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{size}</p>"

    def _head(self) -> list[Mapping[str, Any]]:
        shown: list[Mapping[str, Any]] = self._arrow.slice(0, _SHOWN_ROWS).to_pylist()
        return shown


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _SHOWN_WIDTH else f"{text[: _SHOWN_WIDTH - 1]}…"
