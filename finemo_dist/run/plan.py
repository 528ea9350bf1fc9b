"""The plan of a run: what is left to do, and whether a directory holds that very run."""

import platform
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np

from finemo_dist import __version__
from finemo_dist.core.config import CallConfig, OutputKind, digest_of
from finemo_dist.core.errors import InputError, RunError
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.protocols import RegionKind, RegionReader
from finemo_dist.core.records import InputFile, MotifSet, ScoreKind, Unit
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
    is_current,
    remove_other_parts,
    standing_record,
)
from finemo_dist.storage.locations import location

_HIGHEST_SIMILARITY: Final = 1.0
"""Of a cosine."""
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

    @property
    def n_units(self) -> int:
        """Units of the whole run."""
        return sum(sample.n_shards for sample in self.record.samples)

    @property
    def work(self) -> tuple[Unit, ...]:
        """All that is left to do, sample by sample."""
        rank = {sample.name: i for i, sample in enumerate(self.record.samples)}
        units = (*self.pending, *self.pending_outputs)
        return tuple(sorted(units, key=lambda unit: rank[unit.sample]))

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
class PlannedSample:
    """One sample of a run: its regions, the motifs to call in them, and how."""

    store: RegionReader
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
) -> RunPlan:
    """Record a run in its directory, or find the same run there, and list what is left to do.

    Samples whose motifs are equal and of one modisco file share a motif set.

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

    Raises
    ------
    RunError
        The directory holds another run.
    """
    sets = group_motifs(samples)
    record = _new_record(samples, sets)
    told = {name: asdict(report) for name, report in (reports or {}).items()}
    warnings = InputReport.total((reports or {}).values()).counts.irregular()
    record = record.model_copy(
        update={
            "warnings": warnings,
            "input_reports": told,
            "refused": dict(refused or {}),
            "outputs": outputs,
        }
    )
    standing, e_tag = standing_record(run_dir)
    record = record.replacing(e_tag)
    if standing is not None and not replaces:
        _check_same_run(run_dir, standing, record)
        record = record.replacing(e_tag, created=standing.created, of=standing.invocations)
        if (done := _done(run_dir, standing, record)) is not None:
            # Nothing to do leaves the record of how it was done.
            _write_motifs(run_dir, standing, sets)
            return done
    elif not replaces:
        check_remains(run_dir, record)
    # The record first: whatever is made after it belongs to a run that is known.
    record.save(run_dir)
    if replaces:
        remove_other_parts(run_dir, record)
    _write_motifs(run_dir, record, sets)
    return _subtract_committed(run_dir, record, check_bytes=True)


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


def _chrom_lengths(store: RegionReader) -> dict[str, int]:
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


def _sample_record(name: str, store: RegionReader) -> SampleRecord:
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


def check_regions(
    name: str,
    path: str | Path,
    regions: RegionKind,
    *,
    motifs: MotifSet,
    config: CallConfig,
) -> None:
    """Refuse regions of a sample in which the motifs cannot be called.

    Raises
    ------
    InputError
        They are narrower than the motifs, or lack the hypothetical scores the mode needs.
    """
    if regions.region_width < motifs.width:
        raise InputError(
            f"{path}: regions of sample {name!r} are {regions.region_width} bases wide, "
            f"narrower than the motifs ({motifs.width} columns). Extract wider regions (-w)."
        )
    mode = config.solver.mode
    if mode.contributions_are_hypothetical and regions.score_kind is ScoreKind.PROJECTED:
        raise InputError(
            f"{path}: holds projected contributions of sample {name!r}, and mode "
            f"{mode.value!r} needs hypothetical ones. Use -M pp or -M hp, or extract the regions "
            "from H5 or modisco files with `--scores hypothetical` (in a configuration `scores`)."
        )
    wrong = np.flatnonzero(~(np.isfinite(motifs.penalty) & (motifs.penalty > 0)))
    if wrong.size:
        raise InputError(
            f"Motif {motifs.name[wrong[0]]!r} has lambda {motifs.penalty[wrong[0]]}; expected a "
            "finite number above 0."
        )
    _check_reachable(motifs, config)


def _check_reachable(motifs: MotifSet, config: CallConfig) -> None:
    """Refuse a lambda that no hit can pass: the post-filter compares it with the similarity."""
    beyond = np.flatnonzero(motifs.penalty >= _HIGHEST_SIMILARITY)
    if beyond.size and config.solver.use_post_filter:
        raise InputError(
            f"Motif {motifs.name[beyond[0]]!r} has lambda {motifs.penalty[beyond[0]]:g}, and so "
            f"have {len(set(beyond // 2)):,} of {len(motifs) // 2:,} motifs; the post-filter keeps "
            "hits whose similarity is at least lambda, and no similarity exceeds 1. Choose a "
            "lambda below 1 (-l, -L), or leave the filter out (--no-post-filter)."
        )


def check_scores(name: str, path: str | Path, report: InputReport, config: CallConfig) -> None:
    """Refuse projected contributions in the place of hypothetical ones.

    Raises
    ------
    InputError
        The mode needs scores of every base, and all are zero off the observed one.
    """
    counts, mode = report.counts, config.solver.mode
    n_scored = counts.n_regions - counts.n_zero
    is_projected = 0 < n_scored == counts.n_zero_off_base
    if is_projected and mode.contributions_are_hypothetical:
        raise InputError(
            f"{path}: the contributions of sample {name!r} are zero off the observed base in all "
            f"{n_scored:,} regions that have any, so they are projected ones, and mode "
            f"{mode.value!r} needs hypothetical ones. Use -M pp or -M hp, or give the hypothetical "
            "contributions to extract-regions."
        )


def _check_same_run(run_dir: Path, standing: RunRecord, asked: RunRecord) -> None:
    differences = differing(standing, asked)
    if differences:
        more = len(differences) - _MOST_DIFFERENCES
        others = f"; and {count(more, 'more difference')}" if more > 0 else ""
        raise RunError(
            f"{run_dir}: holds another run: {'; '.join(differences[:_MOST_DIFFERENCES])}{others}. "
            "Choose another directory, or replace the run with --force."
        )


def _subtract_committed(run_dir: Path, record: RunRecord, *, check_bytes: bool = False) -> RunPlan:
    names = [sample.name for sample in record.samples]
    standing = survey_run(run_dir, names, check_bytes=check_bytes)
    pending: list[Unit] = []
    damaged: list[str] = []
    n_committed = n_not_converged = 0
    whole: dict[str, list[PartFooter]] = {}
    for sample in record.samples:
        parts = standing[sample.name]
        damaged += parts.damaged
        current = []
        for shard in range(sample.n_shards):
            footer = parts.units.get(shard)
            if footer is not None and is_current(footer, record, sample):
                current.append(footer)
                n_not_converged += footer.n_not_converged
            else:
                pending.append(Unit(sample.name, shard))
        n_committed += len(current)
        if len(current) == sample.n_shards:
            whole[sample.name] = current
    return RunPlan(
        run_dir,
        record,
        tuple(pending),
        n_committed=n_committed,
        n_not_converged=n_not_converged,
        damaged=tuple(damaged),
        pending_outputs=missing_outputs(run_dir, record, whole),
    )


def now() -> str:
    """Return the time in UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
