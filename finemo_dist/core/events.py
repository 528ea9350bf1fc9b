"""What happens during a run, as values: executors yield them, progress views show them."""

from dataclasses import dataclass

from finemo_dist.core.records import Unit


@dataclass(frozen=True, slots=True)
class UnitDone:
    """A unit whose parts are committed."""

    unit: Unit
    worker: str
    n_regions: int
    n_hits: int
    n_not_converged: int
    max_gap: float
    seconds: dict[str, float]
    """Wall time by stage: read, solve, write."""


@dataclass(frozen=True, slots=True)
class UnitFailed:
    """A unit that no worker could finish."""

    unit: Unit
    worker: str
    error: str
    is_final: bool
    """Whether it is set aside; otherwise it is tried again elsewhere."""


@dataclass(frozen=True, slots=True)
class WorkersReady:
    """The workers that take units from here on."""

    n_workers: int
    description: str


RunEvent = UnitDone | UnitFailed | WorkersReady
