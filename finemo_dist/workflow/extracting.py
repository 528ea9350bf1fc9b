"""Extracting the regions of one sample into a store or into finemo's ``.npz``.

Loads neither torch nor duckdb: extraction starts fast and stays small.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.core.errors import UsageError
from finemo_dist.core.events import OnEvent, ignore
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.protocols import Source
from finemo_dist.record.lease import driving
from finemo_dist.run.space import require_disk_for_store
from finemo_dist.sources.make import make_source
from finemo_dist.storage.files import remove_tree
from finemo_dist.storage.locations import is_local, location
from finemo_dist.store.encode import is_made_for
from finemo_dist.store.npz import write_finemo_npz
from finemo_dist.store.read import RegionStore, open_store
from finemo_dist.store.staging import encode, staging_folder
from finemo_dist.workflow.config import ExtractionInput


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was extracted, and where it was written."""

    path: Path
    n_regions: int
    region_width: int
    n_shards: int
    report: InputReport
    seconds: float
    n_coarse: int = 0
    """Regions that finemo's float16 holds more coarsely than a store would; 0 for a store."""


def extract_regions(
    inputs: ExtractionInput,
    out: str | Path,
    *,
    shard_regions: int | None = None,
    force: bool = False,
    on_event: OnEvent = ignore,
) -> Extraction:
    """Extract sequences and contributions into a region store, or into finemo's ``.npz``.

    Repeat an interrupted call to resume it.

    Parameters
    ----------
    inputs
        ``BigWigInput``, ``ChromBpnetInput``, ``BpnetInput`` or ``ModiscoArraysInput``.
    out
        Path of the output: finemo's regions file if it ends in ``.npz``, otherwise a region store.
    shard_regions
        Regions in each shard of the store; chosen from the number of regions when None.
    force
        Replace an existing output.
    on_event
        Called with every event of the work.

    Raises
    ------
    UsageError
        The output exists and ``force`` is not given, or it does not fit the disk.
    InputError
        An input is missing or damaged, or the inputs do not fit each other.
    """
    source = make_source(inputs.kind, dict(inputs))
    return extract(
        source, location(out), shard_regions=shard_regions, force=force, on_event=on_event
    )


def extract(
    source: Source,
    out_path: Path,
    *,
    shard_regions: int | None = None,
    force: bool = False,
    on_event: OnEvent = ignore,
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
    if out_path.suffix == ".npz" and not is_local(out_path):
        raise UsageError(
            f"{out_path}: finemo's regions file can be written to a local disk only. Write it "
            "there and copy it, or write a region store (a name without .npz)."
        )
    if out_path.exists() and not force:
        raise UsageError(f"{out_path}: exists. Choose another name, or replace it with --force.")
    require_disk_for_store(source, out_path)
    n_coarse = 0
    with driving(staging_folder(out_path), of=out_path):
        if out_path.suffix == ".npz":
            store, n_coarse = _write_npz(source, out_path, shard_regions, on_event)
        else:
            encode(
                source, out_path, shard_regions=shard_regions, overwrite=force, on_event=on_event
            )
            store = open_store(out_path)
    return Extraction(
        path=out_path,
        n_regions=store.n_regions,
        region_width=store.region_width,
        n_shards=store.n_shards,
        report=store.meta.report,
        seconds=time.perf_counter() - started,
        n_coarse=n_coarse,
    )


def _write_npz(
    source: Source, out_path: Path, shard_regions: int | None, on_event: OnEvent
) -> tuple[RegionStore, int]:
    """Write finemo's file from a store beside it, which an interrupt leaves to go on from."""
    made = out_path.with_name(f".{out_path.stem}.regions.zarr")
    if not is_made_for(made, source, shard_regions=shard_regions):
        encode(source, made, shard_regions=shard_regions, overwrite=True, on_event=on_event)
    try:
        store = open_store(made)
        return store, write_finemo_npz(store, out_path)
    finally:
        remove_tree(made)
