"""The worker that extracts regions: begins stores, writes their shards, and finishes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from finemo_dist.core.clock import Clock
from finemo_dist.core.errors import InputError, StoreError, UsageError
from finemo_dist.core.events import UnitDone, UnitFailed
from finemo_dist.core.protocols import Source
from finemo_dist.core.records import EXTRACTION, Mode, Unit
from finemo_dist.core.records import Stage as UnitStage
from finemo_dist.core.system_errors import fault, is_condition
from finemo_dist.run.region_checks import check_scores
from finemo_dist.storage.locations import location
from finemo_dist.store import staging
from finemo_dist.store.encode import encode_partition, is_made_for, unwritten_partitions
from finemo_dist.store.read import open_store


class Stage(Enum):
    """What the units of an extraction are."""

    OPEN = "open"
    """A sample: its inputs are checked and its store is begun; the shard of the unit is 0."""
    WRITE = "write"
    """A shard of a store that was begun, or its end."""


@dataclass(frozen=True, slots=True)
class SampleExtraction:
    """A sample to extract."""

    make_source: Callable[[], Source]
    """Picklable: called on the worker, so that no table of regions travels."""
    path: str
    """Of the store."""
    staged: str
    """Where it is made, of ``staging.claim``."""
    name: str = ""
    """Of the sample."""
    mode: Mode | None = None
    """In which hits are called; a store that lacks the scores for it is refused."""


@dataclass(frozen=True, slots=True)
class ExtractionSpec:
    """What a worker must know to take any unit of an extraction; satisfies ``WorkerMaker``."""

    stage: Stage
    samples: Mapping[str, SampleExtraction]
    overwrite: bool
    """Whether stores of other inputs are replaced."""

    @property
    def device(self) -> str:
        """Extraction is done by CPUs."""
        return "cpu"

    @property
    def may_run_twice(self) -> bool:
        """A shard of a Zarr store has one writer."""
        return False

    def make_worker(self, name: str) -> "ExtractionWorker":
        """Return a worker."""
        return ExtractionWorker(self, name)


def cannot_be_written(path: str, error: OSError) -> StoreError:
    """Return the error of a store that the system does not let be written."""
    what = (
        f"{path}: cannot be written ({error.strerror or error}). Check space and permissions of "
        f"{location(path).parent}."
    )
    return fault(path, error, otherwise=what, kind=StoreError, doing="written")


class ExtractionWorker:
    """Extracts units one after another; keeps the source of the sample it works on."""

    def __init__(self, spec: ExtractionSpec, name: str) -> None:
        self._spec = spec
        self._name = name
        self._sample: str | None = None
        self._source: Source | None = None

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone | UnitFailed:
        """Begin a store, write a shard of it, or finish it.

        Doing so twice leaves the same bytes.

        Nothing is done for ``coming`` units beforehand.

        Raises
        ------
        StoreError
            The store cannot be written, or is no longer where it was begun.
        """
        del coming
        sample = self._spec.samples[unit.sample]
        is_opening = self._spec.stage is Stage.OPEN
        clock, note = Clock(), ""
        try:
            if unit.stage is UnitStage.STORE:
                n_regions, note = self._finish(sample)
            elif is_opening:
                n_regions = self._open(unit.sample, sample, self._source_of(unit.sample, sample))
            else:
                source = self._source_of(unit.sample, sample)
                n_regions = encode_partition(sample.staged, source, unit.shard).n_regions
        except (InputError, UsageError) as error:
            return self._refused(unit, error)
        except StoreError as error:
            if is_opening and not is_condition(error):
                return self._refused(unit, error)
            raise
        except OSError as error:
            raise cannot_be_written(sample.path, error) from error
        clock.lap(unit.stage if unit.stage in EXTRACTION else self._spec.stage.value)
        return UnitDone(unit, self._name, n_regions, 0, 0, 0.0, clock.seconds, note)

    def _finish(self, sample: SampleExtraction) -> tuple[int, str]:
        """Give a store its name; return its regions and its digest."""
        path = location(sample.path)
        staged = location(sample.staged)
        # Whoever did this before may have been lost before it said so.
        is_done = not staged.exists() and path.exists()
        meta = open_store(path).meta if is_done else staging.put_in_place(staged, path)
        if sample.mode is not None:
            check_scores(sample.name, sample.path, meta.report, sample.mode)
        return meta.n_regions, meta.digest

    def _refused(self, unit: Unit, error: Exception) -> UnitFailed:
        # What the system of this node refuses, that of another may give.
        is_final = not is_condition(error)
        return UnitFailed(unit, self._name, str(error), is_final=is_final, is_refused=True)

    def _source_of(self, name: str, sample: SampleExtraction) -> Source:
        if self._source is None or self._sample != name:
            # The one before stays until then: sources of one genome share what is decoded of it.
            before, self._source = self._source, None
            self._source, self._sample = sample.make_source(), name
            del before
        return self._source

    def _open(self, name: str, sample: SampleExtraction, source: Source) -> int:
        path = location(sample.path)
        if path.exists() and not staging.is_begun(path):
            # What is no store, or a damaged one, is not replaced either.
            store = open_store(path)
            is_same = is_made_for(path, source, or_more=True)
            # A store of these inputs that lost a shard is made again, and replaced by a whole one.
            if is_same and not unwritten_partitions(path):
                staging.discard(path)
                return store.n_regions
            if not is_same and not self._spec.overwrite:
                raise UsageError(
                    f"{path}: was extracted from other inputs of sample {name!r}, or with other "
                    "options. Remove it, or replace it with --force."
                )
            if is_same:
                staging.reopen(path)
        return staging.begin(location(sample.staged), source).n_regions
