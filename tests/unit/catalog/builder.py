"""Small runs of known hits, written as a run writes them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from finemo_dist.core.records import MotifSet, Unit
from finemo_dist.core.schema import HIT_COLUMNS, QC_COLUMNS
from finemo_dist.hits.motifs import write_motifs
from finemo_dist.hits.write import write_unit
from finemo_dist.record.run_log import log_path
from finemo_dist.record.run_record import RunRecord, SampleRecord

CONFIG_DIGEST = "c0ffee"
STORE_DIGEST = "5707e"
REGION_WIDTH = 100

NUMPY_TYPE = {
    "int64": np.int64,
    "int32": np.int32,
    "uint32": np.uint32,
    "float": np.float32,
    "double": np.float64,
    "bool": np.bool_,
    "dictionary": object,
    "string": object,
}

Row = Mapping[str, object]


def hit(**given):
    """A hit with every column; what is not given is plain."""
    row = {
        "chr": "chrA",
        "start": 10,
        "end": 16,
        "start_untrimmed": 8,
        "end_untrimmed": 18,
        "motif_name": "m0",
        "hit_coefficient": 1.5,
        "hit_coefficient_global": 1.0,
        "hit_similarity": 0.75,
        "hit_importance": 2.5,
        "hit_importance_sq": 3.5,
        "strand": "+",
        "peak_name": "peak",
        "peak_id": 0,
        "motif_id": 0,
        "chr_id": 0,
    }
    assert set(given) <= set(row)
    return row | given


def region(**given):
    """A row of quality control with every column."""
    row = {
        "nll": 0.25,
        "dual_gap": 1e-7,
        "num_steps": 12,
        "step_size": 0.0,
        "global_scale": 0.5,
        "peak_id": 0,
        "chr": "chrA",
        "peak_region_start": 0,
        "peak_name": "peak",
        "converged": True,
        "n_hits": 0,
        "chr_id": 0,
    }
    assert set(given) <= set(row)
    return row | given


def columns_of(schema, rows: Sequence[Row]):
    return {c.name: np.array([r[c.name] for r in rows], NUMPY_TYPE[c.type]) for c in schema}


def write_shard(run, sample, shard, hits, regions=(), *, config_digest=CONFIG_DIGEST):
    columns = columns_of(HIT_COLUMNS, hits)
    return write_columns(run, sample, shard, columns, regions, config_digest=config_digest)


def write_columns(run, sample, shard, hits, regions=(), *, config_digest=CONFIG_DIGEST):
    """As ``write_shard``, of hits as one array a column, where they are many."""
    return write_unit(
        run,
        Unit(sample, shard),
        hits=hits,
        qc=columns_of(QC_COLUMNS, regions),
        config_digest=config_digest,
        store_digest=STORE_DIGEST,
    )


def motif_set(names=("m0", "m1", "m2"), width=10, seed=0):
    rng = np.random.default_rng(seed)
    n = 2 * len(names)
    return MotifSet(
        name=tuple(name for name in names for _ in "+-"),
        name_orig=tuple(f"pos_patterns.{name}" for name in names for _ in "+-"),
        strand=("+", "-") * len(names),
        cwm=rng.normal(size=(n, 4, width)).astype(np.float16),
        start=np.full(n, 2),
        end=np.full(n, 8),
        scale=rng.random(n) + 0.5,
        penalty=np.full(n, 0.7),
    )


def write_record(run, samples: Mapping[str, int], *, has_coordinates=True, n_regions=10):
    """``samples``: name to number of shards."""
    record = RunRecord(
        version="0",
        status="complete",
        created="2026-01-01T00:00:00",
        samples=tuple(
            SampleRecord(
                name=name,
                store=f"{name}.zarr",
                store_digest=STORE_DIGEST,
                n_regions=n_regions,
                n_shards=n_shards,
                region_width=REGION_WIDTH,
                has_coordinates=has_coordinates,
            )
            for name, n_shards in samples.items()
        ),
        config={},
        config_digest=CONFIG_DIGEST,
        n_motifs=6,
        motif_width=10,
        motif_digest="m",
    )
    record.save(run)
    return record


def write_run(run: Path, shards: Mapping[str, Sequence[Sequence[Row]]], *, has_coordinates=True):
    """``shards``: sample to the hits of each of its shards; two regions a shard."""
    n_shards = {sample: len(parts) for sample, parts in shards.items()}
    write_record(run, n_shards, has_coordinates=has_coordinates)
    write_motifs(run, motif_set())
    for sample, parts in shards.items():
        for shard, hits in enumerate(parts):
            regions = [
                region(peak_id=2 * shard + i, peak_region_start=50 * shard + i) for i in range(2)
            ]
            write_shard(run, sample, shard, hits, regions)
    return run


def random_hits(rng, n, *, n_chroms=3, n_places=12):
    """Hits on few places, so that many share one; ids agree with names."""
    rows = []
    for _ in range(n):
        chrom, motif = int(rng.integers(n_chroms)), int(rng.integers(6))
        start = 5 * int(rng.integers(n_places))
        rows.append(
            hit(
                chr=f"chr{chrom}",
                chr_id=chrom,
                start=start,
                end=start + 6,
                start_untrimmed=start - 2,
                end_untrimmed=start + 8,
                motif_name=f"m{motif // 2}",
                motif_id=motif,
                strand="+-"[motif % 2],
                hit_coefficient_global=float(rng.integers(1, 4)),
                hit_similarity=float(np.float32(rng.random())),
                peak_id=int(rng.integers(40)),
                peak_name=f"peak {rng.integers(5)}",
            )
        )
    # The solver finds a motif once at one place of one region.
    unique = {(r["chr"], r["start"], r["motif_id"], r["peak_id"]): r for r in rows}
    return list(unique.values())


def done(sample, shard, *, seconds=1.0, n_regions=2, **given):
    """A line of a log: a shard that was committed."""
    line = {
        "time": "2026-01-01T00:00:09.500+00:00",
        "level": "info",
        "event": "shard_done",
        "worker": "worker-0",
        "node": "node-a",
        "sample": sample,
        "shard": shard,
        "n_regions": n_regions,
        "n_hits": 7,
        "seconds": {"read": seconds / 4, "solve": seconds / 2, "write": seconds / 4},
        "started": "2026-01-01T00:00:01.000+00:00",
    }
    return line | given


def write_log(run, entries, name="20260101T000000.000Z-00000000", tail=b""):
    """A log of a run; ``tail`` is what a driver that was killed left behind the last line."""
    path = log_path(run, name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(json.dumps(e).encode() + b"\n" for e in entries) + tail)
    return path


def spoil(directory, damage):
    """Damage a file or the manifest of compacted hits; say which file."""
    path = min(directory.glob("*.parquet"))
    if damage == "manifest":
        path = directory / "manifest.json"
        path.write_text(path.read_text().replace('"n_rows": ', '"n_rows": 1'))
    elif damage == "short":
        path.write_bytes(path.read_bytes()[:-9])
    else:
        path.unlink()
    return path
