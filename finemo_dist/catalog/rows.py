"""What the catalog knows before it reads a part: rows of its small tables."""

from collections.abc import Collection, Sequence

import numpy as np

from finemo_dist.core.schema import VIEWS
from finemo_dist.hits.run_motifs import RunMotifs
from finemo_dist.hits.run_parts import RunParts
from finemo_dist.record.run_record import RunRecord, SampleRecord


def sample_columns(
    record: RunRecord, samples: Sequence[SampleRecord], parts: RunParts
) -> dict[str, object]:
    """Return the table of samples, as one list a column; nothing where there are none.

    Parameters
    ----------
    parts
        Of these samples, in their order.
    """
    settings = [record.settings_of(sample) for sample in samples]
    motifs = [found.get("motifs", {}) for found in settings]
    columns = {
        "sample": [sample.name for sample in samples],
        "n_regions": [sample.n_regions for sample in samples],
        "n_shards": [sample.n_shards for sample in samples],
        "n_shards_committed": np.diff(parts.offsets).tolist(),
        "n_regions_committed": parts.sums("n_regions"),
        "n_hits": parts.sums("n_rows"),
        "n_not_converged": parts.sums("n_not_converged"),
        "max_gap": parts.largest("max_gap"),
        "region_width": [sample.region_width for sample in samples],
        "has_coordinates": [sample.has_coordinates for sample in samples],
        "motif_set": [sample.motif_set for sample in samples],
        "mode": [found.get("solver", {}).get("mode") for found in settings],
        "lambda": [found.get("penalty") for found in motifs],
        "trim_threshold": [found.get("trim_threshold") for found in motifs],
    }
    return dict(columns) if samples else {}


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
