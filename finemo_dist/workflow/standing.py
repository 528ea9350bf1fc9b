"""How far each sample of a run is: what ``status`` counts, and nothing of how it is shown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.summary import SampleSummary, summarise
from finemo_dist.core.config import OutputKind
from finemo_dist.core.records import Stage, Unit
from finemo_dist.hits.outputs import missing_outputs
from finemo_dist.record.activity import Activity, read_activity
from finemo_dist.record.run_record import RunRecord

FileState = Literal["none", "written", "running", "failed", "missing"]
"""How the files of a sample for other tools are; ``none`` where the run writes none."""


@dataclass(frozen=True, slots=True)
class SampleStanding:
    """Shards of a sample: each is committed, running, failed or missing, and in one of them."""

    summary: SampleSummary
    n_running: int
    n_failed: int
    files: FileState = "none"

    @property
    def n_missing(self) -> int:
        """Shards that wait for somebody to take them."""
        committed = self.summary.n_shards_committed
        return self.summary.n_shards - committed - self.n_running - self.n_failed

    @property
    def is_complete(self) -> bool:
        """Whether every shard is committed and all files are written."""
        return self.summary.is_complete and not self.has_open_files

    @property
    def has_open_files(self) -> bool:
        """Whether files for other tools are to be written."""
        return self.files not in {"none", "written"}


def standings(
    summaries: Iterable[SampleSummary],
    committed: Mapping[str, Set[int]],
    activity: Activity,
    files: Mapping[str, bool] | None = None,
) -> list[SampleStanding]:
    """Return how far every sample is.

    Committed shards count first, then those that are being worked on, then those that failed.

    Parameters
    ----------
    committed
        Shards of each sample whose parts stand.
    files
        Whether the files of each sample are written; None where the run writes none.
    """
    at_work = {found.unit for found in activity.in_flight}
    running = {u for u in at_work if u.stage is Stage.CALL and u.shard not in _of(committed, u)}
    n_running = Counter(unit.sample for unit in running)
    found = []
    for summary in summaries:
        failed = 0
        if activity.failures and not summary.is_complete:
            open_shards = set(range(summary.n_shards)) - committed[summary.sample]
            units = {Unit(summary.sample, shard) for shard in open_shards} - running
            failed = sum(str(unit) in activity.failures for unit in units)
        state: FileState = "none"
        if files is not None:
            unit = Unit(summary.sample, 0, Stage.OUTPUTS)
            state = _file_state(unit, at_work, activity, is_written=files[summary.sample])
        found.append(SampleStanding(summary, n_running[summary.sample], failed, state))
    return found


def _file_state(
    unit: Unit, at_work: Set[Unit], activity: Activity, *, is_written: bool
) -> FileState:
    if is_written:
        return "written"
    if unit in at_work:
        return "running"
    return "failed" if str(unit) in activity.failures else "missing"


def open_failures(
    failures: Mapping[str, str],
    committed: Mapping[str, Set[int]],
    files: Mapping[str, bool] | None = None,
) -> dict[str, str]:
    """Return the failures of units that nobody has committed since."""
    done = {str(Unit(sample, shard)) for sample, shards in committed.items() for shard in shards}
    done |= {
        str(Unit(name, 0, Stage.OUTPUTS))
        for name, is_written in (files or {}).items()
        if is_written
    }
    return {unit: why for unit, why in failures.items() if unit not in done}


def in_order(standing: Sequence[SampleStanding]) -> list[SampleStanding]:
    """Return samples with those first that need looking at: failed, running, missing, complete."""

    def rank(s: SampleStanding) -> tuple[int, str]:
        kinds = (
            s.n_failed or s.files == "failed",
            s.n_running or s.files == "running",
            s.n_missing or s.files == "missing",
        )
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
    compacted: Sequence[str] = ()
    """Samples whose compacted files are current."""
    is_placed: bool = False
    """Whether the hits of all samples lie by place, and that is current."""

    @property
    def state(self) -> str:
        """What to call it: a run whose record says running and that is dead is stopped."""
        if not self.is_open:
            return "incomplete" if self.record.refused else "complete"
        if self.record.status == "running":
            return "running" if self.activity.is_alive else "stopped"
        # Parts may have gone since it was complete.
        return "incomplete" if self.record.status == "complete" else self.record.status

    @property
    def n_open(self) -> int:
        """Shards that are not committed."""
        return sum(s.summary.n_shards - s.summary.n_shards_committed for s in self.samples)

    @property
    def n_open_files(self) -> int:
        """Samples whose files for other tools are not all written."""
        return sum(s.has_open_files for s in self.samples)

    @property
    def is_open(self) -> bool:
        """Whether anything is left to do in the samples that were not refused."""
        return bool(self.n_open or self.n_open_files)

    @property
    def ended_by(self) -> str | None:
        """What ended the last driver before its work was done; None where nothing did."""
        last = self.record.invocations[-1] if self.record.invocations else None
        if last is None or last.status != "incomplete" or not self.is_open:
            return None
        return last.error

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
    activity = read_activity(run, RunRecord.load(run))
    with open_catalog(run, allow_damaged=True) as catalog:
        summaries = summarise(catalog)
        record = catalog.record
        committed = {name: catalog.shards(name) for name in catalog.samples}
        files = _files(catalog)
        compacted, is_placed = catalog.compacted, catalog.is_placed
    failures = open_failures(activity.failures, committed, files)
    samples = in_order(standings(summaries, committed, activity, files))
    return Standing(run, record, activity, samples, failures, compacted, is_placed)


def _files(catalog: Catalog) -> dict[str, bool] | None:
    """Return whether the files of each sample are those of its parts; None where it has none."""
    record = catalog.record
    if record.outputs in {None, OutputKind.NONE}:
        return None
    whole = {
        sample.name: catalog.units(sample.name).values()
        for sample in record.samples
        if len(catalog.shards(sample.name)) == sample.n_shards
    }
    missing = {unit.sample for unit in missing_outputs(catalog.run_dir, record, whole)}
    return {sample.name: sample.name not in missing for sample in record.samples}
