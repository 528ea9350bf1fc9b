"""Binary files harmed: refused in one line, or read as what they hold; what is summed, never."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.fuzz.corpus import QUERIES, Corpus, ask, read_regions
from tests.fuzz.damage import Damage
from tests.fuzz.outcome import assert_clear, run_command
from tests.unit.sources.samples import N_REGIONS, WIDTH

Check = Callable[[Corpus, Path, Damage, int], None]
"""Harm copies of the corpus in a folder, run a command, and assert the property."""


def _words(samples: Path, kind: str) -> list[object]:
    inputs = {
        "bw": ["-f", samples / "genome.fa", "-b", samples / "scores.bw"],
        "bw-bgzip": ["-f", samples / "genome.fa.gz", "-b", samples / "scores.bw"],
        "chrombpnet-h5": ["-c", samples / "chrombpnet.h5", "-f", samples / "genome.fa"],
        "bpnet-h5": ["-c", samples / "bpnet.h5", "-f", samples / "genome.fa"],
        "modisco-fmt": ["-s", samples / "ohe.npz", "-a", samples / "attr.npz"],
        "modisco-fmt-stored": [
            "-s", samples / "ohe_stored.npz", "-a", samples / "attr_stored.npz",
        ],
        "modisco-fmt-npy": ["-s", samples / "ohe.npy", "-a", samples / "attr.npy"],
    }  # fmt: skip
    command = next(c for c in ("bw", "chrombpnet-h5", "bpnet-h5", "modisco-fmt") if
                   kind.startswith(c))  # fmt: skip
    peaks = [] if command == "modisco-fmt" else ["-p", samples / "peaks.narrowPeak"]
    return [f"extract-regions-{command}", *inputs[kind], *peaks, "-w", WIDTH]


def _copy(corpus: Corpus, folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        # With their times: an index older than its FASTA is made anew.
        shutil.copy2(corpus.samples / name, folder / name)


def _harm(path: Path, damage: Damage) -> bool:
    """Damage a file and return whether that changed anything."""
    before = path.read_bytes()
    after = damage.apply(before)
    times = path.stat()
    path.write_bytes(after)
    # As by a failing disk: no time stamp tells.
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return after != before


@dataclass(frozen=True, slots=True)
class Extraction:
    """Extract from a harmed file."""

    kind: str
    files: tuple[str, ...]
    target: str
    is_summed: bool = False
    """Whether the format sums its content, so that no harm may change what is read."""

    def __call__(self, corpus: Corpus, folder: Path, damage: Damage, _choice: int) -> None:
        _copy(corpus, folder, self.files)
        _harm(folder / self.target, damage)
        out = folder / "out.zarr"
        before = set(folder.iterdir())
        outcome = run_command(*_words(folder, self.kind), "-o", out)
        if not assert_clear(outcome):
            assert any(name in outcome.error for name in self.files), outcome.error
            assert {p.name for p in set(folder.iterdir()) - before} <= {"genome.fa.fai"}
            return
        found = read_regions(out)
        assert np.isfinite(found.contributions).all()
        assert found.sequence.shape == (N_REGIONS, WIDTH)
        if self.is_summed:
            _assert_same_regions(corpus, self.kind, found)


def _assert_same_regions(corpus: Corpus, kind: str, found: object) -> None:
    key = f"extract {kind}"
    if key not in corpus.answers:
        whole = corpus.folder / f"whole-{kind}.zarr"
        assert run_command(*_words(corpus.samples.folder, kind), "-o", whole).status == 0
        corpus.answers[key] = read_regions(whole)
    assert found == corpus.answers[key], "other regions than those of the whole file"


_GENOME = ("peaks.narrowPeak", "genome.fa")

EXTRACTIONS: dict[str, Check] = {
    "bigwig": Extraction("bw", (*_GENOME, "scores.bw"), "scores.bw"),
    "fasta": Extraction("bw", (*_GENOME, "scores.bw"), "genome.fa"),
    "fasta index": Extraction(
        "bw", (*_GENOME, "genome.fa.fai", "scores.bw"), "genome.fa.fai", is_summed=True
    ),
    "bgzip": Extraction(
        "bw-bgzip", ("peaks.narrowPeak", "genome.fa.gz", "scores.bw"), "genome.fa.gz",
        is_summed=True,
    ),
    "bgzip index": Extraction(
        "bw-bgzip",
        ("peaks.narrowPeak", "genome.fa.gz", "genome.fa.gz.fai", "genome.fa.gz.gzi", "scores.bw"),
        "genome.fa.gz.gzi", is_summed=True,
    ),
    "bgzip fai": Extraction(
        "bw-bgzip",
        ("peaks.narrowPeak", "genome.fa.gz", "genome.fa.gz.fai", "genome.fa.gz.gzi", "scores.bw"),
        "genome.fa.gz.fai", is_summed=True,
    ),
    "chrombpnet h5": Extraction("chrombpnet-h5", (*_GENOME, "chrombpnet.h5"), "chrombpnet.h5"),
    "bpnet h5": Extraction("bpnet-h5", (*_GENOME, "bpnet.h5"), "bpnet.h5"),
    "npz": Extraction("modisco-fmt", ("ohe.npz", "attr.npz"), "attr.npz", is_summed=True),
    "npz stored": Extraction(
        "modisco-fmt-stored", ("ohe_stored.npz", "attr_stored.npz"), "attr_stored.npz",
        is_summed=True,
    ),
    "npy": Extraction("modisco-fmt-npy", ("ohe.npy", "attr.npy"), "attr.npy"),
}  # fmt: skip


def modisco(corpus: Corpus, folder: Path, damage: Damage, _choice: int) -> None:
    """Call hits with a harmed modisco file."""
    path = folder / "motifs.h5"
    shutil.copy2(corpus.modisco_h5, path)
    _harm(path, damage)
    run = folder / "run"
    outcome = run_command("call-hits", "-r", corpus.store, "-m", path, "-o", run)
    if not assert_clear(outcome):
        assert not run.exists()


def finemo_npz(corpus: Corpus, folder: Path, damage: Damage, choice: int) -> None:
    """Call hits in a harmed regions file of finemo."""
    name = ("regions.npz", "regions_stored.npz")[choice % 2]
    _copy(corpus, folder, (name,))
    _harm(folder / name, damage)
    run = folder / "run"
    outcome = run_command("call-hits", "-r", folder / name, "-m", corpus.modisco_h5, "-o", run)
    # Regions of 20 bases are as wide as the motifs, so that hits are called in whole files.
    if assert_clear(outcome):
        _assert_same_hits(corpus, f"hits {name}", corpus.samples / name, run)


def _assert_same_hits(corpus: Corpus, key: str, regions: Path, run: Path) -> None:
    if key not in corpus.answers:
        whole = corpus.folder / key.replace(" ", "-")
        done = run_command("call-hits", "-r", regions, "-m", corpus.modisco_h5, "-o", whole)
        assert done.status == 0, done.err
        corpus.answers[key] = (whole / "hits.tsv").read_bytes()
    assert (run / "hits.tsv").read_bytes() == corpus.answers[key], "other hits than of a whole file"


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def store(corpus: Corpus, folder: Path, damage: Damage, choice: int) -> None:
    """Call hits in a store one of whose files is harmed: the same hits, or none of that shard."""
    path = folder / "a.zarr"
    shutil.copytree(corpus.store, path)
    files = _files(path)
    _harm(files[choice % len(files)], damage)
    run = folder / "run"
    outcome = run_command("call-hits", "-r", path, "-m", corpus.modisco_h5, "-o", run)
    if assert_clear(outcome):
        assert (run / "hits.tsv").read_bytes() == corpus.answers["hits.tsv"]
    else:
        assert str(path) in outcome.error, outcome.error


def _harmed_run(corpus: Corpus, folder: Path, damage: Damage, choice: int, *patterns: str) -> Path:
    run = folder / "run"
    shutil.copytree(corpus.run, run)
    files = sorted(p for pattern in patterns for p in run.glob(pattern))
    _harm(files[choice % len(files)], damage)
    return run


def _assert_answers_stand(corpus: Corpus, run: Path) -> None:
    for name, query in QUERIES.items():
        outcome = ask(run, query)
        if assert_clear(outcome):
            assert outcome.out == corpus.answers[name], f"{name} changed"


def parts(corpus: Corpus, folder: Path, damage: Damage, choice: int) -> None:
    """Ask a run one of whose Parquet files is harmed."""
    run = _harmed_run(corpus, folder, damage, choice, "*/sample=*/*.parquet", "motifs/*")
    _assert_answers_stand(corpus, run)
    outcome = run_command("export", run, "--to", "tsv", "-o", folder / "out.tsv")
    if not assert_clear(outcome):
        assert not (folder / "out.tsv").exists()


def resumed(corpus: Corpus, folder: Path, damage: Damage, choice: int) -> None:
    """Resume a run one of whose files is harmed: the same bytes again."""
    run = _harmed_run(
        corpus, folder, damage, choice, "*/sample=*/*.parquet", "motifs/*", "run.json"
    )
    words = ["call-hits", "-r", corpus.store, "-m", corpus.modisco_h5, "-o", run]
    if assert_clear(run_command(*words)):
        assert (run / "hits.tsv").read_bytes() == corpus.answers["hits.tsv"]
        assert ask(run, QUERIES["hits"]).out == corpus.answers["hits"]


def run_json(corpus: Corpus, folder: Path, damage: Damage, choice: int) -> None:
    """Ask a run whose record is harmed."""
    run = _harmed_run(corpus, folder, damage, choice, "run.json")
    _assert_answers_stand(corpus, run)
    outcome = run_command("status", run, "--json")
    if assert_clear(outcome):
        assert outcome.out == corpus.answers["status"]


CALLS: dict[str, Check] = {
    "modisco h5": modisco,
    "finemo npz": finemo_npz,
    "store": store,
    "parts": parts,
    "resume": resumed,
    "run.json": run_json,
}
