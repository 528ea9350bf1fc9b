"""Workers that go wrong, and their makers: importable, so that another process can make them."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.core.errors import RunError
from finemo_dist.core.events import UnitDone, UnitFailed
from finemo_dist.core.protocols import WorkerMaker
from finemo_dist.core.records import Unit

VICTIM = Unit("a", 1)


class Refusing:
    """Makes workers that know of the victim that it cannot be done."""

    device = "cpu"
    may_run_twice = False
    name = ""

    def make_worker(self, name):
        self.name = name
        return self

    def process(self, unit, coming=()):
        if unit == VICTIM:
            return UnitFailed(unit, self.name, "a.bw: damaged.", is_final=True)
        return UnitDone(unit, self.name, 7, 0, 0, 0.0, {})


class Unmakeable:
    """Makes no worker."""

    device = "cpu"
    may_run_twice = False

    def make_worker(self, name):
        raise RunError("motif_cwms.npy: no array\nand more.")


class Unstartable(Unmakeable):
    """Ends the process that asks for a worker."""

    def make_worker(self, name):
        os._exit(7)


@dataclass(frozen=True)
class Disturbed:
    """Makes the workers of another maker, which do something beside their work on the victim."""

    maker: WorkerMaker
    what: str
    """``die before``, ``die last``, ``die after`` or ``hang``."""
    marker: Path | None = None
    """Made by the first worker that does; the others then do not."""
    n_others: int = 0
    """Units that are done before a worker dies last."""

    @property
    def device(self):
        return self.maker.device

    @property
    def may_run_twice(self):
        return self.maker.may_run_twice

    def make_worker(self, name):
        return _DisturbedWorker(self, self.maker.make_worker(name))

    def act(self):
        if self.marker is not None:
            try:
                self.marker.touch(exist_ok=False)
            except FileExistsError:
                return
        if self.what == "hang":
            time.sleep(300)
        while self.what == "die last" and self._n_done() < self.n_others:
            time.sleep(0.01)
        os._exit(1)

    def _n_done(self):
        return len(list(Path(self.maker.run_dir).glob("peaks_qc/*/part-*.parquet")))


@dataclass
class _DisturbedWorker:
    how: Disturbed
    worker: object

    def process(self, unit, coming=()):
        if unit == VICTIM and self.how.what != "die after":
            self.how.act()
        event = self.worker.process(unit, coming)
        if unit == VICTIM and self.how.what == "die after":
            self.how.act()
        return event
