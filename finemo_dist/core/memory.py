"""How much memory and disk work takes, as arithmetic; nothing here asks the system anything.

``tests/memory_probe.py`` measures the memory of a batch. ``tests/unit/core/test_space.py`` compares
the projections of disk space with what is written.
"""

from dataclasses import dataclass
from typing import Final

from finemo_dist.core.config import SolverConfig, SolverName
from finemo_dist.core.records import MotifSet, ScoreKind

CPU_BUDGET_BYTES = 80 << 20
"""A batch on a CPU core, some 1,000 regions of 1,000 bases: fewer are slower, more are not faster.
"""
MAX_BATCH_REGIONS = 8192
"""The largest shard."""

MOTIFS_PER_GROUP = 64
"""Least motif-strands that are screened together, where there are so many."""

_WORKING_SET_BYTES_PER_BASE = 62
"""Target, residual and running sums in float64; codes, values and squares in 32 bits."""
_GROUP_BYTES_PER_BASE = 14
"""What each group of motifs keeps of every window: its slack, and sums in three kinds.

With one group a base takes 74 bytes as measured, with 6 151, with 11 202, with 12 229.
"""
_HYPOTHETICAL_BYTES_PER_BASE = 66
"""What three further channels of target and residual add; measured 66 to 74."""
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
    per_base += n_motif_groups(n_motifs) * _GROUP_BYTES_PER_BASE
    total = per_base * region_width
    if solver is SolverName.DENSE:
        total += _DENSE_COPIES * 4 * n_motifs * (region_width - motif_width + 1)
    return total


def n_motif_groups(n_motifs: int) -> int:
    """Return in how many groups motif-strands are screened."""
    return max(1, n_motifs // MOTIFS_PER_GROUP)


def batch_regions(
    bytes_per_region: int, budget_bytes: int, *, most: int = MAX_BATCH_REGIONS
) -> int:
    """Return how many regions fit the budget: at least one, at most ``most``."""
    return max(1, min(most, budget_bytes // bytes_per_region))


_SEQUENCE_BYTES_PER_BASE: Final = 0.35
_SCORE_BYTES: Final = 2.0
"""Of a contribution: float16 of real attributions hardly compress; simulated ones halve."""
_REGION_BYTES: Final = 150
_STORE_BYTES: Final = 32 << 10
"""Attributes and the ends of files, whatever the number of regions."""

_HITS_PER_KILOBASE: Final = 5.0
_HITS_PER_KILOBASE_AND_MOTIF: Final = 0.01
_HIT_BYTES: Final = 400
"""In Parquet, ``hits.tsv``, ``hits_unique.tsv`` and ``hits.bed`` together; names make it more."""
_QC_BYTES: Final = 250

_WORKER_BYTES: Final = 420 << 20
"""A worker with its libraries before it has read a region."""

_GPU_BYTES: Final = 600 << 20
"""What a worker takes of a GPU before it has a region: the CUDA context and its libraries.

Not measured: what PyTorch is reported to take on recent GPUs, rounded up.
"""

_FULL_GPU_REGIONS: Final = 2048
"""What a worker on a GPU should hold at once to keep the GPU busy."""
_MOST_WORKERS_PER_GPU: Final = 4
"""One solves; the others read, make tables, write, and wait for the disk. This takes a host 20 us a
region, and a GPU solves a region in 8: three are too few (``tests/benchmarks/feeding.py``)."""

_COMFORT: Final = 1.5
"""Free over projected below which there is a warning: others write to the disk too."""


@dataclass(frozen=True, slots=True)
class Need:
    """Space that work will take, and what is said about it."""

    what: str
    """What is written or held: "the region store"."""
    where: str
    """The disk's folder, or the machine."""
    needed_bytes: int
    cure: str
    """A sentence."""

    def refusal(self, free_bytes: int) -> str | None:
        """Return why work must not start with ``free_bytes`` free, in one line, or None."""
        return None if self.needed_bytes <= free_bytes else f"{self._sizes(free_bytes)} {self.cure}"

    def warning(self, free_bytes: int) -> str | None:
        """Return what to warn of where space suffices and little is left, or None."""
        if not self.needed_bytes <= free_bytes < _COMFORT * self.needed_bytes:
            return None
        return (
            f"{self._sizes(free_bytes)} That is enough, unless something else takes it in the "
            "meantime."
        )

    def _sizes(self, free_bytes: int) -> str:
        needed, free = readable(self.needed_bytes), readable(free_bytes)
        return f"{self.where}: {self.what} will take about {needed}, and {free} are free."


def store_bytes(n_regions: int, region_width: int, score_kind: ScoreKind) -> int:
    """Return about how many bytes a region store takes on disk."""
    channels = 4 if score_kind is ScoreKind.HYPOTHETICAL else 1
    per_base = _SEQUENCE_BYTES_PER_BASE + channels * _SCORE_BYTES
    return _STORE_BYTES + n_regions * round(_REGION_BYTES + region_width * per_base)


def call_bytes(n_regions: int, region_width: int, n_motifs: int, motif_width: int) -> int:
    """Return about how many bytes a call of hits leaves: parts, motifs and finemo's files.

    Parameters
    ----------
    n_motifs
        Motifs times strands.
    """
    rate = _HITS_PER_KILOBASE + _HITS_PER_KILOBASE_AND_MOTIF * n_motifs
    n_hits = n_regions * region_width / 1000 * rate
    motifs = n_motifs * (2 * 4 * 2 * motif_width + 200)
    return round(n_hits * _HIT_BYTES + n_regions * _QC_BYTES + motifs)


@dataclass(frozen=True, slots=True)
class Demand:
    """What calling hits in one sample asks of a worker."""

    solver: SolverConfig
    motifs: MotifSet
    region_width: int

    @property
    def region_bytes(self) -> int:
        """Memory that solving one region takes."""
        return region_bytes(
            self.solver.name,
            n_motifs=len(self.motifs),
            region_width=self.region_width,
            motif_width=self.motifs.width,
            is_hypothetical=self.solver.mode.contributions_are_hypothetical,
        )


def worker_bytes(batch_regions: int | None, bytes_per_region: int) -> int:
    """Return about how much memory a worker on a CPU holds.

    Parameters
    ----------
    batch_regions
        Regions solved together, where the user says so; the memory model's budget when None.
    """
    batch = CPU_BUDGET_BYTES if batch_regions is None else batch_regions * bytes_per_region
    return _WORKER_BYTES + batch


def gpu_bytes(bytes_per_region: int) -> int:
    """Return about the least memory of a GPU that a worker can run in: that of one region."""
    return _GPU_BYTES + bytes_per_region


def workers_per_gpu(bytes_per_region: int, free_bytes: int | None, n_cores: int) -> int:
    """Return how many workers should share a GPU.

    Parameters
    ----------
    free_bytes
        Free on the GPU; None where nothing says so.
    n_cores
        Cores for each GPU: a worker needs one to read, to launch and to write.
    """
    each = _GPU_BYTES + _FULL_GPU_REGIONS * bytes_per_region
    n_fitting = _MOST_WORKERS_PER_GPU if free_bytes is None else free_bytes // each
    return max(1, min(_MOST_WORKERS_PER_GPU, n_cores, n_fitting))


def readable(n_bytes: int) -> str:
    """Return a size as a person says it: ``3.4 GB``."""
    size = float(n_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB" if size < 1000 else f"{size:,.0f} TB"
