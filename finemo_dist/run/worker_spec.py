"""What a worker that calls hits must know; loads no PyTorch, which only the worker needs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finemo_dist.core.config import SolverConfig
from finemo_dist.core.libraries import loading
from finemo_dist.store.sampled import Share

if TYPE_CHECKING:
    from finemo_dist.run.worker import RegionWorker


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """Where the regions of a sample lie, and how hits are called in them."""

    store: str
    store_digest: str
    """Empty where the store is made in this run: a unit then brings it in its note."""
    solver: SolverConfig
    config_digest: str
    """Of its settings and motifs; goes into the footers of its parts."""
    motif_folder: str = ""
    """Of its motif set in ``RUN/motifs``."""
    share: Share | None = None
    """Which of its regions are called; all when None. The digest is that of the whole store."""
    first_kept_motif: int = 0
    """Hits of motifs before this ``motif_id`` compete and are not written."""


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
    workers_per_gpu: int = 1
    """Workers that share the memory of a GPU."""

    @property
    def may_run_twice(self) -> bool:
        """A part is committed by one rename, so two workers leave what one does."""
        return True

    def make_worker(self, name: str) -> "RegionWorker":
        """Return a worker that solves; sets the allocator of this process."""
        # The driver makes specifications, and workers that do not solve take them along.
        with loading():
            from finemo_dist.run.allocator import keep_freed_memory
            from finemo_dist.run.worker import RegionWorker

        keep_freed_memory()
        return RegionWorker(self, name)
