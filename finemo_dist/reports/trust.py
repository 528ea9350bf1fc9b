"""How far hits can be believed, and what rules left out: what pages show of both."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.core.similarity import FAMILY_SIMILARITY
from finemo_dist.reports.cwms import CwmSums, Sites, accumulate, cosine

LEVELS: Final = (0.01, 0.05, 0.1, 0.2)
"""Largest q at which a page counts hits."""
_SCRAMBLED: Final = 0.5
"""Estimated false share of all hits from which on a motif is named."""
_ALIKE: Final = 0.9
"""Cosine of dropped with kept hits from which on a rule looks wrong."""
_BLOCK_REGIONS: Final = 1024


@dataclass(frozen=True, slots=True)
class Level:
    """What a largest q keeps."""

    largest_q: float
    n_kept: int
    share: float
    false_share: float
    """Estimated, of the hits that are kept."""


@dataclass(frozen=True, slots=True)
class MotifTrust:
    """How far the hits of a motif can be believed, all samples together."""

    name: str
    n_hits: int
    """One a place."""
    false_share: float | None
    """Estimated, of all its hits; None where it has too few."""
    levels: tuple[Level, ...]
    """By ``LEVELS``; empty where there is no q of its own."""
    similar_to: str | None
    similarity: float | None
    family: tuple[str, ...]
    """Motifs of its family, itself included."""

    @property
    def is_scrambled(self) -> bool:
        """Whether its hits are no better than those of a scrambled motif."""
        return self.false_share is not None and self.false_share >= _SCRAMBLED

    @property
    def has_relative(self) -> bool:
        """Whether q is of its family and not of its name."""
        return self.similarity is not None and self.similarity >= FAMILY_SIMILARITY


@dataclass(frozen=True, slots=True)
class Trust:
    """The section about q."""

    motifs: tuple[MotifTrust, ...]
    """Those with most false hits first."""
    pooled: tuple[Level, ...]
    by_motif: tuple[Level, ...]
    """All motifs together, each cut at its own q."""

    @property
    def scrambled(self) -> tuple[str, ...]:
        """Motifs whose hits are no better than those of a scrambled motif."""
        return tuple(motif.name for motif in self.motifs if motif.is_scrambled)


@dataclass(frozen=True, slots=True)
class RuleStep:
    """What a rule left."""

    rule: str
    n_before: int
    n_dropped: int

    @property
    def n_after(self) -> int:
        """Hits that are left."""
        return self.n_before - self.n_dropped


@dataclass(frozen=True, slots=True)
class FilteredMotif:
    """A motif before and after rules."""

    name: str
    n_before: int
    n_dropped: int
    dropped_cwm: NDArray[np.float64] | None
    """(4, W) mean contributions over the dropped hits; None where nothing was dropped."""
    similarity: float | None
    """Cosine of that with the mean over the kept hits; None where one is missing."""

    @property
    def is_alike(self) -> bool:
        """Whether dropped hits look like kept ones, so that the rules look wrong."""
        return self.similarity is not None and self.similarity >= _ALIKE


@dataclass(frozen=True, slots=True)
class FilterReport:
    """The section about rules."""

    steps: tuple[RuleStep, ...]
    motifs: tuple[FilteredMotif, ...]
    """Those of which most was dropped first."""


def gather_trust(catalog: Catalog) -> Trust | None:
    """Return what is known of q; None for a run without it."""
    rows = catalog.run("report_trust")
    if not rows:
        return None
    levels: dict[str | None, list[Level]] = {}
    for name, largest_q, n_hits, n_kept, false_share in catalog.run("report_trust_levels"):
        if largest_q in LEVELS:
            share = n_kept / n_hits if n_hits else 0.0
            levels.setdefault(name, []).append(Level(largest_q, n_kept, share, false_share or 0.0))
    members: dict[int, list[str]] = {}
    for name, *_, family in rows:
        members.setdefault(family, []).append(name)
    motifs = tuple(
        MotifTrust(
            name, n_hits, false_share, tuple(levels.get(name, ())), similar_to, similarity,
            tuple(members[family]),
        )
        for name, n_hits, false_share, similar_to, similarity, family in rows
    )  # fmt: skip
    return Trust(motifs, tuple(levels.get(None, ())), _together(motifs))


def _together(motifs: tuple[MotifTrust, ...]) -> tuple[Level, ...]:
    n_hits = sum(motif.n_hits for motif in motifs)
    found = []
    for i, largest_q in enumerate(LEVELS):
        own = [motif.levels[i] for motif in motifs if motif.levels]
        n_kept = sum(level.n_kept for level in own)
        n_false = sum(level.n_kept * level.false_share for level in own)
        false_share = n_false / n_kept if n_kept else 0.0
        found.append(Level(largest_q, n_kept, n_kept / n_hits if n_hits else 0.0, false_share))
    return tuple(found)


def gather_filter(
    catalog: Catalog,
    readers: Mapping[str, RegionReader],
    motifs: MotifSet,
    kept: CwmSums,
) -> FilterReport | None:
    """Return what rules left out; None for a run in which hits were called.

    Parameters
    ----------
    readers
        The regions of each sample shown.
    motifs
        Of the run.
    kept
        Contributions over the hits that are left, by motif.
    """
    steps = tuple(RuleStep(rule, before, n) for _, rule, before, n in catalog.run("report_rules"))
    if not steps:
        return None
    dropped = _dropped_cwms(catalog, readers, motifs)
    row_of = {name: row for row, name in enumerate(motifs.name[::2])}
    found = []
    for name, n_before, n_dropped in catalog.run("report_rules_by_motif"):
        row = row_of[name]
        cwm = dropped.mean[row] if dropped.count[row] else None
        has_both = cwm is not None and kept.count[row]
        similarity = cosine(cwm, kept.mean[row]) if cwm is not None and has_both else None
        found.append(FilteredMotif(name, n_before, n_dropped, cwm, similarity))
    return FilterReport(steps, tuple(found))


def _dropped_cwms(
    catalog: Catalog, readers: Mapping[str, RegionReader], motifs: MotifSet
) -> CwmSums:
    """Return the contributions over the dropped hits of each motif."""
    row_of = {name: row for row, name in enumerate(motifs.name[::2])}
    total = CwmSums.zero(len(row_of), motifs.width)
    for sample, reader in readers.items():
        sites = catalog.columns("report_dropped_sites", {"sample": sample})
        group = np.array([row_of[name] for name in sites["motif_name"]], np.int64)
        width = catalog.record.set_of(catalog.sample(sample)).motif_width
        for rows, chosen, row in site_blocks(reader, sites["peak_id"].astype(np.int64)):
            part = Sites(
                row=row,
                offset=sites["offset"][chosen].astype(np.int64),
                is_reverse=sites["is_reverse"][chosen].astype(bool),
                group=group[chosen],
            )
            batch = reader.read(rows.start, rows.stop)
            sums = accumulate(batch, part, n_groups=len(row_of), width=width)
            total = total + sums.widened(motifs.width)
    return total


def site_blocks(
    reader: RegionReader, peaks: NDArray[np.int64]
) -> Iterator[tuple[range, NDArray[np.intp], NDArray[np.intp]]]:
    """Yield rows of a reader, which sites lie in them, and in which of the rows.

    Parameters
    ----------
    peaks
        (S,) ``peak_id`` of each site.
    """
    peak_of_row = reader.table(0, reader.n_regions).peak_id.astype(np.int64)
    order = np.argsort(peak_of_row, kind="stable")
    row = order[np.searchsorted(peak_of_row[order], peaks)]
    by_row = np.argsort(row, kind="stable")
    for start in range(0, reader.n_regions, _BLOCK_REGIONS):
        rows = range(start, min(start + _BLOCK_REGIONS, reader.n_regions))
        first, last = np.searchsorted(row[by_row], [rows.start, rows.stop])
        if first < last:
            chosen = by_row[first:last]
            yield rows, chosen, row[chosen] - rows.start
