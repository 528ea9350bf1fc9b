"""The motifs of a run: a table of names and trims, and the CWMs as one array."""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from finemo_dist.core.errors import RunError
from finemo_dist.core.files import committed
from finemo_dist.core.locations import location, readable
from finemo_dist.core.palindromes import NO_PALINDROME, palindrome_offsets
from finemo_dist.core.records import MotifSet
from finemo_dist.core.schema import MOTIF_COLUMNS
from finemo_dist.hits.columns import arrow_schema, arrow_table
from finemo_dist.hits.seal import UNSEALED, check_seal, seal

_VERSION_KEY: Final = b"finemo_dist_motifs"
_VERSION: Final = b"1"


def motif_data_path(run: str | Path) -> Path:
    """Return where the table of motifs lies."""
    return location(run) / "motifs" / "motif_data.parquet"


def motif_cwms_path(run: str | Path) -> Path:
    """Return where the CWMs lie, float16 (M, 4, W)."""
    return location(run) / "motifs" / "motif_cwms.npy"


def write_motifs(run: str | Path, motifs: MotifSet) -> None:
    """Commit the motifs of a run, CWMs first."""
    with committed(motif_cwms_path(run)) as path, path.open("wb") as handle:
        np.save(handle, motifs.cwm.astype(np.float16), allow_pickle=False)
    table = arrow_table(
        MOTIF_COLUMNS,
        {
            "motif_id": np.arange(len(motifs), dtype=np.int32),
            "motif_name": np.array(motifs.name, dtype=object),
            "motif_name_orig": np.array(motifs.name_orig, dtype=object),
            "strand": np.array(motifs.strand, dtype=object),
            "motif_start": motifs.start,
            "motif_end": motifs.end,
            "motif_scale": motifs.scale,
            "lambda": motifs.penalty,
            "is_palindrome": palindrome_offsets(motifs) != NO_PALINDROME,
        },
    ).replace_schema_metadata({_VERSION_KEY: _VERSION, **UNSEALED})
    with committed(motif_data_path(run)) as path:
        pq.write_table(table, path, compression="zstd")
        seal(path)


def write_motif_template(path: Path) -> None:
    """Write a table of no motifs, which shows the schema."""
    pq.write_table(arrow_schema(MOTIF_COLUMNS).empty_table(), path)


def read_motifs(run: str | Path) -> MotifSet:
    """Return the motifs of a run.

    Raises
    ------
    RunError
        A file is missing, damaged, of another version, or the two disagree.
    """
    table = _read_table(motif_data_path(run))
    cwm = _read_cwms(motif_cwms_path(run))
    if cwm.dtype != np.float16 or cwm.ndim != 3 or cwm.shape[:2] != (len(table), 4):
        raise RunError(
            f"{motif_cwms_path(run)}: holds {cwm.dtype} of shape {cwm.shape}; expected float16 "
            f"({len(table)}, 4, W), one CWM for each row of motif_data.parquet. "
            "Rerun the command that made the run."
        )
    return MotifSet(
        name=tuple(table["motif_name"].to_pylist()),
        name_orig=tuple(table["motif_name_orig"].to_pylist()),
        strand=tuple(table["strand"].to_pylist()),
        cwm=cwm,
        start=table["motif_start"].to_numpy(),
        end=table["motif_end"].to_numpy(),
        scale=table["motif_scale"].to_numpy(),
        penalty=table["lambda"].to_numpy(),
    )


def _read_table(path: Path) -> pa.Table:
    try:
        with readable(path) as source:
            table = pq.read_table(source, partitioning=None)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if (table.schema.metadata or {}).get(_VERSION_KEY) != _VERSION:
        raise RunError(
            f"{path}: is not a motif table of version {_VERSION.decode()}. "
            "Use the release that wrote the run."
        )
    check_seal(path)
    return table


def _read_cwms(path: Path) -> NDArray[np.float16]:
    try:
        with readable(path) as source:
            cwm: NDArray[np.float16] = np.load(source, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _unreadable(path, error) from error
    return cwm


def _unreadable(path: Path, error: Exception) -> RunError:
    return RunError(f"{path}: cannot be read ({error}). Rerun the command that made the run.")
