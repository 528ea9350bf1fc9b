"""Making a report: from paths to a catalog, region stores, motifs and seqlets."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.core.defaults import WINDOW_BP
from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import InputFile, MotifSet
from finemo_dist.core.seqlets import Seqlets
from finemo_dist.hits.motifs import read_all_motifs
from finemo_dist.motifs.seqlets import read_seqlets
from finemo_dist.record.run_record import RunRecord
from finemo_dist.reports.comparison_page import ComparisonData
from finemo_dist.reports.write import PAGE, check_output, is_output_shared, write_report
from finemo_dist.storage.files import describe_input
from finemo_dist.storage.locations import location
from finemo_dist.storage.temporary import scratch_folder
from finemo_dist.workflow.comparing import compare_on_page
from finemo_dist.workflow.reported import Reported
from finemo_dist.workflow.settings import available_cores

logger = logging.getLogger(__name__)

_MOST_THREADS: Final = 4
_MOST_MOTIFS: Final = 5_000
"""Of several sets on one page."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What is asked for."""

    hits: Path
    out_dir: Path
    regions: Path | None = None
    peaks: Path | None = None
    modisco_h5: Path | None = None
    window_bp: int | None = None
    with_recall: bool = True
    with_seqlets: bool = True
    sample: str | None = None
    sheet: Path | None = None
    by: str | None = None
    groups: Sequence[str] = ()
    memory_limit: str | None = None
    force: bool = False


def report(
    run: str | Path,
    out: str | Path,
    *,
    regions: str | Path | None = None,
    peaks: str | Path | None = None,
    modisco_h5: str | Path | None = None,
    window_bp: int | None = None,
    with_recall: bool = True,
    with_seqlets: bool = True,
    sample: str | None = None,
    sheet: str | Path | None = None,
    by: str | None = None,
    groups: Sequence[str] = (),
    memory_limit: str | None = None,
    force: bool = False,
) -> Path:
    """Write the report of a run, or of a directory that finemo wrote, and return its page.

    Parameters
    ----------
    run
        A run directory, the output directory of finemo's ``call-hits``, or a table of some of
        their hits beside their other tables.
    out
        Folder for the page, finemo's tables and CWMs. If it is the folder of the hits, they are
        added to it.
    regions
        Regions in which the hits were called; those of the run when None.
    peaks
        Coordinates for regions that have none; existing coordinates are compared with them.
    modisco_h5
        modisco file with whose seqlets to compare the hits; that of the run when None.
    window_bp
        Width of the window that modisco used in the middle of each region; that of the modisco
        file when None.
    with_recall
        Whether the motif report and the page compare hits with seqlets.
    with_seqlets
        Whether seqlets are read at all; if not, no tables of them are written.
    sample
        The sample to report; all of them, as an atlas, when None.
    sheet, by, groups
        A table of samples, its column whose values are the two groups to compare on the page of
        an atlas, and two values of it, if it has more; see ``compare``.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``.
    force
        Replace a folder that is not a report.

    Raises
    ------
    UsageError
        The options do not fit the run or each other.
    InputError, StoreError, RunError
        An input is missing, damaged, or of another run.
    """
    return make_report(
        ReportRequest(
            hits=location(run),
            out_dir=Path(out),
            regions=None if regions is None else location(regions),
            peaks=None if peaks is None else location(peaks),
            modisco_h5=None if modisco_h5 is None else location(modisco_h5),
            window_bp=window_bp,
            with_recall=with_recall,
            with_seqlets=with_seqlets,
            sample=sample,
            sheet=None if sheet is None else Path(sheet),
            by=by,
            groups=groups,
            memory_limit=memory_limit,
            force=force,
        )
    )


def make_report(request: ReportRequest) -> Path:
    """Write the report that is asked for and return its page.

    Raises
    ------
    UsageError
        The request cannot be met as it stands.
    InputError, StoreError, RunError
        An input is missing, damaged, or of another run.
    """
    reported = Reported(request.hits, request.regions, request.peaks).without_table()
    is_shared = is_output_shared(request.out_dir, reported.folder)
    if not is_shared:
        check_output(request.out_dir, force=request.force)
        _check_outlives(request)
    with scratch_folder() as scratch:
        run_dir, given = reported.run(Path(scratch))
        samples = None if request.sample is None else [request.sample]
        with (
            open_catalog(run_dir, memory_limit=request.memory_limit, samples=samples) as whole,
            _shown(whole, request) as catalog,
        ):
            compare = _comparison(catalog, request)
            motifs = _motifs(catalog, request)
            readers = (
                reported.readers(catalog, Path(scratch))
                if given is None
                else {catalog.samples[0]: given}
            )
            seqlets = _seqlets(catalog, request) if request.with_seqlets else None
            write_report(
                request.out_dir,
                catalog,
                readers,
                motifs,
                seqlets,
                window_bp=_window(request, seqlets),
                title=request.sample or reported.hits.resolve().name,
                with_recall=request.with_recall,
                n_threads=min(available_cores(), _MOST_THREADS),
                force=request.force,
                is_shared=is_shared,
                compare=compare,
            )
    return request.out_dir / PAGE


def _comparison(
    catalog: Catalog, request: ReportRequest
) -> Callable[[Path], ComparisonData] | None:
    if request.sheet is None and request.by is None:
        return None
    if request.sheet is None or request.by is None:
        raise UsageError(
            "A comparison of samples needs a table of them and the column with the groups: give "
            "both --sheet and --by."
        )
    if len(catalog.samples) == 1:
        raise UsageError("A report of one sample has no groups: leave out --sheet and --by.")
    return compare_on_page(catalog, request.sheet, request.by, request.groups)


def _shown(whole: Catalog, request: ReportRequest) -> AbstractContextManager[Catalog]:
    """Return what is reported: one sample of several motif sets as if it were a run."""
    if request.sample is None or len(whole.record.sets) == 1:
        return nullcontext(whole)
    return whole.as_called(request.sample)


def _motifs(catalog: Catalog, request: ReportRequest) -> MotifSet:
    n_sets, n_motifs = len(catalog.record.sets), len(catalog.motifs.names) // 2
    if n_sets > 1 and n_motifs > _MOST_MOTIFS:
        raise UsageError(
            f"{request.hits}: has {n_motifs:,} motifs in {n_sets:,} motif "
            f"sets, and a page can show {_MOST_MOTIFS:,}. Report one sample with --sample."
        )
    return read_all_motifs(catalog.run_dir, catalog.record)


def _check_outlives(request: ReportRequest) -> None:
    """Refuse to replace a directory that an input lies in."""
    out = request.out_dir.resolve()
    for path in (request.hits, request.regions, request.modisco_h5, request.peaks):
        if path is not None and path.resolve().is_relative_to(out):
            raise UsageError(
                f"{path}: is in the report directory {request.out_dir}, which will be replaced "
                "as a "
                "whole. Choose another -o."
            )


def _seqlets(catalog: Catalog, request: ReportRequest) -> Seqlets | None:
    """Return the seqlets of the file given, or of that of the run where it is unchanged."""
    recorded = _modisco_input(catalog.record)
    if request.modisco_h5 is not None:
        if recorded is not None and describe_input(request.modisco_h5).digest != recorded.digest:
            logger.warning(
                "%s is not the modisco file of the run (%s), so seqlets are matched to motifs by "
                "name "
                "alone. If the patterns differ, leave out recall with -n.",
                request.modisco_h5,
                recorded.path,
            )
        return read_seqlets(request.modisco_h5)
    if recorded is None or len(catalog.record.sets) > 1:
        # Seqlets are of one modisco file, and patterns of several have the same names.
        return None
    path = location(catalog.record.place_of(recorded))
    if not path.is_file() or describe_input(path).digest != recorded.digest:
        logger.warning(
            "%s, the modisco file of the run, is missing or has changed, so seqlets are left out. "
            "Give the file with -m.",
            path,
        )
        return None
    return read_seqlets(path)


def _modisco_input(record: RunRecord) -> InputFile | None:
    known = record.sets[0].modisco
    # Old records list their inputs, and not what each is.
    return known or next((f for f in record.inputs if f.path.endswith((".h5", ".hdf5"))), None)


def _window(request: ReportRequest, seqlets: Seqlets | None) -> int:
    if request.window_bp is not None:
        return request.window_bp
    said = seqlets.window_bp if seqlets is not None else None
    return WINDOW_BP if said is None else said
