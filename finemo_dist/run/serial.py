"""The executor of one worker, in this process."""

import logging
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from finemo_dist.core.errors import CutShortError, FinemoDistError
from finemo_dist.core.events import RunEvent, UnitFailed, UnitStarted, WorkersReady, WorkerStarted
from finemo_dist.core.protocols import WorkerMaker
from finemo_dist.core.records import Stage, Unit

logger = logging.getLogger(__name__)

_NAME: Final = "serial"
_MOST_COMING: Final = 64
"""Units that a worker is told of beforehand: the smallest shards fill a batch with fewer."""


class SerialExecutor:
    """Processes units one by one; satisfies ``Executor``."""

    def __init__(self, spec: WorkerMaker) -> None:
        self._spec = spec

    def describe(self) -> Mapping[str, str | int]:
        """Return what runs the work."""
        return {"kind": "serial", "n_workers": 1, "device": self._spec.device}

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Process every unit; one that fails is reported and the others go on.

        Where a unit of a sample fails, its units of later stages are left out.

        Raises
        ------
        CutShortError
            What the units depend on is gone.
        """
        failed: dict[str, Stage] = {}
        notes: dict[str, str] = {}
        worker = self._spec.make_worker(_NAME)
        yield WorkerStarted(_NAME, platform.node())
        yield WorkersReady(1, f"1 worker in this process on {self._spec.device}")
        for i, unit in enumerate(units):
            if failed.get(unit.sample, unit.stage) is not unit.stage:
                continue
            yield UnitStarted(unit, _NAME)
            try:
                told = replace(unit, note=notes.get(unit.sample, unit.note))
                result = worker.process(told, units[i + 1 : i + 1 + _MOST_COMING])
            except CutShortError:
                # What is left would end as this one did, each after as long a wait.
                raise
            except (FinemoDistError, OSError, RuntimeError) as error:
                logger.debug("unit %s failed", unit, exc_info=True)
                result = UnitFailed(unit, _NAME, str(error), is_final=True)
            if isinstance(result, UnitFailed):
                failed[unit.sample] = unit.stage
            elif result.note:
                notes[unit.sample] = result.note
            # There is no other node to ask.
            yield replace(result, is_final=True) if isinstance(result, UnitFailed) else result
