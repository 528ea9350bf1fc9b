"""The demo's data set: two samples on one genome, every site known."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import RegionTable
from finemo_dist.testing.arrays import (
    write_bpnet_h5,
    write_chrombpnet_h5,
    write_modisco_arrays,
)
from finemo_dist.testing.genome import (
    Genome,
    write_bigwig,
    write_chrom_sizes,
    write_fasta,
    write_narrow_peaks,
)
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.regions import (
    SimulatedSample,
)
from finemo_dist.testing.scenario import (
    SAMPLES,
    SEQLET_WINDOW,
    SHARED_FRACTION,
    World,
    bind,
    draw_seqlets,
    make_world,
    share_out,
)
from finemo_dist.testing.truth import write_sites


@dataclass(frozen=True, slots=True)
class DemoSample:
    """The files of one sample; None where a format was not asked for."""

    name: str
    peaks: Path
    planted_sites: Path
    """What is bound in this sample."""
    decoy_sites: Path
    """What looks the same in the sequence and has no contributions in this sample."""
    modisco_h5: Path
    """The motifs, with seqlets of this sample."""
    bigwig: Path | None = None
    chrombpnet_h5: Path | None = None
    bpnet_h5: Path | None = None
    sequences_npz: Path | None = None
    attributions_npz: Path | None = None


@dataclass(frozen=True, slots=True)
class DemoDataset:
    """The files of the demo."""

    path: Path
    fasta: Path
    chrom_sizes: Path
    modisco_h5: Path
    """The motifs of both samples, without seqlet coordinates."""
    samples: tuple[DemoSample, ...]
    palindromes: tuple[str, ...]
    """Motifs whose strand means nothing."""
    region_width: int


def write_demo(
    path: Path,
    *,
    seed: int = 0,
    n_regions: int = 1000,
    n_motifs: int = 12,
    write_every_format: bool = False,
) -> DemoDataset:
    """Write two samples of ``n_regions`` each, with 40 % of their peaks in common.

    The first comes as bigWig and FASTA, the second as ChromBPNet's H5; ``write_every_format``
    writes both in all formats. In a peak of both, the sequence has the same sites and each sample
    binds some of them. The first two motifs are rare in the second sample, and the next two in the
    first. One motif is palindromic, and one has negative contributions. The same arguments give the
    same bytes.

    Raises
    ------
    UsageError
        Fewer than 10 regions or 6 motifs are asked for.
    """
    if n_regions < 10 or n_motifs < 6:
        raise UsageError(
            f"demo: {n_regions} regions and {n_motifs} motifs asked for, expected at least 10 and "
            "6. Ask for more."
        )
    streams = np.random.default_rng(seed).spawn(1 + len(SAMPLES))
    n_shared = round(SHARED_FRACTION * n_regions)
    world = make_world(streams[0], 2 * n_regions - n_shared, n_motifs=n_motifs)
    members = share_out(streams[0], n_regions, n_shared=n_shared)
    write_fasta(path / "genome.fa", world.genome)
    write_chrom_sizes(path / "chrom.sizes", world.genome)
    write_modisco_h5(path / "modisco.h5", world.motifs)
    formats: list[tuple[str, ...]] = [("bigwig",), ("chrombpnet",)]
    if write_every_format:
        formats = [("bigwig", "chrombpnet", "bpnet", "npz")] * 2
    samples = tuple(
        _write_sample(streams[1 + i], world, path / name, rows=members[i], formats=formats[i])
        for i, name in enumerate(SAMPLES)
    )
    return DemoDataset(
        path=path,
        fasta=path / "genome.fa",
        chrom_sizes=path / "chrom.sizes",
        modisco_h5=path / "modisco.h5",
        samples=samples,
        palindromes=world.motifs.palindromes,
        region_width=world.settings.width,
    )


def _write_sample(
    rng: np.random.Generator,
    world: World,
    folder: Path,
    *,
    rows: NDArray[np.int64],
    formats: tuple[str, ...],
) -> DemoSample:
    name = folder.name
    sample, regions = bind(rng, world, name=name, rows=rows)
    files = DemoSample(
        name=name,
        peaks=folder / "peaks.narrowPeak",
        planted_sites=folder / "planted_sites.tsv",
        decoy_sites=folder / "decoy_sites.tsv",
        modisco_h5=folder / "modisco.h5",
    )
    is_decoy = sample.sites.is_decoy
    write_narrow_peaks(files.peaks, regions, width=world.settings.width, rng=rng)
    for path, sites in (
        (files.planted_sites, sample.sites[~is_decoy]),
        (files.decoy_sites, sample.sites[is_decoy]),
    ):
        write_sites(path, sites, motifs=world.motifs, regions=regions)
    seqlets = draw_seqlets(rng, world, sites=sample.sites)
    write_modisco_h5(files.modisco_h5, world.motifs, seqlets=seqlets, window=SEQLET_WINDOW)
    return _write_scores(files, sample, world.genome, regions=regions, formats=formats)


def _write_scores(
    files: DemoSample,
    sample: SimulatedSample,
    genome: Genome,
    *,
    regions: RegionTable,
    formats: tuple[str, ...],
) -> DemoSample:
    """Write the formats asked for and return where they are."""
    folder = files.peaks.parent
    if "bigwig" in formats:
        files = replace(files, bigwig=folder / "contributions.bw")
        write_bigwig(
            folder / "contributions.bw", genome, regions=regions, projected=sample.projected
        )
    if "chrombpnet" in formats:
        files = replace(files, chrombpnet_h5=folder / "chrombpnet.h5")
        write_chrombpnet_h5(folder / "chrombpnet.h5", sample)
    if "bpnet" in formats:
        files = replace(files, bpnet_h5=folder / "bpnet.h5")
        write_bpnet_h5(folder / "bpnet.h5", sample)
    if "npz" in formats:
        paths = folder / "ohe.npz", folder / "attr.npz"
        files = replace(files, sequences_npz=paths[0], attributions_npz=paths[1])
        write_modisco_arrays(*paths, sample)
    return files
