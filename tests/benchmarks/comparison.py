"""python -m tests.benchmarks.comparison: false share, power and memory of ``compare``.

Two conditions without a difference and with known ones, 20 seeds each; regions of yeast dealt out
to two groups; an atlas of 200 samples and 500 motifs. The yeast data are those of the tests.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import finemo_dist
from tests.benchmarks.datasets import SHARED_DATA
from tests.compared import write_groups

N_SEEDS = 20
N_MOTIFS = 24
FOLDS = (1.25, 1.5, 2.0)
SPREAD = 0.2
"""Of the logarithm of a rate between samples of one group."""
YEAST = SHARED_DATA / "yeast"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for n_each in (4, 6, 8, 10):
            simulated(folder / f"n{n_each}", n_each)
        if YEAST.exists():
            yeast(folder / "yeast")
        atlas(folder / "atlas")


def simulated(folder, n_each):
    """The first three motifs differ in rate by FOLDS, the fourth in score; then none differs."""
    false, power, n_null = 0, np.zeros(len(FOLDS) + 1), 0
    for seed in range(N_SEEDS):
        rng = np.random.default_rng(seed)
        base = rng.uniform(0.1, 0.6, (N_MOTIFS, 1))
        for is_null in (True, False):
            rates = base * np.exp(rng.normal(0, SPREAD, (N_MOTIFS, 2 * n_each)))
            scores = np.zeros(rates.shape)
            if not is_null:
                rates[: len(FOLDS), n_each:] *= np.array(FOLDS)[:, None]
                scores[len(FOLDS), n_each:] += 0.5
            run = folder / f"{seed}-{is_null}"
            samples = write_groups(run, rates, scores=scores, seed=seed)
            done = finemo_dist.compare(
                run, folder / f"o{seed}-{is_null}", first=samples[:n_each], second=samples[n_each:]
            )
            if is_null:
                false += done.n_different
                n_null += done.n_motifs
            else:
                rows = pq.read_table(done.motifs).to_pylist()
                q = [row["q_hits"] for row in rows[: len(FOLDS)]]
                power += [value <= 0.05 for value in [*q, rows[len(FOLDS)]["q_score"]]]
    shares = ", ".join(f"{n / N_SEEDS:.2f}" for n in power)
    say(
        f"{n_each} and {n_each} samples, {N_SEEDS} seeds: false share {false / n_null:.4f}; power "
        f"for rates times {FOLDS} and scores times {np.exp(0.5):.2f}: {shares}"
    )


def yeast(folder, n_samples=12):
    """Regions of yeast dealt out to samples, and samples to groups: all are alike."""
    folder.mkdir()
    peaks = (YEAST / "peaks.narrowPeak").read_text().splitlines(keepends=True)
    with np.load(YEAST / "ohe.npz") as one_hot, np.load(YEAST / "attr.npz") as scores:
        arrays = {name: file[file.files[0]] for name, file in (("o", one_hot), ("a", scores))}
    lines = ["name\tregions"]
    order = np.random.default_rng(0).permutation(len(peaks))
    for i in range(n_samples):
        rows = np.sort(order[i::n_samples])
        for name, array in arrays.items():
            np.savez(folder / f"{name}{i}.npz", array[rows])
        (folder / f"{i}.bed").write_text("".join(peaks[row] for row in rows))
        finemo_dist.extract_regions(
            finemo_dist.ModiscoArraysInput(
                sequences=folder / f"o{i}.npz", attributions=(folder / f"a{i}.npz",),
                peaks=folder / f"{i}.bed",
            ),
            folder / f"{i}.zarr",
        )  # fmt: skip
        lines.append(f"y{i}\t{folder / f'{i}.zarr'}")
    (folder / "sheet.tsv").write_text("\n".join(lines))
    (folder / "config.yaml").write_text(
        f"output: {folder / 'run'}\nmodisco_h5: {YEAST / 'modisco_results.h5'}\n"
        "sample_sheet: sheet.tsv\nresources: {executor: serial}\n"
    )
    finemo_dist.run_config(finemo_dist.load_config(folder / "config.yaml"))
    false = tested = 0
    for seed in range(N_SEEDS):
        names = [f"y{i}" for i in np.random.default_rng(seed).permutation(n_samples)]
        half = n_samples // 2
        done = finemo_dist.compare(
            folder / "run", folder / f"out{seed}", first=names[:half], second=names[half:]
        )
        false += done.n_different
        tested += done.n_motifs
    say(
        f"yeast: {len(peaks):,} regions dealt out to {n_samples} samples, two halves {N_SEEDS} "
        f"times: {false} of {tested} motifs differ at q 0.05"
    )


def atlas(folder, n_samples=200, n_motifs=500):
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.01, 0.1, (n_motifs, 1)) * np.exp(
        rng.normal(0, SPREAD, (n_motifs, n_samples))
    )
    samples = write_groups(folder / "run", rates, seed=0, n_regions=200)
    began = time.perf_counter()
    done = finemo_dist.compare(
        folder / "run", folder / "out", first=samples[:100], second=samples[100:],
        memory_limit="1GB", h5ad=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with finemo_dist.open_run(folder / "run") as run:
        n_hits = run.sql("SELECT count(*) AS n FROM hits").to_arrow()["n"][0].as_py()
    page = done.page.stat().st_size / 1e6
    say(
        f"{n_samples} samples x {n_motifs} motifs, {n_hits:,} hits: {seconds:.1f} s, peak memory "
        f"{peak:,.0f} MB of the whole process, page {page:.2f} MB"
    )


if __name__ == "__main__":
    main()
