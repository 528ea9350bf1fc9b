"""``demo``: the whole pipeline on generated samples whose motif sites are known."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.options import LOCAL_OUTPUT, executor_options

if TYPE_CHECKING:
    from finemo_dist.catalog.catalog import Catalog
    from finemo_dist.testing.dataset import DemoDataset, DemoSample
    from finemo_dist.testing.truth import Recovery
    from finemo_dist.workflow.calling import Call


_FOLDERS: Final = ("inputs", "regions", "run")
_MARKER: Final = ".finemo-dist-demo"
"""Says that the folders beside it are a demo's and may be replaced."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """How well the planted sites of the demo were found."""

    call: "Call"
    recoveries: "dict[str, Recovery]"
    """By sample."""


@click.command("demo")
@click.option(
    "-o",
    "--out",
    type=LOCAL_OUTPUT,
    default=Path("demo"),
    show_default=True,
    help="Folder to write; an earlier demo in it is replaced.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the generated data.")
@executor_options
def demo(*, out: Path, seed: int, **options: object) -> None:
    """Generate two samples with planted motif sites, call their hits, and score them."""
    from finemo_dist.workflow.settings import resource_config

    result = run_demo(out, seed=seed, resources=resource_config(options))
    _print(out, result)


def run_demo(out: Path, *, seed: int, resources: object = None) -> DemoResult:
    """Run the demo in a folder: simulate, extract, call, export, score."""
    from finemo_dist.catalog.catalog import open_catalog
    from finemo_dist.core.config import ResourceConfig, SampleSettings
    from finemo_dist.testing.dataset import write_demo
    from finemo_dist.workflow.calling import call

    _clear(out)
    dataset = write_demo(out / "inputs", seed=seed, write_every_format=True)
    stores = _stores(dataset, out / "regions")
    result = call(
        out / "run",
        stores,
        {name: SampleSettings(modisco_h5=dataset.modisco_h5) for name in stores},
        resources if isinstance(resources, ResourceConfig) else ResourceConfig(),
    )
    with open_catalog(out / "run") as catalog:
        recoveries = {s.name: _score(catalog, dataset, s) for s in dataset.samples}
    return DemoResult(result, recoveries)


def _clear(out: Path) -> None:
    """Remove an earlier demo, and nothing that is not known to be one."""
    from finemo_dist.core.errors import UsageError

    standing = [out / folder for folder in _FOLDERS if (out / folder).exists()]
    if standing and not (out / _MARKER).exists():
        raise UsageError(
            f"{standing[0]}: stands already and no demo wrote it. Choose another folder (-o)."
        )
    for folder in standing:
        shutil.rmtree(folder)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARKER).touch()


def _stores(dataset: "DemoDataset", folder: Path) -> dict[str, Path]:
    """Extract the first sample from bigWig and FASTA, the second from ChromBPNet's H5."""
    from finemo_dist.core.protocols import Source
    from finemo_dist.sources.bigwig import BigWigSource
    from finemo_dist.sources.h5 import ChromBpnetSource
    from finemo_dist.workflow.extracting import extract

    a, b = dataset.samples
    assert a.bigwig is not None
    assert b.chrombpnet_h5 is not None
    width = dataset.region_width
    sources: dict[str, Source] = {
        a.name: BigWigSource(a.peaks, dataset.fasta, [a.bigwig], region_width=width),
        b.name: ChromBpnetSource(
            [b.chrombpnet_h5], peaks=b.peaks, fasta=dataset.fasta, region_width=width
        ),
    }
    return {name: extract(s, folder / f"{name}.zarr").path for name, s in sources.items()}


def _score(catalog: "Catalog", dataset: "DemoDataset", sample: "DemoSample") -> "Recovery":
    import numpy as np

    from finemo_dist.testing.truth import MotifSites, read_sites, score

    rows = catalog.rows(
        "SELECT peak_id, motif_name, strand, start_untrimmed FROM hits WHERE sample = $sample",
        {"sample": sample.name},
    )
    peak_id, motif_name, strand, start = zip(*rows, strict=True) if rows else ((), (), (), ())
    hits = MotifSites(
        np.array(peak_id, np.int64),
        np.array(motif_name, object),
        np.array(strand, object),
        np.array(start, np.int64),
    )
    planted, _ = read_sites(sample.planted_sites)
    return score(hits, planted, palindromes=dataset.palindromes)


def _print(out: Path, result: DemoResult) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Planted motif sites, and what was called", box=box.SIMPLE)
    table.add_column("sample")
    for name in ("planted", "hits", "recall", "precision"):
        table.add_column(name, justify="right")
    for sample, found in result.recoveries.items():
        table.add_row(
            sample,
            f"{found.n_planted:,}",
            f"{found.n_hits:,}",
            f"{found.recall:.3f}",
            f"{found.precision:.3f}",
        )
    called = result.call
    rate = called.n_regions / max(called.seconds["call"], 1e-9)
    console = Console(markup=False, highlight=False)
    console.print(table)
    console.print(f"{called.n_regions:,} regions in {called.seconds['call']:.1f} s: {rate:,.0f}/s")
    console.print(f"every region certified: largest duality gap {called.max_gap:.1e}")
    click.echo(f"inputs   {out / 'inputs'}")
    click.echo(f"stores   {out / 'regions'}")
    click.echo(f"run      {called.run_dir}   (finemo's files below {called.run_dir / 'samples'})")
    click.echo(f"try      finemo-dist status {called.run_dir}")
    click.echo(
        f"         finemo-dist sql {called.run_dir} "
        "'SELECT sample, motif_name, count(*) FROM hits GROUP BY ALL ORDER BY ALL'"
    )


COMMANDS: Final = {"demo": demo}
