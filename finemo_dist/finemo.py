"""Functions with the names, arguments and columns of finemo 0.41, for packages that call finemo.

Write ``from finemo_dist import finemo`` instead of ``import finemo``. The functions return polars
frames, so they need ``pip install 'finemo-dist[polars]'``.
"""

from finemo_dist.workflow.finemo_functions import (
    fit_contribs,
    get_cwms,
    load_modisco_motifs,
    load_regions_npz,
)

__all__ = ["fit_contribs", "get_cwms", "load_modisco_motifs", "load_regions_npz"]
