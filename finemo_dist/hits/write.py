"""Writing parts: one pair per unit, committed by renames, the same bytes for the same hits."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finemo_dist import __version__
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.core.schema import HIT_COLUMNS, QC_COLUMNS, Column
from finemo_dist.core.system_errors import fault
from finemo_dist.hits.columns import ColumnValues, arrow_table
from finemo_dist.hits.digest import rows_digest
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import TableName, part_path
from finemo_dist.hits.order import sorted_hits, sorted_regions
from finemo_dist.hits.seal import UNSEALED, seal
from finemo_dist.storage.files import committed

COLUMNS_OF: Final[Mapping[TableName, tuple[Column, ...]]] = {
    "hits": HIT_COLUMNS,
    "peaks_qc": QC_COLUMNS,
}

_ROW_GROUP_ROWS: Final = 65_536
_OPTIONS: Final[Mapping[str, Any]] = {
    "compression": "zstd",
    # Lets a reader tell a flipped bit from a hit.
    "write_page_checksum": True,
}


class ArrowStream(Protocol):
    """Anything that hands out record batches through Arrow's C stream interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a capsule with the stream."""
        ...


def write_unit(
    run: str | Path,
    unit: Unit,
    *,
    hits: Mapping[str, ColumnValues],
    qc: Mapping[str, ColumnValues],
    config_digest: str,
    store_digest: str,
) -> PartFooter:
    """Commit both parts of a unit and return the footer of its hits.

    Rows are sorted by chromosome and position first, so that row groups can be skipped by their
    statistics and the order in which hits were found leaves no trace.

    Parameters
    ----------
    hits, qc
        The columns of ``HIT_COLUMNS`` and ``QC_COLUMNS`` by name; may have no rows.
    config_digest, store_digest
        What the hits were made with and from; a resumed run keeps only parts that match.

    Raises
    ------
    OSError
        The disk is full or cannot be written; parts committed earlier are untouched.
    """
    tables: dict[TableName, pa.Table] = {
        # Hits before quality control: a unit counts as done only when both exist.
        "hits": arrow_table(HIT_COLUMNS, sorted_hits(hits)),
        "peaks_qc": arrow_table(QC_COLUMNS, sorted_regions(qc)),
    }
    gaps, converged = np.asarray(qc["dual_gap"]), np.asarray(qc["converged"])
    footers = {
        name: PartFooter(
            table=name,
            sample=unit.sample,
            shard=unit.shard,
            config_digest=config_digest,
            store_digest=store_digest,
            n_rows=len(table),
            n_regions=len(gaps),
            n_not_converged=int(np.count_nonzero(~converged)),
            max_gap=float(gaps.max(initial=0.0)),
            rows_digest=rows_digest(table),
            version=__version__,
        )
        for name, table in tables.items()
    }
    for name, table in tables.items():
        _write_part(part_path(run, name, unit), table, footers[name])
    return footers["hits"]


def write_streams(path: Path, streams: Iterable[ArrowStream]) -> int:
    """Write the rows of streams of one schema, one after the other, and return their number.

    Only one batch is held. ``path`` is written directly: commit around it.

    Raises
    ------
    RunError
        A stream breaks off.
    """
    n_rows = 0
    writer: pq.ParquetWriter | None = None
    try:
        for stream in streams:
            reader = pa.RecordBatchReader.from_stream(stream)
            writer = writer or pq.ParquetWriter(path, reader.schema, **_OPTIONS)
            for batch in _batches(reader):
                writer.write_batch(batch)
                n_rows += batch.num_rows
    finally:
        if writer is not None:
            writer.close()
    return n_rows


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    try:
        yield from reader
    except (pa.ArrowException, OSError) as error:
        what = f"The rows broke off ({str(error).splitlines()[0]})."
        raise fault("The rows", error, otherwise=what, kind=RunError) from error


def _write_part(path: Path, table: pa.Table, footer: PartFooter) -> None:
    with committed(path) as temporary:
        pq.write_table(
            table.replace_schema_metadata({**footer.to_metadata(), **UNSEALED}),
            temporary,
            row_group_size=_ROW_GROUP_ROWS,
            **_OPTIONS,
        )
        seal(temporary)
