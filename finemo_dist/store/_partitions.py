"""One shard's content, its digest, and the record that says the shard is whole.

Each shard has a record file of its own while a store is made, because no two processes may write
one file. When the store is complete, one file has them all (``join_records``). A store of an older
version, or one with a shard that was written again, has record files as well; those come first.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import StoreError
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.records import RegionTable
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.files import committed, remove_tree
from finemo_dist.store import layout
from finemo_dist.store.layout import StoreMeta

FOLDER = "partitions"
JOINED = "partitions.json"


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """What is known of a shard that is whole."""

    shard: int
    n_regions: int
    digest: str
    """Of the encoded arrays and coordinates."""
    report: InputReport
    scale: str = ""
    """Those of its regions, until the store is complete and has them all in one file."""

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the record that a file holds as JSON.

        Raises
        ------
        KeyError, TypeError
            It is none.
        """
        return cls(**{**values, "report": InputReport.from_dict(values["report"])})

    def write(self, path: Path) -> None:
        """Write the record; the shard counts as whole from here on."""
        with committed(record_file(path, self.shard)) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1))


@dataclass(frozen=True, slots=True)
class EncodedShard:
    """A shard as stored."""

    sequence: NDArray[np.uint8]
    contributions: NDArray[np.float16]
    scale: NDArray[np.float32]
    table: RegionTable

    def digest(self) -> str:
        """Return a digest that is the same on any machine."""
        return _digest_of_arrays((self.sequence, self.contributions, self.scale), self.table)


def _digest_of_arrays(arrays: Sequence[NDArray[Any]], table: RegionTable) -> str:
    """Return a digest of arrays and coordinates that is the same on any machine."""
    state = hashlib.blake2b(digest_size=16)
    for values in (*arrays, table.chrom_id, table.start, table.peak_id):
        little_endian = values.astype(values.dtype.newbyteorder("<"), copy=False)
        state.update(np.ascontiguousarray(little_endian).data)
    state.update(json.dumps(table.peak_name.tolist()).encode())
    return state.hexdigest()


def packed(scale: NDArray[np.float32]) -> str:
    """Return scales as JSON can hold them."""
    return base64.b64encode(scale.astype("<f4").tobytes()).decode()


def unpacked(scale: str) -> NDArray[np.float32]:
    """Return scales that were packed."""
    return np.frombuffer(base64.b64decode(scale), dtype="<f4").astype(np.float32)


def record_file(path: Path, shard: int) -> Path:
    """Return where the record of a shard lies."""
    return path / FOLDER / f"{shard:05d}.json"


class Records:
    """The records of a store.

    Raises
    ------
    StoreError
        The file with all of them is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _errors_named(path / JOINED):
            self._joined = {int(shard): values for shard, values in _joined(path).items()}

    def __contains__(self, shard: int) -> bool:
        return shard in self._joined or record_file(self._path, shard).is_file()

    def read(self, shard: int) -> ShardRecord:
        """Return the record of a shard.

        Raises
        ------
        StoreError
            There is none, or it is damaged.
        """
        file = record_file(self._path, shard)
        try:
            with _errors_named(file):
                return ShardRecord.of(json.loads(file.read_text()))
        except FileNotFoundError as error:
            if shard not in self._joined:
                raise StoreError(
                    f"{file}: missing, so shard {shard} is not known to be whole. Extract the "
                    "regions again."
                ) from error
        with _errors_named(self._path / JOINED):
            return ShardRecord.of(self._joined[shard])


def _joined(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((path / JOINED).read_text())
    except FileNotFoundError:
        return {}
    return found


@contextmanager
def _errors_named(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{file}: damaged ({error}). Extract the regions again."
        raise fault(file, error, otherwise=what, kind=StoreError) from error


def missing_partitions(path: Path, meta: StoreMeta) -> list[int]:
    """Return the shards that have no record yet.

    Raises
    ------
    StoreError
        The file with all records is damaged.
    """
    records = Records(path)
    return [s for s in range(meta.n_shards) if s not in records]


def join_records(path: Path, records: Sequence[ShardRecord]) -> None:
    """Write all records to one file; those of single shards are no longer needed."""
    fields = {record.shard: asdict(record) for record in records}
    for values in fields.values():
        del values["scale"]
    text = json.dumps(fields, indent=1)
    with committed(path / JOINED) as temporary:
        temporary.write_text(text)
    remove_tree(path / FOLDER)


def forget_record(path: Path, shard: int) -> None:
    """Remove the record of a shard that is about to be written, wherever it is."""
    joined = Records(path)
    if shard in joined and (path / JOINED).is_file():
        for other in _joined(path):
            joined.read(int(other)).write(path)
        (path / JOINED).unlink(missing_ok=True)
    record_file(path, shard).unlink(missing_ok=True)


def placed_digest(base: str, table: RegionTable) -> str:
    """Return the digest of a store that has its own coordinates and the rest of another store."""
    return digest_of(
        {
            "format_version": layout.PLACED_CONTENT_VERSION,
            "base": base,
            "chrom_names": table.chrom_names,
            "table": _digest_of_arrays((), table),
        }
    )


def combine_digests(meta: StoreMeta, digests: list[str]) -> str:
    """Return the digest of a store from those of its shards, in order."""
    return digest_of(
        {
            "format_version": layout.CONTENT_VERSION,
            "n_regions": meta.n_regions,
            "region_width": meta.region_width,
            "score_kind": meta.score_kind.value,
            "shard_regions": meta.shard_regions,
            "chrom_names": meta.chrom_names,
            "shards": digests,
        }
    )
