"""What a part says about itself, in its Parquet footer."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import TableName

FOOTER_KEY: Final = b"finemo_dist"
PART_FORMAT_VERSION: Final = 1

_CHECKSUM: Final = "checksum"


@dataclass(frozen=True, slots=True)
class PartFooter:
    """The unit a part belongs to and what was found in it; the same for the same work.

    Times are left out, so that a unit done twice replaces itself with the same bytes.
    """

    table: TableName
    sample: str
    shard: int
    config_digest: str
    store_digest: str
    n_rows: int
    """Hits in a hits part, regions in a quality-control part."""
    n_regions: int
    n_not_converged: int
    max_gap: float
    """Largest duality gap over the region width; 0 without regions."""
    rows_digest: str
    """Digest of every value in the part, which ``verify_part`` compares."""
    version: str
    """Version of the package that wrote the part."""
    format_version: int = PART_FORMAT_VERSION

    @property
    def unit(self) -> Unit:
        """The unit the part belongs to."""
        return Unit(self.sample, self.shard)

    def belongs_with(self, other: Self) -> bool:
        """Whether two parts were written by the same work."""
        twin = dataclasses.replace(
            other, table=self.table, n_rows=self.n_rows, rows_digest=self.rows_digest
        )
        return self == twin

    def to_metadata(self) -> dict[bytes, bytes]:
        """Return the key-value metadata of the part."""
        fields = dataclasses.asdict(self)
        content = fields | {_CHECKSUM: digest_of(fields)}
        return {FOOTER_KEY: json.dumps(content, sort_keys=True).encode()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None, path: Path) -> Self:
        """Return the footer in a file's key-value metadata; ``path`` is for messages.

        Raises
        ------
        RunError
            There is none, it is damaged, or another version wrote it.
        """
        content = (metadata or {}).get(FOOTER_KEY)
        if content is None:
            raise RunError(
                f"{path}: has no finemo_dist footer, so no unit of a run wrote it. Move it away."
            )
        return cls(**_checked_fields(content, path))


def _checked_fields(content: bytes, path: Path) -> dict[str, Any]:
    try:
        fields = dict(json.loads(content))
    except (ValueError, TypeError) as error:
        raise _damaged(path, str(error)) from error
    if (version := fields.get("format_version")) != PART_FORMAT_VERSION:
        raise RunError(
            f"{path}: is of part format {version!r}; this release reads {PART_FORMAT_VERSION}. "
            "Use the release that wrote the run."
        )
    # Parquet sums its pages and not its footer.
    if fields.pop(_CHECKSUM, None) != digest_of(fields):
        raise _damaged(path, "its checksum differs")
    return fields


def _damaged(path: Path, reason: str) -> RunError:
    return RunError(
        f"{path}: its footer is damaged ({reason}). Rerun the same command to make it again."
    )
