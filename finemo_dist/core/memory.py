"""How much memory a batch takes, as arithmetic, and how many regions therefore go into one.

The constants are measured by ``tests/memory_probe.py`` and tested against it.
"""

from finemo_dist.core.config import SolverName

CPU_BUDGET_BYTES = 64 << 20
"""A batch on a CPU core: larger ones fall out of its caches and are slower, not faster."""
MAX_BATCH_REGIONS = 8192
"""The largest shard."""

_WORKING_SET_BYTES_PER_BASE = 104
"""Target, residual and running sums in float64, codes, and windows by base in float32.

Measured 93 to 114 with 48 to 800 motif-strands and regions of 500 to 2,114 bases.
"""
_HYPOTHETICAL_BYTES_PER_BASE = 66
"""What three further channels of target and residual add; measured 59 to 74."""
_DENSE_COPIES = 12
"""Float32 values of every motif and position that a dense step holds at once; measured 11.6."""


def region_bytes(
    solver: SolverName,
    *,
    n_motifs: int,
    region_width: int,
    motif_width: int,
    is_hypothetical: bool,
) -> int:
    """Return the bytes that each further region adds to a batch."""
    per_base = _WORKING_SET_BYTES_PER_BASE + is_hypothetical * _HYPOTHETICAL_BYTES_PER_BASE
    total = per_base * region_width
    if solver is SolverName.DENSE:
        total += _DENSE_COPIES * 4 * n_motifs * (region_width - motif_width + 1)
    return total


def batch_regions(
    bytes_per_region: int, budget_bytes: int, *, most: int = MAX_BATCH_REGIONS
) -> int:
    """Return how many regions fit the budget: at least one, at most ``most``."""
    return max(1, min(most, budget_bytes // bytes_per_region))
