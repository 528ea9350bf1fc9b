"""The driver of an atlas: its memory and its time, where workers do everything at once.

``python -m tests.benchmarks.driver_memory FOLDER``: extraction, calling and files of 1,500 samples
of 25 shards are one schedule, as ``run`` has it, with the driver's own record, roster and log. Two
processes answer each unit at once; their parts are links to one that has no hits. All samples share
one store. A manifest is made of the parts at the end, and the driver opens and counts the tables of
the run, as it does after a real one.
"""

import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from finemo_dist.core.config import CallConfig, OutputKind
from finemo_dist.core.events import RunEvent, UnitDone
from finemo_dist.core.records import Stage, Unit
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import part_path
from finemo_dist.hits.manifest import Extent, KnownUnit, rows_of, save_manifest
from finemo_dist.hits.outputs import Outputs
from finemo_dist.hits.read import _listed
from finemo_dist.hits.write import write_unit
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.record.run_record import RunRecord
from finemo_dist.run.drive import drive
from finemo_dist.run.extraction import BegunStore
from finemo_dist.run.plan import Extraction, PlannedSample, plan_run
from finemo_dist.run.process_pool import ProcessExecutor
from finemo_dist.run.roster import Roster
from finemo_dist.store.read import RegionStore, open_store
from finemo_dist.store.staging import encode
from finemo_dist.workflow.calling import _counted
from tests.benchmarks.datasets import simulated_dataset
from tests.benchmarks.scheduling_probe import _no_hits, _qc

_REGIONS_PER_SHARD = 4
_ONLY = Unit("one", 0)


@dataclass(frozen=True)
class InstantMaker:
    """Makes workers that do any unit at once; a ``WorkerMaker``."""

    run_dir: str
    store_digest: str
    template: str
    """A run with one unit."""
    device: str = "cpu"
    may_run_twice: bool = True

    def make_worker(self, name: str) -> "InstantWorker":
        return InstantWorker(self, name)


class InstantWorker:
    def __init__(self, maker: InstantMaker, name: str) -> None:
        self._maker = maker
        self._name = name
        os.fsync = _no_flush

    def process(self, unit: Unit, coming: Sequence[Unit] = ()) -> UnitDone:
        del coming
        run_dir, note = Path(self._maker.run_dir), ""
        if unit.stage is Stage.CALL:
            for table in ("hits", "peaks_qc"):
                path = part_path(run_dir, table, unit)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                path.hardlink_to(part_path(Path(self._maker.template), table, _ONLY))
        elif unit.stage is Stage.STORE:
            note = self._maker.store_digest
        elif unit.stage is Stage.OUTPUTS:
            Outputs.of_files(run_dir, (), made_from="nothing").save(run_dir, unit.sample)
        return UnitDone(unit, self._name, 1, 0, 0, 0.0, {unit.stage.value: 0.001}, note)


def _no_flush(_descriptor: object) -> None:
    pass


def _begun(store: RegionStore, name: str) -> BegunStore:
    """Return what is known of a store of which no shard is written."""
    return BegunStore(
        name, str(store.path), store.n_regions, store.region_width, store.score_kind,
        store.meta.shard_regions, store.n_shards, tuple(range(store.n_shards)),
        chrom_names=store.meta.chrom_names, chrom_lengths=store.meta.chrom_lengths,
    )  # fmt: skip


class _Saving:
    """Counts how often the record is saved, and how long that takes."""

    def __init__(self) -> None:
        self.n, self.seconds = 0, 0.0
        save = RunRecord.save

        def counted(record: RunRecord, run_dir: str | Path) -> None:
            started = time.perf_counter()
            save(record, run_dir)
            self.n += 1
            self.seconds += time.perf_counter() - started

        RunRecord.save = counted  # type: ignore[method-assign]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--samples", "n_samples", type=click.IntRange(min=1), default=1500)
@click.option("--shards", "n_shards", type=click.IntRange(min=1), default=25)
def main(folder: Path, *, n_samples: int, n_shards: int) -> None:
    """Drive a run in FOLDER and print its figures as JSON."""
    logging.getLogger("finemo_dist").setLevel(logging.ERROR)
    folder.mkdir(parents=True)
    os.fsync = _no_flush
    n_regions = n_shards * _REGIONS_PER_SHARD
    dataset = simulated_dataset(folder, n_regions=n_regions, n_strands=100, width=200)
    encode(dataset.source, folder / "one.zarr", shard_regions=_REGIONS_PER_SHARD)
    store, config = open_store(folder / "one.zarr"), CallConfig()
    motifs = build_motif_set(read_patterns(dataset.modisco_h5), config.motifs, config.solver.mode)
    stores = [_begun(store, f"sample_{i:04d}") for i in range(n_samples)]
    samples = {s.name: PlannedSample(s, motifs, config) for s in stores}
    saving, found = _Saving(), {"before_mb": _peak_mb()}
    extraction = Extraction(tuple(u for s in stores for u in s.units), 1)
    plan = plan_run(folder / "run", samples, outputs=OutputKind.FINEMO, extraction=extraction)
    template = folder / "template"
    write_unit(
        template, _ONLY, hits=_no_hits(), qc=_qc(store, store.shard_rows(0)),
        config_digest="template", store_digest="template",
    )  # fmt: skip
    maker = InstantMaker(str(plan.run_dir), store.digest, str(template))
    executor = ProcessExecutor(maker, n_workers=2, unit_timeout_s=3600.0)
    started, cpu, done = time.perf_counter(), time.process_time(), 0

    def note(event: RunEvent) -> None:
        nonlocal done
        done += isinstance(event, UnitDone)

    drive(plan, executor, on_event=note, roster=Roster(plan, samples=samples))
    found |= {
        "units": done,
        "seconds": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu,
        "saves": saving.n,
        "saving_s": saving.seconds,
        "run_json_mb": (plan.run_dir / "run.json").stat().st_size / 1e6,
        "driven_mb": _peak_mb(),
    }
    # In another process, whose memory is not the driver's.
    program = (
        f"from tests.benchmarks.driver_memory import remember; remember({str(plan.run_dir)!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    _counted(plan.run_dir)
    found["tables_mb"] = _peak_mb()
    click.echo(json.dumps(found))


def remember(run_dir: str) -> None:
    """Write a manifest that says of every unit that it has no hit."""
    record = RunRecord.load(run_dir)
    extent = Extent("chr1", "chr1", 0, 1, 2, 0, 1)
    units = []
    for sample in record.samples:
        listing = _listed(run_dir, sample.name)
        for shard, stamp in zip(listing.shards, listing.stamps, strict=True):
            footer = PartFooter(
                "hits", sample.name, shard, record.config_digest_of(sample),
                sample.store_digest, n_rows=0, n_regions=_REGIONS_PER_SHARD, n_not_converged=0,
                max_gap=0.0, rows_digest="0" * 32, version=record.version,
            )  # fmt: skip
            units.append(KnownUnit(footer, extent, extent, stamp, is_checked=True))
    save_manifest(run_dir, rows_of(units))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    # Under its own name, by which workers find what they are made of.
    from tests.benchmarks.driver_memory import main as named

    named()
