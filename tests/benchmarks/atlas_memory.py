"""python -m tests.benchmarks.atlas_memory: peak memory of what an atlas is asked.

200 samples and 500 motifs: ``compare``, ``query counts``, ``annotate --link`` and the page of the
atlas with a comparison, each in a process of its own.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import finemo_dist
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.reports.write import write_report
from finemo_dist.workflow.comparing import compare_on_page
from finemo_dist.workflow.linking import link_motifs
from tests.compared import write_groups
from tests.unit.reports.regions import random_regions

N_SAMPLES, N_MOTIFS, N_REGIONS = 200, 500, 200
LIMIT = "1GB"


def make(folder: Path) -> None:
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.01, 0.1, (N_MOTIFS, 1))
    rates = rates * np.exp(rng.normal(0, 0.2, (N_MOTIFS, N_SAMPLES)))
    samples = write_groups(folder / "run", rates, seed=0, n_regions=N_REGIONS)
    lines = [f"{name}\t{'ab'[2 * i // N_SAMPLES]}" for i, name in enumerate(samples)]
    (folder / "sheet.tsv").write_text("\n".join(["name\tmeta.side", *lines]))


def compare(folder: Path) -> None:
    finemo_dist.compare(
        folder / "run", folder / "compared", sheet=folder / "sheet.tsv", by="meta.side",
        h5ad=True, memory_limit=LIMIT, force=True,
    )  # fmt: skip


def counts(folder: Path) -> None:
    with finemo_dist.open_run(folder / "run", memory_limit=LIMIT) as run:
        assert len(run.query("counts")) == N_SAMPLES * N_MOTIFS


def link(folder: Path) -> None:
    link_motifs(folder / "run", least=0.9, force=True)


def report(folder: Path) -> None:
    rng = np.random.default_rng(0)
    with open_catalog(folder / "run", memory_limit=LIMIT) as catalog:
        write_report(
            folder / "report", catalog,
            {
                # In shards as stores have them.
                name: random_regions(rng, N_REGIONS, shard_regions=64)
                for name in catalog.samples
            },
            read_motifs(folder / "run"), None, window_bp=40, title="atlas",
            compare=compare_on_page(catalog, folder / "sheet.tsv", "meta.side", ()),
        )  # fmt: skip
    for page in sorted((folder / "report").rglob("*.html")):
        sys.stdout.write(f"{page.relative_to(folder)}: {page.stat().st_size / 1e6:.2f} MB\n")


STEPS: dict[str, Callable[[Path], None]] = {
    f.__name__: f for f in (make, compare, counts, link, report)
}


def step(name: str, folder: Path) -> None:
    began = time.perf_counter()
    STEPS[name](folder)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{name}: {seconds:.1f} s, peak memory {peak:,.0f} MB\n")
    sys.stdout.flush()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        for step_name in STEPS:
            command = [sys.executable, "-m", "tests.benchmarks.atlas_memory", step_name, name]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        step(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
