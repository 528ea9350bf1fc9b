"""What a region costs one core until it is in a store, by source and number of folds."""

import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pyBigWig

from finemo_dist.core.protocols import Source
from finemo_dist.core.records import ScoreKind
from finemo_dist.sources.finemo_npz import FinemoRegionsSource
from finemo_dist.sources.make import make_source
from finemo_dist.store.npz import write_finemo_npz
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from tests.benchmarks.efforts import Effort
from tests.benchmarks.tables import spread, table

_COPIES = 4
_N_FOLDS = 5
_SHARD_REGIONS = 2048
"""That of a sample of some 65,000 regions."""

_NOTE = f"""{_COPIES} copies of the yeast regions. A bigWig has an entry for every base
(bedGraph type), an H5 file is compressed by blosc, folds differ by noise. *us per region* is the
time of all threads of the process for reading, checking and writing, in shards of
{_SHARD_REGIONS:,}; kinds take turns.
"""


def measure_extraction(effort: Effort, work: Path, *, shared: Path) -> str:
    """Return a table of sources."""
    work.mkdir(parents=True, exist_ok=True)
    makers = _makers(shared / "yeast", work)
    taken: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(effort.repeats):
        for name, make in makers.items():
            taken[name].append(_microseconds(make(), work))
    rows = [[name, spread(values)] for name, values in taken.items()]
    return f"{_NOTE}\n{table(['source', 'us per region'], rows)}"


def _microseconds(source: Source, work: Path) -> float:
    """Return the time of a region; what is read once, such as a genome, is read before."""
    source.read(0, 8)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        started = time.process_time()
        meta = encode(source, Path(folder, "s"), shard_regions=_SHARD_REGIONS)
        return (time.process_time() - started) / meta.n_regions * 1e6


def _makers(yeast: Path, work: Path) -> dict[str, Callable[[], Source]]:
    peaks = work / "peaks.narrowPeak"
    peaks.write_text((yeast / "peaks.narrowPeak").read_text() * _COPIES)
    h5s, bigwigs = _write_h5s(yeast, work), _write_bigwigs(yeast, work)
    makers: dict[str, Callable[[], Source]] = {}
    for n in (1, _N_FOLDS):
        folds = "1 fold" if n == 1 else f"{n} folds"
        bigwig = {"peaks": peaks, "fasta": yeast / "genome.fa", "bigwigs": bigwigs[:n]}
        makers[f"bigWig, {folds}"] = functools.partial(make_source, "bigwig", bigwig)
        for kind in ScoreKind:
            h5 = {"peaks": peaks, "h5s": h5s[:n], "scores": kind}
            makers[f"H5, {folds}, {kind}"] = functools.partial(make_source, "chrombpnet_h5", h5)
    npz = work / "regions.npz"
    if not npz.exists():
        encode(make_source("chrombpnet_h5", {"peaks": peaks, "h5s": h5s[:1]}), work / "for_npz")
        write_finemo_npz(open_store(work / "for_npz"), npz)
    for kind in ScoreKind:
        makers[f"finemo's npz, {kind}"] = functools.partial(FinemoRegionsSource, npz, kind=kind)
    return makers


def _write_h5s(yeast: Path, work: Path) -> list[Path]:
    rng, paths = np.random.default_rng(0), [work / f"fold{i}.h5" for i in range(_N_FOLDS)]
    with h5py.File(yeast / "chrombpnet_contribs.h5") as file:
        one_hot, scores = (np.tile(file[k][:], (_COPIES, 1, 1)) for k in ("raw/seq", "shap/seq"))
    for path in (path for path in paths if not path.exists()):
        noise = 1 + 0.05 * rng.standard_normal(scores.shape, dtype=np.float32)
        blosc = {"chunks": (64, 4, 1000), **hdf5plugin.Blosc()}
        with h5py.File(path, "w") as file:
            file.create_dataset("raw/seq", data=one_hot, **blosc)
            file.create_dataset("shap/seq", data=(scores * noise).astype(np.float16), **blosc)
    return paths


def _write_bigwigs(yeast: Path, work: Path) -> list[Path]:
    rng, paths = np.random.default_rng(1), [work / f"fold{i}.bw" for i in range(_N_FOLDS)]
    for path in (path for path in paths if not path.exists()):
        with pyBigWig.open(str(yeast / "contribs.bw")) as old, pyBigWig.open(str(path), "w") as new:
            new.addHeader(list(old.chroms().items()))
            for chrom, length in old.chroms().items():
                values = old.values(chrom, 0, length, numpy=True)
                at = np.flatnonzero(~np.isnan(values))
                noisy = values[at] * (1 + 0.05 * rng.standard_normal(len(at)))
                new.addEntries(
                    [chrom] * len(at), at.tolist(), ends=(at + 1).tolist(), values=noisy.tolist()
                )
    return paths
