"""Clusters of overlapping atoms: the blocks into which a restricted problem falls apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from finemo_dist.solver.atoms import Atoms
from finemo_dist.solver.cwms import Cwms
from finemo_dist.solver.indices import true_rows
from finemo_dist.solver.quadratic import solve_nonnegative

_MAX_VALUES = {"cpu": 1 << 21, "cuda": 1 << 26}
"""Float64 values (16 MiB, 512 MiB) in the design or the Gram matrices of clusters solved together.

On a GPU every part costs its launches over again.
"""


_LOG_PADDING = {"cpu": 1, "cuda": 2}
"""Clusters are padded to powers of two, on a GPU of four: fewer sizes are fewer launches."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """K clusters of consecutive atoms; atoms of different clusters share no base."""

    first: Tensor
    """(K,) int64 first atom."""
    size: Tensor
    """(K,) int64 atoms."""
    reach: Tensor
    """(K,) int64 anchor of the last atom less that of the first."""
    of_atom: Tensor
    """(N,) int64 the cluster of each atom."""

    def __getitem__(self, rows: Tensor) -> "Clusters":
        first, size, reach = (x.index_select(0, rows) for x in (self.first, self.size, self.reach))
        return Clusters(first, size, reach, self.of_atom)


def find_clusters(atoms: Atoms, cwms: Cwms, length: int) -> Clusters:
    """Return the clusters of sorted atoms, by one pass over where their windows end."""
    start = _global_anchor(atoms, cwms, length)
    reach = (start + cwms.trimmed_width[atoms.motif]).cummax(0).values
    is_first = torch.ones_like(start, dtype=torch.bool)
    is_first[1:] = start[1:] >= reach[:-1]
    first = true_rows(is_first)
    end = torch.cat((first, first.new_full((1,), len(start))))[1:]
    return Clusters(first, end - first, start[end - 1] - start[first], is_first.cumsum(0) - 1)


def solve_clusters(
    clusters: Clusters, atoms: Atoms, cwms: Cwms, *, length: int, amplitude: Tensor, is_new: Tensor
) -> Tensor:
    """Return amplitudes (N,) with those of every cluster that has a new atom solved anew.

    Clusters of like size are solved together, padded to the next power of two, so that the shape
    a cluster is solved in depends on the cluster alone.
    """
    n_new = torch.zeros_like(clusters.first).index_add_(0, clusters.of_atom, is_new.long())
    stale = clusters[true_rows(n_new > 0)]
    solved = amplitude.clone()
    for member, is_member, span in _buckets(stale, atoms, cwms):
        gram = _gram(member, is_member, atoms, _global_anchor(atoms, cwms, length), span)
        linear = torch.where(is_member, (atoms.correlation - atoms.penalty)[member], -1.0)
        values = solve_nonnegative(gram, linear)
        real = true_rows(is_member)
        solved[member.flatten()[real]] = values.flatten()[real]
    return solved


def _buckets(clusters: Clusters, atoms: Atoms, cwms: Cwms) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Yield (B, N) atom rows, (B, N) which of them are real, and the bases that the widest spans.

    One padded size at a time.
    """
    device = clusters.size.device
    every = _LOG_PADDING[device.type]
    log_size = (clusters.size - 1).clamp(min=0).float().log2().floor().long() + 1
    log_size = torch.where(clusters.size == 1, 0, log_size)
    log_size = (log_size + every - 1) // every * every
    for log in range(0, int(log_size.max()) + 1 if len(log_size) else 0, every):
        rows = true_rows(log_size == log)
        if not len(rows):
            continue
        slot = torch.arange(1 << log, device=device)
        span = int(clusters.reach[rows].max()) + cwms.aligned_width
        piece = _bases_at_once(1 << log)
        span = -(-span // piece) * piece
        n_values = (1 << log) * max(span * atoms.values.shape[2], 1 << log)
        for part in torch.split(rows, max(1, _MAX_VALUES[device.type] // n_values)):
            is_member = slot < clusters.size[part, None]
            yield torch.where(is_member, clusters.first[part, None] + slot, 0), is_member, span


def _gram(member: Tensor, is_member: Tensor, atoms: Atoms, anchor: Tensor, span: int) -> Tensor:
    """Return (B, N, N) inner products of the atoms of clusters no wider than ``span`` bases."""
    n_clusters, n_atoms = member.shape
    _, width, n_channels = atoms.values.shape
    offset = (anchor[member] - anchor[member[:, :1]]) * is_member
    design = atoms.values.new_zeros(n_clusters, n_atoms, span * n_channels)
    column = torch.arange(width * n_channels, device=member.device)
    values = atoms.values.flatten(1)[member] * is_member[..., None]
    design.scatter_(2, offset[..., None] * n_channels + column, values)
    # Pieces of one size, in order: a product over all bases adds them up in an order that depends
    # on how many there are, and so on the other clusters of the batch.
    first, *others = torch.split(design, _bases_at_once(n_atoms) * n_channels, dim=2)
    gram = first @ first.mT
    for piece in others:
        gram.baddbmm_(piece, piece.mT)
    return gram


def _bases_at_once(n_atoms: int) -> int:
    """Return in pieces of how many bases atoms are multiplied; spans are padded to a multiple.

    Few enough that most spans are not much shorter. May depend on nothing but the cluster.
    """
    return 64 if n_atoms <= 16 else 96


def _global_anchor(atoms: Atoms, cwms: Cwms, length: int) -> Tensor:
    """Return anchors counted along all regions laid end to end, a gap between each two."""
    return atoms.region * (length + cwms.aligned_width) + atoms.anchor
