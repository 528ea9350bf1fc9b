"""One small sample in every format a source reads, and copies of its files that are at fault."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np
import pyBigWig
from numpy.typing import NDArray

from finemo_dist.testing.dataset import DemoDataset, DemoSample, write_demo

N_REGIONS = 12
KINDS = ("bw", "chrombpnet-h5", "bpnet-h5", "modisco-fmt")
SCORES_FLAG = {"bw": "-b", "chrombpnet-h5": "-c", "bpnet-h5": "-c", "modisco-fmt": "-a"}


@dataclass(frozen=True)
class Inputs:
    """The files of a demo's first sample, and what they hold; not to be changed."""

    demo: DemoDataset
    files: DemoSample = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", self.demo.samples[0])

    @property
    def width(self) -> int:
        return self.demo.region_width

    @property
    def fasta(self) -> Path:
        return self.demo.fasta

    @property
    def modisco_h5(self) -> Path:
        return self.demo.modisco_h5

    @property
    def peaks(self) -> Path:
        return self.files.peaks

    @cached_property
    def peak_rows(self) -> list[list[str]]:
        """Fields of every peak."""
        return [line.split("\t") for line in self.peaks.read_text().splitlines()]

    @cached_property
    def starts(self) -> list[tuple[str, int]]:
        """Chromosome and first base of every region."""
        return [(r[0], int(r[1]) + int(r[9]) - self.width // 2) for r in self.peak_rows]

    @cached_property
    def chrom_lengths(self) -> dict[str, int]:
        rows = (line.split("\t") for line in self.demo.chrom_sizes.read_text().splitlines())
        return {name: int(length) for name, length in rows}

    @cached_property
    def genome(self) -> dict[str, str]:
        records = self.fasta.read_text().split(">")[1:]
        split = (record.split("\n", 1) for record in records)
        return {name.split()[0]: bases.replace("\n", "") for name, bases in split}

    @cached_property
    def one_hot(self) -> NDArray[np.int8]:
        """(N, 4, L)."""
        with np.load(self.files.sequences_npz) as file:
            return file["arr_0"]

    @cached_property
    def hypothetical(self) -> NDArray[np.float32]:
        """(N, 4, L)."""
        with np.load(self.files.attributions_npz) as file:
            return file["arr_0"].astype(np.float32)

    @cached_property
    def projected(self) -> NDArray[np.float32]:
        """(N, L)."""
        return (self.hypothetical * self.one_hot).sum(axis=1)

    def extract(self, kind: str, **other: object) -> list[object]:
        """Return the words that extract the sample from one kind of file.

        ``scores``, ``sequences``, ``peaks``, ``fasta`` and ``width`` replace what is given; None
        leaves an option out.
        """
        files = self.files
        given = {
            "peaks": files.peaks,
            "width": self.width,
            "fasta": self.fasta if kind == "bw" else None,
            "sequences": files.sequences_npz if kind == "modisco-fmt" else None,
            "scores": {
                "bw": files.bigwig,
                "chrombpnet-h5": files.chrombpnet_h5,
                "bpnet-h5": files.bpnet_h5,
                "modisco-fmt": files.attributions_npz,
            }[kind],
        } | other
        flags = {"fasta": "-f", "sequences": "-s", "scores": SCORES_FLAG[kind], "peaks": "-p",
                 "width": "-w"}  # fmt: skip
        words: list[object] = [f"extract-regions-{kind}"]
        for name, flag in flags.items():
            value = given[name]
            if value is not None:
                words += [flag, *(value if isinstance(value, list) else [value])]
        return words

    def finemo_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what finemo's regions file holds for the sample."""
        chroms = [chrom for chrom, _ in self.starts]
        rank = {chrom: i for i, chrom in enumerate(dict.fromkeys(chroms))}
        return {
            "sequences": self.one_hot,
            "contributions": self.hypothetical.astype(np.float16),
            "chr": np.array(chroms),
            "chr_id": np.array([rank[c] for c in chroms], np.int64),
            "start": np.array([start for _, start in self.starts], np.int32),
            "peak_id": np.arange(len(chroms), dtype=np.uint32),
            "peak_name": np.array([row[3] for row in self.peak_rows]),
        }


def make_inputs(folder: Path) -> Inputs:
    return Inputs(write_demo(folder, n_regions=N_REGIONS, n_motifs=6, write_every_format=True))


def write_fasta(path: Path, genome: Mapping[str, str]) -> Path:
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in genome.items()))
    return path


def write_bigwig(
    path: Path, lengths: Mapping[str, int], scores: Mapping[str, NDArray[np.floating]]
) -> Path:
    """Write the scores of every base of some chromosomes; NaN is written as such."""
    with pyBigWig.open(str(path), "w") as handle:
        handle.addHeader(list(lengths.items()))
        for chrom in lengths:
            if chrom in scores:
                values = scores[chrom].astype(float).tolist()
                starts = list(range(len(values)))
                handle.addEntries([chrom] * len(values), starts,
                                  ends=[s + 1 for s in starts], values=values)  # fmt: skip
    return path


def read_bigwig(path: Path) -> dict[str, NDArray[np.float32]]:
    with pyBigWig.open(str(path)) as handle:
        tracks = {c: handle.values(c, 0, n, numpy=True) for c, n in handle.chroms().items()}
    return {chrom: np.nan_to_num(track) for chrom, track in tracks.items()}


def write_scores(
    inputs: Inputs,
    kind: str,
    path: Path,
    change: Callable[[NDArray[np.float32]], NDArray[np.floating]],
) -> Path:
    """Write the contributions of the sample anew, as float32, changed."""
    if kind == "bw":
        tracks = {c: change(t) for c, t in read_bigwig(inputs.files.bigwig).items()}
        return write_bigwig(path.with_suffix(".bw"), inputs.chrom_lengths, tracks)
    scores = change(inputs.hypothetical.copy())
    if kind == "modisco-fmt":
        np.save(path.with_suffix(".npy"), scores)
        return path.with_suffix(".npy")
    return write_h5(path.with_suffix(".h5"), kind, one_hot=inputs.one_hot, scores=scores)


def write_h5(
    path: Path, kind: str, *, one_hot: NDArray[np.generic], scores: NDArray[np.floating]
) -> Path:
    with h5py.File(path, "w") as file:
        if kind == "chrombpnet-h5":
            file["raw/seq"], file["shap/seq"] = one_hot, scores
        else:
            file["input_seqs"], file["hyp_scores"] = (
                one_hot.swapaxes(1, 2), scores.swapaxes(1, 2),
            )  # fmt: skip
    return path


def write_cwm(path: Path, *patterns: tuple[str, NDArray[np.floating]]) -> Path:
    """Write a modisco file of patterns (4, W), by names such as ``pos_patterns.pattern_0``."""
    with h5py.File(path, "w") as file:
        for name, cwm in patterns:
            group = file.create_group(name.replace(".", "/", 1))
            group["contrib_scores"] = group["hypothetical_contribs"] = cwm.T
    return path
