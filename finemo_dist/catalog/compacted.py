"""Files that compaction made of the parts of a run, and the manifest that says from which parts."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Generic, Protocol, Self, TypeVar

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import RunError
from finemo_dist.core.program import program
from finemo_dist.core.system_errors import fault
from finemo_dist.storage.files import committed, describe_input

logger = logging.getLogger(__name__)

FORMAT_VERSION: Final = 1
_MANIFEST: Final = "manifest.json"


class MadeFile(Protocol):
    """What the manifest of either layout records about a file."""

    @property
    def name(self) -> str:
        """Begins with the digest of the parts, so that no name is used twice."""

    @property
    def size_bytes(self) -> int:
        """Size of the file."""

    @property
    def digest(self) -> str:
        """Digest of its bytes."""


_File = TypeVar("_File", bound=MadeFile)


@dataclass(frozen=True, slots=True)
class Compacted(Generic[_File]):
    """The files of one layout in one folder."""

    FORMAT: ClassVar[str]
    COMMAND: ClassVar[str]
    """What makes them again."""
    FILE: ClassVar[Callable[..., Any]]
    """Makes what the manifest records about a file."""

    directory: Path
    parts_digest: str
    """Digest of the parts they were made from."""
    files: tuple[_File, ...]

    def path(self, file: _File) -> Path:
        """Return where a file lies."""
        return self.directory / file.name

    def save(self) -> None:
        """Commit the manifest: from here on the catalog reads these files."""
        content = {
            "format": self.FORMAT,
            "format_version": FORMAT_VERSION,
            "parts_digest": self.parts_digest,
            "files": [asdict(file) for file in self.files],  # type: ignore[call-overload]
        }
        text = json.dumps(content | {"checksum": digest_of(content)}, indent=2)
        with committed(self.directory / _MANIFEST) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """Return what is in a folder, current or not; None when there is nothing.

        Raises
        ------
        RunError
            Its manifest is damaged, or another version wrote it.
        """
        path = directory / _MANIFEST
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _unreadable(path, error, cls.COMMAND) from error
        fields = dict(content) if isinstance(content, dict) else {}
        found = (fields.get("format"), fields.get("format_version"))
        if found != (cls.FORMAT, FORMAT_VERSION):
            raise _damaged(path, f"format {found[0]!r}, version {found[1]!r}", cls.COMMAND)
        if fields.pop("checksum", None) != digest_of(fields):
            raise _damaged(path, "its checksum does not match", cls.COMMAND)
        return cls(directory, fields["parts_digest"], tuple(cls.FILE(**f) for f in fields["files"]))

    @classmethod
    def current(cls, directory: Path, digest: Callable[[], str]) -> Self | None:
        """Return what is in a folder if it was made from just the parts of a digest and is whole.

        Damaged files are logged and passed over: the parts hold everything.

        Parameters
        ----------
        digest
            Returns the digest of the parts; called only if the folder has a manifest.
        """
        try:
            found = cls.read(directory)
            if found is None or found.parts_digest != digest():
                return None
            found.check_sizes()
        except RunError as error:
            logger.warning("%s", error)
            return None
        return found

    def check_sizes(self) -> None:
        """Refuse files of another size.

        Raises
        ------
        RunError
            A file has another size, or cannot be looked at.
        """
        for file in self.files:
            path = self.path(file)
            try:
                size = path.stat().st_size
            except FileNotFoundError as error:
                raise _damaged(path, "it is gone", self.COMMAND) from error
            except OSError as error:
                raise _unreadable(path, error, self.COMMAND) from error
            if size != file.size_bytes:
                reason = f"{size:,} bytes instead of {file.size_bytes:,}"
                raise _damaged(path, reason, self.COMMAND)

    def problems(self) -> list[str]:
        """Return what is wrong with the files, reading every byte."""
        return [
            f"{self.path(file)}: its bytes have changed since it was written. "
            f"Remove {self.directory} and run `{program()} {self.COMMAND}` again."
            for file in self.files
            if describe_input(self.path(file)).digest != file.digest
        ]


def _unreadable(path: Path, error: Exception, command: str) -> RunError:
    return fault(path, error, otherwise=str(_damaged(path, str(error), command)), kind=RunError)


def _damaged(path: Path, reason: str, command: str) -> RunError:
    return RunError(
        f"{path}: is damaged ({reason}), so the parts are read instead. "
        f"Run `{program()} {command}` again."
    )
