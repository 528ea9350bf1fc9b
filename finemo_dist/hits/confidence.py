"""How far the hits of a run can be believed: tables beside the parts, and what they were made from.

::

    RUN/confidence/confidence.json                  settings, and of each sample the parts it is of
    RUN/confidence/steps.parquet                    q by amplitude
    RUN/confidence/motifs.parquet, levels.parquet   by motif
    RUN/confidence/decoys.parquet                   the scrambled motifs
    RUN/confidence/decoy_hits-00000.parquet         their hits, a file a sample
    RUN/confidence/decoys/                          the run that called them
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import RunError
from finemo_dist.core.program import program
from finemo_dist.core.schema import CONFIDENCE_TABLES
from finemo_dist.core.system_errors import fault
from finemo_dist.hits.columns import arrow_schema
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location

_FORMAT: Final = "finemo_dist.confidence"
_FORMAT_VERSION: Final = 1
_MANIFEST: Final = "confidence.json"


def confidence_directory(run: str | Path) -> Path:
    """Return where the confidence of a run lies."""
    return location(run) / "confidence"


def decoys_directory(run: str | Path) -> Path:
    """Return the run directory in which the decoys of a run were called."""
    return confidence_directory(run) / "decoys"


@dataclass(frozen=True, slots=True)
class ConfidenceRecord:
    """How the confidence of a run was found; the same for the same work."""

    seed: int
    fraction: float
    """Share of the regions in which decoys were called."""
    n_rounds: int
    parts: Mapping[str, str]
    """Sample to the digest of the parts that it is of."""
    refused: Mapping[str, str]
    """Sample to why it has no q."""
    files: tuple[str, ...]
    """Of ``decoy_hits``, in the order of the samples."""

    def save(self, run: str | Path) -> None:
        """Commit the record: from here on the catalog shows the tables."""
        content = {"format": _FORMAT, "format_version": _FORMAT_VERSION, **asdict(self)}
        content["files"] = list(self.files)
        text = json.dumps(content | {"checksum": digest_of(content)}, indent=2)
        with committed(confidence_directory(run) / _MANIFEST) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, run: str | Path) -> Self | None:
        """Return the record of a run; None where there is none.

        Raises
        ------
        RunError
            It is damaged, or another version wrote it.
        """
        path = confidence_directory(run) / _MANIFEST
        try:
            content = dict(json.loads(path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError) as error:
            raise fault(path, error, otherwise=_damaged(path, str(error)), kind=RunError) from error
        checksum = content.pop("checksum", None)
        if checksum != digest_of(content):
            raise RunError(_damaged(path, "its checksum differs"))
        found = (content.pop("format"), content.pop("format_version"))
        if found != (_FORMAT, _FORMAT_VERSION):
            raise RunError(_damaged(path, f"format {found[0]!r}, version {found[1]!r}"))
        return cls(**content | {"files": tuple(content["files"])})


def table_path(run: str | Path, table: str) -> Path:
    """Return where a table of ``CONFIDENCE_TABLES`` lies."""
    return confidence_directory(run) / f"{table}.parquet"


def write_rows(path: Path, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Commit a table of ``CONFIDENCE_TABLES``."""
    schema = arrow_schema(CONFIDENCE_TABLES[table])
    with committed(path) as temporary:
        pq.write_table(
            pa.Table.from_pylist([dict(row) for row in rows], schema=schema),
            temporary,
            compression="zstd",
        )


def write_columns(path: Path, table: str, columns: pa.Table) -> None:
    """Commit a table of ``CONFIDENCE_TABLES`` that is at hand as columns."""
    schema = arrow_schema(CONFIDENCE_TABLES[table])
    with committed(path) as temporary:
        pq.write_table(columns.select(schema.names).cast(schema), temporary, compression="zstd")


def _damaged(path: Path, reason: str) -> str:
    return (
        f"{path}: is damaged ({reason}). Run `{program()} confidence --force` on the run to make "
        "it again."
    )
