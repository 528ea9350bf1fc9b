"""Small data for pages: every figure filled, numbers that are easy to find again."""

import numpy as np
import pyarrow as pa

from finemo_dist.core.records import InputFile, MotifSet
from finemo_dist.reports.locus_view import LocusHit, LocusRow, LocusView
from finemo_dist.reports.page_model import (
    AtlasData,
    ExampleRegion,
    Provenance,
    RegionHit,
    ReportData,
    SampleQuality,
    Summary,
)

HOSTILE = "<script>alert('x')</script>"
PARAMETERS = {
    "mode": "pp",
    "lambda": "0.7",
    "trim threshold": "0.3",
    "square root": "no",
    "post filter": "yes",
    "solver": "working-set",
}


def summary(**changes):
    """A run with nothing to complain about."""
    numbers = {
        "n_samples": 1,
        "n_regions": 1000,
        "n_regions_done": 1000,
        "n_hits": 4000,
        "n_unique": 3900,
        "n_without_hit": 20,
        "n_not_converged": 0,
        "n_motifs": 3,
        "n_motifs_without_hit": 0,
        "n_shards": 16,
        "n_shards_done": 16,
        "max_gap": 3e-16,
        "median_recall": 0.8,
    }
    return Summary(**(numbers | changes))


def motif_set(names, *, width=12, seed=0):
    """Random CWMs, trimmed to columns 1 to 9, and their reverse complements."""
    rng = np.random.default_rng(seed)
    cwms, both = [], []
    for name in names:
        forward = rng.normal(0, 1, (4, width)) * (np.arange(width) > 0) * (np.arange(width) < 9)
        forward /= np.linalg.norm(forward)
        cwms += [forward, forward[::-1, ::-1]]
        both += [name, name]
    n = len(both)
    return MotifSet(
        tuple(both),
        tuple(both),
        ("+", "-") * len(names),
        np.array(cwms, np.float16),
        np.tile([1, width - 9], len(names)),
        np.tile([9, width - 1], len(names)),
        np.ones(n),
        np.full(n, 0.7),
    )


def provenance(**changes):
    """Of a finished run."""
    fields = {
        "version": "9.8.7",
        "created": "2026-01-02T03:04:05+00:00",
        "parameters": PARAMETERS,
        "versions": {"python": "3.11"},
        "inputs": (InputFile("in/modisco.h5", 1234, "cafe"),),
    }
    return Provenance(**(fields | changes))


def _locus(rng, number, names):
    start = 100 * number
    hits = tuple(
        LocusHit(name, name, "+-"[i % 2], start + 10 + 7 * i, start + 18 + 7 * i, 2.0, 0.9)
        for i, name in enumerate([*names, *names])
    )
    row = LocusRow(
        "sample",
        rng.integers(0, 5, 100).astype(np.uint8),
        rng.normal(0, 1, 100),
        rng.normal(0, 0.2, 100),
        hits,
    )
    return LocusView(f"peak_{number}", "chr1", start, start + 100, (row,), why="most hits")


def report_data(names=("alpha", "beta", "gamma"), *, title="a run"):
    """A report with every section, hits falling from the first motif on."""
    rng = np.random.default_rng(1)
    motifs = motif_set(names)
    n_hits = [max(30 - 7 * i, 1) for i in range(len(names))]
    bins = [(None, "hits_per_region", 0.0, 1.0, 5), (None, "position", -20.0, 0.0, 9)]
    for name, n in zip(names, n_hits, strict=True):
        bins.append((name, "hits_per_region", 1.0, 2.0, n))
        bins += [(name, quantity, 0.7, 0.9, n) for quantity in ("coefficient", "similarity")]
        bins += [(name, "importance", 0.0, 1.0, n), (name, "position", -20.0, 0.0, n)]
    pairs = [(a, b) for i, a in enumerate(sorted(names)) for b in sorted(names)[i + 1 :]]
    return ReportData(
        title=title,
        summary=summary(),
        provenance=provenance(),
        motifs=motifs,
        motif_report=table(
            {
                "motif_name": list(names),
                "num_hits_total": n_hits,
                "num_hits_restricted": [n - 1 for n in n_hits],
                "num_seqlets": [12] * len(names),
                "num_overlaps": [9] * len(names),
                "seqlet_recall": [0.75] * len(names),
                "cwm_similarity": [0.95] * len(names),
            }
        ),
        missed_cwms={names[0]: motifs.cwm[1].astype(float)},
        hit_cwms={name: motifs.cwm[2 * i].astype(float) for i, name in enumerate(names)},
        samples=(sample("s"),),
        annotations={names[0]: "a known factor"},
        distributions=rows_table(("motif_name", "quantity", "bin_start", "bin_end", "n"), bins),
        confusion=table(
            {
                "motif_name_seqlets": list(names),
                "motif_name_hits": list(names),
                "frac_overlap": [0.75] * len(names),
            }
        ),
        seqlet_scope="Over the shared regions.",
        counts=rows_table(
            ("motif_name", "n_hits", "n_regions", "mean_similarity"),
            [(name, n + 3, n, 0.8) for name, n in zip(names, n_hits, strict=True)],
        ),
        cooccurrence=rows_table(
            ("motif_1", "motif_2", "n_both", "n_first", "n_second", "expected", "odds_ratio"),
            [(a, b, 20, 20, 30, 20.0, 1.5) for a, b in pairs],
        ),
        spacing=rows_table(
            ("motif_1", "motif_2", "orientation", "distance", "n"),
            [(a, b, "same", -11.5, 4) for a, b in pairs],
        ),
        examples=(
            ExampleRegion(
                "most hits",
                "chr1:100-200",
                rng.integers(0, 5, 100).astype(np.uint8),
                rng.normal(0, 1, 100),
                (RegionHit(names[0], "+", 10, 18, 2.0, 0.9),),
            ),
        ),
        loci=tuple(_locus(rng, i, names) for i in (1, 2)),
        funnel=(("Hits", 100), ("Unique", 90)),
    )


def sample(name, **changes):
    """A sample of a thousand regions."""
    numbers = {
        "n_regions": 1000,
        "n_regions_done": 1000,
        "n_hits": 4000,
        "n_without_hit": 20,
        "n_not_converged": 0,
        "median_nll": 0.4,
    }
    return SampleQuality(name, **(numbers | changes))


def atlas_data(n_motifs=6, n_samples=8, *, motif_names=None, sample_names=None):
    """Two groups of samples with motifs of their own."""
    rng = np.random.default_rng(2)
    motif_names = motif_names or [f"motif_{i}" for i in range(n_motifs)]
    sample_names = sample_names or [f"sample_{i}" for i in range(n_samples)]
    same = np.arange(len(motif_names))[:, None] % 2 == np.arange(len(sample_names))[None, :] % 2
    n_hits = rng.poisson(np.where(same, 900, 100))
    samples = tuple(
        sample(name, n_hits=int(n_hits[:, i].sum())) for i, name in enumerate(sample_names)
    )
    return AtlasData(
        title="an atlas",
        summary=summary(n_samples=len(samples), n_motifs=len(motif_names)),
        provenance=provenance(),
        motifs=motif_set(motif_names),
        samples=samples,
        n_hits=n_hits,
    )


def table(columns):
    return pa.table(columns)


def rows_table(names, rows):
    return pa.table({name: list(c) for name, c in zip(names, zip(*rows, strict=True), strict=True)})
