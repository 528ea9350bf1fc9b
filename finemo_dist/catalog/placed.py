"""What ``compact --by place`` left of a run, and whether it is still what the parts say."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from finemo_dist.catalog.compaction import load_compaction, require_size, save_compaction
from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import RunError
from finemo_dist.hits.layout import place_directory
from finemo_dist.hits.run_parts import RunParts

logger = logging.getLogger(__name__)

PLACED_FORMAT: Final = "finemo_dist.compact_by_place"
_DIGESTED: Final = ("sample", "shard", "rows_digest", "config_digest", "store_digest")


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """Hits of all samples on a stretch of a chromosome, sorted by place."""

    name: str
    """Of the file; begins with the digest of the parts, so that no name is used twice."""
    chr: str | None
    """None without coordinates; such hits are sorted by sample and region."""
    first_start: int
    last_start: int
    last_end: int
    """The least start of a hit, the greatest, and the greatest end."""
    n_rows: int
    size_bytes: int
    digest: str
    """Of the bytes."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The hits of all samples of a run by place."""

    directory: Path
    parts_digest: str
    """Of the parts they were made from; see ``run_digest``."""
    files: tuple[PlacedFile, ...]

    def path(self, file: PlacedFile) -> Path:
        """Return where a file lies."""
        return self.directory / file.name

    def save(self) -> None:
        """Commit the manifest: from here on the catalog reads these files."""
        save_compaction(self.directory, PLACED_FORMAT, self.parts_digest, self.files)

    @classmethod
    def load(cls, run_dir: Path) -> Self | None:
        """Return those of a run, current or not; None when there are none.

        Raises
        ------
        RunError
            The manifest is damaged, or another version wrote it.
        """
        directory = place_directory(run_dir)
        fields = load_compaction(directory, PLACED_FORMAT)
        if fields is None:
            return None
        files = tuple(PlacedFile(**file) for file in fields["files"])
        return cls(directory, fields["parts_digest"], files)


def run_digest(parts: RunParts) -> str:
    """Return a digest of what the parts of a run hold; it changes whenever one of them does."""
    return digest_of([parts.column(name).tolist() for name in _DIGESTED])


def current_places(run_dir: Path, parts: RunParts) -> Placed | None:
    """Return the hits by place if they were made from just these parts and are whole.

    Damaged ones are logged and passed over: the parts hold everything.
    """
    try:
        found = Placed.load(run_dir)
        if found is None or found.parts_digest != run_digest(parts):
            return None
        for file in found.files:
            require_size(found.path(file), file.size_bytes)
    except RunError as error:
        logger.warning("%s", error)
        return None
    return found
