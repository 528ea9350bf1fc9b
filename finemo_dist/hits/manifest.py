"""``RUN/manifest.parquet``: what the parts of a run say of themselves, in one file.

A cache: a row counts while both parts of its unit have the size and the time (of an object, the
ETag) that they had when they were read. What is on disk decides, and who finds a row missing or
outdated reads the parts. Small runs have no manifest.
"""

import dataclasses
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from finemo_dist.core.errors import FinemoDistError
from finemo_dist.hits.columns import plain_array
from finemo_dist.hits.footer import PART_FORMAT_VERSION, PartFooter
from finemo_dist.hits.layout import TableName
from finemo_dist.hits.seal import UNSEALED, seal, sealed_bytes
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location

logger = logging.getLogger(__name__)

MANIFEST_NAME: Final = "manifest.parquet"
MANIFEST_VERSION: Final = 1
_KEY: Final = b"finemo_dist_manifest"
_FEW_SAMPLES: Final = 8
"""Up to how many samples are looked up; the rows of more are all read."""
_ROW_GROUP_ROWS: Final = 4096


class Extent(NamedTuple):
    """Where the rows of a part lie; None where that is not known.

    Both ends are included. A part whose extent is unknown may hold any row.
    """

    first_chr: str | None = None
    """Byte by byte, not in the order of the output."""
    last_chr: str | None = None
    first_start: int | None = None
    """The least start of a row, and the greatest."""
    last_start: int | None = None
    last_end: int | None = None
    """The greatest end; None for regions, which have no column of it."""
    first_peak: int | None = None
    last_peak: int | None = None


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A unit as its parts were when they were read."""

    footer: PartFooter
    """Footer of its part of hits."""
    hits: Extent
    regions: Extent
    stamp: str
    """Sizes and times, or ETags, of both parts."""
    is_checked: bool
    """Whether every byte was read against its checksum."""


Known = dict[tuple[str, int], KnownUnit]
"""Sample and shard to what is known of the unit."""

_FOOTER_FIELDS: Final = tuple(
    field.name
    for field in dataclasses.fields(PartFooter)
    if field.name not in {"table", "format_version"}
)
_TYPES: Final[Mapping[str, pa.DataType]] = {
    "sample": pa.string(), "shard": pa.int64(), "config_digest": pa.string(),
    "store_digest": pa.string(), "n_rows": pa.int64(), "n_regions": pa.int64(),
    "n_not_converged": pa.int64(), "max_gap": pa.float64(), "rows_digest": pa.string(),
    "version": pa.string(),
}  # fmt: skip
_EXTENT_TYPES: Final = tuple(
    pa.string() if name.endswith("chr") else pa.int64() for name in Extent._fields
)
_SCHEMA: Final = pa.schema(
    [
        *((name, _TYPES[name]) for name in _FOOTER_FIELDS),
        *(
            (f"{table}_{name}", kind)
            for table in ("hits", "regions")
            for name, kind in zip(Extent._fields, _EXTENT_TYPES, strict=True)
        ),
        ("stamp", pa.string()),
        ("is_checked", pa.bool_()),
    ]
)


def load_manifest(run: str | Path, samples: Iterable[str] | None = None) -> Known:
    """Return what the manifest of a run says of samples, all when None.

    Nothing if it is absent or damaged.
    """
    return dict(units_of(read_manifest(run, samples)))


def read_manifest(run: str | Path, samples: Iterable[str] | None = None) -> pa.Table:
    """Return the rows of the manifest of a run, by sample and shard; see ``load_manifest``."""
    path = location(run) / MANIFEST_NAME
    names = None if samples is None else list(samples)
    is_few = names is not None and len(names) <= _FEW_SAMPLES
    wanted = [("sample", "in", names)] if is_few else None
    nothing = rows_of([])
    try:
        if not path.exists():
            return nothing
        content = pa.BufferReader(sealed_bytes(path))
        schema = pq.read_schema(content)
        formats = json.loads((schema.metadata or {}).get(_KEY, b"{}"))
        if formats != _formats() or not schema.equals(_SCHEMA):
            return nothing
        content.seek(0)
        # ``read_table`` loads Arrow's datasets, which takes longer than opening a small run.
        if wanted is None:
            table = pq.ParquetFile(content).read()
        else:
            table = pq.read_table(content, filters=wanted, partitioning=None)
    except (FinemoDistError, pa.ArrowException, OSError, ValueError) as error:
        logger.debug("%s: is not used (%s)", path, error)
        return nothing
    return table.replace_schema_metadata(None)


def rows_of(units: Sequence[KnownUnit]) -> pa.Table:
    """Return what is known of units as rows of a manifest."""
    columns: list[list[Any]] = [
        *([getattr(unit.footer, name) for unit in units] for name in _FOOTER_FIELDS),
        *_columns([unit.hits for unit in units]),
        *_columns([unit.regions for unit in units]),
        [unit.stamp for unit in units],
        [unit.is_checked for unit in units],
    ]
    arrays = [plain_array(c, field.type) for c, field in zip(columns, _SCHEMA, strict=True)]
    return pa.table(arrays, schema=_SCHEMA)


def save_manifest(run: str | Path, rows: pa.Table) -> None:
    """Write the manifest of a run, if it can be written: nothing depends on it."""
    path = location(run) / MANIFEST_NAME
    metadata = {_KEY: json.dumps(_formats()).encode(), **UNSEALED}
    table = rows.sort_by([("sample", "ascending"), ("shard", "ascending")])
    # Somebody else's run, or a full disk.
    with suppress(OSError, FinemoDistError), committed(path) as temporary:
        pq.write_table(
            table.replace_schema_metadata(metadata),
            temporary,
            row_group_size=_ROW_GROUP_ROWS,
            compression="zstd",
        )
        seal(temporary)


def extent_of(metadata: pq.FileMetaData, table: TableName) -> Extent:
    """Return where the rows of a part lie, by the statistics in its footer."""
    start, end = ("start", "end") if table == "hits" else ("peak_region_start", None)
    bounds = _bounds(metadata, {"chr", start, end, "peak_id"} - {None})
    none = (None, None)
    return Extent(
        *bounds.get("chr", none),
        *bounds.get(start, none),
        bounds.get(end or "", none)[1],
        *bounds.get("peak_id", none),
    )


def _bounds(metadata: pq.FileMetaData, names: set[str | None]) -> dict[str, tuple[Any, Any]]:
    """Return the least and greatest value of columns that have no null."""
    found: dict[str, tuple[Any, Any]] = {}
    places = {i: name for i, name in enumerate(metadata.schema.names) if name in names}
    for i, name in places.items():
        groups = [
            metadata.row_group(group).column(i).statistics
            for group in range(metadata.num_row_groups)
        ]
        is_known = [
            s is not None and s.has_min_max and s.has_null_count and not s.null_count
            for s in groups
        ]
        if groups and all(is_known):
            found[name] = (min(s.min for s in groups), max(s.max for s in groups))
    return found


def _formats() -> dict[str, int]:
    return {"manifest": MANIFEST_VERSION, "part": PART_FORMAT_VERSION}


def _columns(extents: list[Extent]) -> list[list[Any]]:
    return [list(column) for column in zip(*extents, strict=True)] or [[] for _ in Extent._fields]


def units_of(table: pa.Table) -> Iterable[tuple[tuple[str, int], KnownUnit]]:
    """Yield sample and shard of each row of a manifest, and what it says."""
    columns = [column.to_pylist() for column in table.columns]
    n_footer, n_extent = len(_FOOTER_FIELDS), len(Extent._fields)
    for row in zip(*columns, strict=True):
        footer = PartFooter("hits", *row[:n_footer])
        hits = Extent(*row[n_footer : n_footer + n_extent])
        regions = Extent(*row[n_footer + n_extent : n_footer + 2 * n_extent])
        unit = KnownUnit(footer, hits, regions, *row[-2:])
        yield (footer.sample, footer.shard), unit
