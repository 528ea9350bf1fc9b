"""The plan of a run: what is left to do, and whether a directory holds that very run."""

import platform
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from finemo_dist import __version__
from finemo_dist.core.config import CallConfig, OutputKind, digest_of
from finemo_dist.core.errors import RunError
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.protocols import RegionOutline
from finemo_dist.core.records import STAGES, InputFile, MotifSet, Unit
from finemo_dist.core.words import count
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.motifs import write_motifs
from finemo_dist.hits.outputs import missing_outputs
from finemo_dist.hits.read import survey_run
from finemo_dist.record.run_record import RunRecord, SampleRecord
from finemo_dist.run.differences import differing
from finemo_dist.run.motif_groups import MotifGroups, group_motifs
from finemo_dist.run.remains import (
    check_remains,
    remove_other_parts,
    standing_record,
)
from finemo_dist.storage.locations import location

_OTHER: Final = "another"
"""The digest of no store."""
_MOST_DIFFERENCES: Final = 8
"""Named of a run that is another one."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run that is recorded on disk, and its units that are not committed."""

    run_dir: Path
    record: RunRecord
    pending: tuple[Unit, ...]
    n_committed: int
    n_not_converged: int
    """Regions in the committed units."""
    damaged: tuple[str, ...]
    """What is wrong with parts that stand but do not count."""
    pending_outputs: tuple[Unit, ...] = ()
    """Units that write the files of a sample that are missing or outdated."""
    extraction: "Extraction" = field(default_factory=lambda: Extraction())
    """What makes the stores that are not whole yet."""

    @property
    def n_units(self) -> int:
        """Units of the whole run."""
        return sum(sample.n_shards for sample in self.record.samples)

    @property
    def work(self) -> tuple[Unit, ...]:
        """All that is left to do, sample by sample."""
        rank = {sample.name: i for i, sample in enumerate(self.record.samples)}
        units = (*self.extraction.units, *self.pending, *self.pending_outputs)
        return tuple(sorted(units, key=lambda u: (rank[u.sample], STAGES.index(u.stage))))

    @property
    def n_output_regions(self) -> int:
        """Regions in the samples whose files are to be written."""
        names = {unit.sample for unit in self.pending_outputs}
        return sum(sample.n_regions for sample in self.record.samples if sample.name in names)

    @property
    def n_pending_regions(self) -> int:
        """Regions in the pending units."""
        shards = {s.name: -(-s.n_regions // max(1, s.n_shards)) for s in self.record.samples}
        return sum(shards[unit.sample] for unit in self.pending)


@dataclass(frozen=True, slots=True)
class Extraction:
    """The units that make the stores of some samples."""

    units: tuple[Unit, ...] = ()
    n_bases: int = 0
    """In the regions that are to be written."""

    @property
    def samples(self) -> frozenset[str]:
        """Whose stores are not whole."""
        return frozenset(unit.sample for unit in self.units)


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """One sample of a run: its regions, the motifs to call in them, and how."""

    store: RegionOutline
    motifs: MotifSet
    config: CallConfig
    modisco: InputFile | None = None
    """Where the motifs come from: of several files the first of TF-MoDISco."""
    motif_files: tuple[InputFile, ...] = ()
    """All of them, where there are several."""


def plan_run(
    run_dir: Path,
    samples: Mapping[str, PlannedSample],
    *,
    reports: Mapping[str, InputReport] | None = None,
    refused: Mapping[str, str] | None = None,
    outputs: OutputKind | None = None,
    replaces: bool = False,
    extraction: Extraction | None = None,
) -> RunPlan:
    """Record a run in its directory, or find the same run there, and list what is left to do.

    Samples whose motifs are equal and of one modisco file share a motif set. Nothing is written as
    long as no store is whole: ``Roster`` records the run when the first is.

    Parameters
    ----------
    reports
        What was met while the regions of each sample were read.
    refused
        Samples that are not called, with why.
    outputs
        Files that belong to the complete run.
    replaces
        Whether the record of another run is replaced; parts that match are kept all the same.
    extraction
        Of the samples whose stores are not whole; their digests follow.

    Raises
    ------
    RunError
        The directory holds another run.
    """
    extraction = extraction or Extraction()
    sets = group_motifs(samples)
    record = record_of(samples, sets, reports or {}, refused=refused or {}, outputs=outputs)
    standing, e_tag = standing_record(run_dir)
    record = record.replacing(e_tag)
    if standing is not None and not replaces:
        record = _with_known_stores(record, standing, extraction)
        _check_same_run(run_dir, standing, record)
        record = record.replacing(e_tag, created=standing.created, of=standing.invocations)
        if (done := _done(run_dir, standing, record)) is not None:
            # Nothing to do leaves the record of how it was done.
            _write_motifs(run_dir, standing, sets)
            return replace(done, extraction=extraction)
    elif not replaces:
        check_remains(run_dir, record)
    if record.has_joined:
        record = begin_run(run_dir, record, sets)
        if replaces:
            remove_other_parts(run_dir, record)
    plan = _subtract_committed(run_dir, record, check_bytes=True)
    return replace(plan, extraction=extraction)


def _with_known_stores(record: RunRecord, standing: RunRecord, extraction: Extraction) -> RunRecord:
    """Return the record with the digests of stores that went and are made again.

    They have to be the same; of regions that differ already it is seen now.
    """
    for known in standing.samples:
        sample = record.sample(known.name) if known.name in extraction.samples else None
        if sample is not None:
            is_like = _outline(sample) == _outline(known)
            record = record.with_store(known.name, known.store_digest if is_like else _OTHER)
    return record


def _outline(sample: SampleRecord) -> tuple[object, ...]:
    return sample.n_regions, sample.n_shards, sample.region_width, sample.has_coordinates


def begin_run(run_dir: Path, record: RunRecord, sets: MotifGroups) -> RunRecord:
    """Write the record and then the motifs; return the record as it is to be replaced."""
    # The record first: whatever is made after it belongs to a run that is known.
    record = record.save_joined(run_dir)
    _write_motifs(run_dir, record, sets)
    return record


def record_of(
    samples: Mapping[str, PlannedSample],
    sets: MotifGroups,
    reports: Mapping[str, InputReport],
    *,
    refused: Mapping[str, str],
    outputs: OutputKind | None,
) -> RunRecord:
    """Return the record of a run that begins."""
    return _new_record(samples, sets).model_copy(
        update={
            "warnings": InputReport.total(reports.values()).counts.irregular(),
            "input_reports": {name: asdict(report) for name, report in reports.items()},
            "refused": dict(refused),
            "outputs": outputs,
        }
    )


def _done(run_dir: Path, standing: RunRecord, asked: RunRecord) -> RunPlan | None:
    """Return the plan of a complete run that has all the samples that are asked for.

    A sample of it that is refused now stays in it: its hits are as good as they were.
    """
    missing = {s.name for s in standing.samples} - {s.name for s in asked.samples}
    is_all = standing.samples == asked.samples or (
        missing
        and missing <= asked.refused.keys()
        and len(missing) + len(asked.samples) == len(standing.samples)
    )
    is_same = standing.refused.keys() == asked.refused.keys() - missing
    is_same = is_same and standing.outputs == asked.outputs
    if standing.status != "complete" or not is_all or not is_same:
        return None
    done = _subtract_committed(run_dir, standing, check_bytes=True)
    return None if done.work else done


def _write_motifs(run_dir: Path, record: RunRecord, sets: MotifGroups) -> None:
    """Write the motif sets that are in a record, as they were grouped for it."""
    for asked, motifs in zip(sets.records, sets.motifs, strict=True):
        for known in record.sets:
            if (known.name, known.folder, known.digest) == (asked.name, asked.folder, asked.digest):
                write_motifs(run_dir, motifs, known.folder)


def read_plan(run_dir: Path) -> RunPlan:
    """Return the plan of a recorded run, for those who only look.

    Raises
    ------
    RunError
        There is no run, or its record cannot be read.
    """
    return _subtract_committed(run_dir, RunRecord.load(run_dir))


def _new_record(samples: Mapping[str, PlannedSample], sets: MotifGroups) -> RunRecord:
    settings = {name: sample.config.model_dump(mode="json") for name, sample in samples.items()}
    common = _most_common(settings.values())
    digests = {name: config_digest(settings[name], sets.record_of(name).digest) for name in samples}
    is_one = len(set(digests.values())) == 1
    motif_digests = [found.digest for found in sets.records]
    lengths = {name: _chrom_lengths(sample.store) for name, sample in samples.items()}
    assemblies = list({digest_of(found): found for found in lengths.values() if found}.values())
    return RunRecord(
        version=__version__,
        status="running",
        created=now(),
        samples=tuple(
            _sample_record(name, sample.store).model_copy(
                update={
                    "motif_set": sets.record_of(name).name,
                    "config": None if settings[name] == common else settings[name],
                    "config_digest": "" if is_one else digests[name],
                    "assembly": assemblies.index(lengths[name]) if lengths[name] else None,
                }
            )
            for name, sample in samples.items()
        ),
        config=common,
        config_digest=next(iter(digests.values())) if is_one else digest_of(digests),
        motif_width=max(found.motif_width for found in sets.records),
        n_motifs=sum(found.n_motifs for found in sets.records),
        motif_digest=motif_digests[0] if len(motif_digests) == 1 else digest_of(motif_digests),
        motif_sets=sets.records,
        chrom_lengths=tuple(assemblies),
        inputs=tuple(dict.fromkeys(file for s in samples.values() for file in _motif_files(s))),
        machine=_machine(),
    )


def _motif_files(sample: PlannedSample) -> tuple[InputFile, ...]:
    return sample.motif_files or ((sample.modisco,) if sample.modisco else ())


def _chrom_lengths(store: RegionOutline) -> dict[str, int]:
    table = store.table(0, 0)
    pairs = zip(table.chrom_names, table.chrom_lengths, strict=False)
    return {name: length for name, length in pairs if length > 0}


def config_digest(settings: Mapping[str, Any], motifs: str) -> str:
    """Return the digest of all that decides the hits of a sample but its regions.

    Not of the motif settings themselves: what they came to is in the digest of the motifs.
    """
    return digest_of({"solver": settings["solver"], "motifs": motifs})


def _most_common(settings: Collection[dict[str, Any]]) -> dict[str, Any]:
    """Return what most samples have; the first of equals."""
    by_digest = {digest_of(found): found for found in settings}
    ((digest, _),) = Counter(digest_of(found) for found in settings).most_common(1)
    return by_digest[digest]


def _machine() -> dict[str, str]:
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("torch", "numpy", "zarr", "pyarrow")},
    }


def _sample_record(name: str, store: RegionOutline) -> SampleRecord:
    return SampleRecord(
        name=name,
        store=str(location(store.path).resolve()),
        store_given=store.path,
        store_digest=store.digest,
        n_regions=store.n_regions,
        n_shards=store.n_shards,
        region_width=store.region_width,
        has_coordinates=store.table(0, 0).has_coordinates,
    )


def _check_same_run(run_dir: Path, standing: RunRecord, asked: RunRecord) -> None:
    differences = differing(standing, asked)
    if differences:
        more = len(differences) - _MOST_DIFFERENCES
        others = f"; and {count(more, 'more difference')}" if more > 0 else ""
        raise another_run(run_dir, f"{'; '.join(differences[:_MOST_DIFFERENCES])}{others}")


def another_run(run_dir: Path, differences: str) -> RunError:
    """Return the error of a directory that holds another run than is asked for."""
    return RunError(
        f"{run_dir}: holds another run: {differences}. "
        "Choose another directory, or replace the run with --force."
    )


def _subtract_committed(run_dir: Path, record: RunRecord, *, check_bytes: bool = False) -> RunPlan:
    names = [sample.name for sample in record.samples]
    standing = survey_run(run_dir, names, check_bytes=check_bytes)
    current = standing.current(record)
    pending: list[Unit] = []
    whole: dict[str, Iterable[PartFooter]] = {}
    for sample in record.samples:
        parts = current[sample.name]
        if len(parts) == sample.n_shards:
            whole[sample.name] = parts.footers()
        else:
            committed = set(parts.shards)
            shards = (shard for shard in range(sample.n_shards) if shard not in committed)
            pending.extend(Unit(sample.name, shard) for shard in shards)
    return RunPlan(
        run_dir,
        record,
        tuple(pending),
        n_committed=current.n_units,
        n_not_converged=sum(current.sums("n_not_converged")),
        damaged=tuple(problem for name in names for problem in standing.damaged.get(name, ())),
        pending_outputs=missing_outputs(run_dir, record, whole),
    )


def now() -> str:
    """Return the time in UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
