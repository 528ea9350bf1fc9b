"""What hits and seqlets share: the same regions, and the middle window that modisco looked at."""

import logging
from dataclasses import dataclass

import numpy as np

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import chromosome_chunks
from finemo_dist.core.records import MotifSet
from finemo_dist.core.seqlets import Seqlets
from finemo_dist.core.words import count

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which seqlets can be compared with hits, and what kept the others out."""

    window_bp: int
    """Middle bases of each region that count as shared."""
    n_given: int = 0
    """Seqlets of the modisco file."""
    n_shared: int = 0
    """Of called motifs, in committed regions, inside the window, each place once."""
    n_outside: int = 0
    """Not inside the window."""
    file_window_bp: int | None = None
    """Width of the window by the modisco file; None where it does not say."""

    @property
    def has_seqlets(self) -> bool:
        """Whether there is anything to compare."""
        return self.n_given > 0

    @property
    def sentence(self) -> str:
        """What is compared, for the reader of a report."""
        if not self.has_seqlets:
            return ""
        text = (
            f"Recall counts {self.n_shared:,} of {count(self.n_given, 'seqlet')}: those of called "
            f"motifs, in regions of this run, within the middle {self.window_bp:,} bases."
        )
        if self.is_in_doubt:
            text += (
                f" The modisco file gives a window of {self.file_window_bp:,} bases. If that is "
                "right, seqlets were looked up in the wrong places and recall is meaningless."
            )
        return text

    @property
    def is_in_doubt(self) -> bool:
        """Whether the modisco file names another window than the one that was given."""
        return self.file_window_bp not in {None, self.window_bp}

    @property
    def warnings(self) -> dict[str, int]:
        """What was counted that a reader of the report has to know."""
        counts = {
            "seqlets outside the window": self.n_outside,
            "seqlets not shared with the run": self.n_given - self.n_outside - self.n_shared,
        }
        return {kind: n for kind, n in counts.items() if n}


def prepare(
    catalog: Catalog, motifs: MotifSet, seqlets: Seqlets | None, *, window_bp: int
) -> Scope:
    """Fill the tables that the questions of a report are asked of, and say what is shared.

    Seqlets count regions by their row in the peaks of one sample: with several samples they are
    left out, which is logged.
    """
    catalog.run("report_tables")
    for sample in catalog.samples:
        _add_hits(catalog, sample, window_bp)
    if seqlets is None or not len(seqlets):
        return Scope(window_bp)
    if len(catalog.samples) != 1:
        logger.warning(
            "Recall is left out: seqlets are of the regions of one sample, and this report has %d "
            "samples. Give one with --sample.",
            len(catalog.samples),
        )
        return Scope(window_bp)
    return _add_seqlets(catalog, motifs, seqlets, window_bp)


def _add_hits(catalog: Catalog, sample: str, window_bp: int) -> None:
    # In chunks, so that finding the best of overlapping regions has a bounded sort.
    for first, last in chromosome_chunks(catalog, sample):
        catalog.run(
            "report_hits",
            {"sample": sample, "first": first, "last": last, "window_bp": window_bp},
        )


def _add_seqlets(catalog: Catalog, motifs: MotifSet, seqlets: Seqlets, window_bp: int) -> Scope:
    (sample,) = catalog.samples
    ((n_shared,),) = catalog.run(
        "report_seqlets",
        {
            "sample": sample,
            "pattern": list(seqlets.pattern),
            "region": seqlets.region.tolist(),
            "start": seqlets.start.tolist(),
            "end": seqlets.end.tolist(),
            "is_reverse": seqlets.is_reverse.tolist(),
            "window_bp": window_bp,
            "region_width": catalog.sample(sample).region_width,
            "motif_width": motifs.width,
        },
    )
    outside = int(np.count_nonzero((seqlets.start < 0) | (seqlets.end > window_bp)))
    scope = Scope(window_bp, len(seqlets), n_shared, outside, seqlets.window_bp)
    _warn(scope)
    return scope


def _warn(scope: Scope) -> None:
    if scope.is_in_doubt:
        logger.warning(
            "The modisco file gives a window of %d bases, and -W gives %d. If the file is right, "
            "seqlets are looked up in the wrong places and recall is meaningless.",
            scope.file_window_bp,
            scope.window_bp,
        )
    if scope.n_outside:
        logger.warning(
            "Seqlets outside the middle %d bases of their region do not count: %d of %d. Give with "
            "-W the width of the window that modisco used.",
            scope.window_bp,
            scope.n_outside,
            scope.n_given,
        )
    if left := scope.n_given - scope.n_outside - scope.n_shared:
        logger.warning(
            "Further seqlets do not count: %d of %d. Their motif was not called, this run lacks "
            "their region, or another seqlet is at the same place.",
            left,
            scope.n_given,
        )
