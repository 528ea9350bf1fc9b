"""What a run is to do, what of it is done, and whether a directory holds that very run."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from finemo_dist import __version__
from finemo_dist.core.config import CallConfig, digest_of
from finemo_dist.core.errors import InputError, RunError
from finemo_dist.core.files import remove_tree
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.locations import location
from finemo_dist.core.protocols import RegionKind, RegionReader
from finemo_dist.core.records import InputFile, MotifSet, ScoreKind, Unit
from finemo_dist.core.run_log import remove_logs
from finemo_dist.core.run_record import RunRecord, SampleRecord
from finemo_dist.hits.motifs import write_motifs
from finemo_dist.hits.read import survey_run

OWN_ENTRIES = (
    "run.json", "motifs", "hits", "peaks_qc", "regions", "samples", "hits.tsv", "hits_unique.tsv",
    "hits.bed", "peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy", "params.json",
    "parameters.json",
)  # fmt: skip
"""What a run directory may hold of ours; ``--force`` removes these and nothing else."""


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

    @property
    def n_units(self) -> int:
        """Units of the whole run."""
        return sum(sample.n_shards for sample in self.record.samples)

    @property
    def n_pending_regions(self) -> int:
        """Regions in the pending units."""
        shards = {s.name: -(-s.n_regions // max(1, s.n_shards)) for s in self.record.samples}
        return sum(shards[unit.sample] for unit in self.pending)


def plan_run(
    run_dir: Path,
    samples: Mapping[str, RegionReader],
    motifs: MotifSet,
    config: CallConfig,
    *,
    inputs: Sequence[InputFile],
    reports: Mapping[str, InputReport] | None = None,
) -> RunPlan:
    """Record a run in its directory, or find the same run there, and list what is left to do.

    Raises
    ------
    InputError
        Regions are narrower than the motifs, or lack the hypothetical scores the mode needs.
    RunError
        The directory holds another run.
    """
    for name, store in samples.items():
        check_regions(name, store.path, store, motifs=motifs, config=config)
    record = _new_record(samples, motifs, config, inputs)
    told = {name: asdict(report) for name, report in (reports or {}).items()}
    warnings = InputReport.total((reports or {}).values()).counts.irregular()
    record = record.model_copy(update={"warnings": warnings, "input_reports": told})
    standing = _standing_record(run_dir)
    if standing is not None:
        _check_same_run(run_dir, standing, record)
        record = record.following(standing).model_copy(
            update={"created": standing.created, "invocations": standing.invocations}
        )
    else:
        check_output(run_dir)
    write_motifs(run_dir, motifs)
    if standing is not None and standing.status == "complete":
        done = _subtract_committed(run_dir, standing, check_bytes=True)
        # Nothing to do leaves the record of how it was done.
        if not done.pending and standing.samples == record.samples:
            return done
    record.save(run_dir)
    return _subtract_committed(run_dir, record, check_bytes=standing is not None)


def read_plan(run_dir: Path) -> RunPlan:
    """Return the plan of a recorded run, for those who only look.

    Raises
    ------
    RunError
        There is no run, or its record cannot be read.
    """
    return _subtract_committed(run_dir, RunRecord.load(run_dir))


def clear_run(run_dir: Path) -> None:
    """Remove what an earlier run left in a directory; files of others stay."""
    for name in OWN_ENTRIES:
        remove_tree(run_dir / name)
    remove_logs(run_dir)


def motif_digest(motifs: MotifSet) -> str:
    """Return a digest of everything about motifs that decides a hit."""
    return digest_of(
        {
            "names": [motifs.name, motifs.name_orig, motifs.strand],
            "cwm": [motifs.cwm.shape, motifs.cwm.tobytes().hex()],
            "trim": [motifs.start.tolist(), motifs.end.tolist()],
            "penalty": motifs.penalty.tolist(),
        }
    )


def _new_record(
    samples: Mapping[str, RegionReader],
    motifs: MotifSet,
    config: CallConfig,
    inputs: Sequence[InputFile],
) -> RunRecord:
    settings = config.model_dump(mode="json")
    motifs_are = motif_digest(motifs)
    return RunRecord(
        version=__version__,
        status="running",
        created=now(),
        samples=tuple(_sample_record(name, store) for name, store in samples.items()),
        config=settings,
        # Not the motif settings themselves: what they came to is in the digest of the motifs.
        config_digest=digest_of({"solver": settings["solver"], "motifs": motifs_are}),
        motif_width=motifs.width,
        n_motifs=len(motifs),
        motif_digest=motifs_are,
        inputs=tuple(inputs),
        machine=_machine(),
    )


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
            "from H5 or modisco files."
        )
    wrong = np.flatnonzero(~(np.isfinite(motifs.penalty) & (motifs.penalty > 0)))
    if wrong.size:
        raise InputError(
            f"Motif {motifs.name[wrong[0]]!r} has lambda {motifs.penalty[wrong[0]]}; expected a "
            "finite number above 0."
        )


def _standing_record(run_dir: Path) -> RunRecord | None:
    return RunRecord.load(run_dir) if (run_dir / "run.json").exists() else None


def check_output(run_dir: Path) -> None:
    """Refuse a directory that holds output of ours and no run.

    Raises
    ------
    RunError
        Another program wrote it, or a run was taken apart.
    """
    if (run_dir / "run.json").exists():
        return
    # A store of our own may stand from a run that was stopped before it was recorded.
    others = [n for n in OWN_ENTRIES if n != "regions" and (run_dir / n).exists()]
    if others:
        raise RunError(
            f"{run_dir}: holds {others[0]} but no run.json, so it is the output of another "
            "program or of a run that was taken apart. Choose another directory, or replace "
            "what is there with --force."
        )


def _check_same_run(run_dir: Path, standing: RunRecord, asked: RunRecord) -> None:
    differences = [
        *_differing_settings(standing.config, asked.config),
        *_differing_samples(standing, asked),
    ]
    if standing.motif_digest != asked.motif_digest and not differences:
        differences.append("the motifs of the modisco file changed")
    if standing.config_digest != asked.config_digest and not differences:
        differences.append("its settings differ")
    if differences:
        raise RunError(
            f"{run_dir}: holds another run: {'; '.join(differences)}. Choose another directory, "
            "or replace the run with --force."
        )


def _differing_settings(
    standing: Mapping[str, object], asked: Mapping[str, object], path: str = ""
) -> list[str]:
    found = []
    for key in sorted(standing.keys() | asked.keys()):
        old, new = standing.get(key), asked.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differing_settings(old, new, f"{path}{key}.")
        elif old != new:
            found.append(f"{path}{key} was {old!r} and is now {new!r}")
    return found


def _differing_samples(standing: RunRecord, asked: RunRecord) -> list[str]:
    found = []
    for name in sorted({s.name for s in standing.samples} | {s.name for s in asked.samples}):
        old, new = standing.sample(name), asked.sample(name)
        if old is None or new is None:
            found.append(f"sample {name!r} is {'new' if old is None else 'missing'}")
        elif old.store_digest != new.store_digest:
            found.append(f"the regions of sample {name!r} changed")
    return found


def _subtract_committed(run_dir: Path, record: RunRecord, *, check_bytes: bool = False) -> RunPlan:
    names = [sample.name for sample in record.samples]
    standing = survey_run(run_dir, names, check_bytes=check_bytes)
    pending: list[Unit] = []
    damaged: list[str] = []
    n_committed = n_not_converged = 0
    for sample in record.samples:
        parts = standing[sample.name]
        damaged += parts.damaged
        for shard in range(sample.n_shards):
            footer = parts.units.get(shard)
            if (
                footer is not None
                and footer.config_digest == record.config_digest
                and footer.store_digest == sample.store_digest
            ):
                n_committed += 1
                n_not_converged += footer.n_not_converged
            else:
                pending.append(Unit(sample.name, shard))
    return RunPlan(
        run_dir,
        record,
        tuple(pending),
        n_committed=n_committed,
        n_not_converged=n_not_converged,
        damaged=tuple(damaged),
    )


def now() -> str:
    """Return the time in UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
