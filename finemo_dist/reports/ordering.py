"""An order of rows in which like lies beside like."""

import numpy as np
from numpy.typing import NDArray


def similar_order(values: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return an order of the rows of (rows, columns) values.

    Average linkage on the distance 1 - correlation, leaves turned so that neighbours are alike
    [1]_. Rows without variation have no correlation: they come last, in their own order.

    References
    ----------
    .. [1] Bar-Joseph et al., "Fast optimal leaf ordering for hierarchical clustering", 2001.
    """
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    values = np.asarray(values, np.float64)
    varied = np.flatnonzero(np.ptp(values, axis=1) > 0) if values.size else np.array([], np.intp)
    constant = np.setdiff1d(np.arange(len(values)), varied)
    if len(varied) > 2:
        # Rounded, so that the last bit of a product never turns a branch.
        distance = np.round(1 - np.corrcoef(values[varied]), 9)
        np.fill_diagonal(distance, 0)
        condensed = squareform(np.clip((distance + distance.T) / 2, 0, 2), checks=False)
        tree = hierarchy.linkage(condensed, "average", optimal_ordering=True)
        varied = varied[hierarchy.leaves_list(tree)]
    return np.concatenate([varied, constant]).astype(np.intp)
