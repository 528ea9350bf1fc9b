"""The tables of ``RUN/confidence`` as the catalog shows them."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow.parquet as pq

from finemo_dist.catalog.compaction import parts_digest
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.program import program
from finemo_dist.core.schema import CONFIDENCE_TABLES
from finemo_dist.hits.columns import arrow_schema
from finemo_dist.hits.confidence import ConfidenceRecord, confidence_directory, table_path
from finemo_dist.hits.filtering import filter_directory, funnel_path, write_empty
from finemo_dist.hits.read import SampleParts
from finemo_dist.hits.run_motifs import RunMotifs

if TYPE_CHECKING:
    from finemo_dist.catalog.catalog import Catalog

logger = logging.getLogger(__name__)

_VIEWS: Final = {name: f"confidence_{name}" for name in CONFIDENCE_TABLES}
"""Table to the view that shows its files as they are."""


def show_confidence(
    catalog: "Catalog",
    parts: Mapping[str, SampleParts],
    scratch: Path,
    largest_q: float | None,
    show: Callable[[Sequence[str], str], None],
) -> None:
    """Show how far hits can be believed; with a largest q, views leave out other hits.

    Parameters
    ----------
    parts
        What each sample shown has committed.
    scratch
        A temporary folder.
    show
        What makes a view of files.

    Raises
    ------
    UsageError
        A largest q is given, and a sample shown has none.
    """
    record, believed = believed_samples(catalog.run_dir, parts)
    if largest_q is not None:
        require_confidence(catalog.run_dir, record, believed, parts)
    sets = {name: catalog.sample(name).motif_set for name in believed}
    if sets:
        catalog.run("fill_believed_motifs", believed_motifs(catalog.motifs, sets))
    for view, paths in confidence_files(catalog.run_dir, record if sets else None, scratch).items():
        show(paths, view)
    catalog.run("confidence")
    if largest_q is not None:
        catalog.rows("SET VARIABLE largest_q = $q", {"q": float(largest_q)})
    catalog.run("believed" if largest_q is None else "believed_up_to_q")


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
        found[view] = paths or [_template(scratch, table)]
    return found | _filter_files(run_dir, scratch)


def _filter_files(run_dir: Path, scratch: Path) -> dict[str, list[str]]:
    """Return the files of what rules left out of a derived run."""
    funnel, dropped = scratch / "funnel.parquet", scratch / "dropped.parquet"
    write_empty(funnel, is_funnel=True)
    write_empty(dropped, is_funnel=False)
    folder = filter_directory(run_dir)
    if funnel_path(run_dir).exists():
        names = sorted(path.name for path in folder.iterdir() if path.match("dropped-*.parquet"))
        shown = [str(folder / name) for name in names] or [str(dropped)]
        return {"funnel_file": [str(funnel_path(run_dir))], "dropped_files": shown}
    return {"funnel_file": [str(funnel)], "dropped_files": [str(dropped)]}


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


def _template(scratch: Path, table: str) -> str:
    path = scratch / f"confidence-{table}.parquet"
    pq.write_table(arrow_schema(CONFIDENCE_TABLES[table]).empty_table(), path)
    return str(path)
