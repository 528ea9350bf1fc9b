"""One process that solves regions and convolves them: ``python -m tests.benchmarks.probe``.

The floor of any dense method is one pass of all CWMs over all regions. Here that pass and the
solver run alternately in the same process on the same regions, so that their ratio means
something on any machine.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import torch
from torch import Tensor
from torch.nn import functional

from finemo_dist.core.config import CallConfig, ResourceConfig, SampleSettings
from finemo_dist.core.records import MotifSet
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.solver.cwms import build_cwms
from finemo_dist.solver.target import build_target
from finemo_dist.store.read import open_store
from finemo_dist.workflow.calling import call
from tests.benchmarks.processes import PROJECT, measure

_BATCHES = (16, 64, 256)
"""Regions convolved at once; the fastest counts."""
_CONVOLVED_VALUES = 1 << 30
"""Outputs of the regions that are convolved, at most: some seconds on one core."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Seconds for one region, fastest of the repeats."""

    solve_s: float
    """In the solver, one thread."""
    read_s: float
    write_s: float
    pass_s: float
    """One ``conv1d`` pass in float32, one thread."""
    pass_all_cores_s: float
    """The same with a thread for each core."""


def run_probe(store: Path, modisco_h5: Path, *, repeats: int) -> Probe:
    """Measure in a process of its own."""
    words = [sys.executable, "-m", "tests.benchmarks.probe", store, modisco_h5, repeats]
    measured = measure(words, environment={"PYTHONPATH": str(PROJECT)})
    return Probe(**json.loads(measured.output))


def probe(store_path: Path, modisco_h5: Path, *, repeats: int) -> Probe:
    """Measure in this process; the solver is driven as ``call-hits`` drives it, one worker."""
    config = CallConfig()
    motifs = build_motif_set(read_patterns(modisco_h5), config.motifs, config.solver.mode)
    regions, kernel = _pass_data(store_path, motifs)
    stages: dict[str, list[float]] = {}
    one, every = [], []
    for _ in range(repeats):
        for stage, seconds in _stages(store_path, modisco_h5, config).items():
            stages.setdefault(stage, []).append(seconds)
        one.append(_pass_seconds(regions, kernel, n_threads=1))
        every.append(_pass_seconds(regions, kernel, n_threads=len(os.sched_getaffinity(0))))
    n_regions = open_store(store_path).n_regions
    return Probe(
        solve_s=min(stages["worker.solve"]) / n_regions,
        read_s=min(stages["worker.read"]) / n_regions,
        write_s=min(stages["worker.write"]) / n_regions,
        pass_s=min(one) / len(regions),
        pass_all_cores_s=min(every) / len(regions),
    )


def _stages(store_path: Path, modisco_h5: Path, config: CallConfig) -> dict[str, float]:
    resources = ResourceConfig(executor="serial", device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run"
        settings = {"probe": SampleSettings(modisco_h5=modisco_h5, call=config)}
        return dict(call(run_dir, {"probe": store_path}, settings, resources).seconds)


def _pass_data(store_path: Path, motifs: MotifSet) -> tuple[Tensor, Tensor]:
    """Return regions (R, 4, L) and CWMs (M, 4, W), float32."""
    store = open_store(store_path)
    cwms = build_cwms(motifs, torch.device("cpu"), use_sqrt_transform=False)
    most = _CONVOLVED_VALUES // (len(motifs) * store.region_width)
    batch = store.read(0, max(1, min(store.n_regions, most)))
    target = build_target(
        torch.from_numpy(batch.sequence),
        torch.from_numpy(batch.contributions),
        is_hypothetical=False,
        use_sqrt_transform=False,
    )
    regions = target.by_base(target.y).float().transpose(1, 2).contiguous()
    return regions, cwms.full.float().contiguous()


def _pass_seconds(regions: Tensor, kernel: Tensor, *, n_threads: int) -> float:
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        return min(_convolve(regions, kernel, batch) for batch in _BATCHES)
    finally:
        torch.set_num_threads(before)


def _convolve(regions: Tensor, kernel: Tensor, batch: int) -> float:
    functional.conv1d(regions[:batch], kernel)
    started = time.perf_counter()
    for first in range(0, len(regions), batch):
        functional.conv1d(regions[first : first + batch], kernel)
    return time.perf_counter() - started


@click.command()
@click.argument("store", type=click.Path(exists=True, path_type=Path))
@click.argument("modisco_h5", type=click.Path(exists=True, path_type=Path))
@click.argument("repeats", type=click.IntRange(min=1))
def main(*, store: Path, modisco_h5: Path, repeats: int) -> None:
    """Print the seconds of each stage for one region, as JSON."""
    click.echo(json.dumps(asdict(probe(store, modisco_h5, repeats=repeats))))


if __name__ == "__main__":
    main()
