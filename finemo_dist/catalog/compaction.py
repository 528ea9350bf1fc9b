"""What ``compact`` left of a sample, and whether it is still what the parts say."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from finemo_dist.catalog.compacted import FORMAT_VERSION, Compacted
from finemo_dist.core.config import digest_of
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import compact_directory
from finemo_dist.hits.run_parts import RunParts
from finemo_dist.storage.locations import is_local


@dataclass(frozen=True, slots=True)
class CompactFile:
    """The hits of a sample on one chromosome, sorted."""

    name: str
    """Name of the file; begins with the digest of the parts, so that no name is used twice."""
    chr: str | None
    """None without coordinates."""
    chr_id: int
    n_rows: int
    size_bytes: int
    digest: str
    """Digest of the bytes."""


class Compaction(Compacted[CompactFile]):
    """The compacted files of one sample."""

    __slots__ = ()

    FORMAT = "finemo_dist.compact"
    COMMAND = "compact"
    FILE = CompactFile

    @classmethod
    def load(cls, run_dir: Path, sample: str) -> Self | None:
        """Return the compaction of a sample; see ``read``."""
        return cls.read(compact_directory(run_dir, sample))


def parts_digest(footers: Iterable[PartFooter]) -> str:
    """Return a digest of what the parts of a sample hold; it changes whenever one of them does."""
    rows = sorted((f.shard, f.rows_digest, f.config_digest, f.store_digest) for f in footers)
    return digest_of([FORMAT_VERSION, rows])


def current_compactions(run_dir: Path, parts: RunParts) -> dict[str, Compaction]:
    """Return what was compacted of samples and is current."""
    folder, names = run_dir / "compact", parts.names
    if is_local(run_dir):
        # One listing instead of a look for each sample.
        there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        names = tuple(n for n in names if compact_directory(run_dir, n).name in there)
    found = {
        name: Compaction.current(compact_directory(run_dir, name), partial(_digest, parts, name))
        for name in names
    }
    return {name: compaction for name, compaction in found.items() if compaction is not None}


def _digest(parts: RunParts, sample: str) -> str:
    return parts_digest(parts[sample].units.values())
