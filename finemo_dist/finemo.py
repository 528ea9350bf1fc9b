"""Functions with the names, arguments and columns of finemo 0.41's, for packages that call those.

``from finemo_dist import finemo`` in place of ``import finemo``. Frames are those of polars,
which ``pip install 'finemo-dist[polars]'`` brings.
"""

from finemo_dist.workflow.finemo_functions import (
    fit_contribs,
    get_cwms,
    load_modisco_motifs,
    load_regions_npz,
)

__all__ = ["fit_contribs", "get_cwms", "load_modisco_motifs", "load_regions_npz"]
