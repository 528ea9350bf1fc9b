"""The regions and motifs that are measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.protocols import Source
from finemo_dist.core.records import InputFile, RegionBatch, RegionTable, ScoreKind
from finemo_dist.sources.bigwig import BigWigSource
from finemo_dist.store.npz import write_finemo_npz
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import SimulatedMotifs, random_motifs
from finemo_dist.testing.regions import SimulationSettings
from finemo_dist.testing.source import SimulatedSource
from tests.benchmarks.processes import PROJECT

SHARED_DATA = PROJECT.parent / "shared" / "data"
ABSENT = "reference data not present: ../shared/data"

_COPY_STRIDE = 10_000_000
"""Bases between copies of a region: no two copies overlap."""
_BLOCK_REGIONS = 1024


@dataclass(frozen=True, slots=True)
class Dataset:
    """Regions with motifs."""

    name: str
    title: str
    source: Source
    modisco_h5: Path
    n_strands: int
    """Motifs times two."""


class CopiedSource:
    """Some regions of a source, held in memory and repeated; satisfies ``Source``.

    Row ``i`` of the result is row ``i % len(rows)`` of the choice, moved along its chromosome, so
    that any amount of work is made of the same regions.
    """

    def __init__(self, source: Source, rows: NDArray[np.intp], n_copies: int) -> None:
        batch = source.read(0, len(source.regions))
        self._sequence = batch.sequence[rows]
        self._contributions = batch.contributions[rows]
        self._regions = _copied(source.regions[rows], n_copies)

    @property
    def score_kind(self) -> ScoreKind:
        return RegionBatch(self._sequence, self._contributions).score_kind

    @property
    def region_width(self) -> int:
        return int(self._sequence.shape[1])

    @property
    def regions(self) -> RegionTable:
        return self._regions

    @property
    def inputs(self) -> Sequence[InputFile]:
        return ()

    def read(self, start: int, stop: int) -> RegionBatch:
        rows = np.arange(start, stop) % len(self._sequence)
        return RegionBatch(self._sequence[rows], self._contributions[rows])


def _copied(regions: RegionTable, n_copies: int) -> RegionTable:
    n_regions = len(regions) * n_copies
    copy = np.repeat(np.arange(n_copies), len(regions))
    return replace(
        regions,
        chrom_id=np.tile(regions.chrom_id, n_copies),
        start=np.tile(regions.start, n_copies) + copy * _COPY_STRIDE,
        peak_id=np.arange(n_regions, dtype=np.uint32),
        peak_name=np.array([f"peak_{i}" for i in range(n_regions)], dtype=object),
    )


def spaced_rows(n_regions: int, n_wanted: int) -> NDArray[np.intp]:
    """Return rows evenly spaced over all, so that a choice stands for the whole."""
    return np.linspace(0, n_regions - 1, min(n_wanted, n_regions)).round().astype(np.intp)


def write_regions(source: Source, path: Path) -> Path:
    """Write a store, and finemo's regions file where the name ends in ``.npz``."""
    if path.suffix != ".npz":
        encode(source, path, overwrite=True)
        return path
    staged = path.with_suffix(".staged")
    encode(source, staged, overwrite=True)
    write_finemo_npz(open_store(staged), path)
    return path


def real_datasets(data: Path, n_compendium: int) -> Iterator[Dataset]:
    """Yield yeast with its own motifs, and some of its regions with the compendium."""
    folder = data / "yeast"
    source = BigWigSource(
        folder / "peaks.narrowPeak", folder / "genome.fa", [folder / "contribs.bw"],
        region_width=1000,
    )  # fmt: skip
    compendium = data / "jaspar2026_dl_352_clusters.h5"
    yield Dataset("yeast", "yeast", source, folder / "modisco_results.h5", 48)
    rows = spaced_rows(len(source.regions), n_compendium)
    some = CopiedSource(source, rows, 1)
    yield Dataset("compendium", "yeast with the JASPAR compendium", some, compendium, 704)


def bench_datasets(
    folder: Path, shared: Path, *, n_simulated: int, n_compendium: int
) -> Iterator[Dataset]:
    """Yield yeast, simulated regions with 100 motif-strands, and the compendium, as far as here."""
    folder.mkdir(parents=True, exist_ok=True)
    real = list(real_datasets(shared, n_compendium)) if shared.is_dir() else []
    yield from real[:1]
    yield simulated_dataset(folder, n_regions=n_simulated)
    yield from real[1:]


def simulated_dataset(
    folder: Path, *, n_regions: int, n_strands: int = 100, width: int = 1000
) -> Dataset:
    """Return generated regions with planted sites of all motifs, made as they are read."""
    motifs = simulated_motifs(n_strands)
    modisco_h5 = folder / f"motifs-{n_strands}.h5"
    write_modisco_h5(modisco_h5, motifs)
    settings = SimulationSettings(width=width)
    source = SimulatedSource(motifs, n_regions, settings=settings, stride=width + 200)
    return Dataset("simulated", "simulated", source, modisco_h5, n_strands)


def simulated_motifs(n_strands: int) -> SimulatedMotifs:
    """Return motifs, the same for the same number."""
    return random_motifs(np.random.default_rng(n_strands), n_strands // 2)
