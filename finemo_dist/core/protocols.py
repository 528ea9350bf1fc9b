"""The seams between layers: what a source, a store, a worker and an executor must do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from finemo_dist.core.events import RunEvent, UnitDone, UnitFailed
from finemo_dist.core.records import (
    InputFile,
    RegionBatch,
    RegionTable,
    ScoreKind,
    Unit,
)


class RegionKind(Protocol):
    """What decides whether motifs can be called in regions."""

    @property
    def score_kind(self) -> ScoreKind:
        """What the contributions are."""
        ...

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        ...


class Source(Protocol):
    """Regions as they come from outside: coordinates at once, sequences and scores in blocks.

    A source is picklable and opens its files on first use, so that it can be sent to a worker.
    Everything that can be refused without reading scores is refused when it is made.
    """

    @property
    def score_kind(self) -> ScoreKind:
        """What ``read`` yields."""
        ...

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        ...

    @property
    def regions(self) -> RegionTable:
        """Where all regions lie, in the order in which ``read`` counts them."""
        ...

    @property
    def inputs(self) -> Sequence[InputFile]:
        """The files read, for the record."""
        ...

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return regions ``start`` to ``stop`` (half-open).

        Raises
        ------
        InputError
            The file is damaged, holds infinities, or disagrees with another.
        """
        ...


class RegionOutline(RegionKind, Protocol):
    """What is known of the regions of a store, also before it is whole."""

    @property
    def path(self) -> str:
        """Where the regions lie, for messages and for opening them in another process."""
        ...

    @property
    def digest(self) -> str:
        """Of everything in the store: equal digests give equal hits. Empty until it is whole."""
        ...

    @property
    def n_regions(self) -> int:
        """Regions in all shards together."""
        ...

    @property
    def n_shards(self) -> int:
        """Shards, all of the same size but the last."""
        ...

    def table(self, start: int, stop: int) -> RegionTable:
        """Return the coordinates of rows ``start`` to ``stop``, until it is whole of none."""
        ...


class RegionReader(RegionOutline, Protocol):
    """Regions ready to be solved, in shards that never change."""

    def shard_rows(self, shard: int) -> range:
        """Return the rows of a shard."""
        ...

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return sequences and float32 contributions of rows ``start`` to ``stop``."""
        ...


class Worker(Protocol):
    """Does units of work one after another, and keeps what the next may need."""

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone | UnitFailed:
        """Do a unit and commit it; doing so twice leaves the same bytes.

        What is raised is tried again elsewhere. A worker that knows that no other could do it
        either returns a final ``UnitFailed`` instead.

        Parameters
        ----------
        coming
            Units that this worker is likely to be given next, in order: some work may be done for
            several at once. They are not committed before they are given.
        """
        ...


class WorkerMaker(Protocol):
    """Everything a worker must know but its units: small, picklable, no arrays."""

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``: what each worker has one of."""
        ...

    @property
    def may_run_twice(self) -> bool:
        """Whether two workers may do one unit at the same time."""
        ...

    def make_worker(self, name: str) -> Worker:
        """Return a worker, in the process that is to do the work."""
        ...


class Executor(Protocol):
    """Runs units on workers and yields what happens, in the order in which it happens."""

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Run every unit once; a unit that cannot be finished yields ``UnitFailed``.

        Units come sample by sample, in the order of stages. One of a later stage begins when all
        of its sample of earlier stages are done, and is left out where one is set aside.
        """
        ...

    def describe(self) -> Mapping[str, str | int]:
        """Return what runs the work, for the record: kind, number of workers, device."""
        ...
