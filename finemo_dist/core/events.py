"""What happens while work goes on, as values: executors yield them, progress views show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from finemo_dist.core.records import Unit


@dataclass(frozen=True, slots=True)
class UnitStarted:
    """A unit that was given to a worker; it ends in ``UnitDone``, ``UnitFailed`` or with the run.

    A worker has one unit at a time, so that what it had before is over. A unit may be given to
    several workers, one after another or, near the end, at once; the first to do it tells.
    """

    unit: Unit
    worker: str


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
    note: str = ""
    """What units of later stages of the sample are given; see ``Unit.note``."""


@dataclass(frozen=True, slots=True)
class UnitFailed:
    """A unit that no worker could finish."""

    unit: Unit
    worker: str
    error: str
    is_final: bool
    """Whether it is set aside; otherwise it is tried again elsewhere."""
    is_refused: bool = False
    """Whether an input is at fault; if it is not final, another node has to say the same."""


@dataclass(frozen=True, slots=True)
class WorkersReady:
    """The workers that take units from here on."""

    n_workers: int
    description: str


@dataclass(frozen=True, slots=True)
class WorkerStarted:
    """A worker that can take units from here on."""

    worker: str
    node: str
    """The machine it runs on, by name or address."""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker that is gone before the work was: it died, hung or its node went.

    What it was doing is told by a ``UnitFailed`` of its own.
    """

    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class NodeRests:
    """A node that is given nothing for a while, because one unit after another failed there."""

    node: str
    seconds: float
    error: str
    """Of the last unit."""
    sample: str | None = None
    """All that it is given nothing of; None where it is nothing at all."""


@dataclass(frozen=True, slots=True)
class NodeWorks:
    """A node that had to rest and is trusted again, or is gone."""

    node: str
    sample: str | None = None


RunEvent = (
    UnitStarted
    | UnitDone
    | UnitFailed
    | WorkersReady
    | WorkerStarted
    | WorkerLost
    | NodeRests
    | NodeWorks
)


@dataclass(frozen=True, slots=True)
class ExtractionPlanned:
    """Shards of regions are about to be written."""

    n_shards: int


@dataclass(frozen=True, slots=True)
class ShardExtracted:
    """A shard of regions is written."""

    unit: Unit


@dataclass(frozen=True, slots=True)
class CallPlanned:
    """Hits are about to be called."""

    pending: tuple[Unit, ...]
    """The units to do."""
    n_units: int
    """Units of the whole run; those that are not pending are committed."""
    shard_regions: Mapping[str, float]
    """Sample to regions in one of its shards, on average."""
    pending_outputs: tuple[Unit, ...] = ()
    """The units to do that write the files of a sample."""
    pending_extraction: tuple[Unit, ...] = ()
    """The units to do that write the shards of stores and finish these."""


@dataclass(frozen=True, slots=True)
class StageEnded:
    """A stage is over, whether it succeeded or not."""

    stage: Literal["extract", "call"]


WorkEvent = RunEvent | ExtractionPlanned | ShardExtracted | CallPlanned | StageEnded

OnEvent = Callable[[WorkEvent], None]


def ignore(_event: WorkEvent) -> None:
    """Take an event and do nothing."""
