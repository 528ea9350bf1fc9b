"""What a worker must know to take any unit of a run: small, picklable, no arrays."""

from dataclasses import dataclass

from finemo_dist.core.config import SolverConfig


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """Where the regions of a sample lie."""

    store: str
    store_digest: str


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """Everything about a run but its list of units; motifs are read from the run directory."""

    run_dir: str
    samples: dict[str, SampleSpec]
    solver: SolverConfig
    config_digest: str
    device: str
    """``cpu`` or ``cuda``."""
    batch_regions: int | None
    """Regions solved together; from the memory model when None."""
