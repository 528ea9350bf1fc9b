"""One table of hits as one file: TSV, BED or Parquet, of one sample or of all."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import run_errors
from finemo_dist.catalog.text import Copy, write_hit_lines, write_text
from finemo_dist.core.errors import UsageError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.exports.chunks import focused, hit_chunks
from finemo_dist.hits.write import ArrowStream, write_streams
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location

logger = logging.getLogger(__name__)


FURTHER_COLUMNS: Final = (
    "hit_score", "hit_amplitude", "decoy_q", "decoy_q_pooled", "display_name", "cluster"
)  # fmt: skip
"""What a TSV may have besides finemo's columns, in their order. Parquet always has the first."""


class ExportFormat(StrEnum):
    """What a table of hits can be written as."""

    TSV = "tsv"
    BED = "bed"
    PARQUET = "parquet"


class RankBy(StrEnum):
    """What the score of a hit in a genome browser, 0 to 1000, is the rank of."""

    SCORE = "score"
    SIMILARITY = "similarity"
    IMPORTANCE = "importance"
    COEFFICIENT_GLOBAL = "coefficient_global"


class HitTable(StrEnum):
    """Which hits; the values are names of views."""

    HITS = "hits"
    UNIQUE = "hits_unique"
    PRIMARY = "hits_primary"


def export_hits(
    catalog: Catalog,
    out: str | Path,
    *,
    export_format: ExportFormat,
    table: HitTable = HitTable.HITS,
    sample: str | None = None,
    label: str = "motif",
    rank_by: RankBy = RankBy.SCORE,
    columns: Sequence[str] = (),
) -> None:
    """Write a table of hits to one file, whole or not at all.

    Samples follow each other in the order of the run, and within one the lines are sorted by
    chromosome in output order, start, end, motif and peak. Parquet always has a column
    ``sample``; a TSV or BED of a run with several samples has one too, the first of the TSV and
    the seventh of the BED, unless ``sample`` is given. Samples without coordinates have no lines
    in a BED and in the unique table, which is logged.

    Raises
    ------
    UsageError
        There is no such sample, or none of the samples has what was asked for.
    RunError
        The run is damaged.
    """
    samples = samples_for(
        catalog, table, sample, needs_coordinates=export_format is ExportFormat.BED
    )
    if export_format is ExportFormat.PARQUET:
        with committed(location(out)) as temporary, run_errors(catalog.run_dir):
            write_streams(temporary, _streams(catalog, samples, table, columns))
        return
    is_tsv = export_format is ExportFormat.TSV
    has_column = sample is None and len(catalog.samples) > 1
    header: tuple[str, ...] = ("sample",) if has_column else ()
    header += FINEMO_HIT_COLUMNS
    if is_tsv and not columns:
        lines = (
            (single, {**chunk, "table": f"named_{table}", "has_sample": has_column})
            for single, chunk in _pieces(catalog, samples, table)
        )
        write_hit_lines(location(out), lines, header=header)
        return
    query = "copy_hits_bed"
    further: dict[str, object] = {"has_sample": has_column}
    if columns:
        query = "copy_hits_more"
        header += tuple(name for name in FURTHER_COLUMNS if name in columns)
        further["further"] = list(columns)
    else:
        further |= {"label": label, "rank_by": rank_by}
    copies = _copies(catalog, samples, table, query, further)
    write_text(location(out), copies, header=header if is_tsv else ())


def rank_hits(catalog: Catalog, table: HitTable, rank_by: RankBy) -> None:
    """Rank the hits of each sample, for the scores of a BED or bigBed written from ``catalog``.

    A score is the share of the hits of the sample, in thousandths rounded down, that have the same
    value or a lower one: with 900 and more a hit is among the best tenth.
    """
    catalog.run("make_score_cuts", {"table": table.value, "rank_by": rank_by.value})


def samples_for(
    catalog: Catalog, table: HitTable, sample: str | None, *, needs_coordinates: bool
) -> tuple[str, ...]:
    """Return the samples an export is of: ``sample``, or all that have what it needs.

    Raises
    ------
    UsageError
        There is no such sample, or none of the samples has coordinates.
    """
    samples = catalog.samples if sample is None else (catalog.sample(sample).name,)
    if needs_coordinates or table is not HitTable.HITS:
        return _with_coordinates(catalog, samples)
    return samples


def _with_coordinates(catalog: Catalog, samples: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(name for name in samples if catalog.sample(name).has_coordinates)
    if samples and not kept:
        raise UsageError(
            f"{catalog.run_dir}: none of the chosen samples has peak coordinates, "
            "which this export needs. Export `--table hits --to tsv`, or give the peaks to "
            "`extract-regions` with `-p`."
        )
    if len(kept) < len(samples):
        logger.warning(
            "%d of %d samples have no peak coordinates and are left out.",
            len(samples) - len(kept),
            len(samples),
        )
    return kept


def _pieces(
    catalog: Catalog, samples: tuple[str, ...], table: HitTable
) -> Iterator[tuple[Catalog, dict[str, object]]]:
    for sample in samples:
        with focused(catalog, sample) as single:
            for chunk in hit_chunks(single, sample, table.value):
                yield single, chunk


def _copies(
    catalog: Catalog,
    samples: tuple[str, ...],
    table: HitTable,
    query: str,
    further: Mapping[str, object],
) -> Iterator[Copy]:
    ranked: Catalog | None = None
    for single, parameters in _pieces(catalog, samples, table):
        if "rank_by" in further and single is not ranked:
            rank_hits(single, table, RankBy(str(further["rank_by"])))
            ranked = single
        yield single, query, {**parameters, **further}


def _streams(
    catalog: Catalog, samples: tuple[str, ...], table: HitTable, columns: Sequence[str]
) -> Iterator[ArrowStream]:
    for single, parameters in _pieces(catalog, samples, table):
        if columns:
            further = {**parameters, "further": list(columns)}
            yield single.stream_chunk(further, "ordered_more")
        else:
            yield single.stream_chunk(parameters)
