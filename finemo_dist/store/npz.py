"""finemo's regions file, written from a store that is never held in memory as a whole."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import UsageError
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import RegionBatch, ScoreKind
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location

_BLOCK_REGIONS = 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)
SMALLEST_NORMAL = float(np.finfo(np.float16).smallest_normal)
"""The smallest float16 of full precision: a region whose largest is below it is held coarsely."""
_OVERFLOW = 65_520.0
"""What rounds to infinity in float16."""
_CURE = "Keep them as a region store: choose an output that does not end in .npz."


def write_finemo_npz(store: RegionReader, path: str | Path) -> int:
    """Write the regions of a store as finemo's ``regions.npz``.

    Keys and types are finemo's; coordinates are left out where the store has none. The same
    store gives the same bytes.

    Returns
    -------
    The number of regions whose contributions are all below the normal range of float16, so that
    the file holds them more coarsely than the store does.

    Raises
    ------
    UsageError
        float16 cannot hold the contributions: one overflows, or every region is below its normal
        range.
    """
    seen = _Range()
    n_regions, width = store.n_regions, store.region_width
    is_projected = store.score_kind is ScoreKind.PROJECTED
    with committed(location(path)) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        one_hot = (_one_hot(batch.sequence) for batch in _blocks(store))
        _write_member(archive, "sequences", (n_regions, 4, width), np.int8, one_hot)
        shape = (n_regions, width) if is_projected else (n_regions, 4, width)
        _write_member(archive, "contributions", shape, np.float16, _halves(store, seen, path))
        for key, column in _coordinates(store).items():
            _write_member(archive, key, column.shape, column.dtype, iter([column]))
        # Before the file gets its name.
        _check_precision(seen, path)
    return seen.n_coarse


@dataclass(slots=True)
class _Range:
    """What float16 has to hold, gathered while it is written."""

    largest: float = 0.0
    n_coarse: int = 0
    n_nonzero: int = 0

    def add(self, contributions: NDArray[np.floating]) -> None:
        """Take the regions of a block in."""
        axes = tuple(range(1, contributions.ndim))
        largest = np.abs(contributions).max(axis=axes, initial=0)
        self.largest = max(self.largest, float(largest.max(initial=0)))
        self.n_nonzero += int((largest > 0).sum())
        self.n_coarse += int(((largest > 0) & (largest < SMALLEST_NORMAL)).sum())


def _check_overflow(seen: _Range, path: str | Path) -> None:
    if not seen.largest < _OVERFLOW:
        raise UsageError(
            f"{path}: cannot hold contributions of {seen.largest:g}: finemo's regions file is "
            f"float16, whose largest number is 65,504. {_CURE}"
        )


def _check_precision(seen: _Range, path: str | Path) -> None:
    if seen.n_nonzero and seen.n_coarse == seen.n_nonzero:
        raise UsageError(
            f"{path}: cannot hold these contributions, whose largest is {seen.largest:g}: finemo's "
            f"regions file is float16, which holds numbers below {SMALLEST_NORMAL:.2g} coarsely or "
            f"not at all. {_CURE}"
        )


def _blocks(store: RegionReader) -> Iterator[RegionBatch]:
    for start in range(0, store.n_regions, _BLOCK_REGIONS):
        yield store.read(start, min(start + _BLOCK_REGIONS, store.n_regions))


def _one_hot(codes: NDArray[np.uint8]) -> NDArray[np.int8]:
    is_base: NDArray[np.bool_] = codes[:, None, :] == np.arange(4, dtype=np.uint8)[:, None]
    return is_base.view(np.int8)


def _halves(store: RegionReader, seen: _Range, path: str | Path) -> Iterator[NDArray[np.float16]]:
    for block in _blocks(store):
        seen.add(block.contributions)
        _check_overflow(seen, path)
        yield block.contributions.astype(np.float16)


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
