"""Hits by sample, motif and place, and the motifs of a run."""

from dataclasses import replace
from typing import Final, Literal

import duckdb

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import run_errors
from finemo_dist.catalog.scope import Scope
from finemo_dist.catalog.table import Table
from finemo_dist.core.errors import UsageError
from finemo_dist.core.locus import Locus

HitView = Literal["hits", "unique", "primary"]

_VIEWS: Final = {"hits": "hits", "unique": "hits_unique", "primary": "hits_primary"}
_ORDER: Final = ("sample", "chr_id", "start", "end", "motif_name", "strand", "peak_id")


def hits_of(
    catalog: Catalog,
    *,
    table: HitView = "hits",
    sample: str | None = None,
    motif: str | None = None,
    locus: Locus | None = None,
) -> Table:
    """Return hits in a total order: by sample, place, motif and strand.

    Values are compared by DuckDB's expressions and never become part of a query's text. Comparisons
    with constants are what DuckDB skips files and row groups by.

    Raises
    ------
    UsageError
        There is no such table.
    RunError
        The run is damaged.
    """
    if table not in _VIEWS:
        raise UsageError(
            f"There is no table {table!r} of hits. The tables are {', '.join(_VIEWS)}."
        )
    column, value = duckdb.ColumnExpression, duckdb.ConstantExpression
    wanted = [
        column(name) == value(text)
        for name, text in (("sample", sample), ("motif_name", motif))
        if text is not None
    ]
    if locus is not None:
        wanted.append(column("chr") == value(locus.chrom))
    if locus is not None and locus.end is not None:
        wanted += [column("start") < value(locus.end), column("end") > value(locus.start)]
    view = _VIEWS[table]
    cursor = catalog.cursor({"hits": [_scope(table, sample, locus)]}, question=view)
    with run_errors(catalog.run_dir):
        found = cursor.table(view)
        for condition in wanted:
            found = found.filter(condition)
        return Table(found.sort(*map(column, _ORDER)).to_arrow_table())


def _scope(table: HitView, sample: str | None, locus: Locus | None) -> Scope:
    scope = Scope(samples=None if sample is None else frozenset({sample}))
    if locus is None:
        return scope
    scope = replace(scope, chroms=frozenset({locus.chrom}))
    # Which hits are primary is decided by others, which may lie beside the locus.
    if locus.end is None or table == "primary":
        return scope
    return replace(scope, least={"end": locus.start + 1}, most={"start": locus.end - 1})


def motifs_of(catalog: Catalog) -> Table:
    """Return the motifs and their strands, in the order of the run."""
    with run_errors(catalog.run_dir):
        found = (
            catalog.cursor({}, question="motifs")
            .table("motifs")
            .sort(duckdb.ColumnExpression("motif_id"))
        )
        return Table(found.to_arrow_table())
