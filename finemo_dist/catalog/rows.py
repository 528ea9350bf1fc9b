"""What the catalog knows before it reads a part: rows of its small tables."""

from collections.abc import Collection, Mapping
from typing import Any

from finemo_dist.core.schema import VIEWS
from finemo_dist.hits.read import SampleParts
from finemo_dist.hits.run_motifs import RunMotifs
from finemo_dist.record.run_record import SampleRecord


def sample_row(
    sample: SampleRecord, settings: Mapping[str, Any], parts: SampleParts
) -> dict[str, object]:
    """Return a row of the table of samples."""
    footers = parts.units.values()
    motifs, solver = settings.get("motifs", {}), settings.get("solver", {})
    return {
        "sample": sample.name,
        "n_regions": sample.n_regions,
        "n_shards": sample.n_shards,
        "n_shards_committed": len(footers),
        "n_regions_committed": sum(footer.n_regions for footer in footers),
        "n_hits": sum(footer.n_rows for footer in footers),
        "n_not_converged": sum(footer.n_not_converged for footer in footers),
        "max_gap": max((footer.max_gap for footer in footers), default=0.0),
        "region_width": sample.region_width,
        "has_coordinates": sample.has_coordinates,
        "motif_set": sample.motif_set,
        "mode": solver.get("mode"),
        "lambda": motifs.get("penalty"),
        "trim_threshold": motifs.get("trim_threshold"),
    }


def motif_places(motifs: RunMotifs, sets: Collection[str]) -> dict[str, object]:
    """Return what motifs of sets are in the run, as one list a column of the table."""
    rows = [
        (motif_set, row, int(number))
        for motif_set, ids in motifs.ids.items()
        if motif_set in sets
        for row, number in enumerate(ids)
    ]
    # The first that is shown; that of the run may be another.
    homes = {number: (name, row) for name, row, number in reversed(rows)}
    return {
        "motif_set": [name for name, _, _ in rows],
        "own_id": [row for _, row, _ in rows],
        "run_id": [number for _, _, number in rows],
        "run_name": [motifs.names[number] for _, _, number in rows],
        "annotated": [(motifs.annotated or motifs.names)[number] for _, _, number in rows],
        "is_home": [homes[number] == (name, row) for name, row, number in rows],
    }


def data_dictionary() -> dict[str, object]:
    """Return the columns of every view, as one list a column of the table."""
    rows = [(view, column) for view, columns in VIEWS.items() for column in columns]
    return {
        "view_name": [view for view, _ in rows],
        "column_name": [column.name for _, column in rows],
        "column_type": [column.sql_type for _, column in rows],
        "unit": [column.unit or None for _, column in rows],
        "meaning": [column.meaning for _, column in rows],
    }
