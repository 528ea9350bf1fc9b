"""How far hits can be believed: motifs against scrambled copies of themselves."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.core import defaults
from finemo_dist.core.clock import Clock
from finemo_dist.core.command import TypedCommand
from finemo_dist.core.config import CallConfig, ResourceConfig
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.events import OnEvent, ignore
from finemo_dist.core.memory import Demand
from finemo_dist.core.program import program
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.similarity import FAMILY_SIMILARITY, families
from finemo_dist.core.target_decoy import (
    N_ROUNDS,
)
from finemo_dist.core.words import be, count, have
from finemo_dist.hits.confidence import (
    ConfidenceRecord,
    confidence_directory,
    decoys_directory,
)
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.motifs.decoys import draw_decoys, with_decoys
from finemo_dist.record.lease import driving_run
from finemo_dist.record.run_record import RunRecord, SampleRecord
from finemo_dist.run.plan import PlannedSample, RunPlan, plan_run
from finemo_dist.run.worker_spec import SampleSpec, WorkerSpec
from finemo_dist.storage.files import remove_tree
from finemo_dist.storage.locations import location
from finemo_dist.store.sampled import Share, sampled
from finemo_dist.workflow.called_regions import store_called_in
from finemo_dist.workflow.calling import driven, executor_that_fits, found_machine, that_fit
from finemo_dist.workflow.confidence_tables import (
    DecoySet,
    SampleConfidence,
    decoy_sample,
    write_tables,
)
from finemo_dist.workflow.decoy_motifs import trim_source

logger = logging.getLogger(__name__)

_MOST_ALIKE: Final = 0.1
"""Share of the motifs without a decoy below the limit above which a warning says so."""


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
        The run is incomplete or damaged, its regions or motif files are gone or have changed, it
        has q of other settings, or another command is writing it.
    IncompleteRunError
        Some shards of decoys could not be finished; the others are committed.
    """
    if not 0 < fraction <= 1:
        raise UsageError(f"fraction {fraction}: expected a share above 0 and at most 1.")
    clock = Clock(since=command.at if command else None)
    run_dir = location(run)
    resources = resources or ResourceConfig()
    with driving_run(run_dir), open_catalog(run_dir) as catalog:
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
        samples = write_tables(catalog, sets, readers, seed=seed, fraction=fraction)
    clock.lap("outputs")
    _warn(sets.values(), samples)
    stages = {**clock.seconds, **{f"worker.{k}": v for k, v in totals.items()}}
    return Confidence(run_dir, seed, fraction, samples, stages)


def _require_whole(catalog: Catalog) -> None:
    if catalog.record.derived is not None:
        raise RunError(
            f"{catalog.run_dir}: has hits that rules chose, and decoys pass no rules. Find q in "
            f"the run that they were called in ({catalog.record.derived.run}), then filter that."
        )
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


def _sets(run_dir: Path, record: RunRecord, seed: int) -> dict[str, DecoySet]:
    """Return the motif sets of a run with their decoys, by name."""
    found = {}
    for motif_set in record.sets:
        motifs = read_motifs(run_dir, motif_set.folder)
        sample = next(s for s in record.samples if s.motif_set == motif_set.name)
        trims = trim_source(motifs, _config_of(record, sample), record)
        rounds = tuple(
            draw_decoys(motifs, trims, seed=seed, number=i) for i in range(1, N_ROUNDS + 1)
        )
        found[motif_set.name] = DecoySet(motif_set.name, motifs, rounds, families(motifs))
    return found


def _config_of(record: RunRecord, sample: SampleRecord) -> CallConfig:
    return CallConfig.model_validate(record.settings_of(sample))


def _readers(record: RunRecord, share: Share) -> dict[str, RegionReader]:
    return {one.name: sampled(store_called_in(one), share) for one in record.samples}


def _plan(
    run_dir: Path,
    record: RunRecord,
    sets: Mapping[str, DecoySet],
    readers: Mapping[str, RegionReader],
) -> RunPlan:
    joined = {
        (one.name, i): with_decoys(one.motifs, decoys.motifs)
        for one in sets.values()
        for i, decoys in enumerate(one.rounds, 1)
    }
    planned = {
        decoy_sample(i, sample.name): PlannedSample(
            readers[sample.name], joined[sample.motif_set, i], _config_of(record, sample)
        )
        for i in range(1, N_ROUNDS + 1)
        for sample in record.samples
    }
    return plan_run(decoys_directory(run_dir), planned)


def _called(
    plan: RunPlan,
    record: RunRecord,
    sets: Mapping[str, DecoySet],
    readers: Mapping[str, RegionReader],
    share: Share,
    resources: ResourceConfig,
    command: TypedCommand | None,
    on_event: OnEvent,
) -> Mapping[str, float]:
    """Call the decoys and return the seconds of workers by stage."""
    machine, device = found_machine(resources)
    largest = _largest(record, sets, readers)
    resources = that_fit(resources, machine, device, largest)
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
        batch_regions=resources.batch_regions, workers_per_gpu=resources.workers_per_gpu or 1,
    )  # fmt: skip
    executor = executor_that_fits(resources, plan, spec, machine, largest)
    return driven(plan, executor, on_event, command).seconds


def _largest(
    record: RunRecord, sets: Mapping[str, DecoySet], readers: Mapping[str, RegionReader]
) -> Demand:
    """Return the sample that asks most of a worker, with a decoy for each of its motifs."""
    demands = (
        Demand(
            _config_of(record, s).solver,
            with_decoys(sets[s.motif_set].motifs, sets[s.motif_set].motifs),
            readers[s.name].region_width,
        )
        for s in record.samples
    )
    return max(demands, key=lambda demand: demand.region_bytes)


def _warn(sets: Iterable[DecoySet], samples: Sequence[SampleConfidence]) -> None:
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
