"""The Zarr arrays of a store: how they are made, opened, read and written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec

from finemo_dist.core.errors import StoreError
from finemo_dist.core.records import RegionTable
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.files import flush
from finemo_dist.storage.locations import is_local
from finemo_dist.storage.objects import ObjectPath
from finemo_dist.store import layout
from finemo_dist.store._columns import read_column, write_columns
from finemo_dist.store.layout import StoreMeta
from finemo_dist.store.objects import ZarrObjects

# Every thread of zarr's pool keeps an arena of freed memory: with one, the peak of an extraction
# stays where it is however many shards follow, and it is no slower.
# Whether a chunk is all fill value is asked in emulated float16, and the answer is always no.
zarr.config.set({"threading.max_workers": 1, "array.write_empty_chunks": True})


class KeptArrays(dict[str, Any]):
    """The arrays of a group, each looked up once: to find one costs milliseconds."""

    def __init__(self, group: zarr.Group) -> None:
        super().__init__()
        self._group = group

    def __missing__(self, name: str) -> Any:  # noqa: ANN401
        return self.setdefault(name, self._group[name])


Arrays = zarr.Group | KeptArrays

_SMALL_ARRAYS = frozenset({layout.SCALE, *layout.TABLE_ARRAYS})


def _zarr_place(path: Path) -> Path | ZarrObjects:
    """Return what Zarr takes for a path."""
    return ZarrObjects.of(path) if isinstance(path, ObjectPath) else path


def create_group(path: Path, meta: StoreMeta) -> zarr.Group:
    """Make an empty store: a group with its arrays, none of which has data yet."""
    group = zarr.create_group(_zarr_place(path), zarr_format=3, attributes=meta.to_dict())
    for name in (*meta.arrays, *(() if meta.has_columns else layout.TABLE_ARRAYS)):
        _create_array(group, name, meta)
    return group


def _create_array(group: zarr.Group, name: str, meta: StoreMeta) -> None:
    shape = meta.shape_of(name)
    if name in layout.SHARDED_ARRAYS:
        chunk, shard = meta.chunk_regions, meta.shard_regions
    else:
        chunk, shard = meta.shard_regions, max(meta.n_shards, 1) * meta.shard_regions
    group.create_array(
        name,
        shape=shape,
        dtype=layout.DTYPES[name],
        chunks=(chunk, *shape[1:]),
        shards=(shard, *shape[1:]),
        # Blosc notices little: a flipped bit would come out as other numbers without the checksum.
        compressors=[_blosc(name), Crc32cCodec()],
        fill_value=layout.FILL_VALUES[name],
        # Of flat keys, which need no folder for each shard.
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=("region", "base", "position")
        if len(shape) == 3
        else ("region", "position")[: len(shape)],
    )


def _blosc(name: str) -> BloscCodec:
    shuffle = BloscShuffle.bitshuffle if name == layout.SEQUENCE else BloscShuffle.shuffle
    size = 1 if name == layout.PEAK_NAME else np.dtype(layout.DTYPES[name]).itemsize
    return BloscCodec(cname="zstd", clevel=5, shuffle=shuffle, typesize=size)


def open_group(path: Path, *, mode: str = "r") -> tuple[zarr.Group, StoreMeta]:
    """Return a store and its attributes.

    Raises
    ------
    StoreError
        There is no store, or it is of another format or damaged.
    """
    # Zarr would also find a group of an older format, and make one where there is none.
    _check_is_group(path)
    try:
        group = zarr.open_group(_zarr_place(path), mode=mode, zarr_format=3)  # type: ignore[arg-type]
    except Exception as error:
        what = f"{path}: cannot be opened as a region store ({error}). Extract the regions again."
        raise fault(path, error, otherwise=what, kind=StoreError) from error
    return group, StoreMeta.from_dict(group.attrs.asdict(), path)


def read_meta(path: Path) -> StoreMeta:
    """Return the attributes of a store as they are now, without opening its arrays.

    Raises
    ------
    StoreError
        There is no store, or it is of another format or damaged.
    """
    return StoreMeta.from_dict(_check_is_group(path).get("attributes", {}), path)


def _check_is_group(path: Path) -> Mapping[str, Any]:
    try:
        node = json.loads((path / "zarr.json").read_text())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(
            f"{path}: no region store here (there is no zarr.json). Make one by an "
            f"extract-regions command, or check the path."
        ) from error
    except (OSError, ValueError) as error:
        what = f"{path / 'zarr.json'}: cannot be read ({error}). Extract the regions again."
        raise fault(path / "zarr.json", error, otherwise=what, kind=StoreError) from error
    if not isinstance(node, Mapping) or node.get("node_type") != "group":
        raise StoreError(f"{path}: not a Zarr group, expected a region store. Check the path.")
    return node


def shard_file(path: Path, arrays: Arrays, name: str, shard: int) -> Path:
    """Return the file that holds a shard of an array, in a store of this version or an older."""
    metadata = _array(arrays, name).metadata
    key: str = metadata.encode_chunk_key((shard, *[0] * (len(metadata.shape) - 1)))
    return path / name / key


def read_rows(path: Path, arrays: Arrays, meta: StoreMeta, name: str, rows: range) -> NDArray[Any]:
    """Return rows of an array as stored.

    Raises
    ------
    StoreError
        A file is missing or damaged.
    """
    if not rows:
        return np.empty((0, *meta.shape_of(name)[1:]), dtype=layout.DTYPES[name])
    if meta.has_columns and name in _SMALL_ARRAYS:
        return read_column(path, meta, name, rows)
    try:
        files = _files_of_rows(path, arrays, meta, name, rows)
    except Exception as error:
        what = f"{path / name}: damaged ({error}). Extract the regions again."
        raise fault(path / name, error, otherwise=what, kind=StoreError) from error
    for file in files:
        # Zarr takes a missing or empty file for one that holds nothing but fill values.
        if not _has_content(file):
            raise StoreError(
                f"{file}: missing or empty in the region store. Extract the regions again."
            )
    try:
        values: NDArray[Any] = np.asarray(_array(arrays, name)[rows.start : rows.stop])
    except Exception as error:
        where = ", ".join(map(str, files))
        what = f"{where}: damaged ({error}). Extract the regions again."
        raise fault(where, error, otherwise=what, kind=StoreError) from error
    return values


def _has_content(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        what = f"{file}: cannot be read ({error})."
        raise fault(file, error, otherwise=what, kind=StoreError) from error


def write_rows(group: zarr.Group, name: str, rows: range, values: NDArray[Any]) -> None:
    """Write whole shards of an array."""
    _array(group, name)[rows.start : rows.stop] = values


def remove_shard(path: Path, arrays: Arrays, meta: StoreMeta, shard: int) -> None:
    """Remove the files of a shard: Zarr merges into a file that stands there, whole or damaged."""
    for file in shard_files(path, arrays, meta, shard):
        file.unlink(missing_ok=True)


def has_shard(path: Path, arrays: Arrays, meta: StoreMeta, shard: int) -> bool:
    """Whether the files of a shard are there; Zarr takes missing ones for fill values."""
    return all(map(_has_content, shard_files(path, arrays, meta, shard)))


def lost_shards(path: Path, arrays: Arrays, meta: StoreMeta) -> set[int]:
    """Return the shards some file of which is not there."""
    shards = range(meta.n_shards)
    if not isinstance(path, ObjectPath):
        return {shard for shard in shards if not has_shard(path, arrays, meta, shard)}
    # One listing an array tells all.
    sizes = {p: n for name in meta.arrays for p, n in (path / name).sizes().items()}
    return {
        shard
        for shard in shards
        if not all(sizes.get(file) for file in shard_files(path, arrays, meta, shard))
    }


def shard_files(path: Path, arrays: Arrays, meta: StoreMeta, shard: int) -> list[Path]:
    """Return the files of a shard."""
    return [shard_file(path, arrays, name, shard) for name in meta.arrays]


def flush_shard(path: Path, arrays: Arrays, meta: StoreMeta, shard: int) -> None:
    """Have the files of a shard on the disk, where a crash of the machine leaves them."""
    if not is_local(path):
        return
    for file in shard_files(path, arrays, meta, shard):
        flush(file)


def read_table(path: Path, arrays: Arrays, meta: StoreMeta, rows: range) -> RegionTable:
    """Return the coordinates of rows.

    Raises
    ------
    StoreError
        A file is missing or damaged.
    """
    columns = {name: read_rows(path, arrays, meta, name, rows) for name in layout.TABLE_ARRAYS}
    return RegionTable(
        meta.chrom_names,
        columns[layout.CHROM_ID],
        columns[layout.START],
        columns[layout.PEAK_ID],
        columns[layout.PEAK_NAME].astype(object),
        meta.chrom_lengths,
    )


def write_table(path: Path, group: zarr.Group, meta: StoreMeta, table: RegionTable) -> None:
    """Write the coordinates of all regions."""
    if meta.has_columns:
        write_columns(path, table)
        return
    rows = range(len(table))
    write_rows(group, layout.CHROM_ID, rows, table.chrom_id)
    write_rows(group, layout.START, rows, table.start)
    write_rows(group, layout.PEAK_ID, rows, table.peak_id)
    write_rows(group, layout.PEAK_NAME, rows, table.peak_name)


def _array(arrays: Arrays, name: str) -> Any:  # noqa: ANN401
    return arrays[name]


def _files_of_rows(
    path: Path, arrays: Arrays, meta: StoreMeta, name: str, rows: range
) -> list[Path]:
    if name in layout.TABLE_ARRAYS:
        return [shard_file(path, arrays, name, 0)]
    first, last = rows.start // meta.shard_regions, (rows.stop - 1) // meta.shard_regions
    return [shard_file(path, arrays, name, shard) for shard in range(first, last + 1)]
