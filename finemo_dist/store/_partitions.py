"""One shard's content, its digest, and the record that says the shard is whole."""

import hashlib
import json
from collections.abc import Sequence
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
from finemo_dist.storage.files import committed
from finemo_dist.store import layout
from finemo_dist.store.layout import StoreMeta

FOLDER = "partitions"


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """What is known of a shard that is whole."""

    shard: int
    n_regions: int
    digest: str
    """Of the encoded arrays and coordinates."""
    report: InputReport

    @classmethod
    def read(cls, path: Path, shard: int) -> Self:
        """Return the record of a shard of the store at ``path``.

        Raises
        ------
        StoreError
            There is none, or it is damaged.
        """
        file = record_file(path, shard)
        try:
            values: dict[str, Any] = json.loads(file.read_text())
            values["report"] = InputReport.from_dict(values["report"])
            return cls(**values)
        except FileNotFoundError as error:
            raise StoreError(
                f"{file}: missing, so shard {shard} is not known to be whole. Extract the regions "
                f"again."
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = f"{file}: damaged ({error}). Extract the regions again."
            raise fault(file, error, otherwise=what, kind=StoreError) from error

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


def record_file(path: Path, shard: int) -> Path:
    """Return where the record of a shard lies."""
    return path / FOLDER / f"{shard:05d}.json"


def missing_partitions(path: Path, meta: StoreMeta) -> list[int]:
    """Return the shards that have no record yet."""
    return [s for s in range(meta.n_shards) if not record_file(path, s).is_file()]


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
