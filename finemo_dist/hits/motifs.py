"""The motifs of a run: for each set a table of names and trims, and the CWMs as one array.

The only set of a run is in ``RUN/motifs`` itself; several sets have one folder each in it.
"""

from collections.abc import Sequence
from dataclasses import replace
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
from finemo_dist.hits.columns import arrow_table
from finemo_dist.hits.run_motifs import MotifsOfSet, RunMotifs, origins_of, unite
from finemo_dist.hits.seal import UNSEALED, check_seal, seal
from finemo_dist.record.run_record import MotifSetRecord, RunRecord
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


def read_run_motifs(run: str | Path, record: RunRecord) -> RunMotifs:
    """Return the motifs of all sets of a run, each once; CWMs are read where names leave it open.

    Raises
    ------
    RunError
        As ``read_motifs``.
    """
    return unite(_motifs_of_set(run, motif_set, record) for motif_set in record.sets)


def _motifs_of_set(run: str | Path, motif_set: MotifSetRecord, record: RunRecord) -> MotifsOfSet:
    table = _read_table(motif_data_path(run, motif_set.folder))
    return MotifsOfSet(
        motif_set.name,
        tuple(table["motif_name"].to_pylist()),
        origins_of(table["motif_name_orig"].to_pylist(), _sources(table), motif_set, record),
        lambda: read_motifs(run, motif_set.folder).cwm,
    )


def read_all_motifs(run: str | Path, record: RunRecord) -> MotifSet:
    """Return the motifs of all sets of a run as one, in the order of ``motif_id``.

    Each motif is there once, as the first set has it that it is in, and is named as in the catalog.
    Narrower CWMs are padded to the widest: on the right of the forward strand, so on the left of
    the reverse.

    Raises
    ------
    RunError
        As ``read_motifs``.
    """
    sets = {motif_set.name: read_motifs(run, motif_set.folder) for motif_set in record.sets}
    if len(sets) == 1:
        return next(iter(sets.values()))
    united = unite(MotifsOfSet.of(sets[s.name], s, record) for s in record.sets)
    width = max(motifs.width for motifs in sets.values())
    rows: dict[str, list[int]] = {}
    for motif_set, row in united.homes:
        rows.setdefault(motif_set, []).append(row)
    # Homes are in the order of the sets.
    chosen = [_widened(_rows_of(sets[name], at), width) for name, at in rows.items()]
    return MotifSet(
        name=united.names,
        name_orig=tuple(chain.from_iterable(motifs.name_orig for motifs in chosen)),
        strand=tuple(chain.from_iterable(motifs.strand for motifs in chosen)),
        cwm=np.concatenate([motifs.cwm for motifs in chosen]),
        start=np.concatenate([motifs.start for motifs in chosen]),
        end=np.concatenate([motifs.end for motifs in chosen]),
        scale=np.concatenate([motifs.scale for motifs in chosen]),
        penalty=np.concatenate([motifs.penalty for motifs in chosen]),
        source=tuple(chain.from_iterable(m.source or ("",) * len(m) for m in chosen)),
    )


def _sources(table: pa.Table) -> tuple[str, ...]:
    """Return where motifs come from; tables of older releases do not say."""
    if "source" not in table.column_names:
        return ()
    return tuple(source or "" for source in table["source"].to_pylist())


def _rows_of(motifs: MotifSet, rows: Sequence[int]) -> MotifSet:
    """Return some motifs of a set."""
    at = np.array(rows)
    return MotifSet(
        name=tuple(motifs.name[i] for i in rows),
        name_orig=tuple(motifs.name_orig[i] for i in rows),
        strand=tuple(motifs.strand[i] for i in rows),
        cwm=motifs.cwm[at],
        start=motifs.start[at],
        end=motifs.end[at],
        scale=motifs.scale[at],
        penalty=motifs.penalty[at],
        source=tuple(motifs.source[i] for i in rows) if motifs.source else (),
    )


def _widened(motifs: MotifSet, width: int) -> MotifSet:
    """Return motifs with CWMs of a width."""
    shift = np.where(np.array(motifs.strand) == "-", width - motifs.width, 0)
    wide = np.zeros((len(motifs), 4, width), np.float16)
    for row, first in enumerate(shift):
        wide[row, :, first : first + motifs.width] = motifs.cwm[row]
    return replace(motifs, cwm=wide, start=motifs.start + shift, end=motifs.end + shift)


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
