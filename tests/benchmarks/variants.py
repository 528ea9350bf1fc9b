"""python -m tests.benchmarks.variants: recall, precision and round-off of ``call-variants``.

Simulated alleles of known effects at three levels of noise, and 10,000 variants without effect.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import finemo_dist
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from tests.alleles import EFFECTS, scored, simulate_alleles

N_KNOWN = 3_600
N_EQUAL = 10_000
WIDTH = 300


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    motifs = random_motifs(np.random.default_rng(3), 24, width=24)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_modisco_h5(folder / "motifs.h5", motifs)
        for noise in (0.02, 0.1, 0.2):
            known_effects(folder, motifs, noise)
        equal_alleles(folder, motifs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"peak memory {peak:,.0f} MB")


def called(folder, alleles, *names, **options):
    for name in dict.fromkeys(names):
        alleles.write_npz(folder / f"{name}.npz", name)
    alleles.write_list(folder / "list.tsv")
    began = time.perf_counter()
    done = finemo_dist.call_variants(
        folder / f"{names[0]}.npz", folder / "list.tsv", folder / "motifs.h5", folder / "out",
        alt=folder / f"{names[1]}.npz", force=True, **options,
    )  # fmt: skip
    return done, time.perf_counter() - began


def known_effects(folder, motifs, noise):
    alleles = simulate_alleles(motifs, N_KNOWN, seed=1, width=WIDTH, noise=noise, jitter=noise / 5)
    done, seconds = called(folder, alleles, "ref", "alt")
    say(f"noise {noise}: {N_KNOWN} variants in {seconds:.1f} s")
    for kind, (recall, precision) in scored(alleles, done.hits).items():
        say(f"  {kind:13} recall {recall:.3f}  precision {precision:.3f}")
    columns = ("variant_id", "motif_name", "class")
    table = pq.read_table(done.hits)
    rows = set(zip(*(table[name].to_pylist() for name in columns), strict=True))
    for effect in EFFECTS:
        for kind in ("weakened", "strengthened"):
            own = [
                (f"v{i}", alleles.motif[i], kind)
                for i in range(N_KNOWN)
                if alleles.kind[i] == kind and alleles.effect[i] == effect
            ]
            say(f"  {kind} by {effect}: recall {np.mean([row in rows for row in own]):.3f}")


def equal_alleles(folder, motifs):
    alleles = simulate_alleles(motifs, N_EQUAL, seed=2, width=WIDTH, noise=0.1, jitter=0.02)
    lines = (line.split("\t") for line in alleles.lines)
    alleles.lines = ["\t".join((c, p, r, r, name)) for c, p, r, _, name in lines]
    done, seconds = called(folder, alleles, "ref", "ref", min_change=2**-10, anywhere=True)
    say(f"equal alleles: {N_EQUAL} variants in {seconds:.1f} s, {done.n_hits} rows")


if __name__ == "__main__":
    main()
