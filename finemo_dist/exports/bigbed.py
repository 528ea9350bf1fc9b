"""bigBed of hits: six standard fields, and those of a hit that browsers show beside them.

Format: Kent et al., "BigWig and BigBed: enabling browsing of large distributed datasets",
Bioinformatics 2010, supplement.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pybigtools

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import place_chunks
from finemo_dist.core.schema import CONFIDENCE_COLUMNS, VIEWS
from finemo_dist.exports.places import chromosome_lengths, require_hits
from finemo_dist.exports.tables import HitTable, RankBy, rank_hits
from finemo_dist.storage.files import committed
from finemo_dist.storage.temporary import temporary_path

_STANDARD: Final = (
    ("string", "chrom", "chromosome"),
    ("uint", "chromStart", "first base of the trimmed motif, 0-based"),
    ("uint", "chromEnd", "base after the last of the trimmed motif"),
    ("string", "name", "name of the motif"),
    ("uint", "score", "rank among the hits of the sample, 0 to 1000"),
    ("char[1]", "strand", "+ or -"),
)
_FURTHER: Final = (
    ("float", "hit_coefficient"),
    ("float", "hit_coefficient_global"),
    ("float", "hit_similarity"),
    ("float", "hit_importance"),
    ("float", "hit_score"),
    ("string", "peak_name"),
    ("uint", "peak_id"),
)
_DEFINED_FIELDS_AT: Final = 34
"""Byte of the header that says how many fields are those of BED."""

Record = tuple[str, int, int, str]


def auto_sql(*, has_q: bool = False) -> str:
    """Return the description of the fields, from the schema of hits.

    Parameters
    ----------
    has_q
        Whether hits have a q against decoy motifs.
    """
    columns = (*VIEWS["hits"], *CONFIDENCE_COLUMNS)
    meanings = {column.name: column.meaning.replace('"', "'") for column in columns}
    q = (("float", "decoy_q"), ("float", "decoy_q_pooled")) if has_q else ()
    # Before the names, as the rows have them.
    further = (*_FURTHER[:-2], *q, *_FURTHER[-2:])
    fields = [
        *_STANDARD,
        *((kind, name, meanings[name]) for kind, name in further),
        ("string", "sample", "name of the sample"),
    ]
    lines = (f'    {kind} {name}; "{meaning}"\n' for kind, name, meaning in fields)
    return f'table hits\n"Transcription-factor motif hits"\n(\n{"".join(lines)})\n'


def export_bigbed(
    catalog: Catalog,
    out: Path,
    *,
    table: HitTable = HitTable.HITS,
    label: str = "motif",
    rank_by: RankBy = RankBy.SCORE,
) -> None:
    """Write hits as one bigBed (bed6+8, or bed6+10 with q), whole or not at all.

    Raises
    ------
    UsageError
        There is no hit with a place.
    RunError
        The run is damaged.
    """
    chunks = place_chunks(catalog)
    require_hits(catalog, chunks, "a bigBed")
    sizes = chromosome_lengths(catalog)
    rank_hits(catalog, table, rank_by)
    has_q = catalog.has_q
    with committed(out) as temporary:
        failures: list[Exception] = []
        records = _kept(_records(catalog, chunks, table, label, rank_by), failures)
        # The writer knows the format by the name, and a temporary name ends otherwise.
        folder = temporary_path(temporary, out.name)
        folder.mkdir()
        named = folder / "hits.bb"
        try:
            pybigtools.open(str(named), "w").write(sizes, records, autosql=auto_sql(has_q=has_q))
            if failures:
                raise failures[0]
            _count_defined_fields(named)
            named.rename(temporary)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _count_defined_fields(path: Path) -> None:
    """Say that six fields are those of BED; the writer says all, the seventh being thickStart."""
    with path.open("r+b") as handle:
        handle.seek(_DEFINED_FIELDS_AT)
        handle.write(len(_STANDARD).to_bytes(2, "little"))


def _records(
    catalog: Catalog,
    chunks: list[tuple[str, str]],
    table: HitTable,
    label: str,
    rank_by: RankBy,
) -> Iterator[Record]:
    common = {
        "table": table.value, "label": label, "rank_by": rank_by.value, "has_q": catalog.has_q,
    }  # fmt: skip
    for first, last in chunks:
        asked = {**common, "first": first, "last": last}
        for batch in catalog.stream("bigbed_rows", asked):
            columns = (batch.column(i).to_pylist() for i in range(4))
            yield from zip(*columns, strict=True)


def _kept(records: Iterator[Record], failures: list[Exception]) -> Iterator[Record]:
    """Yield records up to the first failure and keep that: the writer would swallow it."""
    try:
        yield from records
    except Exception as error:
        failures.append(error)
