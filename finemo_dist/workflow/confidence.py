"""How far hits can be believed: motifs against scrambled copies of themselves."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.compaction import parts_digest
from finemo_dist.core import defaults
from finemo_dist.core.clock import Clock
from finemo_dist.core.command import TypedCommand
from finemo_dist.core.config import CallConfig, ResourceConfig
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.events import OnEvent, ignore
from finemo_dist.core.memory import Demand
from finemo_dist.core.program import program
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.core.similarity import FAMILY_SIMILARITY, Family, families
from finemo_dist.core.target_decoy import (
    LEVELS,
    N_ROUNDS,
    Competition,
    Scores,
    Steps,
    compete,
    refusal,
)
from finemo_dist.core.words import be, count, have
from finemo_dist.hits.confidence import (
    ConfidenceRecord,
    confidence_directory,
    decoys_directory,
    table_path,
    write_columns,
    write_rows,
)
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.motifs.decoys import Decoys, draw_decoys, with_decoys
from finemo_dist.record.run_record import RunRecord, SampleRecord
from finemo_dist.run.plan import PlannedSample, RunPlan, plan_run
from finemo_dist.run.resources import find_machine, resolve_device
from finemo_dist.run.worker import SampleSpec, WorkerSpec
from finemo_dist.storage.files import remove_tree
from finemo_dist.storage.locations import location
from finemo_dist.store.read import open_store
from finemo_dist.store.sampled import Share, sampled
from finemo_dist.workflow.calling import driven, executor_that_fits
from finemo_dist.workflow.decoy_motifs import trim_source
from finemo_dist.workflow.settings import available_cores

logger = logging.getLogger(__name__)

_MOST_ALIKE: Final = 0.1
"""Share of the motifs without a decoy below the limit above which a warning says so."""
_BELIEVED: Final = 0.05
"""The q at which a summary counts."""


@dataclass(frozen=True, slots=True)
class SampleConfidence:
    """What is known of the hits of one sample."""

    sample: str
    n_hits: int
    """One a place, as in ``hits_unique``."""
    n_decoy_hits: int
    """Of all rounds, one a place."""
    n_believed: int
    """With a ``decoy_q`` of at most 0.05."""
    n_believed_pooled: int | None
    """With a ``decoy_q_pooled`` of at most 0.05; None where there is no pooled q."""
    refused: str | None
    """Why there is no q, or None."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far the hits of a run can be believed."""

    run_dir: Path
    seed: int
    fraction: float
    """Share of the regions in which decoys were called."""
    samples: tuple[SampleConfidence, ...]
    seconds: Mapping[str, float]
    """Wall time by stage; stages of workers are summed over them."""


@dataclass(frozen=True, slots=True)
class _Set:
    """The motifs of a set and their decoys."""

    name: str
    motifs: MotifSet
    rounds: tuple[Decoys, ...]
    families: Sequence[Family]


def confidence(
    run: str | Path,
    *,
    seed: int = defaults.DECOY_SEED,
    fraction: float = 1.0,
    resources: ResourceConfig | None = None,
    force: bool = False,
    command: TypedCommand | None = None,
    on_event: OnEvent = ignore,
) -> Confidence:
    """Find for every hit of a run its q against decoy motifs.

    q is the expected share of hits that a scrambled motif would have had. It does not say that
    the factor binds, nor which of two similar motifs it is. The hits of the run stay as they are;
    the tables lie in ``RUN/confidence``, and the views ``hit_confidence``, ``motif_confidence``,
    ``confidence_by_q``, ``decoys`` and ``decoy_hits`` show them. Repeat the call to resume where
    an earlier one stopped.

    Parameters
    ----------
    run
        A run directory whose shards are all committed.
    seed
        Of the decoys and of the choice of regions.
    fraction
        Share of the regions, above 0, in which decoys are called; a quarter agrees with all.
    resources
        Where the work is done; never changes a q.
    force
        Replace q of another seed or fraction.
    command
        What the user typed, for the record.
    on_event
        Called with every event of the work.

    Raises
    ------
    UsageError
        The fraction is no share, or the work does not fit the machine.
    RunError, StoreError
        The run is incomplete or damaged, its regions or motif files are gone or have changed, or
        it has q of other settings.
    IncompleteRunError
        Some shards of decoys could not be finished; the others are committed.
    """
    if not 0 < fraction <= 1:
        raise UsageError(f"fraction {fraction}: expected a share above 0 and at most 1.")
    clock = Clock(since=command.at if command else None)
    run_dir = location(run)
    resources = resources or ResourceConfig()
    with open_catalog(run_dir) as catalog:
        record = catalog.record
        _require_whole(catalog)
        _require_same(catalog.run_dir, seed=seed, fraction=fraction, force=force)
        sets = _sets(catalog.run_dir, record, seed)
        readers = _readers(record, Share(fraction, seed))
        clock.lap("prepare")
        plan = _plan(run_dir, record, sets, readers)
        totals = _called(plan, record, sets, readers, Share(fraction, seed), resources, command,
                         on_event)  # fmt: skip
        clock.lap("call")
        samples = _write(catalog, sets, readers, seed=seed, fraction=fraction)
    clock.lap("outputs")
    _warn(sets.values(), samples)
    stages = {**clock.seconds, **{f"worker.{k}": v for k, v in totals.items()}}
    return Confidence(run_dir, seed, fraction, samples, stages)


def _require_whole(catalog: Catalog) -> None:
    if any(catalog.record.sample(n).n_shards > len(catalog.units(n)) for n in catalog.samples):  # type: ignore[union-attr]
        raise RunError(
            f"{catalog.run_dir}: has missing shards, and q counts all hits. Finish the run first: "
            f"`{program()} status` has the command."
        )


def _require_same(run_dir: Path, *, seed: int, fraction: float, force: bool) -> None:
    """Refuse to replace q of other settings, unless it is forced."""
    if force:
        remove_tree(confidence_directory(run_dir))
        return
    standing = ConfidenceRecord.load(run_dir)
    if standing is not None and (standing.seed, standing.fraction) != (seed, fraction):
        raise RunError(
            f"{confidence_directory(run_dir)}: has q of seed {standing.seed} and fraction "
            f"{standing.fraction}, and seed {seed} and fraction {fraction} are asked for. Replace "
            "it with --force."
        )


def _sets(run_dir: Path, record: RunRecord, seed: int) -> dict[str, _Set]:
    """Return the motif sets of a run with their decoys, by name."""
    found = {}
    for motif_set in record.sets:
        motifs = read_motifs(run_dir, motif_set.folder)
        sample = next(s for s in record.samples if s.motif_set == motif_set.name)
        trims = trim_source(motifs, _config_of(record, sample), record)
        rounds = tuple(
            draw_decoys(motifs, trims, seed=seed, number=i) for i in range(1, N_ROUNDS + 1)
        )
        found[motif_set.name] = _Set(motif_set.name, motifs, rounds, families(motifs))
    return found


def _config_of(record: RunRecord, sample: SampleRecord) -> CallConfig:
    return CallConfig.model_validate(record.settings_of(sample))


def _readers(record: RunRecord, share: Share) -> dict[str, RegionReader]:
    readers: dict[str, RegionReader] = {}
    for sample in record.samples:
        store = open_store(sample.store)
        if store.digest != sample.store_digest:
            raise RunError(
                f"{sample.store}: is not the store in which the hits of sample {sample.name!r} "
                "were called; it has been rewritten since. Call the hits again."
            )
        readers[sample.name] = sampled(store, share)
    return readers


def _decoy_sample(number: int, sample: str) -> str:
    """Return what a sample is called in the run that calls the decoys of a round."""
    return f"{number}-{sample}"


def _plan(
    run_dir: Path,
    record: RunRecord,
    sets: Mapping[str, _Set],
    readers: Mapping[str, RegionReader],
) -> RunPlan:
    joined = {
        (one.name, i): with_decoys(one.motifs, decoys.motifs)
        for one in sets.values()
        for i, decoys in enumerate(one.rounds, 1)
    }
    planned = {
        _decoy_sample(i, sample.name): PlannedSample(
            readers[sample.name], joined[sample.motif_set, i], _config_of(record, sample)
        )
        for i in range(1, N_ROUNDS + 1)
        for sample in record.samples
    }
    return plan_run(decoys_directory(run_dir), planned)


def _called(
    plan: RunPlan,
    record: RunRecord,
    sets: Mapping[str, _Set],
    readers: Mapping[str, RegionReader],
    share: Share,
    resources: ResourceConfig,
    command: TypedCommand | None,
    on_event: OnEvent,
) -> Mapping[str, float]:
    """Call the decoys and return the seconds of workers by stage."""
    machine = find_machine(resources, n_cores=available_cores())
    device = resolve_device(resources.device, machine)
    specs = {}
    for planned in plan.record.samples:
        number, _, name = planned.name.partition("-")
        sample = record.sample(name)
        assert sample is not None, (number, name)
        specs[planned.name] = SampleSpec(
            store=str(location(sample.store).resolve()),
            store_digest=sample.store_digest,
            solver=_config_of(record, sample).solver,
            config_digest=plan.record.config_digest_of(planned),
            motif_folder=plan.record.set_of(planned).folder,
            share=None if share.fraction >= 1 else share,
            first_kept_motif=len(sets[sample.motif_set].motifs),
        )
    spec = WorkerSpec(
        run_dir=str(plan.run_dir.resolve()), samples=specs, device=device,
        batch_regions=resources.batch_regions,
    )  # fmt: skip
    demands = [
        Demand(
            _config_of(record, s).solver,
            with_decoys(sets[s.motif_set].motifs, sets[s.motif_set].motifs),
            readers[s.name].region_width,
        )
        for s in record.samples
    ]
    largest = max(demands, key=lambda demand: demand.region_bytes)
    executor = executor_that_fits(resources, plan, spec, machine, largest)
    return driven(plan, executor, on_event, command).seconds


def _write(
    catalog: Catalog,
    sets: Mapping[str, _Set],
    readers: Mapping[str, RegionReader],
    *,
    seed: int,
    fraction: float,
) -> tuple[SampleConfidence, ...]:
    """Write the tables of a run, its record last, and return what they say."""
    run_dir = catalog.run_dir
    rows: dict[str, list[dict[str, Any]]] = {"steps": [], "motifs": [], "levels": []}
    samples, files = [], []
    with open_catalog(decoys_directory(run_dir)) as decoys:
        for index, name in enumerate(catalog.samples):
            sample = catalog.sample(name)
            one = sets[sample.motif_set]
            actual = readers[name].n_regions / max(1, sample.n_regions)
            targets = _amplitudes(catalog, name, len(one.motifs))
            hits = _decoy_hits(decoys, name, one)
            by_motif = _by_motif(hits, one)
            files.append(f"decoy_hits-{index:05d}.parquet")
            write_columns(confidence_directory(run_dir) / files[-1], "decoy_hits", hits)
            refused = refusal(sum(map(len, targets)), len(hits))
            found = None
            if refused is None:
                pooled = [np.concatenate(rounds) for rounds in by_motif]
                found = compete(targets, pooled, fraction=actual, n_rounds=N_ROUNDS)
            rows["steps"] += _step_rows(name, one, found)
            rows["motifs"] += _motif_rows(name, one, targets, by_motif, found)
            rows["levels"] += _level_rows(name, one, targets, found)
            samples.append(_summary(name, targets, len(hits), found, refused))
    for table, found_rows in rows.items():
        write_rows(table_path(run_dir, table), table, found_rows)
    write_rows(table_path(run_dir, "decoys"), "decoys", _decoy_rows(sets.values()))
    digests = {name: parts_digest(catalog.units(name).values()) for name in catalog.samples}
    refusals = {s.sample: s.refused for s in samples if s.refused}
    ConfidenceRecord(seed, fraction, N_ROUNDS, digests, refusals, tuple(files)).save(run_dir)
    return tuple(samples)


def _amplitudes(catalog: Catalog, sample: str, n_strands: int) -> list[Scores]:
    """Return the amplitudes of the hits of each motif of a sample, one a place."""
    with catalog.as_called(sample) as single:
        found = single.columns("amplitudes", {"table": _table(single, sample), "sample": sample})
    return _split(found["motif_id"] // 2, found["hit_amplitude"], n_strands // 2)


def _table(catalog: Catalog, sample: str) -> str:
    return "hits_unique" if catalog.sample(sample).has_coordinates else "hits"


def _split(motif: NDArray[np.int64], scores: Scores, n_motifs: int) -> list[Scores]:
    order = np.argsort(motif, kind="stable")
    ends = np.searchsorted(motif[order], np.arange(1, n_motifs))
    return [np.asarray(part, np.float64) for part in np.split(scores[order], ends)]


def _decoy_hits(decoys: Catalog, sample: str, one: _Set) -> pa.Table:
    """Return the hits of all decoys of a sample, one a place, as ``decoy_hits`` has them."""
    tables = []
    names = pa.array(one.motifs.name[::2], pa.string())
    for number in range(1, N_ROUNDS + 1):
        called = _decoy_sample(number, sample)
        with decoys.as_called(called) as single:
            asked = {"table": _table(single, called), "sample": called}
            found = single.arrow("decoy_rows", asked)
        rows = (found["motif_id"].to_numpy() - len(one.motifs)) // 2
        tables.append(
            found.append_column("own_name", names.take(pa.array(rows)))
            .append_column("sample", pa.array([sample] * len(found), pa.string()))
            .append_column("round", pa.array([number] * len(found), pa.int32()))
        )
    return pa.concat_tables(tables)


def _by_motif(hits: pa.Table, one: _Set) -> list[list[Scores]]:
    """Return the amplitudes of the hits of each decoy, by motif and round."""
    row_of = {name: row for row, name in enumerate(one.motifs.name[::2])}
    row = np.array([row_of[name] for name in hits["own_name"].to_pylist()], np.int64)
    number, amplitude = hits["round"].to_numpy(), hits["hit_amplitude"].to_numpy()
    n_motifs = len(one.motifs) // 2
    split = [
        _split(row[number == i], amplitude[number == i], n_motifs) for i in range(1, N_ROUNDS + 1)
    ]
    return [list(rounds) for rounds in zip(*split, strict=True)]


def _step_rows(sample: str, one: _Set, found: Competition | None) -> list[dict[str, Any]]:
    if found is None:
        return []
    steps = [*zip(one.motifs.name[::2], found.by_motif, strict=True), (None, found.pooled)]
    return [
        {"sample": sample, "own_name": name, "hit_amplitude": float(score), "q": float(q)}
        for name, of_motif in steps
        if of_motif is not None
        for score, q in zip(of_motif.score, of_motif.q, strict=True)
    ]


def _motif_rows(
    sample: str,
    one: _Set,
    targets: Sequence[Scores],
    decoys: Sequence[Sequence[Scores]],
    found: Competition | None,
) -> list[dict[str, Any]]:
    rows = []
    for i, name in enumerate(one.motifs.name[::2]):
        steps = found.by_motif[i] if found is not None else None
        family = one.families[i]
        kept = _kept(steps, targets[i], _BELIEVED) if steps is not None else targets[i][:0]
        rows.append(
            {
                "sample": sample,
                "own_name": name,
                "n_hits": len(targets[i]),
                **{f"n_decoy_hits_{j}": len(hits) for j, hits in enumerate(decoys[i], 1)},
                "false_share": None if steps is None else float(steps.q[0]),
                "least_amplitude": float(kept.min()) if len(kept) else None,
                "n_believed": len(kept),
                "own_similar_to": family.similar_to,
                "similarity": family.similarity if family.similar_to is not None else None,
                "family": family.number,
            }
        )
    return rows


def _level_rows(
    sample: str, one: _Set, targets: Sequence[Scores], found: Competition | None
) -> list[dict[str, Any]]:
    if found is None:
        return []
    every = np.concatenate(list(targets))
    curves = [
        *zip(one.motifs.name[::2], found.by_motif, targets, strict=True),
        (None, found.pooled, every),
    ]
    return [
        {
            "sample": sample,
            "own_name": name,
            "largest_q": level,
            "n_hits": len(scores),
            "n_kept": len(_kept(steps, scores, level)),
            "false_share": 0.0 if (cut := steps.cut(level)) is None else float(steps.q[cut]),
        }
        for name, steps, scores in curves
        if steps is not None
        for level in LEVELS
    ]


def _kept(steps: Steps, scores: Scores, largest_q: float) -> Scores:
    cut = steps.cut(largest_q)
    return scores[:0] if cut is None else scores[scores >= steps.score[cut]]


def _decoy_rows(sets: Iterable[_Set]) -> list[dict[str, Any]]:
    return [
        {
            "motif_set": one.name,
            "own_name": one.motifs.name[2 * row],
            "round": number,
            "decoy_start": int(decoys.motifs.start[2 * row]),
            "decoy_end": int(decoys.motifs.end[2 * row]),
            "n_draws": int(decoys.n_draws[row]),
            "own_similar_to": decoys.similar_to[row],
            "similarity": float(decoys.similarity[row]),
        }
        for one in sets
        for number, decoys in enumerate(one.rounds, 1)
        for row in range(len(one.motifs) // 2)
    ]


def _summary(
    sample: str,
    targets: Sequence[Scores],
    n_decoy_hits: int,
    found: Competition | None,
    refused: str | None,
) -> SampleConfidence:
    n_hits = sum(map(len, targets))
    if found is None:
        return SampleConfidence(sample, n_hits, n_decoy_hits, 0, None, refused)
    pairs = zip(found.by_motif, targets, strict=True)
    n_believed = sum(len(_kept(steps, own, _BELIEVED)) for steps, own in pairs if steps is not None)
    every = np.concatenate(list(targets))
    n_pooled = None if found.pooled is None else len(_kept(found.pooled, every, _BELIEVED))
    return SampleConfidence(sample, n_hits, n_decoy_hits, n_believed, n_pooled, None)


def _warn(sets: Iterable[_Set], samples: Sequence[SampleConfidence]) -> None:
    for sample in samples:
        if sample.refused:
            logger.warning("Sample %s has no q: %s.", sample.sample, sample.refused)
    for one in sets:
        alike = [
            (name, family)
            for name, family in zip(one.motifs.name[::2], one.families, strict=True)
            if family.similarity >= FAMILY_SIMILARITY
        ]
        if alike:
            name, family = alike[0]
            logger.warning(
                "%s of %d motifs %s another motif with a cosine of %.2f or more, %s and %s (%.2f) "
                "among them: their q is of the family, not of the name.",
                f"{len(alike):,}", len(one.families), have(len(alike)), FAMILY_SIMILARITY, name,
                family.similar_to, family.similarity,
            )  # fmt: skip
        for number, decoys in enumerate(one.rounds, 1):
            if decoys.n_alike > _MOST_ALIKE * len(one.families):
                logger.warning(
                    "%s of round %d %s like a motif (cosine above 0.7) in every draw, so that q is "
                    "too large.",
                    count(decoys.n_alike, "decoy"), number, be(decoys.n_alike),
                )  # fmt: skip
