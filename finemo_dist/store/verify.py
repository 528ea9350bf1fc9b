"""Reading a whole store again, and comparing it with its own records."""

from collections.abc import Iterator
from pathlib import Path

from finemo_dist.core.errors import StoreError
from finemo_dist.core.input_report import InputReport
from finemo_dist.storage.locations import location
from finemo_dist.store import _arrays, layout
from finemo_dist.store._partitions import EncodedShard, Records, combine_digests, placed_digest
from finemo_dist.store.read import RegionStore, open_store


def verify(path: str | Path) -> list[str]:
    """Return what is wrong with a store, each a sentence; an empty list if nothing is.

    Every shard is read, and its digest compared with the one taken when it was written.
    """
    try:
        store = open_store(path)
    except StoreError as error:
        return [str(error)]
    return list(_problems(store, location(path)))


def _problems(store: RegionStore, path: Path) -> Iterator[str]:
    meta = store.meta
    if store.base is not None:
        table = store.table(0, store.n_regions)
        if placed_digest(store.base.digest, table) != meta.digest:
            yield f"{path}: the digest in the attributes is not that of the coordinates."
        yield from _problems(store.base, location(store.base.path))
        return
    try:
        records = Records(path)
    except StoreError as error:
        yield str(error)
        return
    digests: list[str] = []
    report = InputReport()
    for shard in range(meta.n_shards):
        try:
            record = records.read(shard)
            found = _digest_of_shard(path, shard)
        except StoreError as error:
            yield str(error)
            continue
        digests.append(record.digest)
        report += record.report
        if record.shard != shard or record.n_regions != len(meta.shard_rows(shard)):
            yield f"{path}: the record of shard {shard} belongs to another shard."
        if found != record.digest:
            yield f"{path}: shard {shard} does not hold the data that were written (digest "
            f"{found})."
    if len(digests) < meta.n_shards:
        return
    if report != meta.report:
        yield f"{path}: the attributes count {meta.report}, the shards {report}."
    if combine_digests(meta, digests) != meta.digest:
        yield f"{path}: the digest in the attributes is not that of the shards."


def _digest_of_shard(path: Path, shard: int) -> str:
    group, meta = _arrays.open_group(path)
    rows = meta.shard_rows(shard)
    stored = {
        name: _arrays.read_rows(path, group, meta, name, rows) for name in layout.SHARDED_ARRAYS
    }
    return EncodedShard(**stored, table=_arrays.read_table(path, group, meta, rows)).digest()
