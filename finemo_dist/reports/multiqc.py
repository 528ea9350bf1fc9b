"""Files that MultiQC picks up by their names, so that hits are shown beside the rest of a pipeline.

The format is MultiQC's custom content: https://docs.seqera.io/multiqc/custom_content.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from finemo_dist.reports.page_model import SampleQuality

_TABLE: Final[Mapping[str, Mapping[str, Any]]] = {
    "regions": {"title": "Regions", "format": "{:,.0f}", "scale": "Blues"},
    "hits": {"title": "Hits", "format": "{:,.0f}", "scale": "Greens"},
    "hits_per_region": {"title": "Hits per region", "format": "{:,.2f}", "scale": "Greens"},
    "without_hit": {
        "title": "Without a hit",
        "description": "Share of regions without a hit",
        "suffix": "%",
        "min": 0,
        "max": 100,
        "format": "{:,.1f}",
        "scale": "OrRd",
    },
    "not_converged": {
        "title": "Not converged",
        "description": "Regions whose duality gap is above the tolerance",
        "format": "{:,.0f}",
        "scale": "OrRd",
    },
    "misfit": {
        "title": "Misfit",
        "description": "Median of half the squared residual over the region width",
        "format": "{:,.3f}",
        "scale": "OrRd",
    },
}
MULTIQC_FILES: Final = "finemo_dist_*_mqc.yaml"
"""What all their names are like."""
_GENERAL: Final = ("hits_per_region", "without_hit")


def multiqc_files(samples: Sequence[SampleQuality]) -> dict[str, str]:
    """Return file names and contents: two columns of general statistics, and a table of its own.

    Both are JSON, which is YAML, so that no sample name can be taken for markup of the format.
    """
    rows = {sample.name: _numbers(sample) for sample in samples}
    general = {
        "id": "finemo_dist_general",
        "plot_type": "generalstats",
        "headers": {key: _TABLE[key] for key in _GENERAL},
        "data": {name: {key: row[key] for key in _GENERAL} for name, row in rows.items()},
    }
    table = {
        "id": "finemo_dist",
        "section_name": "finemo_dist",
        "description": "Motif hits called in contribution scores.",
        "plot_type": "table",
        "pconfig": {"id": "finemo_dist_table", "title": "finemo_dist: samples"},
        "headers": dict(_TABLE),
        "data": rows,
    }
    return {
        "finemo_dist_general_mqc.yaml": _text(general),
        "finemo_dist_samples_mqc.yaml": _text(table),
    }


def _numbers(sample: SampleQuality) -> dict[str, float]:
    n = sample.n_regions_done
    numbers: dict[str, float] = {
        "regions": n,
        "hits": sample.n_hits,
        "hits_per_region": round(sample.hits_per_region, 4),
        "without_hit": round(100 * sample.n_without_hit / n, 3) if n else 0.0,
        "not_converged": sample.n_not_converged,
    }
    if sample.median_nll is not None:
        numbers["misfit"] = round(sample.median_nll, 6)
    return numbers


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"
