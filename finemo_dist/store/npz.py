"""finemo's regions file, written from a store without holding it whole."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import UsageError
from finemo_dist.core.files import committed
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import RegionBatch, ScoreKind

_BLOCK_REGIONS = 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SMALLEST_NORMAL = float(np.finfo(np.float16).smallest_normal)


def write_finemo_npz(store: RegionReader, path: str | Path) -> None:
    """Write the regions of a store as finemo's ``regions.npz``.

    Keys and types are finemo's; coordinates are left out where the store has none. The same
    store gives the same bytes.

    Raises
    ------
    UsageError
        float16 cannot hold the contributions: they overflow, or all of them are below its normal
        range.
    """
    n_regions, width = store.n_regions, store.region_width
    is_projected = store.score_kind is ScoreKind.PROJECTED
    with committed(Path(path)) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        one_hot = (_one_hot(batch.sequence) for batch in _blocks(store))
        _write_member(archive, "sequences", (n_regions, 4, width), np.int8, one_hot)
        shape = (n_regions, width) if is_projected else (n_regions, 4, width)
        _write_member(archive, "contributions", shape, np.float16, _halves(store))
        for key, column in _coordinates(store).items():
            _write_member(archive, key, column.shape, column.dtype, iter([column]))


def _blocks(store: RegionReader) -> Iterator[RegionBatch]:
    for start in range(0, store.n_regions, _BLOCK_REGIONS):
        yield store.read(start, min(start + _BLOCK_REGIONS, store.n_regions))


def _one_hot(codes: NDArray[np.uint8]) -> NDArray[np.int8]:
    is_base: NDArray[np.bool_] = codes[:, None, :] == np.arange(4, dtype=np.uint8)[:, None]
    return is_base.view(np.int8)


def _halves(store: RegionReader) -> Iterator[NDArray[np.float16]]:
    largest = 0.0
    for block in _blocks(store):
        with np.errstate(over="ignore"):
            halves = block.contributions.astype(np.float16)
        if not np.isfinite(halves).all():
            raise UsageError(
                f"{store.path}: has contributions beyond 65,504, the largest number in finemo's "
                f"regions file. Keep them as a region store: choose an output that does not end "
                f"in .npz."
            )
        largest = max(largest, float(np.abs(block.contributions).max(initial=0)))
        yield halves
    if 0 < largest < _SMALLEST_NORMAL:
        raise UsageError(
            f"{store.path}: its largest contribution is {largest:g}, and finemo's regions file "
            f"holds numbers below {_SMALLEST_NORMAL:g} coarsely or not at all. Keep them as a "
            f"region store: choose an output that does not end in .npz."
        )


def _coordinates(store: RegionReader) -> dict[str, NDArray[Any]]:
    table = store.table(0, store.n_regions)
    if not table.has_coordinates:
        return {}
    names = [table.chrom_names[chrom_id] for chrom_id in table.chrom_id.tolist()]
    return {
        "chr": np.array(names, dtype=np.str_),
        "chr_id": table.chrom_id.astype(np.int64),
        "start": table.start.astype(np.int32),
        "peak_id": table.peak_id,
        "peak_name": np.array(table.peak_name.tolist(), dtype=np.str_),
    }


def _write_member(
    archive: zipfile.ZipFile,
    key: str,
    shape: tuple[int, ...],
    dtype: Any,  # noqa: ANN401
    blocks: Iterator[NDArray[Any]],
) -> None:
    info = zipfile.ZipInfo(f"{key}.npy", _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": False,
        "shape": shape,
    }
    with archive.open(info, "w", force_zip64=True) as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for block in blocks:
            stream.write(np.ascontiguousarray(block).tobytes())
