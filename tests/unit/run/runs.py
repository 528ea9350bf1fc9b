"""Small runs on simulated regions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finemo_dist.core.config import CallConfig, MotifConfig
from finemo_dist.core.records import MotifSet, ScoreKind
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.run.plan import PlannedSample, RunPlan, plan_run
from finemo_dist.run.worker_spec import SampleSpec, WorkerSpec
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.testing.regions import SimulationSettings
from finemo_dist.testing.source import SimulatedSource
from tests.command import files_of

N_MOTIFS = 4
MOTIF_WIDTH = 20


@dataclass(frozen=True)
class Inputs:
    """What a run is made from: a motif file and a region store for each sample."""

    modisco_h5: Path
    stores: Mapping[str, Path]

    def motifs(self, config: CallConfig) -> MotifSet:
        return build_motif_set(read_patterns(self.modisco_h5), config.motifs, config.solver.mode)

    def plan(self, run_dir: Path, config: CallConfig | None = None) -> RunPlan:
        config = config or CallConfig()
        stores = {name: open_store(path) for name, path in self.stores.items()}
        motifs = self.motifs(config)
        return plan_run(
            run_dir,
            {name: PlannedSample(store, motifs, config) for name, store in stores.items()},
        )

    def spec(self, plan: RunPlan) -> WorkerSpec:
        return spec_of(plan)


def spec_of(plan: RunPlan) -> WorkerSpec:
    """What the workers of a run must know, from its record."""
    return WorkerSpec(
        run_dir=str(plan.run_dir),
        samples={
            s.name: SampleSpec(
                s.store,
                s.store_digest,
                solver=CallConfig(**plan.record.settings_of(s)).solver,
                config_digest=plan.record.config_digest_of(s),
                motif_folder=plan.record.set_of(s).folder,
            )
            for s in plan.record.samples
        },
        device="cpu",
        batch_regions=None,
    )


def write_store(
    path: Path,
    n_regions: int = 24,
    *,
    seed: int = 1,
    width: int = 150,
    shard_regions: int = 4,
    score_kind: ScoreKind = ScoreKind.PROJECTED,
) -> Path:
    source = SimulatedSource(
        random_motifs(np.random.default_rng(0), N_MOTIFS, width=MOTIF_WIDTH, n_negative=1),
        n_regions,
        seed=seed,
        settings=SimulationSettings(width=width),
        score_kind=score_kind,
    )
    encode(source, path, shard_regions=shard_regions, overwrite=True)
    return path


def write_inputs(folder: Path, *, samples: tuple[str, ...] = ("a",), **store: object) -> Inputs:
    """Write the motifs that the regions hold, and a store for each sample: 6 shards of 4 each."""
    motifs = random_motifs(np.random.default_rng(0), N_MOTIFS, width=MOTIF_WIDTH, n_negative=1)
    write_modisco_h5(folder / "motifs.h5", motifs)
    stores = {
        name: write_store(folder / f"{name}.zarr", seed=1 + i, **store)
        for i, name in enumerate(samples)
    }
    return Inputs(folder / "motifs.h5", stores)


def parts(run: Path) -> dict[str, bytes]:
    """Return the bytes of every part by its path in the run."""
    paths = sorted(run.glob("*/sample=*/part-*.parquet"))
    return {str(path.relative_to(run)): path.read_bytes() for path in paths}


def n_parts(run: Path) -> int:
    """Return how many parts there are: cheap enough to be asked again and again."""
    tables = ("hits", "peaks_qc")
    return sum(len(files_of(run, f"{table}/sample=*/part-*.parquet")) for table in tables)


def corrupt_shard(store: Path, shard: int) -> Path:
    """Overwrite the middle of a shard's contributions and return their file."""
    (path,) = (store / "contributions").glob(f"c.{shard}.*")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 20 : middle + 20] = bytes(b ^ 0xFF for b in content[middle - 20 : middle + 20])
    path.write_bytes(content)
    return path


def config(**motifs: object) -> CallConfig:
    return CallConfig(motifs=MotifConfig(**motifs))
