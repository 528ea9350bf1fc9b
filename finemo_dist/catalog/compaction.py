"""What ``compact`` left of a sample, and whether it is still what the parts say."""

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import RunError
from finemo_dist.core.program import program
from finemo_dist.core.system_errors import fault
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import compact_directory
from finemo_dist.hits.run_parts import RunParts
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import is_local

logger = logging.getLogger(__name__)

COMPACT_FORMAT: Final = "finemo_dist.compact"
COMPACT_FORMAT_VERSION: Final = 1
_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class CompactFile:
    """The hits of a sample on one chromosome, sorted."""

    name: str
    """Of the file; begins with the digest of the parts, so that no name is used twice."""
    chr: str | None
    """None without coordinates."""
    chr_id: int
    n_rows: int
    size_bytes: int
    digest: str
    """Of the bytes."""


@dataclass(frozen=True, slots=True)
class Compaction:
    """The compacted files of one sample."""

    directory: Path
    parts_digest: str
    """Of the parts they were made from."""
    files: tuple[CompactFile, ...]

    def path(self, file: CompactFile) -> Path:
        """Return where a file lies."""
        return self.directory / file.name

    def save(self) -> None:
        """Commit the manifest: from here on the catalog reads these files."""
        save_compaction(self.directory, COMPACT_FORMAT, self.parts_digest, self.files)

    @classmethod
    def load(cls, run_dir: Path, sample: str) -> Self | None:
        """Return the compaction of a sample, current or not; None when there is none.

        Raises
        ------
        RunError
            Its manifest is damaged, or another version wrote it.
        """
        directory = compact_directory(run_dir, sample)
        fields = load_compaction(directory, COMPACT_FORMAT)
        if fields is None:
            return None
        files = tuple(CompactFile(**file) for file in fields["files"])
        return cls(directory, fields["parts_digest"], files)


def save_compaction(directory: Path, name: str, digest: str, files: Iterable[Any]) -> None:
    """Commit the manifest of compacted files, dataclasses, of some format."""
    content = {
        "format": name,
        "format_version": COMPACT_FORMAT_VERSION,
        "parts_digest": digest,
        "files": [asdict(file) for file in files],
    }
    text = json.dumps(content | {"checksum": digest_of(content)}, indent=2)
    with committed(directory / _MANIFEST) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def load_compaction(directory: Path, name: str) -> dict[str, Any] | None:
    """Return the manifest of compacted files, None where there is none.

    Raises
    ------
    RunError
        It is damaged, or another version wrote it.
    """
    path = directory / _MANIFEST
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return _checked(content, path, name)


def parts_digest(footers: Iterable[PartFooter]) -> str:
    """Return a digest of what the parts of a sample hold; it changes whenever one of them does."""
    rows = sorted((f.shard, f.rows_digest, f.config_digest, f.store_digest) for f in footers)
    return digest_of([COMPACT_FORMAT_VERSION, rows])


def current_compactions(run_dir: Path, parts: RunParts) -> dict[str, Compaction]:
    """Return what was compacted of samples and is current; see ``current_compaction``."""
    folder, names = run_dir / "compact", parts.names
    if is_local(run_dir):
        # One listing instead of a look for each sample.
        there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        names = tuple(n for n in names if compact_directory(run_dir, n).name in there)
    found = {n: current_compaction(run_dir, n, parts[n].units.values()) for n in names}
    return {name: compaction for name, compaction in found.items() if compaction is not None}


def current_compaction(
    run_dir: Path, sample: str, footers: Iterable[PartFooter]
) -> Compaction | None:
    """Return the compaction of a sample if it was made from just these parts and is whole.

    A damaged one is logged and passed over: the parts hold everything.
    """
    try:
        found = Compaction.load(run_dir, sample)
        if found is None or found.parts_digest != parts_digest(footers):
            return None
        for file in found.files:
            require_size(found.path(file), file.size_bytes)
    except RunError as error:
        logger.warning("%s", error)
        return None
    return found


def require_size(path: Path, expected: int) -> None:
    """Refuse a compacted file of another size.

    Raises
    ------
    RunError
        It has another size, or cannot be looked at.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error
    if size != expected:
        raise _damaged(path, f"{size:,} bytes instead of {expected:,}")


def _checked(content: Any, path: Path, name: str) -> dict[str, Any]:  # noqa: ANN401
    fields = dict(content) if isinstance(content, dict) else {}
    found = (fields.get("format"), fields.get("format_version"))
    if found != (name, COMPACT_FORMAT_VERSION):
        raise _damaged(path, f"format {found[0]!r}, version {found[1]!r}")
    if fields.pop("checksum", None) != digest_of(fields):
        raise _damaged(path, "its checksum does not match")
    return fields


def _unreadable(path: Path, error: Exception) -> RunError:
    return fault(path, error, otherwise=str(_damaged(path, str(error))), kind=RunError)


def _damaged(path: Path, reason: str) -> RunError:
    return RunError(
        f"{path}: is damaged ({reason}), so the parts are read instead. "
        f"Run `{program()} compact` again."
    )
