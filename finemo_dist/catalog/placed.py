"""What ``compact --by place`` left of a run, and whether it is still what the parts say."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

from finemo_dist.catalog.compacted import Compacted
from finemo_dist.core.config import digest_of
from finemo_dist.hits.layout import place_directory
from finemo_dist.hits.run_parts import RunParts

_DIGESTED: Final = ("sample", "shard", "rows_digest", "config_digest", "store_digest")


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """Hits of all samples on a stretch of a chromosome, sorted by place."""

    name: str
    """Name of the file; begins with the digest of the parts, so that no name is used twice."""
    chr: str | None
    """None without coordinates; such hits are sorted by sample and region."""
    first_start: int
    last_start: int
    last_end: int
    """The least start of a hit, the greatest, and the greatest end."""
    n_rows: int
    size_bytes: int
    digest: str
    """Digest of the bytes."""


class Placed(Compacted[PlacedFile]):
    """The hits of all samples of a run by place; see ``run_digest`` for that of their parts."""

    __slots__ = ()

    FORMAT = "finemo_dist.compact_by_place"
    COMMAND = "compact --by place"
    FILE = PlacedFile

    @classmethod
    def load(cls, run_dir: Path) -> Self | None:
        """Return those of a run; see ``read``."""
        return cls.read(place_directory(run_dir))


def run_digest(parts: RunParts) -> str:
    """Return a digest of what the parts of a run hold; it changes whenever one of them does."""
    return digest_of([parts.column(name).tolist() for name in _DIGESTED])


def current_places(run_dir: Path, parts: RunParts) -> Placed | None:
    """Return the hits by place that are current."""
    return Placed.current(place_directory(run_dir), partial(run_digest, parts))
