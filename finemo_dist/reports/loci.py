"""Loci as views: which regions cover a place, their contributions, hits and reconstruction."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.named import rows_of
from finemo_dist.catalog.scope import Scope
from finemo_dist.core.errors import UsageError, nearest
from finemo_dist.core.locus import Locus, parse_locus
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import UNKNOWN_BASE, Mode
from finemo_dist.core.words import count
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.reports.cwms import projected
from finemo_dist.reports.locus_view import LocusHit, LocusRow, LocusView, rebuilt

MOST_BASES: Final = 20_000
"""Of a figure."""
_MOST_ROWS: Final = 40
_FEW_MOTIFS: Final = 100
"""Each has two regions in a report."""


@dataclass(frozen=True, slots=True)
class Place:
    """A locus that was asked for, as it is drawn."""

    name: str
    chrom: str | None
    start: int
    end: int
    peak_id: int = -1
    """The region itself, where regions have no coordinates."""
    why: str = ""
    """Why it is shown."""

    def narrowed(self, width: int | None) -> "Place":
        """Return the ``width`` bases in its middle; itself when None."""
        if width is None:
            return self
        start = (self.start + self.end - width) // 2
        return replace(self, start=start, end=start + width)


class _Region(NamedTuple):
    place: int
    sample: str
    peak_id: int
    start: int
    end: int
    name: str | None


@dataclass(frozen=True, slots=True)
class _Solved:
    """A region with what is drawn of it."""

    region: _Region
    sequence: NDArray[np.uint8]
    contributions: NDArray[np.floating]
    rebuilt: NDArray[np.float64]
    hits: tuple[tuple[int, LocusHit, float], ...]
    """Motif, hit, and global coefficient."""


def find_places(catalog: Catalog, texts: Sequence[str]) -> list[Place]:
    """Return the places that are meant by ``chrom:start-end``, names of peaks or their numbers.

    Raises
    ------
    UsageError
        A text is neither, a name has several places, or a place is too long to be drawn.
    """
    asked = [text.strip() for text in texts]
    loose = [text for text in asked if _as_locus(text) is None]
    numbers = [int(text) for text in loose if text.isdecimal()]
    rows = catalog.run("locus_names", {"names": loose, "peaks": numbers}) if loose else []
    return [_place(catalog, text, rows) for text in asked]


def _as_locus(text: str) -> Locus | None:
    try:
        found = parse_locus(text)
    except UsageError:
        return None
    return None if found.end is None else found


def _place(catalog: Catalog, text: str, rows: Sequence[Any]) -> Place:
    locus = _as_locus(text)
    if locus is not None and locus.end is not None:
        if locus.end - locus.start > MOST_BASES:
            raise UsageError(
                f"{text}: has {locus.end - locus.start:,} bases; a figure shows at most "
                f"{MOST_BASES:,}. Give a shorter place."
            )
        return Place(text, locus.chrom, locus.start, locus.end)
    found = [row for row in rows if row[0] == text] or [
        row for row in rows if text.isdecimal() and row[1] == int(text)
    ]
    if not found:
        raise UsageError(
            f"{text!r}: {catalog.run_dir} has no peak of this name. Expected chrom:start-end, "
            "the name of a peak, or its row in the peaks file, from 0."
        )
    if len({row[2:] for row in found}) > 1 and found[0][2] is not None:
        places = ", ".join(f"{chrom}:{start}-{end}" for _, _, chrom, start, end in found[:3])
        raise UsageError(
            f"{text!r}: {count(len(found), 'region')} have this name. Give one of the places: "
            f"{places}{', ...' if len(found) > 3 else '.'}"
        )
    _, peak_id, chrom, start, end = found[0]
    return Place(text, chrom, start, end, peak_id)


def report_places(catalog: Catalog) -> list[Place]:
    """Return the regions that a report shows: its examples, and the strongest of each motif.

    Each region is there once, with all reasons; names of peaks that are not unique have their
    place behind them.
    """
    labels = factor_names(catalog)
    n_motifs = max(1, catalog.record.n_motifs // 2)
    n_each = 2 if n_motifs <= _FEW_MOTIFS else 1
    found: dict[tuple[Any, ...], list[str]] = {}
    for title, _, *place in catalog.run("report_examples"):
        found.setdefault(tuple(place), []).append(title)
    for row in rows_of(catalog, "strongest_regions", {"limit": n_each}):
        place = [row[name] for name in ("peak_id", "chr", "start", "end", "peak_name")]
        label = labels.get(row["motif_name"], row["motif_name"])
        found.setdefault(tuple(place), []).append(f"strongest of {label}")
    names = Counter(name for *_, name in found)
    return [
        Place(
            name=_name_of(chrom, start, end, name, peak_id, is_unique=names[name] == 1),
            chrom=chrom,
            start=start,
            end=end,
            peak_id=peak_id,
            why=", ".join(dict.fromkeys(why)),
        )
        for (peak_id, chrom, start, end, name), why in found.items()
    ]


def _name_of(
    chrom: str | None, start: int, end: int, name: str | None, peak_id: int, *, is_unique: bool
) -> str:
    if chrom is None:
        return f"region {peak_id}"
    if name in (None, "", "."):
        return f"{chrom}:{start}-{end}"
    return str(name) if is_unique else f"{name} {chrom}:{start}-{end}"


def views_of(
    catalog: Catalog,
    reader_of: Callable[[str], RegionReader],
    places: Sequence[Place],
    *,
    samples: Sequence[str] | None = None,
    all_in_one: bool = True,
) -> list[LocusView]:
    """Return a view of each place, one row per sample that has a region there.

    Parameters
    ----------
    reader_of
        Returns the regions of a sample.
    samples
        Those shown; all when None or empty.
    all_in_one
        Whether a place that no region covers is an error; otherwise its view has no rows.

    Raises
    ------
    UsageError
        No region covers a place, or there are too many samples for a figure.
    StoreError
        A region store is missing or damaged.
    """
    regions = [
        region for region in _regions(catalog, places)
        if not samples or region.sample in samples
    ]  # fmt: skip
    solved = _solve(catalog, reader_of, regions)
    views = []
    for number, place in enumerate(places):
        held: dict[str, list[_Solved]] = {}
        for region in regions:
            if region.place == number:
                key = (region.sample, region.peak_id)
                held.setdefault(region.sample, []).append(solved[key])
        if not held and all_in_one:
            raise UsageError(_nothing_there(catalog, place))
        if len(held) > _MOST_ROWS:
            raise UsageError(
                f"{place.name}: {len(held):,} samples have regions there, and a figure shows "
                f"{_MOST_ROWS}. Choose some with --sample."
            )
        rows = tuple(_row(sample, held[sample], place) for sample in held)
        views.append(
            LocusView(place.name, place.chrom, place.start, place.end, rows, why=place.why)
        )
    return views


def _regions(catalog: Catalog, places: Sequence[Place]) -> list[_Region]:
    wanted = {
        "place": list(range(len(places))),
        "chr": [place.chrom for place in places],
        "start": [place.start for place in places],
        "end": [place.end for place in places],
        "peak": [place.peak_id for place in places],
    }
    placed = [place for place in places if place.chrom is not None]
    scopes = [
        Scope(
            chroms=frozenset({str(place.chrom)}),
            least={"end": place.start + 1},
            most={"start": place.end - 1},
        )
        for place in placed
    ]
    if len(placed) < len(places):
        peaks = [place.peak_id for place in places if place.chrom is None]
        scopes.append(Scope(least={"peak_id": min(peaks)}, most={"peak_id": max(peaks)}))
    found = catalog.run("locus_regions", wanted, scopes={"peaks_qc": scopes})
    return [_Region(*row) for row in found]


def _nothing_there(catalog: Catalog, place: Place) -> str:
    where = {"chr": place.chrom, "start": place.start, "end": place.end}
    near = catalog.run("locus_nearest", where)
    if near:
        name, chrom, start, end = near[0]
        return (
            f"{place.name}: no region covers it. The nearest is {chrom}:{start}-{end}"
            f"{f' ({name})' if name else ''}."
        )
    known = [row[0] for row in catalog.run("chromosome_names")]
    return f"{place.name}: no region is on {place.chrom!r}.{nearest(str(place.chrom), known)}"


def _solve(
    catalog: Catalog, reader_of: Callable[[str], RegionReader], regions: Sequence[_Region]
) -> dict[tuple[str, int], _Solved]:
    """Return each region with its contributions, hits and what they explain."""
    wanted = {(region.sample, region.peak_id): region for region in regions}
    hits: dict[tuple[str, int], list[Any]] = {}
    if wanted:
        lists = {"sample": [s for s, _ in wanted], "peak_id": [p for _, p in wanted]}
        scopes = [
            Scope(frozenset({sample}), least={"peak_id": peak}, most={"peak_id": peak})
            for sample, peak in wanted
        ]
        for sample, peak_id, *rest in catalog.run("locus_hits", lists, scopes={"hits": scopes}):
            hits.setdefault((sample, peak_id), []).append(rest)
    labels = factor_names(catalog)
    found: dict[tuple[str, int], _Solved] = {}
    for sample in dict.fromkeys(sample for sample, _ in wanted):
        reader, cwm_of = reader_of(sample), _cwms(catalog, sample)
        rows = _rows_by_peak(reader)
        settings = catalog.record.settings_of(catalog.sample(sample)).get("solver", {})
        for key, region in wanted.items():
            if key[0] == sample:
                batch = reader.read(rows[key[1]], rows[key[1]] + 1)
                is_hypothetical = Mode(settings.get("mode", "pp")).contributions_are_hypothetical
                shown = projected(batch)[0]
                compared = batch.contributions[0] if is_hypothetical else shown
                found[key] = _Solved(
                    region,
                    batch.sequence[0],
                    shown,
                    rebuilt(
                        batch.sequence[0],
                        compared,
                        _placed(hits.get(key, ()), region, cwm_of),
                        sqrt_transform=bool(settings.get("use_sqrt_transform")),
                    ),
                    tuple(_hit(hit, labels) for hit in hits.get(key, ())),
                )
    return found


def factor_names(catalog: Catalog) -> dict[str, str]:
    """Return the factor of each motif that is known by one."""
    return {name: tf for name, tf, *_ in catalog.run("report_motifs") if tf}


def _rows_by_peak(reader: RegionReader) -> Mapping[int, int]:
    peaks = reader.table(0, reader.n_regions).peak_id.tolist()
    return dict(zip(peaks, range(len(peaks)), strict=True))


def _cwms(catalog: Catalog, sample: str) -> Callable[[int], NDArray[np.floating]]:
    """Return what gives the CWM (4, W) of a motif of the run as the sample was called with it."""
    motif_set = catalog.record.set_of(catalog.sample(sample))
    cwms = read_motifs(catalog.run_dir, motif_set.folder).cwm
    # Empty in a run of one set, whose motifs keep their numbers.
    own = dict(catalog.run("locus_motifs", {"motif_set": motif_set.name}))
    return lambda motif: cwms[own.get(motif, motif)]


def _placed(
    hits: Sequence[Any], region: _Region, cwm_of: Callable[[int], NDArray[np.floating]]
) -> list[tuple[int, float, NDArray[np.floating]]]:
    return [
        (
            start - region.start,
            coefficient,
            cwm_of(motif)[:, start - start_untrimmed : end - start_untrimmed],
        )
        for start, end, start_untrimmed, _, motif, _, coefficient, *_ in hits
    ]


def _hit(row: Sequence[Any], labels: Mapping[str, str]) -> tuple[int, LocusHit, float]:
    start, end, _, strand, motif, name, coefficient, global_coefficient, similarity = row
    hit = LocusHit(labels.get(name, name), name, strand, start, end, coefficient, similarity)
    return motif, hit, global_coefficient


def _row(sample: str, solved: Sequence[_Solved], place: Place) -> LocusRow:
    """Return a sample's row: each base is that of the region whose middle is nearest."""
    length = place.end - place.start
    sequence = np.full(length, UNKNOWN_BASE, np.uint8)
    curves = np.full((2, length), np.nan)
    best = np.full(length, np.inf)
    position = np.arange(place.start, place.end)
    for one in solved:
        region = one.region
        middle = (region.start + region.end - 1) / 2
        distance = np.abs(position - middle)
        taken = (position >= region.start) & (position < region.end) & (distance < best)
        inside = position[taken] - region.start
        best[taken] = distance[taken]
        sequence[taken] = one.sequence[inside]
        curves[0, taken] = one.contributions[inside]
        curves[1, taken] = one.rebuilt[inside]
    names = list(dict.fromkeys(str(one.region.name) for one in solved if one.region.name))
    return LocusRow(
        name=sample,
        sequence=sequence,
        contributions=curves[0],
        rebuilt=curves[1],
        hits=_unique(solved, place),
        note=", ".join(names[:3]) + (", ..." if len(names) > 3 else ""),
    )


def _unique(solved: Sequence[_Solved], place: Place) -> tuple[LocusHit, ...]:
    """Return one hit per place, motif and strand: the largest global coefficient."""
    held: dict[tuple[int, int], tuple[float, LocusHit]] = {}
    for one in solved:
        for motif, hit, size in one.hits:
            if hit.end > place.start and hit.start < place.end:
                key = (hit.start, motif)
                if key not in held or held[key][0] < size:
                    held[key] = (size, hit)
    return tuple(hit for _, (_, hit) in sorted(held.items(), key=lambda entry: entry[0]))
