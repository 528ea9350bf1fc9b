"""What a store knows of each region but its bases and contributions: one file, ``regions.npz``.

Five small arrays would take fifteen files and folders as arrays of Zarr, and the scale one more for
each shard. Names are bytes of UTF-8 one after another, and where each ends. ``scale`` is there once
the store is complete.
"""

import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import StoreError
from finemo_dist.core.records import RegionTable
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.files import committed
from finemo_dist.store import layout
from finemo_dist.store.layout import StoreMeta

FILE: Final = "regions.npz"
_NAME_END: Final = "peak_name_end"
_NUMBERS: Final = (layout.CHROM_ID, layout.START, layout.PEAK_ID)


def write_columns(path: Path, table: RegionTable, scale: NDArray[np.float32] | None = None) -> None:
    """Write the coordinates of all regions, and their scales where all are known."""
    names = [name.encode() for name in table.peak_name.tolist()]
    arrays: dict[str, NDArray[Any]] = {
        layout.CHROM_ID: table.chrom_id,
        layout.START: table.start,
        layout.PEAK_ID: table.peak_id,
    }
    arrays = {name: values.astype(layout.DTYPES[name]) for name, values in arrays.items()}
    arrays[layout.PEAK_NAME] = np.frombuffer(b"".join(names), dtype=np.uint8)
    arrays[_NAME_END] = np.cumsum([len(name) for name in names], dtype=np.int64)
    if scale is not None:
        arrays[layout.SCALE] = scale
    with committed(path / FILE) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, allow_pickle=False, **arrays)


def read_column(path: Path, meta: StoreMeta, name: str, rows: range) -> NDArray[Any]:
    """Return rows of one column, at least one.

    Raises
    ------
    StoreError
        The file is missing or damaged, or has no such column.
    """
    columns = _columns(path / FILE, meta)
    if name == layout.PEAK_NAME:
        return _names(columns, rows)
    if name not in columns:
        raise StoreError(f"{path / FILE}: has no {name}. Extract the regions again.")
    values: NDArray[Any] = columns[name][rows.start : rows.stop]
    return values


def _names(columns: Mapping[str, NDArray[Any]], rows: range) -> NDArray[np.object_]:
    ends, stored = columns[_NAME_END], columns[layout.PEAK_NAME]
    names = np.empty(len(rows), dtype=object)
    first = int(ends[rows.start - 1]) if rows.start else 0
    own = (ends[rows.start : rows.stop] - first).tolist()
    text = stored[first : first + own[-1]].tobytes()
    names[:] = [text[a:b].decode() for a, b in zip([0, *own[:-1]], own, strict=True)]
    return names


def _columns(file: Path, meta: StoreMeta) -> Mapping[str, NDArray[Any]]:
    try:
        stat = file.stat()
        columns = _loaded(file, stat.st_mtime_ns, stat.st_ino, stat.st_size)
        _check(columns, meta.n_regions)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(
            f"{file}: missing in the region store. Extract the regions again."
        ) from error
    except Exception as error:
        what = f"{file}: damaged ({error}). Extract the regions again."
        raise fault(file, error, otherwise=what, kind=StoreError) from error
    return columns


@lru_cache(maxsize=2)
def _loaded(file: Path, *_stamp: int) -> Mapping[str, NDArray[Any]]:
    """Return all columns; a worker asks for those of one store shard by shard."""
    with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as stored:
        columns = {name: stored[name] for name in stored.files}
    for values in columns.values():
        values.flags.writeable = False
    return columns


def _check(columns: Mapping[str, NDArray[Any]], n_regions: int) -> None:
    """Refuse columns of another store."""
    wanted = {name: layout.DTYPES[name] for name in _NUMBERS} | {_NAME_END: np.int64}
    if layout.SCALE in columns:
        wanted[layout.SCALE] = layout.DTYPES[layout.SCALE]
    for name, dtype in wanted.items():
        found = columns[name]
        if found.shape != (n_regions,) or found.dtype != dtype:
            raise ValueError(f"{name} is {found.dtype} of shape {found.shape}")
    ends = columns[_NAME_END]
    if n_regions and (int(ends[-1]) != len(columns[layout.PEAK_NAME]) or (np.diff(ends) < 0).any()):
        raise ValueError("names do not end where they should")
