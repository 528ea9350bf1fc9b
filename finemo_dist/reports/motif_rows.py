"""The motif table of a page: one row per motif, with its logos, numbers and flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import MotifSet
from finemo_dist.reports.flags import Flag, motif_flags
from finemo_dist.reports.logo import (
    BASES,
    COLUMN_UNITS,
    HEIGHT_UNITS,
    baseline,
    logo_paths,
    reverse_complement,
)
from finemo_dist.reports.page_model import AtlasData, ReportData
from finemo_dist.reports.trust import FilteredMotif

_FLANK: Final = 2
"""Columns shown on either side of the trim window."""
_TABLE_PIXELS: Final = (107, 45)
"""Width and height that the table of motifs has for a logo."""
_LEGIBLE_PIXELS: Final = 3
"""Letters of a table that are lower are bars: nobody can read them there."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A logo, drawn once in the page and shown wherever its id is used."""

    id: str
    width: int
    height: int
    zero: int
    """y of the line between positive and negative."""
    trim: tuple[int, int]
    """First x of the trim window, and its width."""
    paths: tuple[tuple[str, str], ...]
    """Base and path data."""
    label: str
    """What it shows, for screen readers."""


@dataclass(frozen=True, slots=True)
class MotifLogos:
    """Logos of a motif; those over hits are None where it has none."""

    modisco_forward: Symbol | None = None
    """None where the page shows those over hits alone."""
    modisco_reverse: Symbol | None = None
    hits_forward: Symbol | None = None
    hits_reverse: Symbol | None = None

    @property
    def all(self) -> tuple[Symbol, ...]:
        """Those that there are."""
        every = (
            self.modisco_forward, self.modisco_reverse, self.hits_forward, self.hits_reverse
        )  # fmt: skip
        return tuple(symbol for symbol in every if symbol is not None)


@dataclass(frozen=True, slots=True)
class MotifRow:
    """One row of the motif table; None where a number is unknown."""

    index: int
    name: str
    name_orig: str
    shown: str
    """The name that people read."""
    annotation: str
    logos: MotifLogos
    flags: tuple[Flag, ...]
    penalty: float
    trim: tuple[int, int]
    n_hits: int | None
    """In every region that they were called in."""
    n_unique: int
    """One per site where regions overlap."""
    n_regions: int | None
    """With at least one hit."""
    hit_similarity: float | None
    """Mean over hits."""
    cwm_similarity: float | None
    n_seqlets: int | None
    n_overlaps: int | None
    n_hits_restricted: int | None
    recall: float | None


def motif_rows(data: ReportData) -> tuple[MotifRow, ...]:
    """Return the rows of the motif table, most unique hits first, then by name."""
    reported = {row["motif_name"]: row for row in data.motif_report.to_pylist()}
    counts = data.counts.to_pylist() if data.counts is not None else ()
    counted = {row["motif_name"]: row for row in counts}
    rows = [
        _row(data, entry, reported.get(name, {}), counted.get(name, {}))
        for entry, name in list(enumerate(data.motifs.name))[::2]
    ]
    return tuple(sorted(rows, key=lambda row: (-row.n_unique, row.name)))


def motif_logos(
    motifs: MotifSet, entry: int, hit_cwms: Mapping[str, NDArray[np.floating]]
) -> MotifLogos:
    """Return the logos of a motif, by its forward entry, cut around its trim window."""
    drawing = _Drawing.of(motifs, entry)
    modisco = np.asarray(motifs.cwm[entry], np.float64)
    of_modisco = (
        drawing.forward("mf", modisco, "modisco CWM"),
        drawing.reverse("mr", modisco, "Reverse-complement modisco CWM"),
    )
    over_hits = _over_hits(hit_cwms, motifs.name[entry])
    if over_hits is None:
        return MotifLogos(*of_modisco)
    return MotifLogos(
        *of_modisco,
        drawing.forward("hf", over_hits, "Hits CWM"),
        drawing.reverse("hr", over_hits, "Reverse-complement hits CWM"),
    )


def table_logos(
    motifs: MotifSet,
    entry: int,
    hit_cwms: Mapping[str, NDArray[np.floating]],
    *,
    has_match: bool,
) -> MotifLogos:
    """Return the logos of a motif for a page that shows them in its table alone, and so small.

    They are those over hits, or of modisco where there are none. A motif with a match in a
    database has its modisco CWM as well, which is drawn large above the match.
    """
    drawing = _Drawing.of(motifs, entry, is_small=True)
    modisco = np.asarray(motifs.cwm[entry], np.float64)
    large = _Drawing.of(motifs, entry).forward("mf", modisco, "modisco CWM") if has_match else None
    over_hits = _over_hits(hit_cwms, motifs.name[entry])
    if over_hits is None:
        return MotifLogos(
            large or drawing.forward("mf", modisco, "modisco CWM"),
            drawing.reverse("mr", modisco, "Reverse-complement modisco CWM"),
        )
    return MotifLogos(
        large,
        None,
        drawing.forward("hf", over_hits, "Hits CWM"),
        drawing.reverse("hr", over_hits, "Reverse-complement hits CWM"),
    )


def _over_hits(
    hit_cwms: Mapping[str, NDArray[np.floating]], name: str
) -> NDArray[np.floating] | None:
    cwm = hit_cwms.get(name)
    return cwm if cwm is not None and np.any(cwm) else None


def differing_logos(data: ReportData, row: MotifRow) -> tuple[tuple[str, Symbol], ...]:
    """Return captions and logos of what hits and seqlets of a motif do not share."""
    window = _Window.of(data.motifs, 2 * row.index)
    shown = (
        ("Seqlets that no hit found", "s", data.missed_cwms),
        ("Hits that are no seqlet", "h", data.additional_cwms),
    )
    return tuple(
        (
            caption,
            _symbol(f"l{row.index}{suffix}", cwms[row.name], window, f"{caption}, {row.name}"),
        )
        for caption, suffix, cwms in shown
        if row.name in cwms and np.any(cwms[row.name])
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How the logos of one motif are drawn."""

    name: str
    index: int
    width: int
    window: "_Window"
    is_small: bool

    @classmethod
    def of(cls, motifs: MotifSet, entry: int, *, is_small: bool = False) -> "_Drawing":
        window = _Window.of(motifs, entry)
        return cls(motifs.name[entry], entry // 2, motifs.width, window, is_small)

    def forward(self, suffix: str, cwm: NDArray[np.floating], what: str) -> Symbol:
        return self._symbol(suffix, cwm, self.window, what)

    def reverse(self, suffix: str, cwm: NDArray[np.floating], what: str) -> Symbol:
        return self._symbol(suffix, reverse_complement(cwm), self.window.reversed(self.width), what)

    def _symbol(
        self, suffix: str, cwm: NDArray[np.floating], window: "_Window", what: str
    ) -> Symbol:
        return _symbol(
            f"l{self.index}{suffix}", cwm, window, f"{what} of {self.name}",
            is_small=self.is_small,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Window:
    """Columns shown, and those of the trim window among them."""

    start: int
    end: int
    trim_start: int
    trim_end: int

    @classmethod
    def of(cls, motifs: MotifSet, entry: int) -> "_Window":
        start, end = int(motifs.start[entry]), int(motifs.end[entry])
        return cls(max(start - _FLANK, 0), min(end + _FLANK, motifs.width), start, end)

    def reversed(self, width: int) -> "_Window":
        return _Window(
            width - self.end, width - self.start, width - self.trim_end, width - self.trim_start
        )


@dataclass(frozen=True, slots=True)
class DroppedLogo:
    """The logo of dropped hits, as other rows have theirs."""

    all: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class FilterRow:
    """A motif before and after rules, as a row of a table."""

    motif: FilteredMotif
    logos: DroppedLogo
    kept: Symbol | None
    """Over the hits that are left; drawn with the motifs."""


def filter_rows(data: ReportData | AtlasData, rows: Sequence[Any]) -> tuple[FilterRow, ...]:
    """Return the motifs of a derived run before and after its rules.

    Parameters
    ----------
    rows
        Those of the table of motifs, which have the logos of kept hits.
    """
    if data.filtered is None:
        return ()
    kept = {row.name: row.logos.hits_forward for row in rows}
    entry = {name: 2 * i for i, name in enumerate(data.motifs.name[::2])}
    found = []
    for motif in data.filtered.motifs:
        at, cwm = entry[motif.name], motif.dropped_cwm
        window = _Window.of(data.motifs, at)
        label = f"Dropped hits of {motif.name}"
        drawn = () if cwm is None else (_symbol(f"l{at // 2}df", cwm, window, label),)
        found.append(FilterRow(motif, DroppedLogo(drawn), kept.get(motif.name)))
    return tuple(found)


def _symbol(
    id_: str, cwm: NDArray[np.floating], window: _Window, label: str, *, is_small: bool = False
) -> Symbol:
    shown = cwm[:, window.start : window.end]
    least = _legible_in_table(shown.shape[1]) if is_small else 0.0
    consensus = "".join(
        BASES[i] for i in shown[:, window.trim_start - window.start :].argmax(axis=0)
    )[: window.trim_end - window.trim_start]
    first = (window.trim_start - window.start) * COLUMN_UNITS
    return Symbol(
        id=id_,
        width=shown.shape[1] * COLUMN_UNITS,
        height=HEIGHT_UNITS,
        zero=baseline(shown),
        trim=(first, (window.trim_end - window.trim_start) * COLUMN_UNITS),
        paths=tuple(logo_paths(shown, least_letter=least).items()),
        label=f"{label}: {consensus}",
    )


def _legible_in_table(n_columns: int) -> float:
    """Return the share of the height below which a letter cannot be read in the table."""
    width, height = _TABLE_PIXELS
    drawn = min(height, width * HEIGHT_UNITS / max(n_columns * COLUMN_UNITS, 1))
    return _LEGIBLE_PIXELS / drawn


def _row(
    data: ReportData, entry: int, reported: Mapping[str, Any], counted: Mapping[str, Any]
) -> MotifRow:
    motifs = data.motifs
    name = motifs.name[entry]
    start, end = int(motifs.start[entry]), int(motifs.end[entry])
    n_unique = int(reported.get("num_hits_total") or 0)
    n_seqlets = reported.get("num_seqlets")
    cwm_similarity = _known(reported.get("cwm_similarity"))
    recall = _known(reported.get("seqlet_recall")) if n_seqlets else None
    return MotifRow(
        index=entry // 2,
        name=name,
        name_orig=motifs.name_orig[entry],
        shown=data.display.get(name, name),
        annotation=data.annotations.get(name, ""),
        logos=motif_logos(motifs, entry, data.hit_cwms),
        flags=motif_flags(
            n_hits=n_unique,
            is_palindrome=name in data.palindromes,
            similarity=cwm_similarity,
            recall=recall,
            n_seqlets=n_seqlets or 0,
        ),
        penalty=float(motifs.penalty[entry]),
        trim=(start, end),
        n_hits=counted.get("n_hits"),
        n_unique=n_unique,
        n_regions=counted.get("n_regions"),
        hit_similarity=counted.get("mean_similarity"),
        cwm_similarity=cwm_similarity if n_unique else None,
        n_seqlets=n_seqlets,
        n_overlaps=reported.get("num_overlaps"),
        n_hits_restricted=reported.get("num_hits_restricted"),
        recall=recall,
    )


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
