"""Extracting regions: what the ``extract-regions-*`` commands and ``demo`` share.

Loads neither torch nor duckdb: extraction starts fast and stays small.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.cli.progress import shard_progress
from finemo_dist.core.errors import UsageError
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.protocols import Source
from finemo_dist.storage.locations import is_local
from finemo_dist.store.encode import encode
from finemo_dist.store.npz import write_finemo_npz
from finemo_dist.store.read import RegionStore, open_store
from finemo_dist.workflow.space import require_disk_for_store


@dataclass(frozen=True, slots=True)
class Extraction:
    """What ``extract`` wrote."""

    path: Path
    n_regions: int
    region_width: int
    n_shards: int
    report: InputReport
    seconds: float
    n_coarse: int = 0
    """Regions that finemo's float16 holds more coarsely than a store would; 0 for a store."""


def extract(
    source: Source,
    out_path: Path,
    *,
    shard_regions: int | None = None,
    force: bool = False,
) -> Extraction:
    """Write the regions of a source to a region store, or to finemo's ``.npz``.

    Raises
    ------
    UsageError
        The output exists and ``force`` is not given, or it does not fit the disk.
    InputError
        An input is damaged.
    """
    started = time.perf_counter()
    if out_path.exists() and not force:
        raise UsageError(f"{out_path}: exists. Choose another name, or replace it with --force.")
    if out_path.suffix == ".npz" and not is_local(out_path):
        raise UsageError(
            f"{out_path}: finemo's regions file is written to a local disk only. Write it there "
            "and copy it, or write a region store (a name without .npz)."
        )
    require_disk_for_store(source, out_path)
    n_coarse = 0
    if out_path.suffix == ".npz":
        staging = out_path.with_name(f".{out_path.stem}.staging.zarr")
        try:
            store = encode_store(source, staging, shard_regions, force=True)
            n_coarse = write_finemo_npz(store, out_path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    else:
        store = encode_store(source, out_path, shard_regions, force=force)
    return Extraction(
        path=out_path,
        n_regions=store.n_regions,
        region_width=store.region_width,
        n_shards=store.n_shards,
        report=store.meta.report,
        seconds=time.perf_counter() - started,
        n_coarse=n_coarse,
    )


def encode_store(
    source: Source, path: Path, shard_regions: int | None, *, force: bool
) -> RegionStore:
    """Write a source as a store, showing progress, and open it."""
    with shard_progress("extract") as on_shard:
        encode(source, path, shard_regions=shard_regions, overwrite=force, on_shard=on_shard)
    return open_store(path)
