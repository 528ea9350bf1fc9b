"""Make the slice of real data beside this file: ``python -m tests.data.make_slice YEAST_MINI``.

YEAST_MINI is the folder of 224 regions that PROVENANCE.md describes. Whole runs of neighbouring
regions are taken from the beginnings of three chromosomes, so that coordinates stay as they are
and no region overlaps one that is left out: the bigWig averages where regions overlap.
"""

import argparse
import hashlib
import subprocess
from pathlib import Path
from typing import Any, Final

import h5py
import hdf5plugin
import numpy as np
import pyBigWig

from tests.benchmarks.finemo_env import find_finemo

HERE: Final = Path(__file__).resolve().parent
SLICE: Final = HERE / "yeast_slice"
ROWS: Final = {"chrI": range(8), "chrIII": range(61, 70), "chrVI": range(150, 157)}
"""Rows of the peaks file, by chromosome."""
N_REGIONS: Final = sum(map(len, ROWS.values()))
CHROM_BP: Final = {"chrI": 32_000, "chrIII": 32_400, "chrVI": 34_000}
"""Where each chromosome is cut: after its last region and before the next."""
LINE_BP: Final = 60
OPTIMA: Final = ("pp", "ph", "hp", "hh", "sqrt", "bw", "l0.6_t0.2")


def main() -> None:
    """Write the slice and print the table of its files for PROVENANCE.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("yeast_mini", type=Path)
    parser.add_argument("--finemo", type=Path, help="an executable of finemo 0.41")
    asked = parser.parse_args()
    SLICE.mkdir(exist_ok=True)
    rows = np.array([row for rows in ROWS.values() for row in rows])
    cut_peaks(asked.yeast_mini, rows)
    cut_genome(asked.yeast_mini)
    cut_arrays(asked.yeast_mini, rows)
    cut_bigwig(asked.yeast_mini)
    cut_motifs(asked.yeast_mini, rows)
    cut_optima(asked.yeast_mini, rows)
    run_finemo(find_finemo(asked.finemo).executable)
    for path in sorted(p for p in SLICE.rglob("*") if p.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"| `{path.relative_to(SLICE)}` | {path.stat().st_size:,} | `{digest}` |")  # noqa: T201


def cut_peaks(source: Path, rows: np.ndarray) -> None:
    lines = (source / "peaks.narrowPeak").read_text().splitlines()
    (SLICE / "peaks.narrowPeak").write_text("".join(f"{lines[row]}\n" for row in rows))


def cut_genome(source: Path) -> None:
    bases: dict[str, str] = {}
    for record in (source / "genome.fa").read_text().split(">")[1:]:
        name, *lines = record.splitlines()
        bases[name.split()[0]] = "".join(lines)
    with (SLICE / "genome.fa").open("w") as handle:
        for chrom, length in CHROM_BP.items():
            kept = bases[chrom][:length]
            lines = (kept[i : i + LINE_BP] for i in range(0, length, LINE_BP))
            handle.write(f">{chrom}\n" + "".join(f"{line}\n" for line in lines))
    sizes = "".join(f"{chrom}\t{length}\n" for chrom, length in CHROM_BP.items())
    (SLICE / "chrom.sizes").write_text(sizes)


def cut_arrays(source: Path, rows: np.ndarray) -> None:
    """Write sequences and hypothetical contributions as npz, and both in ChromBPNet's layout."""
    sequences, scores = (np.load(source / f"{name}.npz")["arr_0"][rows] for name in ("ohe", "attr"))
    np.savez_compressed(SLICE / "ohe.npz", sequences)
    np.savez_compressed(SLICE / "attr.npz", scores)
    blosc = hdf5plugin.Blosc(cname="zstd", clevel=9, shuffle=hdf5plugin.Blosc.SHUFFLE)
    with h5py.File(SLICE / "chrombpnet_contribs.h5", "w") as file:
        file.create_dataset("raw/seq", data=sequences, chunks=sequences.shape, **blosc)
        file.create_dataset("shap/seq", data=scores, chunks=scores.shape, **blosc)


def cut_bigwig(source: Path) -> None:
    with (
        pyBigWig.open(str(source / "contribs.bw")) as whole,
        pyBigWig.open(str(SLICE / "contribs.bw"), "w") as cut,
    ):
        cut.addHeader(list(CHROM_BP.items()), maxZooms=0)
        for chrom, length in CHROM_BP.items():
            starts, ends, values = zip(*whole.intervals(chrom, 0, length), strict=True)
            cut.addEntries(
                [chrom] * len(starts), list(starts), ends=list(ends), values=list(values)
            )


def cut_motifs(source: Path, rows: np.ndarray) -> None:
    """Write all patterns, with the seqlets that lie in the regions kept."""
    with (
        h5py.File(source / "modisco_results.h5") as whole,
        h5py.File(SLICE / "modisco_results.h5", "w", libver="latest") as cut,
    ):
        cut.attrs.update(whole.attrs)
        for group, patterns in whole.items():
            for key, pattern in patterns.items():
                made = cut.create_group(f"{group}/{key}")
                for field in ("sequence", "contrib_scores", "hypothetical_contribs"):
                    made.create_dataset(field, data=pattern[field][()])
                _cut_seqlets(pattern["seqlets"], made, rows)


def _cut_seqlets(seqlets: Any, made: h5py.Group, rows: np.ndarray) -> None:
    example = seqlets["example_idx"][()]
    kept = np.isin(example, rows)
    new_row = np.searchsorted(rows, example[kept])
    made.create_dataset("seqlets/n_seqlets", data=np.array([kept.sum()]))
    made.create_dataset("seqlets/example_idx", data=new_row.astype(np.int64))
    for field in ("start", "end", "is_revcomp"):
        made.create_dataset(f"seqlets/{field}", data=seqlets[field][()][kept])


def cut_optima(source: Path, rows: np.ndarray) -> None:
    (SLICE / "optimum").mkdir(exist_ok=True)
    new_row = {str(row): new for new, row in enumerate(rows)}
    for name in OPTIMA:
        header, *lines = (source / "optimum" / f"{name}.tsv").read_text().splitlines()
        parts = (line.split("\t", 1) for line in lines)
        kept = [f"{new_row[peak]}\t{rest}" for peak, rest in parts if peak in new_row]
        (SLICE / "optimum" / f"{name}.tsv").write_text("\n".join([header, *kept]) + "\n")


def run_finemo(finemo: Path) -> None:
    """Write what finemo makes of the slice."""
    regions = SLICE / "finemo-0.41" / "regions"
    regions.parent.mkdir(exist_ok=True)
    motifs = ["-m", "modisco_results.h5"]
    # finemo computes on whole batches of 2,000 however few regions there are.
    call = ["call-hits", "-r", "finemo-0.41/regions.npz", *motifs, "-b", str(N_REGIONS)]
    for words in (
        ["extract-regions-modisco-fmt", "-s", "ohe.npz", "-a", "attr.npz", "-p",
         "peaks.narrowPeak", "-o", "finemo-0.41/regions"],
        [*call, "-o", "finemo-0.41/default"],
        [*call, "-o", "finemo-0.41/tol1e-6", "-c", "1e-6"],
    ):  # fmt: skip
        subprocess.run([finemo, *words], cwd=SLICE, check=True)
    code = (HERE / "finemo_functions.py").read_text()
    python = finemo.parent / "python"
    (SLICE / "finemo-0.41" / "functions").mkdir(exist_ok=True)
    subprocess.run([python, "-c", code, "finemo-0.41/functions"], cwd=SLICE, check=True)
    regions.with_suffix(".npz").unlink()
    # hits_unique.tsv says the same: the slice is to stay below a million bytes.
    (SLICE / "finemo-0.41" / "tol1e-6" / "hits.bed").unlink()


if __name__ == "__main__":
    main()
