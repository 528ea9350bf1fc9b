"""Runs of simulated hits, written as workers write them; nothing is solved."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import MotifSet, Unit
from finemo_dist.hits.columns import Categorical
from finemo_dist.hits.motifs import write_motifs
from finemo_dist.hits.write import write_unit
from finemo_dist.record.run_record import RunRecord, SampleRecord

N_CHROMS: Final = 24
N_MOTIFS: Final = 100
REGION_WIDTH: Final = 1000

_CHROM_BASES: Final = 120_000_000
_HITS_PER_REGION: Final = 15
_CWM_WIDTH: Final = 30
_CHROMS: Final = tuple(f"chr{i + 1}" for i in range(N_CHROMS))
_MOTIFS: Final = tuple(f"pattern_{i}" for i in range(N_MOTIFS))


def write_hit_run(
    run: Path,
    samples: dict[str, int],
    *,
    n_hits: int,
    n_shards_per_chrom: int = 1,
    dropped: float = 0.0,
) -> Path:
    """Write a run of samples of about ``n_hits`` each, unless it stands.

    Regions lie anywhere on 24 chromosomes, so that a part of them overlaps; hits have one of 100
    motifs and trims of 6 to 20 bases.

    Parameters
    ----------
    samples
        Name to the seed that draws the hits.
    dropped
        Share of the hits left out, other ones by the name of the run: runs of one sample that
        agree in most of it.
    """
    if (run / "run.json").exists():
        return run
    per_chrom = n_hits // N_CHROMS
    write_motifs(run, _motif_set())
    kept = np.random.default_rng(list(run.name.encode()))
    for sample, seed in samples.items():
        rng = np.random.default_rng(seed)
        for chrom in range(N_CHROMS):
            hits = _hits(rng, chrom, per_chrom)
            hits = hits if not dropped else _rows(hits, kept.random(per_chrom) >= dropped)
            _write_shards(run, sample, chrom, hits, n_shards_per_chrom)
    # Last: a run that stands is whole.
    _record(samples, n_shards=N_CHROMS * n_shards_per_chrom).save(run)
    return run


Columns = dict[str, NDArray[np.generic]]


def _hits(rng: np.random.Generator, chrom: int, n_hits: int) -> Columns:
    n_regions = max(1, n_hits // _HITS_PER_REGION)
    widths = np.random.default_rng(0).integers(6, 21, N_MOTIFS)
    regions = np.sort(rng.integers(0, _CHROM_BASES, n_regions))
    region = np.sort(rng.integers(0, n_regions, n_hits))
    motif = rng.integers(0, N_MOTIFS, n_hits)
    start = regions[region] + rng.integers(0, REGION_WIDTH - 20, n_hits)
    scores = {
        name: rng.gamma(2.0, scale, n_hits).astype(np.float32)
        for name, scale in (("hit_coefficient", 5.0), ("hit_coefficient_global", 0.5),
                            ("hit_importance", 1.0), ("hit_importance_sq", 1.0))
    }  # fmt: skip
    return {
        "start": start,
        "end": start + widths[motif],
        "motif": motif,
        "is_reverse": rng.integers(0, 2, n_hits),
        "hit_similarity": (0.7 + 0.3 * rng.random(n_hits)).astype(np.float32),
        "peak_id": (region + chrom * n_regions).astype(np.uint32),
        **scores,
    }


def _rows(hits: Columns, chosen: NDArray[np.generic]) -> Columns:
    return {name: values[chosen] for name, values in hits.items()}


def _write_shards(run: Path, sample: str, chrom: int, hits: Columns, n_shards: int) -> None:
    peaks = np.unique(hits["peak_id"])
    bounds = np.array_split(peaks, n_shards)
    for i, own in enumerate(bounds):
        low, high = np.searchsorted(hits["peak_id"], [own[0], own[-1] + 1])
        part = _rows(hits, np.arange(low, high))
        write_unit(
            run,
            Unit(sample, chrom * n_shards + i),
            hits=_hit_columns(part, chrom),
            qc=_qc_columns(own, chrom),
            config_digest="benchmark",
            store_digest="benchmark",
        )


def _hit_columns(hits: Columns, chrom: int) -> dict[str, NDArray[np.generic] | Categorical]:
    n_hits = len(hits["start"])
    peaks, codes = np.unique(hits["peak_id"], return_inverse=True)
    scores = ("hit_coefficient", "hit_coefficient_global", "hit_similarity", "hit_importance",
              "hit_importance_sq", "start", "end", "peak_id")  # fmt: skip
    return {
        **{name: hits[name] for name in scores},
        "chr": Categorical(np.full(n_hits, chrom), _CHROMS),
        "start_untrimmed": hits["start"] - 5,
        "end_untrimmed": hits["start"] - 5 + _CWM_WIDTH,
        "motif_name": Categorical(hits["motif"], _MOTIFS),
        "strand": Categorical(hits["is_reverse"], ("+", "-")),
        "peak_name": Categorical(codes, [f"peak_{i}" for i in peaks]),
        "motif_id": (2 * hits["motif"] + hits["is_reverse"]).astype(np.int32),
        "chr_id": np.full(n_hits, chrom, np.int32),
    }


def _qc_columns(peaks: NDArray[np.generic], chrom: int) -> dict[str, object]:
    n = len(peaks)
    zero = np.zeros(n)
    return {
        "nll": zero,
        "dual_gap": zero,
        "num_steps": np.ones(n, np.int64),
        "step_size": zero,
        "global_scale": zero + 1,
        "peak_id": peaks,
        "chr": Categorical(np.full(n, chrom), _CHROMS),
        "peak_region_start": np.zeros(n, np.int64),
        "peak_name": np.array([f"peak_{i}" for i in peaks], dtype=object),
        "converged": np.ones(n, bool),
        "n_hits": np.full(n, _HITS_PER_REGION, np.int32),
        "chr_id": np.full(n, chrom, np.int32),
    }


def _record(samples: dict[str, int], *, n_shards: int) -> RunRecord:
    return RunRecord(
        version="0",
        status="complete",
        created="2026-01-01T00:00:00",
        samples=tuple(
            SampleRecord(
                name=name,
                store=f"{name}.zarr",
                store_digest="benchmark",
                n_regions=1,
                n_shards=n_shards,
                region_width=REGION_WIDTH,
                has_coordinates=True,
            )
            for name in samples
        ),
        config={},
        config_digest="benchmark",
        motif_width=_CWM_WIDTH,
        n_motifs=2 * N_MOTIFS,
        motif_digest="benchmark",
    )


def _motif_set() -> MotifSet:
    n = 2 * N_MOTIFS
    return MotifSet(
        name=tuple(name for name in _MOTIFS for _ in "+-"),
        name_orig=tuple(f"pos_patterns.{name}" for name in _MOTIFS for _ in "+-"),
        strand=("+", "-") * N_MOTIFS,
        cwm=np.zeros((n, 4, _CWM_WIDTH), np.float16),
        start=np.full(n, 5),
        end=np.full(n, 15),
        scale=np.ones(n),
        penalty=np.full(n, 0.7),
    )
