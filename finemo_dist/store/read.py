"""Reading a region store."""

from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray

from finemo_dist.core.errors import StoreError
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.records import InputCounts, RegionBatch, RegionTable, ScoreKind
from finemo_dist.storage.locations import location
from finemo_dist.store import _arrays, layout
from finemo_dist.store.halves import from_stored
from finemo_dist.store.layout import BaseStore, StoreMeta


class RegionStore:
    """A complete region store, open for reading.

    Parameters
    ----------
    path
        The folder.
    group
        The open Zarr group.
    meta
        Its attributes.
    base
        The store whose sequences and contributions it has; its own when None.
    """

    def __init__(
        self, path: Path, group: zarr.Group, meta: StoreMeta, base: "RegionStore | None" = None
    ) -> None:
        self._path = path
        self._arrays = _arrays.KeptArrays(group)
        self.meta = meta
        self.base = base

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return open_store, (self.path,)

    @property
    def path(self) -> str:
        """The folder."""
        return str(self._path)

    @property
    def digest(self) -> str:
        """Of content, coordinates and layout."""
        return self.meta.digest

    @property
    def report(self) -> InputReport:
        """What was met while the regions were read."""
        return self.meta.report

    @property
    def score_kind(self) -> ScoreKind:
        """What the contributions are."""
        return self.meta.score_kind

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        return self.meta.region_width

    @property
    def n_regions(self) -> int:
        """Regions in all shards together."""
        return self.meta.n_regions

    @property
    def n_shards(self) -> int:
        """Shards, all of the same size but the last."""
        return self.meta.n_shards

    def check_unchanged(self) -> None:
        """Refuse to go on where another store has taken the place of this one.

        Arrays are opened by name as they are read, so that what is read may be of both.

        Raises
        ------
        StoreError
            The store at its path has another digest, or there is none.
        """
        if _arrays.read_meta(self._path).digest != self.digest:
            raise StoreError(
                f"{self.path}: was replaced by another store while it was read. Run the same "
                "command again."
            )
        if self.base is not None:
            self.base.check_unchanged()

    def shard_rows(self, shard: int) -> range:
        """Return the rows of a shard."""
        return self.meta.shard_rows(shard)

    def table(self, start: int, stop: int) -> RegionTable:
        """Return the coordinates of rows ``start`` to ``stop``.

        Raises
        ------
        StoreError
            A file is missing or damaged.
        """
        return _arrays.read_table(self._path, self._arrays, self.meta, range(start, stop))

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return sequences and float32 contributions of rows ``start`` to ``stop``.

        Whole chunks are read: ranges that begin and end at multiples of ``meta.chunk_regions``
        cost least.

        Raises
        ------
        StoreError
            A file is missing or damaged.
        """
        if self.base is not None:
            return self.base.read(start, stop)
        rows = range(start, stop)
        sequence, stored, scale = (
            _arrays.read_rows(self._path, self._arrays, self.meta, name, rows)
            for name in layout.SHARDED_ARRAYS
        )
        contributions = from_stored(stored, scale)
        return RegionBatch(sequence, contributions, InputCounts(n_regions=len(rows)))

    def sequences(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the sequences (R, L) of rows ``start`` to ``stop`` alone.

        Raises
        ------
        StoreError
            A file is missing or damaged.
        """
        if self.base is not None:
            return self.base.sequences(start, stop)
        rows = range(start, stop)
        return _arrays.read_rows(self._path, self._arrays, self.meta, layout.SEQUENCE, rows)


def open_store(path: str | Path) -> RegionStore:
    """Return the store at ``path``, open for reading.

    Raises
    ------
    StoreError
        There is none, it is of another format or version, damaged, or not complete.
    """
    path = location(path)
    group, meta = _arrays.open_group(path)
    if not meta.is_complete:
        raise StoreError(
            f"{path}: is not complete: its extraction was interrupted. Run the extraction again."
        )
    return RegionStore(path, group, meta, None if meta.base is None else _base(path, meta.base))


def _base(path: Path, base: BaseStore) -> RegionStore:
    """Return the store whose sequences and contributions the store at ``path`` has."""
    try:
        store = open_store(base.path)
    except StoreError as error:
        raise StoreError(
            f"{path}: has the coordinates of regions whose contributions are in another store. "
            f"{error}"
        ) from error
    if store.digest != base.digest:
        raise StoreError(
            f"{base.path}: changed since {path} was made, which has the coordinates of its "
            f"regions. Call hits again."
        )
    return store
