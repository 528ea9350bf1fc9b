"""Writing the files for other tools of each sample of a run, as units of the run."""

import logging
import os
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.core.clock import Clock
from finemo_dist.core.config import OutputKind, ResourceConfig, SampleSettings
from finemo_dist.core.errors import RunError
from finemo_dist.core.events import UnitDone
from finemo_dist.core.records import Unit
from finemo_dist.core.system_errors import fault
from finemo_dist.core.words import count, have
from finemo_dist.exports.finemo_files import write_finemo_files
from finemo_dist.exports.tables import ExportFormat, export_hits
from finemo_dist.hits.outputs import Outputs, made_from, outputs_folder
from finemo_dist.record.run_record import RunRecord
from finemo_dist.run.plan import RunPlan
from finemo_dist.storage.locations import location
from finemo_dist.workflow.finemo_parameters import write_parameters

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """All that workers must know to write the files of any sample; satisfies ``WorkerMaker``."""

    run_dir: str
    record: RunRecord
    settings: Mapping[str, SampleSettings]
    """Of each sample, for the files that repeat them."""
    resources: ResourceConfig
    n_threads: int | None = None
    """For the files of one sample; as Ray says when None, which gives each worker its cores."""

    @classmethod
    def of_plan(
        cls,
        plan: RunPlan,
        settings: Mapping[str, SampleSettings],
        resources: ResourceConfig,
        n_threads: int | None,
    ) -> Self:
        """Return that of all samples of a plan."""
        # Workers need neither reports nor who worked on the run.
        record = plan.record.model_copy(update={"input_reports": {}, "invocations": ()})
        run_dir = str(plan.run_dir.resolve())
        return cls(run_dir, record, dict(settings), resources, n_threads)

    @property
    def device(self) -> str:
        """Files are written by CPUs."""
        return "cpu"

    @property
    def may_run_twice(self) -> bool:
        """Each file is committed by one rename, and is the same whoever writes it."""
        return True

    def make_worker(self, name: str) -> "OutputWorker":
        """Return a worker."""
        return OutputWorker(self, name)


class OutputWorker:
    """Writes the files of one sample after another."""

    def __init__(self, spec: OutputSpec, name: str) -> None:
        self._spec = spec
        self._name = name
        self._open = ExitStack()
        self._catalog: Catalog | None = None
        # Nobody closes a worker.
        weakref.finalize(self, self._open.close)

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone:
        """Write the files of a sample and commit that they are; twice leaves the same bytes.

        Nothing is done for ``coming`` units beforehand.

        Raises
        ------
        RunError
            A part is damaged, or a file cannot be written.
        """
        del coming
        clock = Clock()
        run_dir = location(self._spec.run_dir).resolve()
        record = self._spec.record
        if unit.note:
            record = record.with_store(unit.sample, unit.note)
        sample = record.sample(unit.sample)
        assert sample is not None, "units are those of the record"
        out = run_dir / outputs_folder(record, sample)
        # As if the sample were the run: its motifs keep the names of their own set.
        only = record.only(unit.sample)
        catalog = self._opened(run_dir, only)
        footers = tuple(catalog.units(unit.sample).values())
        if len(footers) < sample.n_shards:
            raise RunError(
                f"{run_dir}: shards of sample {unit.sample!r} are missing. Run the same "
                "command again to finish it."
            )
        try:
            files = self._write(catalog, unit.sample, out, only)
            sources = made_from(record, sample, footers)
            Outputs.of_files(run_dir, files, made_from=sources).save(run_dir, unit.sample)
        except OSError as error:
            what = f"{out}: files cannot be written ({error.strerror or error})."
            raise fault(out, error, otherwise=what, kind=RunError, doing="written") from error
        clock.lap("outputs")
        return UnitDone(unit, self._name, 0, 0, 0, 0.0, clock.seconds)

    def _opened(self, run_dir: Path, only: RunRecord) -> Catalog:
        """Return a catalog of the one sample of a record, that of the sample before if it can."""
        names = [sample.name for sample in only.samples]
        before, self._catalog = self._catalog, None
        threads = self._spec.n_threads or _threads()
        found = open_catalog(run_dir, record=only, samples=names, threads=threads, reused=before)
        if found is not before:
            self._open.close()
            self._open.callback(found.close)
        self._catalog = found
        return found

    def _write(self, catalog: Catalog, name: str, out: Path, only: RunRecord) -> tuple[Path, ...]:
        if only.outputs is OutputKind.PARQUET:
            path = out / "hits.parquet"
            export_hits(catalog, path, export_format=ExportFormat.PARQUET, sample=name)
            return (path,)
        settings = self._spec.settings[name]
        files = write_finemo_files(catalog, name, out)
        return files + write_parameters(
            out, only.samples[0], settings.modisco_h5, settings.call, self._spec.resources, only
        )


def written_files(run_dir: Path, record: RunRecord) -> tuple[Path, ...]:
    """Return the files of all samples that are written, in the order of samples."""
    found = (Outputs.load(run_dir, sample.name) for sample in record.samples)
    return tuple(run_dir / name for one in found if one is not None for name in one.sizes)


def warn_of_files_without_meaning(plan: RunPlan) -> None:
    """Log the samples of which files that need peak coordinates are not written."""
    if plan.record.outputs is not OutputKind.FINEMO:
        return
    pending = {unit.sample for unit in plan.pending_outputs}
    samples = (s for s in plan.record.samples if s.name in pending)
    names = [sample.name for sample in samples if not sample.has_coordinates]
    if not names:
        return
    others = f" and {count(len(names) - 1, 'other')}" if len(names) > 1 else ""
    logger.warning(
        "Sample %s%s %s no peak coordinates: hits_unique.tsv and hits.bed are not written, because "
        "positions in different regions cannot be compared. Give the peaks to `extract-regions` "
        "with `-p`.",
        names[0], others, have(len(names)),
    )  # fmt: skip


def _threads() -> int | None:
    """Return how many threads DuckDB may use: Ray says how many cores a worker owns."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else None
