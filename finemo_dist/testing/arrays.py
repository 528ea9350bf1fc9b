"""Regions as array files: ChromBPNet's and BPNet's H5, and the npz pair that modisco reads."""

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from finemo_dist.storage.files import committed
from finemo_dist.testing.regions import SimulatedSample

_GZIP_LEVEL = 1
_CHUNK_REGIONS = 64


def one_hot(sequence: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return (R, 4, L) ones where the base is, from (R, L) codes."""
    is_base = sequence[:, None, :] == np.arange(4, dtype=np.uint8)[:, None]
    return np.asarray(is_base, dtype=np.int8)


def write_chrombpnet_h5(path: Path, sample: SimulatedSample) -> None:
    """Write contributions as ChromBPNet does: groups ``raw``, ``shap`` and ``projected_shap``.

    Each holds ``seq`` (R, 4, L), scores as float16. Compressed by gzip, not ChromBPNet's blosc.
    """
    encoded = one_hot(sample.sequence)
    scores = sample.hypothetical.astype(np.float16)
    with committed(path) as temporary, h5py.File(temporary, "w") as file:
        _write(file, "raw/seq", encoded)
        _write(file, "shap/seq", scores)
        _write(file, "projected_shap/seq", scores * encoded)


def write_bpnet_h5(path: Path, sample: SimulatedSample) -> None:
    """Write contributions as BPNet does: ``input_seqs`` and ``hyp_scores``, (R, L, 4) each."""
    with committed(path) as temporary, h5py.File(temporary, "w") as file:
        _write(file, "input_seqs", one_hot(sample.sequence).swapaxes(1, 2))
        _write(file, "hyp_scores", sample.hypothetical.astype(np.float16).swapaxes(1, 2))


def _write(file: h5py.File, name: str, array: NDArray[np.generic]) -> None:
    file.create_dataset(
        name,
        data=array,
        chunks=(min(_CHUNK_REGIONS, len(array)), *array.shape[1:]),
        compression="gzip",
        compression_opts=_GZIP_LEVEL,
    )


def write_modisco_arrays(sequences: Path, attributions: Path, sample: SimulatedSample) -> None:
    """Write one-hot sequences (int8) and hypothetical scores (float16), ``arr_0`` of an npz each.

    Both are (R, 4, L).
    """
    _write_npz(sequences, one_hot(sample.sequence))
    _write_npz(attributions, sample.hypothetical.astype(np.float16))


def _write_npz(path: Path, array: NDArray[np.generic]) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    with committed(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        # A ZipInfo of our own is dated 1980; numpy's own writer puts the time of day in the file.
        entry = zipfile.ZipInfo("arr_0.npy")
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, buffer.getbuffer(), compresslevel=_GZIP_LEVEL)
