"""Small extractions, of simulated regions that are made on the worker."""

from functools import partial
from pathlib import Path

import numpy as np

from finemo_dist.core.errors import InputError
from finemo_dist.core.protocols import Source
from finemo_dist.core.records import InputFile
from finemo_dist.run.extraction_worker import ExtractionSpec, SampleExtraction, Stage
from finemo_dist.store import staging
from finemo_dist.store.staging import encode
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.testing.regions import SimulationSettings
from finemo_dist.testing.source import SimulatedSource

N_REGIONS = 150
N_SHARDS = 3
WIDTH = 40


class Seeded(SimulatedSource):
    """Simulated regions that are known by their seed, as others by their files."""

    @property
    def inputs(self) -> tuple[InputFile, ...]:
        return (InputFile("simulated", 1, str(self._seed)),)


def simulated(seed: int, *, width: int = WIDTH, n_regions: int = N_REGIONS) -> Source:
    """Return regions that depend on the seed."""
    motifs = random_motifs(np.random.default_rng(0), 2, width=20, n_negative=1)
    return Seeded(motifs, n_regions, seed=seed, settings=SimulationSettings(width=width))


def broken() -> Source:
    """Refuse, as a source does whose file is gone."""
    raise InputError("gone.bw: no such file. Check the path.")


def extraction(path: Path, make_source) -> SampleExtraction:
    """Return the extraction of one sample, claimed."""
    return SampleExtraction(make_source, str(path), str(staging.claim(path)))


def extractions(folder: Path, **samples) -> dict[str, SampleExtraction]:
    """Return extractions by sample, of seeds or of functions that make a source."""
    return {
        name: extraction(
            folder / f"{name}.zarr", make if callable(make) else partial(simulated, make)
        )
        for name, make in samples.items()
    }


def spec_of(stage: Stage, samples: dict[str, SampleExtraction]) -> ExtractionSpec:
    return ExtractionSpec(stage, samples, overwrite=False)


def expected_store(path: Path, seed: int) -> Path:
    """Write the store of a seed in one go."""
    encode(simulated(seed), path)
    return path


def content(store: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a store."""
    return {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}
