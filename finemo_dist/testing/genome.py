"""A made-up genome with regions on it, and the files that describe it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyBigWig
from numpy.typing import NDArray

from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import RegionTable
from finemo_dist.storage.files import committed
from finemo_dist.testing.regions import draw_background

_BASES = np.frombuffer(b"ACGTN", dtype=np.uint8)
_FASTA_COLUMNS = 60
_MAX_GAP = 600


@dataclass(frozen=True, slots=True)
class Genome:
    """Chromosomes and their bases, as codes."""

    chrom_names: tuple[str, ...]
    sequences: tuple[NDArray[np.uint8], ...]

    @property
    def chrom_sizes(self) -> tuple[int, ...]:
        """Bases in each chromosome."""
        return tuple(len(s) for s in self.sequences)


def lay_out(
    rng: np.random.Generator, n_regions: int, *, width: int, n_chroms: int = 3
) -> RegionTable:
    """Return regions in genomic order that neither overlap nor touch a chromosome's end.

    Chromosomes get fewer regions from the first to the last.

    Raises
    ------
    UsageError
        There are too few regions for the chromosomes.
    """
    shares = np.arange(n_chroms, 0, -1) / np.arange(1, n_chroms + 1).sum()
    bounds = np.round(np.cumsum(shares) * n_regions).astype(np.int64)
    counts = np.diff(bounds, prepend=0)
    if counts.min() < 1:
        raise UsageError(
            f"simulated genome: {n_regions} regions on {n_chroms} chromosomes; expected at least "
            "one on each. Ask for more regions."
        )
    starts = [np.cumsum(width + rng.integers(1, _MAX_GAP, size=count)) - width for count in counts]
    return RegionTable(
        chrom_names=tuple(f"chr{i + 1}" for i in range(n_chroms)),
        chrom_id=np.repeat(np.arange(n_chroms, dtype=np.int32), counts),
        start=np.concatenate(starts),
        peak_id=np.arange(n_regions, dtype=np.uint32),
        peak_name=np.array([f"peak_{i}" for i in range(n_regions)], dtype=object),
    )


def build_genome(
    rng: np.random.Generator,
    regions: RegionTable,
    sequence: NDArray[np.uint8],
    *,
    gc_content: float,
) -> Genome:
    """Return chromosomes that hold ``sequence`` (R, L) where ``regions`` lie, random elsewhere."""
    width = sequence.shape[1]
    chroms = []
    for chrom in range(len(regions.chrom_names)):
        rows = np.flatnonzero(regions.chrom_id == chrom)
        start = regions.start[rows]
        size = int(start.max()) + width + int(rng.integers(1, _MAX_GAP))
        codes = draw_background(rng, (size,), gc_content)
        codes[start[:, None] + np.arange(width)] = sequence[rows]
        chroms.append(codes)
    return Genome(regions.chrom_names, tuple(chroms))


def write_fasta(path: Path, genome: Genome) -> None:
    """Write the chromosomes in upper case, 60 bases a line."""
    with committed(path) as temporary, temporary.open("wb") as file:
        for name, codes in zip(genome.chrom_names, genome.sequences, strict=True):
            text = _BASES[codes].tobytes()
            lines = (text[i : i + _FASTA_COLUMNS] for i in range(0, len(text), _FASTA_COLUMNS))
            file.write(b">" + name.encode() + b"\n" + b"\n".join(lines) + b"\n")


def write_chrom_sizes(path: Path, genome: Genome) -> None:
    """Write name and size of each chromosome."""
    pairs = zip(genome.chrom_names, genome.chrom_sizes, strict=True)
    with committed(path) as temporary:
        temporary.write_text("".join(f"{name}\t{size}\n" for name, size in pairs))


def write_narrow_peaks(
    path: Path, regions: RegionTable, *, width: int, rng: np.random.Generator
) -> None:
    """Write a narrowPeak line a region, in order: the region's middle is the summit.

    Peaks are narrower than their regions and their summits off the peaks' middles, as peak
    callers have them.
    """
    summit = regions.start + width // 2
    start = summit - rng.integers(width // 10, width // 3, size=len(regions))
    end = summit + rng.integers(width // 10, width // 3, size=len(regions))
    signal = rng.gamma(2.0, 10.0, size=len(regions))
    with committed(path) as temporary, temporary.open("w") as file:
        for i in range(len(regions)):
            name = regions.chrom_names[regions.chrom_id[i]]
            file.write(
                f"{name}\t{start[i]}\t{end[i]}\t{regions.peak_name[i]}"
                f"\t{min(1000, int(10 * signal[i]))}\t.\t{signal[i]:.3f}\t-1\t-1"
                f"\t{summit[i] - start[i]}\n"
            )


def write_bigwig(
    path: Path, genome: Genome, *, regions: RegionTable, projected: NDArray[np.float32]
) -> None:
    """Write (R, L) projected contributions of regions that do not overlap, in genomic order."""
    with committed(path) as temporary:
        file = pyBigWig.open(str(temporary), "w")
        file.addHeader(list(zip(genome.chrom_names, genome.chrom_sizes, strict=True)))
        for i in range(len(regions)):
            values = projected[i].astype(np.float64)
            name = regions.chrom_names[regions.chrom_id[i]]
            first = int(regions.start[i])
            file.addEntries(name, first, values=values, span=1, step=1)
        file.close()
