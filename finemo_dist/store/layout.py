"""What a region store is called, made of and says about itself: format version 7.

A store has these arrays over N regions of L bases::

    sequence       uint8    (N, L)               0-3 for A, C, G, T and 4 for any other base
    contributions  float16  (N, L) or (N, 4, L)  contribution divided by the scale of its region
    scale          float32  (N,)                 a power of two
    chrom_id, start, peak_id, peak_name  (N,)    where regions lie

The first two are a Zarr v3 group, with one file for each shard of ``shard_regions`` regions; a
shard has exactly one writer. The others are in ``regions.npz``, which is written when the store is
made, and again with the scales when it is complete. In versions before 7 all are arrays of Zarr,
and the scales have a file for each shard. While a store is made,
``partitions/`` holds one record for each shard, written when the shard is whole; a complete store
has them in ``partitions.json``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import StoreError
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.program import program
from finemo_dist.core.records import InputCounts, InputFile, ScoreKind

FORMAT: Final = "finemo_dist.regions"
FORMAT_VERSION: Final = 7
"""Version 1 had no lengths of chromosomes, and fewer counts; version 3 had a folder and a record
file for each shard; version 5 had all arrays in Zarr."""
PLACED_VERSION: Final = 8
"""Of a store whose sequences and contributions are those of another (``placed.py``); once 2, 4, 6.
"""
_ZARR_VERSION: Final = 5
_ZARR_PLACED_VERSION: Final = 6
_READ_VERSIONS: Final = frozenset({1, 2, 3, 4, 5, 6, FORMAT_VERSION, PLACED_VERSION})
CONTENT_VERSION: Final = 1
PLACED_CONTENT_VERSION: Final = 2
"""Of the arrays, which are part of the digests."""
_CHECKSUM: Final = "checksum"

SEQUENCE: Final = "sequence"
CONTRIBUTIONS: Final = "contributions"
SCALE: Final = "scale"
CHROM_ID: Final = "chrom_id"
START: Final = "start"
PEAK_ID: Final = "peak_id"
PEAK_NAME: Final = "peak_name"
SHARDED_ARRAYS: Final = (SEQUENCE, CONTRIBUTIONS, SCALE)
TABLE_ARRAYS: Final = (CHROM_ID, START, PEAK_ID, PEAK_NAME)
DTYPES: Final[Mapping[str, Any]] = {
    SEQUENCE: np.uint8,
    CONTRIBUTIONS: np.float16,
    SCALE: np.float32,
    CHROM_ID: np.int32,
    START: np.int64,
    PEAK_ID: np.uint32,
    PEAK_NAME: str,
}
FILL_VALUES: Final[Mapping[str, Any]] = {
    # No region has these: Zarr neither writes a file that would hold nothing else, nor misses one.
    SEQUENCE: 255,
    CONTRIBUTIONS: -np.inf,
    SCALE: 0.0,
    CHROM_ID: np.iinfo(np.int32).min,
    START: np.iinfo(np.int64).min,
    PEAK_ID: np.iinfo(np.uint32).max,
    PEAK_NAME: "\n",
}

MIN_SHARD_REGIONS: Final = 64
MAX_SHARD_REGIONS: Final = 8192
MAX_CHUNK_REGIONS: Final = 1024
_SHARDS_AIMED_AT = 32


def choose_shard_regions(n_regions: int) -> int:
    """Return the regions of a shard: a power of two that gives about 32 shards, 64 to 8,192."""
    wanted = -(-n_regions // _SHARDS_AIMED_AT)
    power = 1 << max(wanted - 1, 0).bit_length()
    return min(max(power, MIN_SHARD_REGIONS), MAX_SHARD_REGIONS)


@dataclass(frozen=True, slots=True)
class BaseStore:
    """The store whose sequences and contributions another one has."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class StoreMeta:
    """The attributes of a store."""

    n_regions: int
    region_width: int
    score_kind: ScoreKind
    shard_regions: int
    chrom_names: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    chrom_lengths: tuple[int, ...] = ()
    """Bases of each of ``chrom_names``, 0 where that is not known; empty where none is."""
    report: InputReport = field(default_factory=InputReport)
    """Of all shards together; empty until complete."""
    digest: str = ""
    """Of content, coordinates and layout, not of paths or times; empty until complete."""
    is_complete: bool = False
    base: BaseStore | None = None
    """None where sequences and contributions are the store's own, as nearly always."""
    has_columns: bool = True
    """Whether small arrays are in one file; not in stores that an older release began."""

    @property
    def arrays(self) -> tuple[str, ...]:
        """Those that have a file for each shard."""
        if self.base is not None:
            return ()
        return (SEQUENCE, CONTRIBUTIONS) if self.has_columns else SHARDED_ARRAYS

    @property
    def counts(self) -> InputCounts:
        """Regions by what was met while reading them."""
        return self.report.counts

    @property
    def chunk_regions(self) -> int:
        """Regions that are compressed together, and read at the least."""
        return min(MAX_CHUNK_REGIONS, self.shard_regions)

    @property
    def n_shards(self) -> int:
        """Shards, all of ``shard_regions`` regions but the last."""
        return -(-self.n_regions // self.shard_regions)

    def is_made_from(self, inputs: Sequence[InputFile]) -> bool:
        """Whether the store was made from files of the same content, in the same order."""
        return [file.digest for file in self.inputs] == [file.digest for file in inputs]

    def shard_rows(self, shard: int) -> range:
        """Return the rows of a shard.

        Raises
        ------
        IndexError
            There is no such shard.
        """
        if not 0 <= shard < self.n_shards:
            raise IndexError(f"shard {shard} of {self.n_shards}")
        start = shard * self.shard_regions
        return range(start, min(start + self.shard_regions, self.n_regions))

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array of the store."""
        if name == SEQUENCE:
            return self.n_regions, self.region_width
        if name == CONTRIBUTIONS:
            bases = (4,) if self.score_kind is ScoreKind.HYPOTHETICAL else ()
            return self.n_regions, *bases, self.region_width
        return (self.n_regions,)

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON can hold them."""
        fields = asdict(self)
        del fields["has_columns"]
        version = PLACED_VERSION if self.has_columns else _ZARR_PLACED_VERSION
        if self.base is None:
            version = FORMAT_VERSION if self.has_columns else _ZARR_VERSION
            del fields["base"]
        checksum = {_CHECKSUM: digest_of(fields)}
        return {"format": FORMAT, "format_version": version, **fields, **checksum}

    @classmethod
    def from_dict(cls, attributes: Mapping[str, Any], path: str | Path) -> Self:
        """Return the attributes of the store at ``path``.

        Raises
        ------
        StoreError
            They are of another format or version, or damaged.
        """
        values = dict(attributes)
        found = values.pop("format", None), values.pop("format_version", None)
        if found[0] != FORMAT:
            raise StoreError(
                f"{path}: not a region store (its format is {found[0]!r}, expected {FORMAT!r}). "
                f"Make one by an extract-regions command."
            )
        if found[1] not in _READ_VERSIONS:
            raise StoreError(
                f"{path}: region store of format version {found[1]}, and this version of "
                f"{program()} reads {', '.join(map(str, sorted(_READ_VERSIONS)))}. Extract the "
                f"regions again, or use the version that wrote it."
            )
        checksum = values.pop(_CHECKSUM, None)
        if checksum != digest_of(values):
            raise StoreError(
                f"{path}: damaged attributes in zarr.json (their checksum does not match). "
                "Extract the "
                f"regions again."
            )
        try:
            values["score_kind"] = ScoreKind(values["score_kind"])
            values["chrom_names"] = tuple(values["chrom_names"])
            values["chrom_lengths"] = tuple(values.get("chrom_lengths", ()))
            values["inputs"] = tuple(InputFile(**file) for file in values["inputs"])
            values["report"] = InputReport.from_dict(values["report"])
            if "base" in values:
                values["base"] = BaseStore(**values["base"])
            return cls(**values, has_columns=found[1] >= FORMAT_VERSION)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"{path}: damaged attributes in zarr.json ({error}). Extract the regions again."
            ) from error
