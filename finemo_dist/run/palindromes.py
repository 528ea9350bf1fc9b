"""Summing what the two strands of a palindrome share."""

from dataclasses import replace

import torch
from torch import Tensor

from finemo_dist.core.palindromes import NO_PALINDROME, palindrome_offsets
from finemo_dist.core.records import MotifSet
from finemo_dist.solver.solution import Hits


def motif_offsets(motifs: MotifSet) -> Tensor:
    """Return ``palindrome_offsets`` (M,); they take longer to find than a shard to solve."""
    return torch.tensor(palindrome_offsets(motifs))


def merge_palindromes(hits: Hits, motifs: MotifSet, offsets: Tensor) -> Hits:
    """Return hits with one for each site of a palindrome that is called on both strands.

    The forward hit stays, ``+`` and where it is, with the sum of both coefficients: the strand of
    a palindrome means nothing, and its two hits differ in nothing but round-off. A hit that has no
    partner on the other strand stays as it is. The order of the hits stays.

    Parameters
    ----------
    hits
        As a solver returns them, both strands of a site at most once each.
    offsets
        Of ``motif_offsets``, on the device of the hits.
    """
    device = hits.motif.device
    offset = offsets[hits.motif]
    rows = (offset != NO_PALINDROME).nonzero()[:, 0]
    if not len(rows):
        return hits
    motif = hits.motif[rows]
    first = hits.position[rows] + torch.tensor(motifs.start, device=device)[motif]
    is_reverse = motif % 2
    # A site is known by where the forward window begins, which may lie outside the region.
    site = first + is_reverse * offset[rows]
    site = site - site.min()
    key = (hits.region[rows] * len(motifs) + motif) // 2 * (site.max() + 1) + site
    order = (2 * key + is_reverse).argsort()
    is_pair = key[order][1:] == key[order][:-1]
    forward, reverse = rows[order[:-1][is_pair]], rows[order[1:][is_pair]]
    coefficient = hits.coefficient.clone()
    coefficient[forward] += hits.coefficient[reverse]
    is_kept = torch.ones_like(hits.motif, dtype=torch.bool)
    is_kept[reverse] = False
    return replace(hits, coefficient=coefficient)[is_kept.nonzero()[:, 0]]
