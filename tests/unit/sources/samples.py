"""One small set of regions in every format a source reads, with the numbers behind them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pyBigWig
from Bio import bgzf
from numpy.typing import NDArray

from finemo_dist.core.protocols import Source
from finemo_dist.sources.arrays import ModiscoArraysSource
from finemo_dist.sources.bigwig import BigWigSource
from finemo_dist.sources.finemo_npz import FinemoRegionsSource
from finemo_dist.sources.h5 import BpnetSource, ChromBpnetSource

WIDTH = 20
ARRAY_WIDTH = 26
MARGIN = (ARRAY_WIDTH - WIDTH) // 2
CHROM_LENGTHS = {"chr2": 900, "chr1": 700}
N_REGIONS = 15


@dataclass(frozen=True, slots=True)
class Samples:
    """Files in ``folder`` and what is in them."""

    folder: Path
    genome: dict[str, str]
    chroms: list[str]
    starts: NDArray[np.int64]
    codes: NDArray[np.uint8]
    """(N, WIDTH)"""
    hypothetical: NDArray[np.float16]
    """(N, 4, WIDTH)"""
    projected: NDArray[np.float16]
    """(N, WIDTH)"""

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    @property
    def peaks(self) -> Path:
        return self / "peaks.narrowPeak"

    @property
    def fasta(self) -> Path:
        return self / "genome.fa"

    def make(self, kind: str) -> Source:
        return SOURCES[kind](self)


SOURCES: dict[str, Callable[[Samples], Source]] = {
    "bigwig": lambda s: BigWigSource(s.peaks, s.fasta, [s / "scores.bw"], region_width=WIDTH),
    "chrombpnet": lambda s: ChromBpnetSource(
        [s / "chrombpnet.h5"], region_width=WIDTH, peaks=s.peaks, fasta=s.fasta
    ),
    "bpnet": lambda s: BpnetSource(
        [s / "bpnet.h5"], region_width=WIDTH, peaks=s.peaks, fasta=s.fasta
    ),
    "npz": lambda s: ModiscoArraysSource(
        s / "ohe.npz", [s / "attr.npz"], region_width=WIDTH, peaks=s.peaks, fasta=s.fasta
    ),
    "npy": lambda s: ModiscoArraysSource(
        s / "ohe.npy", [s / "attr.npy"], region_width=WIDTH, peaks=s.peaks, fasta=s.fasta
    ),
    "finemo": lambda s: FinemoRegionsSource(s / "regions.npz"),
    "no-peaks": lambda s: ModiscoArraysSource(s / "ohe.npz", [s / "attr.npz"], region_width=WIDTH),
}


def one_hot_of(codes: NDArray[np.uint8]) -> NDArray[np.int8]:
    return (codes[:, None, :] == np.arange(4)[:, None]).astype(np.int8)


def write_fasta(path: Path, genome: dict[str, str], *, line: int = 50) -> None:
    opener = bgzf.open if path.suffix == ".gz" else open
    with opener(path, "wt") as handle:
        for name, bases in genome.items():
            handle.write(f">{name} described\n")
            for i in range(0, len(bases), line):
                handle.write(bases[i : i + line] + "\n")


def write_bigwig(
    path: Path, lengths: dict[str, int], values: dict[str, NDArray[np.floating]]
) -> None:
    """Write scores that are NaN where there is none."""
    with pyBigWig.open(str(path), "w") as handle:
        handle.addHeader(list(lengths.items()))
        for chrom, scores in values.items():
            at = np.flatnonzero(~np.isnan(scores))
            if len(at):
                handle.addEntries([chrom] * len(at), at.tolist(), ends=(at + 1).tolist(),
                                  values=scores[at].astype(float).tolist())  # fmt: skip


def write_peaks(path: Path, chroms: list[str], starts: NDArray[np.int64], width: int) -> None:
    """Write peaks whose regions of ``width`` begin at ``starts``; peaks begin at 0 or after."""
    lines = []
    for i, (chrom, start) in enumerate(zip(chroms, starts.tolist(), strict=True)):
        first = max(start, 0)
        summit = start + width // 2 - first
        lines.append(f"{chrom}\t{first}\t{first + width}\tpeak_{i}\t0\t.\t0\t0\t0\t{summit}\n")
    path.write_text("".join(lines))


def make_samples(folder: Path, *, seed: int = 0) -> Samples:
    """Write all formats; regions lie apart, unsorted, on two chromosomes, none clipped."""
    rng = np.random.default_rng(seed)
    genome = {c: "".join(rng.choice(list("ACGTacgtN"), n)) for c, n in CHROM_LENGTHS.items()}
    chroms, starts = [], []
    for i in rng.permutation(N_REGIONS).tolist():
        chroms.append("chr1" if i % 2 else "chr2")
        starts.append(MARGIN + (i // 2) * 2 * ARRAY_WIDTH + int(rng.integers(ARRAY_WIDTH)))
    wide_starts = np.array(starts) - MARGIN
    codes = np.array(
        [
            ["ACGT".find(b) % 5 for b in genome[c][s : s + ARRAY_WIDTH].upper()]
            for c, s in zip(chroms, wide_starts, strict=True)
        ],
        dtype=np.uint8,
    )
    scores = rng.normal(size=(N_REGIONS, 4, ARRAY_WIDTH)).astype(np.float16)
    one_hot = one_hot_of(codes)
    projected = (scores * one_hot).sum(axis=1)
    inner = slice(MARGIN, MARGIN + WIDTH)
    samples = Samples(
        folder, genome, chroms, np.array(starts), codes[:, inner], scores[:, :, inner],
        projected[:, inner],
    )  # fmt: skip
    _write_all(samples, one_hot, scores)
    return samples


def _write_all(s: Samples, one_hot: NDArray[np.int8], scores: NDArray[np.float16]) -> None:
    write_fasta(s.fasta, s.genome)
    write_peaks(s.peaks, s.chroms, s.starts, WIDTH)
    track = {c: np.full(n, np.nan) for c, n in CHROM_LENGTHS.items()}
    for chrom, start, row in zip(s.chroms, s.starts, s.projected, strict=True):
        track[chrom][start : start + WIDTH] = row
    write_bigwig(s / "scores.bw", CHROM_LENGTHS, track)
    write_chrombpnet(s / "chrombpnet.h5", one_hot, scores)
    write_bpnet(s / "bpnet.h5", one_hot, scores)
    for name, array in (("ohe", one_hot), ("attr", scores)):
        np.save(s / f"{name}.npy", array)
        np.savez_compressed(s / f"{name}.npz", array)
    np.savez_compressed(s / "regions.npz", **finemo_arrays(s))


def write_chrombpnet(path: Path, one_hot: NDArray[np.generic], scores: NDArray[np.generic]) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("raw/seq", data=one_hot, chunks=(4, 4, ARRAY_WIDTH))
        file.create_dataset("shap/seq", data=scores, chunks=(4, 4, ARRAY_WIDTH), compression="gzip")


def write_bpnet(path: Path, one_hot: NDArray[np.generic], scores: NDArray[np.generic]) -> None:
    with h5py.File(path, "w") as file:
        file["input_seqs"] = one_hot.swapaxes(1, 2)
        file.create_dataset("hyp_scores", data=scores.swapaxes(1, 2), chunks=(7, 10, 1))


def finemo_arrays(s: Samples) -> dict[str, NDArray[np.generic]]:
    """Return what finemo's regions file holds for the samples."""
    rank = {c: i for i, c in enumerate(dict.fromkeys(s.chroms))}
    return {
        "sequences": one_hot_of(s.codes),
        "contributions": s.hypothetical,
        "chr": np.array(s.chroms),
        "chr_id": np.array([rank[c] for c in s.chroms], dtype=np.int64),
        "start": s.starts.astype(np.int32),
        "peak_id": np.arange(N_REGIONS, dtype=np.uint32),
        "peak_name": np.array([f"peak_{i}" for i in range(N_REGIONS)]),
    }
