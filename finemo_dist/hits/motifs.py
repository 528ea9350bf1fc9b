"""The motifs of a run: for each set a table of names and trims, and the CWMs as one array.

The only set of a run is in ``RUN/motifs`` itself; several sets have one folder each in it.
"""

from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from finemo_dist.core.errors import RunError
from finemo_dist.core.palindromes import NO_PALINDROME, palindrome_offsets
from finemo_dist.core.records import MotifSet
from finemo_dist.core.schema import MOTIF_COLUMNS
from finemo_dist.core.system_errors import fault
from finemo_dist.hits.columns import arrow_schema, arrow_table
from finemo_dist.hits.seal import UNSEALED, check_seal, seal
from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location, readable

_VERSION_KEY: Final = b"finemo_dist_motifs"
_VERSION: Final = b"1"


def motif_data_path(run: str | Path, folder: str = "") -> Path:
    """Return where the table of motifs of a set lies, by its folder."""
    return location(run) / "motifs" / folder / "motif_data.parquet"


def motif_cwms_path(run: str | Path, folder: str = "") -> Path:
    """Return where the CWMs of a set lie, float16 (M, 4, W)."""
    return location(run) / "motifs" / folder / "motif_cwms.npy"


def write_motifs(run: str | Path, motifs: MotifSet, folder: str = "") -> None:
    """Commit a set of motifs of a run, CWMs first."""
    with committed(motif_cwms_path(run, folder)) as path, path.open("wb") as handle:
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
            "source": np.array([s or None for s in motifs.source] or [None] * len(motifs), object),
        },
    ).replace_schema_metadata({_VERSION_KEY: _VERSION, **UNSEALED})
    with committed(motif_data_path(run, folder)) as path:
        pq.write_table(table, path, compression="zstd")
        seal(path)


def write_motif_template(path: Path) -> None:
    """Write a table of no motifs, which shows the schema."""
    pq.write_table(arrow_schema(MOTIF_COLUMNS).empty_table(), path)


def read_motifs(run: str | Path, folder: str = "") -> MotifSet:
    """Return a set of motifs of a run.

    Raises
    ------
    RunError
        A file is missing, damaged, of another version, or the two disagree.
    """
    table = _read_table(motif_data_path(run, folder))
    cwm = _read_cwms(motif_cwms_path(run, folder))
    if cwm.dtype != np.float16 or cwm.ndim != 3 or cwm.shape[:2] != (len(table), 4):
        raise RunError(
            f"{motif_cwms_path(run, folder)}: holds {cwm.dtype} of shape {cwm.shape}; expected "
            f"float16 ({len(table)}, 4, W), one CWM for each row of motif_data.parquet. "
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
        source=_sources(table),
    )


def read_all_motifs(run: str | Path, record: RunRecord) -> MotifSet:
    """Return the motifs of all sets of a run as one, in the order of ``motif_id``.

    Of several sets each name leads with that of its set, as in the catalog, and narrower CWMs are
    padded to the widest: on the right of the forward strand, so on the left of the reverse.

    Raises
    ------
    RunError
        As ``read_motifs``.
    """
    sets = [read_motifs(run, motif_set.folder) for motif_set in record.sets]
    if len(sets) == 1:
        return sets[0]
    width = max(motifs.width for motifs in sets)
    prefixes = [record.name_prefix(motif_set) for motif_set in record.sets]
    shifts = [_reverse_shift(motifs, width) for motifs in sets]
    names = [
        tuple(f"{prefix}{name}" for name in motifs.name)
        for prefix, motifs in zip(prefixes, sets, strict=True)
    ]
    return MotifSet(
        name=tuple(chain.from_iterable(names)),
        name_orig=tuple(chain.from_iterable(motifs.name_orig for motifs in sets)),
        strand=tuple(chain.from_iterable(motifs.strand for motifs in sets)),
        cwm=np.concatenate([_widened(motifs, width) for motifs in sets]),
        start=np.concatenate([m.start + d for m, d in zip(sets, shifts, strict=True)]),
        end=np.concatenate([m.end + d for m, d in zip(sets, shifts, strict=True)]),
        scale=np.concatenate([motifs.scale for motifs in sets]),
        penalty=np.concatenate([motifs.penalty for motifs in sets]),
        source=tuple(chain.from_iterable(m.source or ("",) * len(m) for m in sets)),
    )


def _sources(table: pa.Table) -> tuple[str, ...]:
    """Return where motifs come from; tables of older releases do not say."""
    if "source" not in table.column_names:
        return ()
    return tuple(source or "" for source in table["source"].to_pylist())


def _reverse_shift(motifs: MotifSet, width: int) -> NDArray[np.int64]:
    """Return by how many columns each CWM moves where it is padded to a width."""
    is_reverse = np.array(motifs.strand) == "-"
    return np.where(is_reverse, width - motifs.width, 0)


def _widened(motifs: MotifSet, width: int) -> NDArray[np.float16]:
    wide = np.zeros((len(motifs), 4, width), np.float16)
    for row, first in enumerate(_reverse_shift(motifs, width)):
        wide[row, :, first : first + motifs.width] = motifs.cwm[row]
    return wide


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
    what = f"{path}: cannot be read ({error}). Rerun the command that made the run."
    return fault(path, error, otherwise=what, kind=RunError)
