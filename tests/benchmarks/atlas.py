"""An atlas of small samples: the driver's part in it, and how long calls and files take.

``python -m tests.benchmarks.atlas FOLDER [--samples N] [--executor KIND] [--workers N]``

Stores are made in FOLDER once; each run begins anew. Prints one JSON object per run.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from finemo_dist.core.config import ResourceConfig
from finemo_dist.core.events import CallPlanned, StageEnded, WorkEvent
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.testing.regions import SimulationSettings
from finemo_dist.testing.source import SimulatedSource
from finemo_dist.workflow.config import RunConfig, SampleConfig
from finemo_dist.workflow.running import run_config

_FEWEST, _MOST = 500, 1000
"""Regions of a sample."""


def make_atlas(folder: Path, n_samples: int) -> RunConfig:
    """Write motifs and stores that are not there yet, and return the run over them."""
    rng = np.random.default_rng(1)
    motifs = random_motifs(rng, 12, width=20, n_negative=1)
    folder.mkdir(parents=True, exist_ok=True)
    write_modisco_h5(folder / "modisco.h5", motifs)
    samples = []
    for i in range(n_samples):
        n_regions = int(rng.integers(_FEWEST, _MOST + 1))
        path = folder / f"s{i:03d}.zarr"
        if not path.exists():
            settings = SimulationSettings(width=500)
            encode(SimulatedSource(motifs, n_regions, seed=i, settings=settings, stride=700), path)
        samples.append(SampleConfig(name=path.stem, regions=path))
    return RunConfig(
        output=folder / "run", modisco_h5=(folder / "modisco.h5",), samples=tuple(samples)
    )


def measure(config: RunConfig, resources: ResourceConfig) -> dict[str, object]:
    """Run from the first shard to the last file; return times of all and of the driver alone."""
    shutil.rmtree(config.output, ignore_errors=True)
    laps: dict[str, tuple[float, float]] = {}

    def note(event: WorkEvent) -> None:
        if isinstance(event, CallPlanned):
            laps["begin"] = time.perf_counter(), time.process_time()
        elif isinstance(event, StageEnded):
            laps["end"] = time.perf_counter(), time.process_time()

    called = run_config(config, resources=resources, on_event=note)
    wall, driver = (
        now - began
        for now, began in zip(
            (time.perf_counter(), time.process_time()), laps["begin"], strict=True
        )
    )
    return {
        "hits": called.n_hits,
        "wall_s": round(wall, 2),
        "after_last_shard_s": round(wall - (laps["end"][0] - laps["begin"][0]), 2),
        "driver_cpu_s": round(driver, 3),
        "driver_cpu_us_per_hit": round(1e6 * driver / called.n_hits, 2),
        "workers_s": {k: round(v, 2) for k, v in called.seconds.items() if k.startswith("worker")},
    }


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--executor", default="processes")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    config = make_atlas(given.folder.resolve(), given.samples)
    resources = ResourceConfig(executor=given.executor, n_workers=given.workers)
    sys.stdout.write(json.dumps(measure(config, resources)) + "\n")


if __name__ == "__main__":
    main()
