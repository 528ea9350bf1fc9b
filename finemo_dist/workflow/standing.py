"""How far each sample of a run is: what ``status`` counts, and nothing of how it is shown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from finemo_dist.catalog.summary import SampleSummary
from finemo_dist.core.records import Unit
from finemo_dist.record.activity import Activity


@dataclass(frozen=True, slots=True)
class SampleStanding:
    """Shards of a sample: each is committed, running, failed or missing, and in one of them."""

    summary: SampleSummary
    n_running: int
    n_failed: int

    @property
    def n_missing(self) -> int:
        """Shards that wait for somebody to take them."""
        committed = self.summary.n_shards_committed
        return self.summary.n_shards - committed - self.n_running - self.n_failed


def standings(
    summaries: Iterable[SampleSummary], committed: Mapping[str, Set[int]], activity: Activity
) -> list[SampleStanding]:
    """Return where every sample stands.

    What stands on disk counts first, then what is being worked on, then what failed.

    Parameters
    ----------
    committed
        Shards of each sample whose parts stand.
    """
    running = {f.unit for f in activity.in_flight if f.unit.shard not in _of(committed, f.unit)}
    n_running = Counter(unit.sample for unit in running)
    found = []
    for summary in summaries:
        failed = 0
        if activity.failures and not summary.is_complete:
            open_shards = set(range(summary.n_shards)) - committed[summary.sample]
            units = {Unit(summary.sample, shard) for shard in open_shards} - running
            failed = sum(str(unit) in activity.failures for unit in units)
        found.append(SampleStanding(summary, n_running[summary.sample], failed))
    return found


def open_failures(failures: Mapping[str, str], committed: Mapping[str, Set[int]]) -> dict[str, str]:
    """Return the failures of units that nobody has committed since."""
    done = {str(Unit(sample, shard)) for sample, shards in committed.items() for shard in shards}
    return {unit: why for unit, why in failures.items() if unit not in done}


def in_order(standing: Sequence[SampleStanding]) -> list[SampleStanding]:
    """Return samples with those first that need looking at: failed, running, missing, complete."""

    def rank(s: SampleStanding) -> tuple[int, str]:
        kinds = (s.n_failed, s.n_running, s.n_missing)
        return next((i for i, n in enumerate(kinds) if n), len(kinds)), s.summary.sample

    return sorted(standing, key=rank)


def _of(committed: Mapping[str, Set[int]], unit: Unit) -> Set[int]:
    return committed.get(unit.sample, frozenset())
