"""What some named queries need in place before they are asked, on a connection of their own."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import duckdb

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.connection import load_query
from finemo_dist.catalog.intervals import load_intervals
from finemo_dist.core.similarity import families
from finemo_dist.hits.motifs import read_all_motifs

Preparation = Callable[[Catalog, duckdb.DuckDBPyConnection, Mapping[str, Any]], None]


def prepare(
    name: str,
    catalog: Catalog,
    cursor: duckdb.DuckDBPyConnection,
    parameters: Mapping[str, object],
) -> None:
    """Make the temporary tables that a named query reads."""
    if preparation := _PREPARATIONS.get(name):
        preparation(catalog, cursor, parameters)


def is_prepared(name: str) -> bool:
    """Whether tables are made before a query is asked, from views that it may not name."""
    return name in _PREPARATIONS


def _count_pairs(
    catalog: Catalog, cursor: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]
) -> None:
    """Count pairs of motifs sample by sample, so that memory is that of one sample."""
    cursor.execute(load_query("make_pair_counts"))
    fill = load_query("fill_pair_counts")
    for sample in catalog.samples if parameters["sample"] is None else [parameters["sample"]]:
        cursor.execute(fill, {"sample": sample})


def _load_intervals(
    catalog: Catalog, cursor: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]
) -> None:
    load_intervals(catalog, cursor, parameters["file"])


def _find_families(
    catalog: Catalog, cursor: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]
) -> None:
    motifs = read_all_motifs(catalog.run_dir, catalog.record)
    found = families(motifs)
    columns = {
        "motif_order": list(range(len(found))),
        "motif_name": list(motifs.name[::2]),
        "family": [family.number for family in found],
        "n_motifs": [family.n_motifs for family in found],
        "similar_to": [family.similar_to for family in found],
        "similarity": [f.similarity if f.similar_to is not None else None for f in found],
    }
    cursor.execute(load_query("make_motif_families"), columns)


_PREPARATIONS: Final[Mapping[str, Preparation]] = {
    "cooccurrence": _count_pairs,
    "families": _find_families,
    "overlap": _load_intervals,
}
