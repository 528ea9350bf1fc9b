"""Workers that take units of several stages."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from finemo_dist.core.events import UnitDone, UnitFailed
from finemo_dist.core.protocols import Worker, WorkerMaker
from finemo_dist.core.records import EXTRACTION, Stage, Unit


@dataclass(frozen=True, slots=True)
class StagedSpec:
    """What makes the workers of each stage; satisfies ``WorkerMaker``."""

    makers: Mapping[Stage, bytes]
    """Pickled one by one: a worker loads the libraries of the stages that it takes alone."""
    device: str
    may_run_twice: bool

    @classmethod
    def of(cls, makers: Mapping[Stage, WorkerMaker], *, device: str) -> Self:
        """Return the makers of several stages as one.

        Parameters
        ----------
        device
            What each worker has one of.
        """
        return cls(
            {stage: pickle.dumps(maker) for stage, maker in makers.items()},
            device,
            # Of those that make a store none is, whatever is said here.
            all(m.may_run_twice for stage, m in makers.items() if stage not in EXTRACTION),
        )

    def make_worker(self, name: str) -> "StagedWorker":
        """Return a worker that makes itself ready for a stage when it meets it."""
        return StagedWorker(self.makers, name)


class StagedWorker:
    """Passes each unit to the worker of its stage, in the same process."""

    def __init__(self, makers: Mapping[Stage, bytes], name: str) -> None:
        self._makers = makers
        self._name = name
        self._workers: dict[Stage, Worker] = {}

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone | UnitFailed:
        """Do and commit a unit."""
        if unit.stage not in self._workers:
            maker: WorkerMaker = pickle.loads(self._makers[unit.stage])
            self._workers[unit.stage] = maker.make_worker(self._name)
        return self._workers[unit.stage].process(unit, coming)
