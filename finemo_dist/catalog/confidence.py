"""The tables of ``RUN/confidence`` as the catalog shows them."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from finemo_dist.catalog.compaction import parts_digest
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.program import program
from finemo_dist.core.schema import CONFIDENCE_TABLES, DROPPED_COLUMNS, FUNNEL_COLUMNS
from finemo_dist.hits.confidence import ConfidenceRecord, confidence_directory, table_path
from finemo_dist.hits.filtering import filter_directory, funnel_path
from finemo_dist.hits.run_motifs import RunMotifs
from finemo_dist.hits.run_parts import SampleParts
from finemo_dist.hits.template import write_template

logger = logging.getLogger(__name__)

_VIEWS: Final = {name: f"confidence_{name}" for name in CONFIDENCE_TABLES}
CONFIDENCE_VIEWS: Final = (*_VIEWS.values(), "funnel_file", "dropped_files")
"""Views that show files as they are."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """The confidence of a run, as far as it is of the parts shown."""

    record: ConfidenceRecord | None
    samples: frozenset[str]
    """Those whose parts it is of."""
    files: Mapping[str, Sequence[str]]
    """View to the files it shows; one without rows where the run has none."""

    @classmethod
    def of(cls, run_dir: Path, parts: Mapping[str, SampleParts], scratch: Path) -> Self:
        """Return that of a run.

        Parameters
        ----------
        parts
            What each sample shown has committed.
        scratch
            A temporary folder.
        """
        record, samples = believed_samples(run_dir, parts)
        files = confidence_files(run_dir, record if samples else None, scratch)
        return cls(record, samples, files)


def believed_samples(
    run_dir: Path, parts: Mapping[str, SampleParts]
) -> tuple[ConfidenceRecord | None, frozenset[str]]:
    """Return the record of the confidence of a run, and the samples whose parts it is of.

    A damaged or stale one is logged and passed over.
    """
    try:
        record = ConfidenceRecord.load(run_dir)
    except RunError as error:
        logger.warning("%s", error)
        return None, frozenset()
    if record is None:
        return None, frozenset()
    current = frozenset(
        name
        for name, one in parts.items()
        if record.parts.get(name) == parts_digest(one.units.values())
    )
    stale = [name for name in parts if name in record.parts and name not in current]
    if stale:
        logger.warning(
            "%s: is of other hits than the run has now, of sample %r among others. Run `%s "
            "confidence` again.",
            confidence_directory(run_dir), stale[0], program(),
        )  # fmt: skip
    return record, current


def confidence_files(
    run_dir: Path, record: ConfidenceRecord | None, scratch: Path
) -> dict[str, list[str]]:
    """Return of each view the files it shows: those of the run, or one without rows.

    Parameters
    ----------
    record
        Of the confidence of the run; None where there is none.
    scratch
        A temporary folder.
    """
    found = {}
    for table, view in _VIEWS.items():
        paths = [] if record is None else _paths(run_dir, record, table)
        found[view] = paths or [
            write_template(scratch / f"confidence-{table}.parquet", CONFIDENCE_TABLES[table])
        ]
    return found | _filter_files(run_dir, scratch)


def _filter_files(run_dir: Path, scratch: Path) -> dict[str, list[str]]:
    """Return the files of what rules left out of a derived run."""
    dropped = write_template(scratch / "dropped.parquet", DROPPED_COLUMNS)
    folder = filter_directory(run_dir)
    if funnel_path(run_dir).exists():
        names = sorted(path.name for path in folder.iterdir() if path.match("dropped-*.parquet"))
        shown = [str(folder / name) for name in names] or [dropped]
        return {"funnel_file": [str(funnel_path(run_dir))], "dropped_files": shown}
    funnel = write_template(scratch / "funnel.parquet", FUNNEL_COLUMNS)
    return {"funnel_file": [funnel], "dropped_files": [dropped]}


def believed_motifs(motifs: RunMotifs, sets: Mapping[str, str]) -> dict[str, object]:
    """Return the motifs of samples with confidence, as one list a column of the table.

    Parameters
    ----------
    motifs
        Of the run.
    sets
        Sample to its motif set.
    """
    rows = [
        (sample, motif_set, own, name)
        for sample, motif_set in sets.items()
        for own, name in zip(
            motifs.own_names[motif_set][::2], motifs.names_in(motif_set)[::2], strict=True
        )
    ]
    columns = ("sample", "motif_set", "own_name", "motif_name")
    return {name: [row[i] for row in rows] for i, name in enumerate(columns)}


def require_confidence(
    run_dir: Path,
    record: ConfidenceRecord | None,
    believed: Collection[str],
    samples: Collection[str],
) -> None:
    """Refuse a largest q for hits that have none.

    Raises
    ------
    UsageError
        The run, or one of the samples shown, has no q.
    """
    if record is None:
        raise UsageError(
            f"{run_dir}: has no q of its hits, which a largest q needs. Run `{program()} "
            f"confidence {run_dir}` first."
        )
    for name in samples:
        reason = record.refused.get(name) or "its hits are others than those that were counted"
        if name in record.refused or name not in believed:
            raise UsageError(
                f"{run_dir}: sample {name!r} has no q, because {reason}. Leave out the largest q, "
                "or choose another sample."
            )


def _paths(run_dir: Path, record: ConfidenceRecord, table: str) -> list[str]:
    if table == "decoy_hits":
        return [str(confidence_directory(run_dir) / name) for name in record.files]
    return [str(table_path(run_dir, table))]
