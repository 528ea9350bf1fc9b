"""What a worker must know to take any unit of a run: small, picklable, no arrays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finemo_dist.core.config import SolverConfig

if TYPE_CHECKING:
    from finemo_dist.run.worker import RegionWorker


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """Where the regions of a sample lie, and how hits are called in them."""

    store: str
    store_digest: str
    solver: SolverConfig
    config_digest: str
    """Of its settings and motifs; goes into the footers of its parts."""
    motif_folder: str = ""
    """Of its motif set in ``RUN/motifs``."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """Everything about a run but its list of units; motifs are read from the run directory.

    Satisfies ``WorkerMaker``.
    """

    run_dir: str
    samples: dict[str, SampleSpec]
    device: str
    """``cpu`` or ``cuda``."""
    batch_regions: int | None
    """Regions solved together; from the memory model when None."""

    @property
    def may_run_twice(self) -> bool:
        """A part is committed by one rename, so two workers leave what one does."""
        return True

    def make_worker(self, name: str) -> "RegionWorker":
        """Return a worker that solves, on one thread: sums keep their order.

        Sets the threads of PyTorch and the allocator of this process.
        """
        # Drivers and other kinds of workers do without PyTorch.
        import torch

        from finemo_dist.run.allocator import keep_freed_memory
        from finemo_dist.run.worker import RegionWorker

        keep_freed_memory()
        torch.set_num_threads(1)
        return RegionWorker(self, name)
