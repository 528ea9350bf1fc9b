"""Units that wait for others of their sample: its shards for its store, its files for these."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from finemo_dist.core.records import STAGES, Stage, Unit


class Sequels:
    """Holds units back until all units of their sample of earlier stages are done.

    Parameters
    ----------
    units
        Each once, in any order of stages.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self._later: dict[str, dict[Stage, list[Unit]]] = {}
        """Units held back, by sample and stage; no entry is empty."""
        self._n_open: dict[str, int] = {}
        """Units of the stage that each sample is at, where others follow."""
        first = {unit.sample: unit.stage for unit in units}
        for unit in units:
            first[unit.sample] = min(first[unit.sample], unit.stage, key=STAGES.index)
        ready = []
        for unit in units:
            if unit.stage is first[unit.sample]:
                ready.append(unit)
            else:
                stages = self._later.setdefault(unit.sample, {})
                stages.setdefault(unit.stage, []).append(unit)
        for unit in ready:
            if unit.sample in self._later:
                self._n_open[unit.sample] = self._n_open.get(unit.sample, 0) + 1
        self.ready: tuple[Unit, ...] = tuple(ready)
        """Units that wait for no other."""
        self._n_held = Counter(
            stage for stages in self._later.values() for stage, held in stages.items() for _ in held
        )

    def n_held(self, stages: Collection[Stage] = STAGES) -> int:
        """Return how many units of some stages are held back."""
        return sum(self._n_held[stage] for stage in stages)

    def done(self, unit: Unit, note: str = "") -> Sequence[Unit]:
        """Take note that a unit is done, and return those that need not wait any longer.

        Parameters
        ----------
        note
            What all units of later stages of its sample are given.
        """
        if unit.sample not in self._n_open:
            return ()
        stages = self._later[unit.sample]
        if note:
            for stage, held in stages.items():
                stages[stage] = [replace(later, note=note) for later in held]
        self._n_open[unit.sample] -= 1
        if self._n_open[unit.sample]:
            return ()
        stage = min(stages, key=STAGES.index)
        freed = stages.pop(stage)
        self._n_held[stage] -= len(freed)
        if stages:
            self._n_open[unit.sample] = len(freed)
        else:
            self._drop(unit.sample)
        return freed

    def set_aside(self, unit: Unit) -> None:
        """Take note that a unit will not be done: what waits for it is not done either."""
        self._drop(unit.sample)

    def _drop(self, sample: str) -> None:
        for stage, held in self._later.pop(sample, {}).items():
            self._n_held[stage] -= len(held)
        self._n_open.pop(sample, None)
