"""What users say the motifs of a run are: one small table beside the motifs.

It is not part of the run's digest, because an annotation changes no hit.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from finemo_dist.core.records import MotifAnnotation
from finemo_dist.core.schema import ANNOTATION_COLUMNS
from finemo_dist.hits.columns import arrow_schema
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location, readable


def annotation_path(run: str | Path) -> Path:
    """Return the path of the annotation of a run's motifs, if it has one."""
    return location(run) / "motifs" / "annotation.parquet"


def write_annotation(run: str | Path, annotation: Sequence[MotifAnnotation]) -> None:
    """Commit the annotation of a run's motifs, replacing the existing one."""
    columns = {
        column.name: [getattr(motif, column.name) for motif in annotation]
        for column in ANNOTATION_COLUMNS
    }
    table = pa.Table.from_pydict(columns, schema=arrow_schema(ANNOTATION_COLUMNS))
    with committed(annotation_path(run)) as path:
        pq.write_table(table, path, compression="zstd")


def read_stored_annotation(run: str | Path) -> tuple[MotifAnnotation, ...]:
    """Return the annotation of a run's motifs; empty where it has none."""
    path = annotation_path(run)
    if not path.exists():
        return ()
    with readable(path) as source:
        rows = pq.read_table(source, partitioning=None).to_pylist()
    return tuple(MotifAnnotation(**row) for row in rows)
