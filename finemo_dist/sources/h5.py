"""Contribution files of ChromBPNet and BPNet."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  (registers the blosc filter)
import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError, brief
from finemo_dist.core.records import ScoreKind
from finemo_dist.core.system_errors import fault
from finemo_dist.sources._batch import central_columns
from finemo_dist.sources._coordinates import coordinates_of
from finemo_dist.sources._places import WhereArraysLie
from finemo_dist.sources._rows import (
    BASES_LAST,
    ArraySource,
    AxisOrder,
    axis_cure,
    check_same_shape,
)
from finemo_dist.sources.peaks import check_region_width
from finemo_dist.storage.h5_file import DAMAGE, h5_fault, open_h5

_DEFAULT_CACHE_BYTES = 1 << 20
_MAX_CACHE_BYTES = 512 << 20
_CACHE_SLOTS = 100_003


class H5Rows:
    """A three-dimensional dataset read by rows, bases on the second axis or on the last."""

    def __init__(self, path: str | Path, name: str, *, bases_last: bool = False) -> None:
        self.path = str(path)
        self._name = name
        self._bases_last = bases_last
        self._dataset: Any = None
        with open_h5(self.path) as file:
            shape = _find(file, name, self.path).shape
        if shape is None or len(shape) != 3 or shape[2 if bases_last else 1] != 4:
            axes = "(regions, width, 4)" if bases_last else "(regions, 4, width)"
            is_other = shape is not None and len(shape) == 3 and shape[1 if bases_last else 2] == 4
            cure = f" {axis_cure(bases_last=bases_last)}" if is_other else ""
            raise InputError(f"{path}: dataset {name!r} has shape {shape}, expected {axes}.{cure}")
        self.shape: tuple[int, ...] = (shape[0], 4, shape[1 if bases_last else 2])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_dataset": None}

    def read(self, start: int, stop: int, columns: slice) -> NDArray[np.generic]:
        """Return rows ``start`` to ``stop`` at ``columns``: (R, 4, L).

        Raises
        ------
        InputError
            The file is damaged.
        """
        try:
            if self._dataset is None:
                self._dataset = _with_cache(_find(open_h5(self.path), self._name, self.path))
            block: NDArray[np.generic]
            if self._bases_last:
                block = self._dataset[start:stop, columns, :].swapaxes(1, 2)
            else:
                block = self._dataset[start:stop, :, columns]
        except DAMAGE as error:
            what = (
                f"{self.path}: dataset {self._name!r} is damaged ({brief(error)}). Write or fetch "
                "it again."
            )
            raise fault(self.path, error, otherwise=what, kind=InputError) from error
        return block


class _H5Source(ArraySource):
    _SEQUENCES: str
    _SCORES: str
    _BASES_LAST: bool

    def __init__(
        self,
        h5s: Sequence[str | Path],
        *,
        region_width: int = 1000,
        axis_order: AxisOrder | None = None,
        scores: ScoreKind | None = None,
        **where: str | Path | None,
    ) -> None:
        check_region_width(region_width)
        bases_last = self._BASES_LAST if axis_order is None else axis_order == BASES_LAST
        lie = WhereArraysLie(**where)
        sequences = [H5Rows(path, self._SEQUENCES, bases_last=bases_last) for path in h5s]
        folds = [H5Rows(path, self._SCORES, bases_last=bases_last) for path in h5s]
        check_same_shape([*sequences, *folds])
        n_regions, _, width = sequences[0].shape
        super().__init__(
            sequences,
            folds,
            columns=central_columns(width, region_width, sequences[0].path),
            places=lie.places(
                n_regions,
                sequences[0].path,
                region_width=region_width,
                coordinates=coordinates_of([str(path) for path in h5s], n_regions),
            ),
            inputs=[*lie.files, *h5s],
            kind=scores,
        )


class ChromBpnetSource(_H5Source):
    """Hypothetical contributions of ChromBPNet: ``raw/seq`` and ``shap/seq``, both (N, 4, W).

    Several files are folds, averaged in float64; their sequences must be identical. Regions are
    the central ``region_width`` columns. With ``peaks`` they have coordinates, and with ``fasta``
    besides all sequences are compared with the genome. Coordinates that the file itself has
    (``coords_*``) are compared with those of peaks, and used without peaks.

    Parameters
    ----------
    axis_order
        ``nal`` or ``nla`` where the file has other axes than its format: N regions, A bases,
        L positions.
    scores
        ``projected`` for the score of the base that is there alone.
    **where
        Fields of ``WhereArraysLie``.

    Raises
    ------
    InputError
        A file is damaged or lacks a dataset, shapes or numbers of regions differ, or the arrays
        are narrower than the regions.
    UsageError
        The width is odd, or a genome is given without peaks.
    """

    _SEQUENCES = "raw/seq"
    _SCORES = "shap/seq"
    _BASES_LAST = False


class BpnetSource(_H5Source):
    """Hypothetical contributions of BPNet: ``input_seqs`` and ``hyp_scores``, both (N, W, 4).

    Otherwise as `ChromBpnetSource`.
    """

    _SEQUENCES = "input_seqs"
    _SCORES = "hyp_scores"
    _BASES_LAST = True


def _find(file: h5py.File, name: str, path: str) -> h5py.Dataset:
    names: list[str] = []
    try:
        found = file.get(name)
        if isinstance(found, h5py.Dataset):
            return found
        file.visititems(lambda key, item: names.append(key) if hasattr(item, "shape") else None)
    except DAMAGE as error:
        raise h5_fault(path, error, "Write or fetch it again.") from error
    raise InputError(
        f"{path}: has no dataset {name!r}; found {', '.join(map(repr, names)) or 'none'}. "
        f"Expected 'raw/seq' and 'shap/seq' from ChromBPNet, 'input_seqs' and 'hyp_scores' from "
        f"BPNet: use the extract command of the tool that wrote it."
    )


def _with_cache(dataset: h5py.Dataset) -> h5py.Dataset:
    """Reopen a dataset so that one row of chunks stays decompressed between blocks of regions."""
    if not dataset.chunks:
        return dataset
    across = zip(dataset.shape[1:], dataset.chunks[1:], strict=True)
    n_chunks = math.prod(math.ceil(size / chunk) for size, chunk in across)
    n_bytes = n_chunks * math.prod(dataset.chunks) * dataset.dtype.itemsize
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(
        _CACHE_SLOTS, min(max(n_bytes, _DEFAULT_CACHE_BYTES), _MAX_CACHE_BYTES), 0.75
    )
    name = dataset.name.encode()
    return h5py.Dataset(h5py.h5d.open(dataset.file.id, name, access))
