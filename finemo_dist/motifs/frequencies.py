"""From a CWM to base frequencies, for the tools that know motifs by these."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_BACKGROUND_SHARE: Final = 0.1
"""Share of the strongest column that is spread over the bases of every column."""


def base_frequencies(cwm: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the frequencies that stand for a CWM: its positive part, column by column.

    ``p[b, j] = (x[b, j] + k / 4) / (sum_b x[b, j] + k)`` with ``x`` the contributions that have the
    sign of the pattern as a whole, and ``k`` a tenth of the largest column sum.

    A CWM has no frequencies in it. Its positive part is the nearest there is: a CWM of projected
    contributions is the mean over sites of contribution where a base stands, so that the share of
    a base is its frequency weighted by how much it matters. Without ``k`` a flank that
    contributes next to nothing would read as informative as the core; with it a column goes to
    the uniform background as its contribution goes to zero. Contributions of the other sign mark
    bases that spoil the motif and count as absent. In a pattern of ``neg_patterns`` the signs are
    turned first.

    Parameters
    ----------
    cwm : (4, W)
        Contributions, of any scale.

    Returns
    -------
    (4, W), columns sum to 1; uniform where the CWM is zero.
    """
    values = np.asarray(cwm, np.float64)
    present = np.maximum(values if values.sum() >= 0 else -values, 0)
    totals = present.sum(axis=0)
    k = _BACKGROUND_SHARE * totals.max(initial=0.0)
    if k == 0:
        return np.full(values.shape, 0.25)
    frequencies: NDArray[np.float64] = (present + k / 4) / (totals + k)
    return frequencies


def count_frequencies(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the frequencies of counted bases, (4, W); uniform where none was counted."""
    totals = counts.sum(axis=0)
    return np.where(totals > 0, counts / np.maximum(totals, 1), 0.25)
