"""How far each sample of a run is: what ``status`` counts, and nothing of how it is shown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.summary import SampleSummary, summarise
from finemo_dist.core.records import Unit
from finemo_dist.record.activity import Activity, read_activity
from finemo_dist.record.run_record import RunRecord


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
    """Return how far every sample is.

    Committed shards count first, then those that are being worked on, then those that failed.

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


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is at one moment."""

    run_dir: Path
    record: RunRecord
    activity: Activity
    samples: Sequence[SampleStanding]
    failures: Mapping[str, str]

    @property
    def state(self) -> str:
        """What to call it: a run whose record says running and that is dead is stopped."""
        if not self.n_open:
            return "incomplete" if self.record.refused else "complete"
        if self.record.status == "running":
            return "running" if self.activity.is_alive else "stopped"
        # Parts may have gone since it was complete.
        return "incomplete" if self.record.status == "complete" else self.record.status

    @property
    def n_open(self) -> int:
        """Shards that are not committed."""
        return sum(s.summary.n_shards - s.summary.n_shards_committed for s in self.samples)

    def total(self, name: str) -> int:
        """Return how many shards of all samples are so."""
        return sum(getattr(s, name) for s in self.samples)


def standing_of(run: Path) -> Standing:
    """Return how far a run is now.

    Raises
    ------
    RunError
        There is no run, or its record cannot be read.
    """
    # Before the parts, so that what is committed meanwhile is not taken for missing.
    activity = read_activity(run, RunRecord.load(run), now=datetime.now(UTC))
    with open_catalog(run, allow_damaged=True) as catalog:
        summaries = summarise(catalog)
        record = catalog.record
        committed = {name: set(catalog.units(name)) for name in catalog.samples}
    failures = open_failures(activity.failures, committed)
    samples = in_order(standings(summaries, committed, activity))
    return Standing(run, record, activity, samples, failures)
