"""Units that wait for others of their sample: its files for its shards."""

from collections.abc import Sequence

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

    def done(self, unit: Unit) -> Sequence[Unit]:
        """Take note that a unit is done, and return those that need not wait any longer."""
        if unit.sample not in self._n_open:
            return ()
        self._n_open[unit.sample] -= 1
        if self._n_open[unit.sample]:
            return ()
        stages = self._later[unit.sample]
        freed = stages.pop(min(stages, key=STAGES.index))
        if stages:
            self._n_open[unit.sample] = len(freed)
        else:
            self._drop(unit.sample)
        return freed

    def set_aside(self, unit: Unit) -> None:
        """Take note that a unit will not be done: what waits for it is not done either."""
        self._drop(unit.sample)

    def _drop(self, sample: str) -> None:
        self._later.pop(sample, None)
        self._n_open.pop(sample, None)
