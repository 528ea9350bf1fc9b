"""A report as one folder: finemo's tables, CWMs and the page, there as a whole or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pyarrow as pa

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.errors import UsageError
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.core.seqlets import Seqlets
from finemo_dist.reports.comparison_page import COMPARISON_FOLDER, ComparisonData
from finemo_dist.reports.cwm_files import CWM_FILES, write_cwms
from finemo_dist.reports.cwms import hit_cwms
from finemo_dist.reports.gather import gather_atlas, gather_report
from finemo_dist.reports.logo import logo_svg
from finemo_dist.reports.multiqc import MULTIQC_FILES, multiqc_files
from finemo_dist.reports.page import render_atlas, render_report
from finemo_dist.reports.page_model import SampleQuality
from finemo_dist.reports.scope import Scope, prepare
from finemo_dist.reports.tables import (
    motif_report,
    seqlet_confusion,
    write_occurrences,
    write_seqlets,
    write_table,
)
from finemo_dist.storage.folders import merged_folder, replaced_folder

PAGE: Final = "report.html"
_CWMS: Final = "CWMs"
_TABLES: Final = ("motif_report.tsv", "motif_occurrences.tsv")
_RECALL_TABLES: Final = ("seqlets.tsv", "seqlet_confusion.tsv")
_MARKS: Final = (PAGE, _TABLES[0])
"""What every report has, and by which one is known."""


def write_report(
    out_dir: Path,
    catalog: Catalog,
    readers: Mapping[str, RegionReader],
    motifs: MotifSet,
    seqlets: Seqlets | None,
    *,
    window_bp: int,
    title: str,
    with_recall: bool = True,
    n_threads: int = 1,
    force: bool = False,
    is_shared: bool = False,
    compare: Callable[[Path], ComparisonData] | None = None,
) -> Scope:
    """Write the report of the samples that the catalog shows, and say what recall is over.

    ``report.html``, ``motif_report.tsv``, ``motif_occurrences.tsv``, ``CWMs/`` and two files for
    MultiQC; with recall ``seqlets.tsv`` and ``seqlet_confusion.tsv``. Of several samples the page
    is that of an atlas.

    Parameters
    ----------
    readers
        The regions of each sample shown.
    seqlets
        Of the modisco file that the motifs are from; None or empty where there are none.
    window_bp
        Width of the middle of a region that modisco looked at.
    with_recall
        Whether the motif report and the page compare hits with seqlets; the tables of seqlets
        are written all the same, as finemo does.
    force
        Replace a folder that is not a report.
    is_shared
        Whether the folder has files of others, which are left as they are.
    compare
        What writes a comparison of samples into a folder of an atlas and returns what it shows.

    Raises
    ------
    UsageError
        The folder holds something else than a report.
    RunError, StoreError
        The run or a store is damaged.
    """
    if not is_shared:
        check_output(out_dir, force=force)
    with _beside_others(out_dir) if is_shared else replaced_folder(out_dir) as folder:
        scope = prepare(catalog, motifs, seqlets, window_bp=window_bp)
        confusion = seqlet_confusion(catalog, motifs) if scope.has_seqlets else None
        with_recall = with_recall and scope.has_seqlets
        sums = hit_cwms(catalog, readers, motifs, n_threads=n_threads)
        report = motif_report(catalog, motifs, sums, scope, with_recall=with_recall)
        _write_tables(folder, catalog, motifs, report, confusion)
        write_cwms(folder / _CWMS, motifs, sums, with_recall=with_recall, logo=logo_svg)
        if len(catalog.samples) > 1:
            atlas = gather_atlas(
                catalog, readers, motifs, title=title, motif_report=report, sums=sums,
                comparison=None if compare is None else compare(folder / COMPARISON_FOLDER),
            )  # fmt: skip
            _write_page(folder, render_atlas(atlas), atlas.samples)
        else:
            data = gather_report(
                catalog, readers, motifs, title=title, motif_report=report,
                confusion=confusion if with_recall else None, sums=sums, scope=scope,
            )  # fmt: skip
            _write_page(folder, render_report(data), data.samples)
    return scope


def _write_tables(
    folder: Path, catalog: Catalog, motifs: MotifSet, report: pa.Table, confusion: pa.Table | None
) -> None:
    write_table(folder / _TABLES[0], report)
    write_occurrences(catalog, motifs, folder / _TABLES[1])
    if confusion is not None:
        write_seqlets(catalog, folder / _RECALL_TABLES[0])
        write_table(folder / _RECALL_TABLES[1], confusion)


def _write_page(folder: Path, page: str, samples: Sequence[SampleQuality]) -> None:
    for name, text in ((PAGE, page), *multiqc_files(samples).items()):
        (folder / name).write_text(text, encoding="utf-8")


@contextmanager
def _beside_others(out_dir: Path) -> Iterator[Path]:
    """Yield a folder whose files take the places of those of an earlier report, and no others."""
    with merged_folder(out_dir, last=PAGE) as folder:
        yield folder
        written = {out_dir / file.relative_to(folder) for file in folder.rglob("*")}
    stale = {out_dir / name for name in _RECALL_TABLES}
    stale |= set((out_dir / COMPARISON_FOLDER).glob("*"))
    stale |= {file for form in CWM_FILES for file in (out_dir / _CWMS).glob(f"*/{form}")}
    for file in stale - written:
        file.unlink(missing_ok=True)
    for made in (*(out_dir / _CWMS).iterdir(), out_dir / COMPARISON_FOLDER):
        # That of a motif, or of a comparison, which is no longer there.
        if made.is_dir() and not any(made.iterdir()):
            made.rmdir()


def is_output_shared(out_dir: Path, hits: Path) -> bool:
    """Return whether a report is to be written beside files of others.

    It is in the folder of its hits, and wherever an earlier report was.
    """
    if out_dir.resolve() == hits.resolve():
        return True
    own = {PAGE, _CWMS, COMPARISON_FOLDER, *_TABLES, *_RECALL_TABLES}
    return _is_report(out_dir) and any(
        entry.name not in own and not fnmatch(entry.name, MULTIQC_FILES)
        for entry in out_dir.iterdir()
    )


def _is_report(folder: Path) -> bool:
    return all((folder / mark).is_file() for mark in _MARKS)


def check_output(out_dir: Path, *, force: bool) -> None:
    """Refuse a folder that holds something else than a report, unless ``force``.

    Raises
    ------
    UsageError
        It does, or is a file.
    """
    if not out_dir.exists() or (out_dir.is_dir() and not any(out_dir.iterdir())):
        return
    if out_dir.is_dir() and (force or _is_report(out_dir)):
        return
    raise UsageError(
        f"{out_dir}: exists and is not a report. Choose another directory"
        + (", or replace it with --force." if out_dir.is_dir() else ".")
    )
