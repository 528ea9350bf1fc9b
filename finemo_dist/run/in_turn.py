"""Two kinds of workers for one run: GPUs call hits, and cores make stores and write files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from finemo_dist.core.events import RunEvent, UnitDone, UnitFailed
from finemo_dist.core.protocols import Executor
from finemo_dist.core.records import EXTRACTION, Stage, Unit
from finemo_dist.run.pool import run_pools
from finemo_dist.run.process_pool import ProcessExecutor
from finemo_dist.run.schedule import Schedule

if TYPE_CHECKING:
    from finemo_dist.run.ray_pool import RayExecutor

OF_CORES: Final = EXTRACTION | {Stage.OUTPUTS}
"""What GPUs do not do: a core takes longer for it than a GPU for the hits."""


class InTurn:
    """Makes stores, calls hits and writes files one after another; satisfies ``Executor``.

    For one worker with a GPU in this process, and work that is too small for more.
    """

    def __init__(self, calling: Executor, others: Executor) -> None:
        self._calling = calling
        self._others = others

    def describe(self) -> Mapping[str, str | int]:
        """Return what calls hits, and how many workers do the rest."""
        return {**self._calling.describe(), "n_cores": self._others.describe()["n_workers"]}

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Do the units of all samples, of which none is set aside, by their stages."""
        failed: set[str] = set()
        notes: dict[str, str] = {}
        legs = (
            (self._others, EXTRACTION),
            (self._calling, {Stage.CALL}),
            (self._others, {Stage.OUTPUTS}),
        )
        for executor, stages in legs:
            wanted = [
                replace(unit, note=notes.get(unit.sample, unit.note))
                for unit in units
                if unit.stage in stages and unit.sample not in failed
            ]
            for event in executor.run(wanted) if wanted else ():
                match event:
                    case UnitFailed(is_final=True):
                        failed.add(event.unit.sample)
                    case UnitDone() if event.note:
                        notes[event.unit.sample] = event.note
                yield event


class SideBySide:
    """Has GPUs call hits while cores make stores and write files; satisfies ``Executor``.

    There is one schedule: hits of a sample are called once its store is whole, and its files
    written after its last shard. GPUs are taken when there is a first shard for them, and let go
    after the last.

    Parameters
    ----------
    n_others
        Workers that do the rest, for a session of Ray that has room for all; 0 where they are
        not Ray's.
    """

    def __init__(
        self, calling: "RayExecutor", others: "RayExecutor | ProcessExecutor", *, n_others: int = 0
    ) -> None:
        self._calling = calling
        self._others = others
        self._n_others = n_others

    def describe(self) -> Mapping[str, str | int]:
        """Return what calls hits, and how many workers do the rest."""
        return {**self._calling.describe(), "n_cores": self._others.describe()["n_workers"]}

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Do every unit on a worker of its kind.

        Raises
        ------
        RunError
            No worker of a kind could be started.
        """
        with self._calling.session(n_more=self._n_others):
            calling = Schedule(units, unit_timeout_s=self._calling.unit_timeout_s)
            others = calling.split_off(OF_CORES)
            yield from run_pools(
                [
                    self._others.pool(others),
                    self._calling.pool(calling, prefix="gpu-worker"),
                ]
            )
