"""Two kinds of workers for one run: GPUs call hits, and then cores write files."""

from collections.abc import Iterator, Mapping, Sequence

from finemo_dist.core.events import RunEvent, UnitFailed
from finemo_dist.core.protocols import Executor
from finemo_dist.core.records import Stage, Unit


class InTurn:
    """Calls hits on one executor and writes files on another; satisfies ``Executor``.

    GPUs are let go before the first file is written. A file takes a core for longer than a GPU
    needs for the hits in it, so that workers of GPUs would hold them for text.
    """

    def __init__(self, calling: Executor, writing: Executor) -> None:
        self._calling = calling
        self._writing = writing

    def describe(self) -> Mapping[str, str | int]:
        """Return what calls hits, and how many workers write files."""
        n_writers = self._writing.describe()["n_workers"]
        return {**self._calling.describe(), "n_cores": n_writers}

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Do the shards of all samples, then the files of those that have no shard set aside."""
        failed = set()
        shards = [unit for unit in units if unit.stage is Stage.CALL]
        for event in self._calling.run(shards) if shards else ():
            if isinstance(event, UnitFailed) and event.is_final:
                failed.add(event.unit.sample)
            yield event
        files = [u for u in units if u.stage is not Stage.CALL and u.sample not in failed]
        if files:
            yield from self._writing.run(files)
