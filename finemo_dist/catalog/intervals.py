"""A user's BED or VCF as the table ``intervals``."""

import duckdb

from finemo_dist.catalog.catalog import Catalog


def load_intervals(catalog: Catalog, cursor: duckdb.DuckDBPyConnection, path: str) -> None:
    """."""
