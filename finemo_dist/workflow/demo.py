"""The demo: the whole pipeline on generated samples whose motif sites are known."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from filecmp import cmp
from pathlib import Path
from typing import Final

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.core.command import TypedCommand
from finemo_dist.core.config import ResourceConfig, SampleSettings
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.events import OnEvent, ignore
from finemo_dist.testing.dataset import DemoDataset, DemoSample, write_demo
from finemo_dist.testing.truth import MotifSites, Recovery, read_sites, score
from finemo_dist.workflow.calling import Call, call
from finemo_dist.workflow.config import BigWigInput, ChromBpnetInput, ExtractionInput
from finemo_dist.workflow.extracting import extract_regions
from finemo_dist.workflow.reporting import report

_FOLDERS: Final = ("inputs", "regions", "run", "run-by-two", "report")
_COMPARED: Final = ("hits/*/*.parquet", "peaks_qc/*/*.parquet", "motifs/*", "samples/*/hits*")
_MARKER: Final = ".finemo-dist-demo"
"""Says that the folders beside it are a demo's and may be replaced."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """How well the planted sites of the demo were found."""

    call: Call
    recoveries: dict[str, Recovery]
    """By sample."""
    page: Path
    """The report of the first sample."""
    n_same_files: int = 0
    """Files of hits that two workers of a cluster wrote again, with the same bytes."""


def run_demo(
    out: Path,
    *,
    seed: int,
    resources: ResourceConfig | None = None,
    by_two_workers: bool = False,
    command: TypedCommand | None = None,
    on_event: OnEvent = ignore,
    on_step: Callable[[str], None] = lambda step: None,
) -> DemoResult:
    """Run the demo in a folder: simulate, extract, call, export, score, report.

    Parameters
    ----------
    by_two_workers
        Whether two Ray actors call everything once more, as on a cluster, for comparison.
    on_step
        Called with a line for each step that begins.

    Raises
    ------
    UsageError
        The folder holds something that no demo wrote.
    RunError
        The two workers wrote other bytes.
    """
    on_step("Generating two samples with planted motif sites")
    _clear(out)
    dataset = write_demo(out / "inputs", seed=seed, write_every_format=True)
    on_step("Extracting their regions")
    stores = _stores(dataset, out / "regions", on_event)
    settings = {name: SampleSettings(modisco_h5=(dataset.modisco_h5,)) for name in stores}
    on_step("Calling hits")
    result = call(
        out / "run",
        stores,
        settings,
        resources or ResourceConfig(),
        command=command,
        on_event=on_event,
    )
    n_same = 0
    if by_two_workers:
        on_step("Calling them again by two workers of a Ray cluster on this machine")
        two = ResourceConfig(executor="ray", n_workers=2)
        call(out / "run-by-two", stores, settings, two, on_event=on_event)
        n_same = _same_files(out / "run", out / "run-by-two")
        shutil.rmtree(out / "run-by-two")
    on_step("Writing the report of the first sample")
    page = report(out / "run", out / "report", sample=dataset.samples[0].name)
    with open_catalog(out / "run") as catalog:
        recoveries = {s.name: _score(catalog, dataset, s) for s in dataset.samples}
    return DemoResult(result, recoveries, page, n_same)


def _same_files(first: Path, second: Path) -> int:
    """Return how many files of hits two runs share, to the byte.

    Raises
    ------
    RunError
        A file differs, or one run lacks it.
    """
    files = sorted(
        {
            file.relative_to(run)
            for run in (first, second)
            for p in _COMPARED
            for file in run.glob(p)
        }
    )
    for file in files:
        ours, theirs = first / file, second / file
        if not (ours.exists() and theirs.exists() and cmp(ours, theirs, shallow=False)):
            raise RunError(f"{theirs}: differs from {ours}. Report this as a fault of the package.")
    return len(files)


def _clear(out: Path) -> None:
    """Remove an earlier demo, and nothing that is not known to be one."""
    existing = [out / folder for folder in _FOLDERS if (out / folder).exists()]
    if existing and not (out / _MARKER).exists():
        raise UsageError(
            f"{existing[0]}: exists and was not written by a demo. Choose another folder (-o)."
        )
    for folder in existing:
        shutil.rmtree(folder)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARKER).touch()


def _stores(dataset: DemoDataset, folder: Path, on_event: OnEvent) -> dict[str, Path]:
    """Extract the first sample from bigWig and FASTA, the second from ChromBPNet's H5."""
    a, b = dataset.samples
    assert a.bigwig is not None
    assert b.chrombpnet_h5 is not None
    width = dataset.region_width
    inputs: dict[str, ExtractionInput] = {
        a.name: BigWigInput(
            peaks=a.peaks, fasta=dataset.fasta, bigwigs=(a.bigwig,), region_width=width
        ),
        b.name: ChromBpnetInput(
            h5s=(b.chrombpnet_h5,), peaks=b.peaks, fasta=dataset.fasta, region_width=width
        ),
    }
    return {
        name: extract_regions(given, folder / f"{name}.zarr", on_event=on_event).path
        for name, given in inputs.items()
    }


def _score(catalog: Catalog, dataset: DemoDataset, sample: DemoSample) -> Recovery:
    columns = catalog.columns("demo_hits", {"sample": sample.name})
    planted, _ = read_sites(sample.planted_sites)
    return score(MotifSites(**columns), planted, palindromes=dataset.palindromes)
