"""Known motifs, which are base frequencies, as matrices to call."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.motifs.meme import MemeMotif
from finemo_dist.motifs.modisco import Pattern

PSEUDOCOUNT: Final = 1e-3
"""Added to each frequency, as in TF-MINDI, so that a base that was never seen has a logarithm."""
_BACKGROUND: Final = 0.25
_ROUND_OFF_BITS: Final = 1e-9


def known_pattern(motif: MemeMotif) -> Pattern:
    """Return a motif of a database in the place of a pattern of TF-MoDISco.

    With ``p`` the frequency of base b at column j, a pseudocount added and columns divided by
    their sums, ``q = 1/4``, and ``I_j = sum_b p log2(p / q)`` the information of the column:

    - ``hypothetical[b, j] = p log2(p / q)``, the information that each base adds: above zero for
      bases that are preferred, below it for those that are avoided;
    - ``contributions[b, j] = I_j p``, the heights of the sequence logo (Schneider and Stephens,
      "Sequence logos", Nucleic Acids Research 1990): what a network contributes to the bases that
      are there is never below zero where the motif activates.

    The first is how TF-MINDI (aertslab/TF-MInDi, ``_prepare_motifs_for_finemo``) makes
    hypothetical matrices of known motifs for finemo's ``fit_contribs``; pseudocount and
    background are its defaults. It calls hypothetical contributions only, and a copy of each motif
    with its sign turned, which is left out here. Both matrices sum to ``I_j`` in each column, so
    that a trim threshold is a share of the information of the most informative column.
    """
    p = motif.frequencies + PSEUDOCOUNT
    p = p / p.sum(axis=0)
    hypothetical: NDArray[np.float64] = p * np.log2(p / _BACKGROUND)
    if hypothetical.sum() < _ROUND_OFF_BITS:
        # Divided by its norm, round-off would look like a motif.
        hypothetical = np.zeros_like(p)
    return Pattern(motif.name, hypothetical.sum(axis=0) * p, hypothetical)
