"""What hits and seqlets share: the same regions, and the middle window that modisco looked at."""

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.records import MotifSet
from finemo_dist.core.seqlets import Seqlets

logger = logging.getLogger(__name__)

_CHUNK_HITS: Final = 2_000_000


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
            f"Recall is over the {self.n_shared:,} of {self.n_given:,} seqlets that lie in regions "
            f"of this run, inside the middle {self.window_bp:,} bases of their region, and are of "
            "a motif that was called."
        )
        if self.is_in_doubt:
            text += (
                f" The modisco file says that it looked at {self.file_window_bp:,} bases: if it is "
                "right, seqlets were looked for in wrong places and recall means nothing."
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
            "Recall is left out: seqlets name regions of one sample and this report has %d. "
            "Give one with --sample.",
            len(catalog.samples),
        )
        return Scope(window_bp)
    return _add_seqlets(catalog, motifs, seqlets, window_bp)


def _add_hits(catalog: Catalog, sample: str, window_bp: int) -> None:
    # Runs of chromosomes, so that finding the best of overlapping regions has a bounded sort.
    chroms = catalog.run("chromosome_counts", {"sample": sample})
    n_held, first = 0, None
    for index, (chrom, n_hits) in enumerate(chroms):
        first = chrom if first is None else first
        n_held += n_hits
        if n_held >= _CHUNK_HITS or index == len(chroms) - 1:
            catalog.run(
                "report_hits",
                {"sample": sample, "first": first, "last": chrom, "window_bp": window_bp},
            )
            n_held, first = 0, None


def _add_seqlets(catalog: Catalog, motifs: MotifSet, seqlets: Seqlets, window_bp: int) -> Scope:
    (sample,) = catalog.samples
    catalog.run(
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
    ((n_shared,),) = catalog.rows("SELECT count(*) FROM report_seqlets")
    scope = Scope(window_bp, len(seqlets), n_shared, outside, seqlets.window_bp)
    _warn(scope)
    return scope


def _warn(scope: Scope) -> None:
    if scope.is_in_doubt:
        logger.warning(
            "The modisco file says that it looked at %d bases, -W says %d: if the file is right, "
            "seqlets are looked for in wrong places and recall means nothing.",
            scope.file_window_bp,
            scope.window_bp,
        )
    if scope.n_outside:
        logger.warning(
            "%d of %d seqlets lie outside the middle %d bases and do not count. -W has to be the "
            "width that modisco looked at.",
            scope.n_outside,
            scope.n_given,
            scope.window_bp,
        )
    if left := scope.n_given - scope.n_outside - scope.n_shared:
        logger.warning(
            "%d of %d seqlets are of motifs that were not called, in regions that this run does "
            "not have, or at a place named before, and do not count.",
            left,
            scope.n_given,
        )
