"""What the samples of a run have committed, as columns: a large run has too many units for more."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.hits.columns import plain_array, plain_values
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import TableName
from finemo_dist.hits.manifest import Extent, units_of
from finemo_dist.record.run_record import RunRecord


class SampleParts:
    """What one sample has committed."""

    def __init__(self, sample: str, rows: pa.Table, damaged: tuple[str, ...]) -> None:
        """Show rows of a manifest.

        Parameters
        ----------
        damaged
            What is wrong with parts that do not count, each naming its file.
        """
        self.sample = sample
        self.rows = rows
        self.damaged = damaged

    @cached_property
    def _units(self) -> dict[int, tuple[PartFooter, dict[TableName, Extent]]]:
        return {
            shard: (unit.footer, {"hits": unit.hits, "peaks_qc": unit.regions})
            for (_, shard), unit in units_of(self.rows)
        }

    @cached_property
    def units(self) -> dict[int, PartFooter]:
        """Shard to the footer of its hits, of every committed unit, in the order of shards."""
        return {shard: footer for shard, (footer, _) in self._units.items()}

    @property
    def shards(self) -> list[int]:
        """The committed shards, in order."""
        shards: list[int] = self.rows.column("shard").to_pylist()
        return shards

    def footers(self) -> Iterator[PartFooter]:
        """Yield the footers of the hits of all units; none is made before it is asked for."""
        yield from self.units.values()

    @property
    def extents(self) -> dict[int, dict[TableName, Extent]]:
        """Shard to where the rows of its parts lie."""
        return {shard: extents for shard, (_, extents) in self._units.items()}

    def __len__(self) -> int:
        """Return the number of committed units."""
        return int(self.rows.num_rows)

    def __eq__(self, other: object) -> bool:
        """Whether both are of the same parts, however these were looked at."""
        return isinstance(other, SampleParts) and (
            (self.sample, self._units, self.damaged) == (other.sample, other._units, other.damaged)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} units of {self.sample!r}, {len(self.damaged)} damaged>"


class RunParts(Mapping[str, SampleParts]):
    """Sample to what it has committed, in the order that was asked for."""

    def __init__(
        self,
        names: Sequence[str],
        table: pa.Table,
        offsets: NDArray[np.int64],
        damaged: Mapping[str, tuple[str, ...]],
    ) -> None:
        """Show rows of a manifest, sample by sample.

        Parameters
        ----------
        offsets
            Of the first row of each sample, and the number of rows.
        damaged
            What is wrong with parts that do not count, of samples that have such.
        """
        self.names = tuple(names)
        self.table = table
        self.offsets = offsets
        self.damaged = damaged
        self._index = {name: i for i, name in enumerate(self.names)}
        self._samples: dict[str, SampleParts] = {}
        self._columns: dict[str, NDArray[Any]] = {}

    @classmethod
    def of(
        cls, names: Sequence[str], table: pa.Table, damaged: Mapping[str, tuple[str, ...]]
    ) -> "RunParts":
        """Return them from rows in any order, each of one of the samples."""
        numbers = {name: i for i, name in enumerate(names)}
        codes = np.array([numbers[name] for name in table.column("sample").to_pylist()], np.int64)
        shards = plain_values(table.column("shard"))
        order = np.lexsort((shards, codes))
        if np.any(order[1:] < order[:-1]):
            table = table.take(plain_array(order, pa.int64()))
        counts = np.bincount(codes, minlength=len(names))
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return cls(names, table, offsets, damaged)

    def __getitem__(self, name: str) -> SampleParts:
        if name not in self._samples:
            i = self._index[name]
            first, end = self.offsets[i : i + 2].tolist()
            rows = self.table.slice(first, end - first)
            self._samples[name] = SampleParts(name, rows, self.damaged.get(name, ()))
        return self._samples[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def n_units(self) -> int:
        """Committed units of all samples."""
        return int(self.table.num_rows)

    def only(self, name: str) -> "RunParts":
        """Return those of one sample."""
        parts = self[name]
        offsets = np.array([0, len(parts)])
        return RunParts([name], parts.rows, offsets, {name: parts.damaged})

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of the manifest: objects where it is text, floats where it has nulls."""
        if name not in self._columns:
            self._columns[name] = plain_values(self.table.column(name))
        return self._columns[name]

    def spread(self, values: Sequence[Any]) -> NDArray[Any]:
        """Return a value of each sample for each of its units."""
        return np.repeat(np.array(values), np.diff(self.offsets))

    def sums(self, name: str) -> list[int]:
        """Return the sum of a column over each sample."""
        total = np.concatenate([[0], np.cumsum(self.column(name))]).astype(np.int64)
        sums: list[int] = np.diff(total[self.offsets]).tolist()
        return sums

    def largest(self, name: str) -> list[float]:
        """Return the largest value of a column over each sample, 0 where it has no unit."""
        values, found = self.column(name), [0.0] * len(self.names)
        for i in np.flatnonzero(np.diff(self.offsets)):
            found[i] = float(values[self.offsets[i] : self.offsets[i + 1]].max())
        return found

    def current(self, record: RunRecord) -> "RunParts":
        """Return those made with the settings and from the stores that a record names."""
        samples = {sample.name: sample for sample in record.samples}
        shown = [samples[name] for name in self.names]
        wanted = {
            "config_digest": [record.config_digest_of(sample) for sample in shown],
            "store_digest": [sample.store_digest for sample in shown],
        }
        is_current = self.column("shard") < self.spread([sample.n_shards for sample in shown])
        for column, digests in wanted.items():
            is_current &= self.column(column) == self.spread(digests)
        return self.where(is_current)

    def where(self, is_kept: NDArray[np.bool_]) -> "RunParts":
        """Return those of some units."""
        if is_kept.all():
            return self
        offsets = np.concatenate([[0], np.cumsum(is_kept)])[self.offsets]
        table = self.table.filter(plain_array(is_kept, pa.bool_()))
        return RunParts(self.names, table, offsets, self.damaged)


class KnownRows:
    """A manifest, to be compared with a listing."""

    def __init__(self, table: pa.Table) -> None:
        """Take the rows of a manifest, by sample and shard."""
        self._table = table
        self._shards: list[int] = table.column("shard").to_pylist()
        self._stamps: list[str] = table.column("stamp").to_pylist()
        self._is_checked: list[bool] = table.column("is_checked").to_pylist()
        self._bounds = _bounds(table.column("sample"))

    def match(
        self, sample: str, shards: Sequence[int], stamps: Sequence[str], *, must_be_checked: bool
    ) -> tuple[Sequence[int], list[tuple[int, str]]]:
        """Return the rows of units that are as they were, and shard and stamp of all others."""
        first, end = self._bounds.get(sample, (0, 0))
        if (
            self._shards[first:end] == shards
            and self._stamps[first:end] == stamps
            and (not must_be_checked or all(self._is_checked[first:end]))
        ):
            return range(first, end), []
        known = {self._shards[row]: row for row in range(first, end)}
        rows, others = [], []
        for shard, stamp in zip(shards, stamps, strict=True):
            row = known.get(shard)
            if (
                row is not None
                and self._stamps[row] == stamp
                and (self._is_checked[row] or not must_be_checked)
            ):
                rows.append(row)
            else:
                others.append((shard, stamp))
        return rows, others

    def taken(self, rows: Sequence[int], new: pa.Table) -> pa.Table:
        """Return some rows, and others after them."""
        is_all = len(rows) == self._table.num_rows and rows == list(range(len(rows)))
        table = self._table if is_all else self._table.take(plain_array(rows, pa.int64()))
        return pa.concat_tables([table, new]).combine_chunks() if new.num_rows else table


def without(table: pa.Table, others: pa.Table) -> pa.Table:
    """Return the rows of a manifest of units that another has none of."""
    found = table.append_column("row", plain_array(range(table.num_rows), pa.int64()))
    kept = found.select(["sample", "shard", "row"]).join(
        others.select(["sample", "shard"]), ["sample", "shard"], join_type="left anti"
    )
    return table.take(kept.column("row"))


def _bounds(samples: pa.ChunkedArray) -> dict[str, tuple[int, int]]:
    """Return where the rows of each sample begin and end."""
    if not len(samples):
        return {}
    names = plain_values(samples)
    firsts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist()]
    return {
        names[first]: (first, end)
        for first, end in zip(firsts, [*firsts[1:], len(names)], strict=True)
    }
