"""finemo's regions file as a source: one-hot sequences, float16 contributions and coordinates."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import RegionTable, ScoreKind
from finemo_dist.sources._ahead import AheadArray
from finemo_dist.sources._npz import NpzArray, list_keys
from finemo_dist.sources._places import Places
from finemo_dist.sources._rows import ArraySource, check_same_shape
from finemo_dist.sources.arrays import FileRows
from finemo_dist.sources.placing import place_regions


def is_regions_file(path: Path) -> bool:
    """Whether regions are finemo's file and no region store, which is a folder."""
    return path.suffix == ".npz" or path.is_file()


_COORDINATES = ("chr", "chr_id", "start", "peak_id", "peak_name")


class FinemoRegionsSource(ArraySource):
    """The regions of a file that finemo's extract commands wrote.

    Keys: ``sequences`` (N, 4, L), ``contributions`` (N, 4, L) hypothetical or (N, L) projected, and
    either all of ``chr``, ``chr_id``, ``start``, ``peak_id`` and ``peak_name`` (N,) or none.
    Chromosomes rank by ``chr_id``. With ``peaks``, regions without coordinates get theirs, and
    those of others are compared with them.

    Parameters
    ----------
    kind
        ``projected`` where the score of the base that is there is enough.

    Raises
    ------
    InputError
        The file is damaged, lacks keys, or its arrays disagree with each other or with the peaks.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        peaks: str | Path | None = None,
        chrom_order: str | Path | None = None,
        kind: ScoreKind | None = None,
    ) -> None:
        keys = list_keys(path)
        for key in ("sequences", "contributions"):
            if key not in keys:
                raise InputError(
                    f"{path}: has no array {key!r}; found {', '.join(keys) or 'none'}. Expected a "
                    f"regions file written by an extract-regions command."
                )
        sequences = FileRows(AheadArray(NpzArray(path, "sequences")))
        scores = FileRows(AheadArray(NpzArray(path, "contributions")))
        check_same_shape([sequences])
        n_regions, _, width = sequences.shape
        if scores.shape not in {(n_regions, 4, width), (n_regions, width)}:
            raise InputError(
                f"{path}: contributions of shape {scores.shape} beside sequences of shape "
                f"{sequences.shape}. Expected {(n_regions, 4, width)} or {(n_regions, width)}."
            )
        known = _read_table(path, keys, n_regions)
        places = Places.from_table(width, known, str(path))
        inputs = [path]
        if peaks is not None:
            placed = place_regions(
                known, str(path), region_width=width, peaks=peaks, chrom_order=chrom_order
            )
            places = Places.from_peaks(placed, None)
            # Coordinates that the file has are not taken from the peaks.
            inputs += [] if known.has_coordinates else [peaks]
        super().__init__(
            [sequences],
            [scores],
            columns=slice(0, width),
            places=places,
            inputs=inputs,
            kind=kind,
        )


def load_finemo_npz(path: str | Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of finemo's regions file by key, as it holds them.

    Raises
    ------
    InputError
        As `FinemoRegionsSource`.
    """
    FinemoRegionsSource(path)
    return {key: NpzArray(path, key).load() for key in list_keys(path)}


def _read_table(path: str | Path, keys: list[str], n_regions: int) -> RegionTable:
    missing = [key for key in _COORDINATES if key not in keys]
    if len(missing) == len(_COORDINATES):
        return RegionTable.without_coordinates(n_regions)
    if missing:
        raise InputError(
            f"{path}: has coordinates, but not {', '.join(missing)}. Expected all of "
            f"{', '.join(_COORDINATES)}, or none: extract the regions again."
        )
    arrays = {key: NpzArray(path, key) for key in _COORDINATES}
    for key, array in arrays.items():
        if array.shape != (n_regions,):
            raise InputError(
                f"{path}: array {key!r} has shape {array.shape}, expected ({n_regions},), one "
                f"entry for each region."
            )
        expected_kind = "U" if key in {"chr", "peak_name"} else "iu"
        if array.dtype.kind not in expected_kind:
            raise InputError(
                f"{path}: array {key!r} has type {array.dtype}, expected "
                f"{'text' if expected_kind == 'U' else 'whole numbers'}."
            )
    chrom_names, chrom_id = _rank_chroms(path, arrays["chr"].load(), arrays["chr_id"].load())
    return RegionTable(
        chrom_names=chrom_names,
        chrom_id=chrom_id,
        start=arrays["start"].load().astype(np.int64),
        peak_id=_check_peak_id(path, arrays["peak_id"].load()),
        peak_name=arrays["peak_name"].load().astype(object),
    )


def _rank_chroms(
    path: str | Path, names: NDArray[np.str_], ids: NDArray[np.integer]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    _, first, rank = np.unique(ids, return_index=True, return_inverse=True)
    of_rank = names[first]
    is_other = of_rank[rank] != names
    if is_other.any():
        row = int(is_other.argmax())
        raise InputError(
            f"{path}: region {row} is on {str(names[row])!r}, but its chr_id {ids[row]} stands for "
            f"{str(of_rank[rank[row]])!r} elsewhere. Expected one chromosome for each chr_id."
        )
    if len(set(of_rank.tolist())) != len(of_rank):
        raise InputError(
            f"{path}: a chromosome has several chr_id. Expected one chr_id for each chromosome."
        )
    return tuple(of_rank.tolist()), rank.astype(np.int32)


def _check_peak_id(path: str | Path, peak_id: NDArray[np.integer]) -> NDArray[np.uint32]:
    n_regions = len(peak_id)
    is_outside = (peak_id < 0) | (peak_id >= n_regions)
    if is_outside.any():
        row = int(is_outside.argmax())
        raise InputError(
            f"{path}: region {row} has peak_id {peak_id[row]}, expected 0 to {n_regions - 1}, the "
            f"row of its peak. A file cut down to some regions must be numbered anew."
        )
    values, first = np.unique(peak_id, return_index=True)
    if len(values) != n_regions:
        is_repeat = np.ones(n_regions, dtype=np.bool_)
        is_repeat[first] = False
        row = int(is_repeat.argmax())
        raise InputError(
            f"{path}: region {row} has peak_id {peak_id[row]}, as an earlier region has. Expected "
            f"each peak once."
        )
    return peak_id.astype(np.uint32)
