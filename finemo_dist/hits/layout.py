"""The paths of the parts of a run, and the unit that a file name means.

::

    RUN/hits/sample=S/part-00042.parquet
    RUN/peaks_qc/sample=S/part-00042.parquet
    RUN/compact/sample=S/manifest.json, DIGEST-00003.parquet
    RUN/compact/by-place/manifest.json, DIGEST-00003.parquet
    RUN/outputs/sample=S/written.json
    RUN/motifs/motif_data.parquet, motif_cwms.npy

``S`` is the percent-encoded name of the sample, so that any name is one safe directory.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import Unit
from finemo_dist.storage.locations import location

TableName = Literal["hits", "peaks_qc"]

_PREFIX: Final = "sample="
_LONGEST_FILE_NAME: Final = 255
_PART_NAME: Final = re.compile(r"part-(\d{5,})\.parquet", re.ASCII)


def sample_directory(run: str | Path, table: TableName, sample: str) -> Path:
    """Return the directory of a sample's parts.

    Raises
    ------
    UsageError
        The name is empty, too long for a file name once encoded, or not text.
    """
    return location(run) / table / f"{_PREFIX}{_encoded(sample)}"


def compact_directory(run: str | Path, sample: str) -> Path:
    """Return the directory of a sample's compacted files.

    Raises
    ------
    UsageError
        As ``sample_directory``.
    """
    return location(run) / "compact" / f"{_PREFIX}{_encoded(sample)}"


def place_directory(run: str | Path) -> Path:
    """Return the directory of the files with the hits of all samples, by place."""
    return location(run) / "compact" / "by-place"


def written_path(run: str | Path, sample: str) -> Path:
    """Return where it is committed that the files of a sample for other tools are written.

    Raises
    ------
    UsageError
        As ``sample_directory``.
    """
    return location(run) / "outputs" / f"{_PREFIX}{_encoded(sample)}" / "written.json"


def part_path(run: str | Path, table: TableName, unit: Unit) -> Path:
    """Return where a unit's part of one table is committed."""
    return sample_directory(run, table, unit.sample) / part_name(unit.shard)


def part_name(shard: int) -> str:
    """Return the file name of a part."""
    return f"part-{shard:05d}.parquet"


def folder_name(sample: str) -> str:
    """Return a sample's name as the name of one folder or file; never ``.`` or ``..``.

    Raises
    ------
    UsageError
        As ``sample_directory``.
    """
    encoded = _encoded(sample)
    return encoded.replace(".", "%2E") if encoded in {".", ".."} else encoded


def check_sample_name(sample: str) -> None:
    """Refuse a name that no folder or no line of a table can hold.

    Raises
    ------
    UsageError
        As ``sample_directory``, or a character cannot be printed.
    """
    if not sample.isprintable():
        raise UsageError(
            f"Sample name {sample!r} would break a table: it holds a tab, a line end or another "
            "character that cannot be printed. Rename the sample."
        )
    _encoded(sample)


@lru_cache(1 << 16)
def shard_of(name: str) -> int | None:
    """Return the shard that a part's file name means; None for temporary and foreign names."""
    match = _PART_NAME.fullmatch(name)
    if match is None:
        return None
    shard = int(match[1])
    return shard if name == part_name(shard) else None


def _encoded(sample: str) -> str:
    try:
        encoded = quote(sample, safe="")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"Sample name {sample!r} holds characters that are not text. Rename the sample."
        ) from error
    longest = _LONGEST_FILE_NAME - len(_PREFIX)
    if not 0 < len(encoded) <= longest:
        raise UsageError(
            f"Sample name {sample[:60]!r} takes {len(encoded)} characters in a file name, where a "
            "space, a slash or a letter beyond ASCII takes three or more; expected 1 to "
            f"{longest}. Rename the sample."
        )
    return encoded
