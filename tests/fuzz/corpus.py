"""The whole files that cases harm, and what the commands answer about them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finemo_dist.store.read import open_store
from tests.fuzz.outcome import run_command
from tests.unit.run.runs import write_inputs
from tests.unit.sources.samples import WIDTH, Samples, finemo_arrays, make_samples, write_fasta


@dataclass(frozen=True, slots=True)
class Corpus:
    """Whole inputs, a store, a finished run, and the answers that must not change."""

    folder: Path
    samples: Samples
    modisco_h5: Path
    store: Path
    run: Path
    answers: dict[str, object]


def make_corpus(folder: Path) -> Corpus:
    """Write everything; a few seconds."""
    folder.mkdir(parents=True)
    samples = make_samples(folder)
    _write_more_formats(samples)
    inputs = write_inputs(folder, n_regions=6, shard_regions=3)
    run = folder / "run"
    corpus = Corpus(folder, samples, inputs.modisco_h5, inputs.stores["a"], run, {})
    done = run_command("call-hits", "-r", corpus.store, "-m", corpus.modisco_h5, "-o", run)
    assert done.status == 0, done.err
    corpus.answers["hits.tsv"] = (run / "hits.tsv").read_bytes()
    for name, query in QUERIES.items():
        corpus.answers[name] = ask(run, query).out
    corpus.answers["status"] = run_command("status", run, "--json").out
    return corpus


QUERIES = {
    "hits": "FROM hits ORDER BY ALL",
    "peaks_qc": "FROM peaks_qc ORDER BY ALL",
    "motifs": "FROM motifs ORDER BY ALL",
    "samples": "FROM samples ORDER BY ALL",
}


def ask(run: Path, query: str):
    """Return how `sql` answers."""
    return run_command("sql", run, query, "--format", "tsv")


def _write_more_formats(samples: Samples) -> None:
    write_fasta(samples / "genome.fa.gz", samples.genome)
    for name in ("ohe", "attr"):
        np.savez(samples / f"{name}_stored.npz", np.load(samples / f"{name}.npy"))
    np.savez(samples / "regions_stored.npz", **finemo_arrays(samples))
    for name in ("genome.fa", "genome.fa.gz"):
        run_command("extract-regions-bw", "-p", samples.peaks, "-f", samples / name,
                    "-b", samples / "scores.bw", "-o", samples / "x.zarr", "-w", WIDTH)  # fmt: skip
        shutil.rmtree(samples / "x.zarr")


@dataclass(frozen=True, slots=True)
class Regions:
    """What a store holds, as numbers to compare."""

    sequence: NDArray[np.uint8]
    contributions: NDArray[np.float32]
    start: NDArray[np.int64]
    chroms: list[str]
    names: list[str]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Regions)
            and np.array_equal(self.sequence, other.sequence)
            and np.array_equal(self.contributions, other.contributions)
            and np.array_equal(self.start, other.start)
            and (self.chroms, self.names) == (other.chroms, other.names)
        )


def read_regions(path: Path) -> Regions:
    """Return everything in a store."""
    store = open_store(path)
    table = store.table(0, store.n_regions)
    batch = store.read(0, store.n_regions)
    chroms = [table.chrom_names[i] if i >= 0 else "" for i in table.chrom_id.tolist()]
    return Regions(
        batch.sequence, batch.contributions, table.start, chroms, table.peak_name.tolist()
    )
