"""The page of a comparison: motifs of two groups as a scatter, a map and a table.

The page needs no script: marks have titles, and labels of motifs link to their rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist import __version__
from finemo_dist.reports.heatmap import Scale, data_uri, heatmap_png
from finemo_dist.reports.matrices import short_name
from finemo_dist.reports.rendering import render

Floats = NDArray[np.float64]

COMPARISON_PAGE: Final = "compare.html"
COMPARISON_FOLDER: Final = "compare"
"""Of the report of an atlas."""
_PLOT: Final = 420
_MARGIN: Final = 60
_LABELS: Final = 14
"""Of the scatter: more would cover each other."""
_TREE: Final = 70
"""Units of a dendrogram."""
_TRACK: Final = 12
_CELL: Final = 14.0
_MOST_UNITS: Final = 900.0
_NARROW: Final = 480
"""A map that has room beside the scatter."""
_COLOURS: Final = (
    "#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#999999", "#b8a800",
)  # fmt: skip
_Z_LIMIT: Final = 2.5


@dataclass(frozen=True, slots=True)
class ComparisonData:
    """What the page shows."""

    title: str
    names: tuple[str, str]
    samples: tuple[str, ...]
    side: tuple[int, ...]
    metadata: Mapping[str, Mapping[str, str]]
    labels: tuple[str, ...]
    rates: Floats
    """(M, S) hits per region; NaN where a sample was not called with a motif."""
    table: Sequence[Mapping[str, Any]]
    """One row per motif, as ``MOTIF_COMPARISON_COLUMNS``."""
    different: tuple[bool, ...]
    words: str
    max_q: float
    believed_q: float | None = None
    """Largest q of a believed hit, where scores are compared by that."""
    report: str = ""
    """Address of the report that the page belongs to; empty without one."""


@dataclass(frozen=True, slots=True)
class Point:
    """A motif of the scatter."""

    row: int
    name: str
    x: float
    y: float
    is_different: bool
    label_y: float | None
    """Where its label stands; None without one."""


@dataclass(frozen=True, slots=True)
class Track:
    """A row of coloured bars above the map: one thing that is known of each sample."""

    name: str
    y: float
    bars: tuple[tuple[float, str, str], ...]
    """x, colour and value of each sample."""
    legend: tuple[tuple[str, str], ...]
    """Colour and value."""


@dataclass(frozen=True, slots=True)
class Map:
    """Row z-scores of hits per region, with a tree of the rows and one of the columns."""

    image: str
    left: float
    top: float
    width: float
    height: float
    rows: tuple[tuple[int, str, float], ...]
    """Row of the table, name, and middle of each motif that has room for its name."""
    columns: tuple[tuple[str, float], ...]
    row_tree: str
    column_tree: str
    below: float
    """Room for the names of samples."""
    tracks: tuple[Track, ...]
    stops: tuple[str, ...]


def write_comparison_page(path: Path, data: ComparisonData) -> None:
    """Write the page, complete and without requests."""
    anchors = [f"m{i}" for i in range(len(data.labels))]
    of_page = comparison_context(data, anchors)
    context = {**of_page, "c": of_page, "version": __version__}
    path.write_text(render("compare.html.j2", context, programs=("early",)), encoding="utf-8")


def comparison_context(data: ComparisonData, anchors: Sequence[str]) -> dict[str, Any]:
    """Return what the templates of a comparison take.

    Parameters
    ----------
    anchors
        Id of the row that each motif has on the page.
    """
    drawn = motif_map(data)
    return {
        "data": data,
        "anchors": anchors,
        "points": scatter(data),
        "ticks": _ticks(data),
        "plot": _PLOT,
        "margin": _MARGIN,
        "map": drawn,
        "is_narrow": drawn is None or drawn.left + drawn.width <= _NARROW,
        "rows": list(enumerate(zip(data.table, data.different, strict=True))),
        "limit": _Z_LIMIT,
    }


def most_different(data: ComparisonData) -> tuple[int, ...]:
    """Return the motifs that are named first: those that differ, then by the size of the ratio."""
    ratio = np.array([abs(row["log2_ratio"]) for row in data.table])
    ranked = np.lexsort((-ratio, ~np.array(data.different, bool)))[:_LABELS]
    return tuple(int(i) for i in ranked if ratio[i] > 0 or data.different[int(i)])


def scatter(data: ComparisonData) -> tuple[Point, ...]:
    """Return motifs by hits per region in both groups, on logarithmic axes.

    Those that differ have labels, then those with the largest ratios.
    """
    low, high = _limits(data)
    first, second = (_shown(data, side, low) for side in ("first", "second"))
    x = _MARGIN + _PLOT * (first - low) / (high - low)
    y = _PLOT - _PLOT * (second - low) / (high - low)
    labels = _apart({i: float(y[i]) for i in most_different(data)})
    return tuple(
        Point(i, name, float(x[i]), float(y[i]), data.different[i], labels.get(i))
        for i, name in enumerate(data.labels)
    )


def motif_map(data: ComparisonData) -> Map | None:
    """Return the map; None with fewer than two samples or motifs that vary."""
    shown = np.log10(np.nan_to_num(data.rates) + 1e-3)
    spread = shown.std(axis=1, keepdims=True)
    kept = np.flatnonzero(spread[:, 0] > 1e-9)
    if len(kept) < 2 or len(data.samples) < 2:
        return None
    z = (shown[kept] - shown[kept].mean(axis=1, keepdims=True)) / spread[kept]
    row_order, row_links = _tree(z)
    column_order, column_links = _tree(z.T)
    height = min(_CELL * len(kept), _MOST_UNITS)
    width = min(_CELL * len(data.samples), _MOST_UNITS)
    cell_height, cell_width = height / len(kept), width / len(data.samples)
    names = [data.labels[int(kept[i])] for i in row_order]
    has_names, has_samples = cell_height >= _CELL - 3, cell_width >= _CELL - 3
    longest = max((len(short_name(name)) for name in names), default=0)
    left = _TREE + (longest * 6.6 + 12 if has_names else 12)
    tracks = _tracks(data, column_order, left, cell_width)
    samples = [data.samples[i] for i in column_order]
    top = _TREE + _TRACK * len(tracks) + 6
    named = (
        (sample, left + (i + 0.5) * cell_width) for i, sample in enumerate(samples) if has_samples
    )
    return Map(
        image=data_uri(
            heatmap_png(
                z[np.ix_(row_order, column_order)], Scale(-_Z_LIMIT, _Z_LIMIT, is_diverging=True)
            )
        ),
        left=left,
        top=top,
        width=width,
        height=height,
        rows=tuple(
            (int(kept[row]), data.labels[int(kept[row])], top + (i + 0.5) * cell_height)
            for i, row in enumerate(row_order)
            if has_names
        ),
        columns=tuple(named),
        row_tree=_path(row_links, top, cell_height, is_row=True),
        column_tree=_path(column_links, left, cell_width, is_row=False),
        below=14 + 6.6 * max((len(short_name(s)) for s in samples if has_samples), default=0),
        tracks=tracks,
        stops=Scale(-_Z_LIMIT, _Z_LIMIT, is_diverging=True).stops,
    )


def _limits(data: ComparisonData) -> tuple[float, float]:
    values = [row[f"hits_per_region_{side}"] for row in data.table for side in ("first", "second")]
    known = [value for value in values if value == value and value > 0]
    low = np.floor(np.log10(min(known, default=1e-3)))
    high = np.ceil(np.log10(max(known, default=1.0)) + 1e-9)
    return float(max(low, high - 5)), float(max(high, low + 1))


def _shown(data: ComparisonData, side: str, low: float) -> Floats:
    values = np.array([row[f"hits_per_region_{side}"] for row in data.table], np.float64)
    with np.errstate(divide="ignore"):
        logarithms = np.nan_to_num(np.log10(values), nan=low, neginf=low)
    return np.asarray(np.maximum(logarithms, low), np.float64)


def _ticks(data: ComparisonData) -> list[tuple[float, str]]:
    low, high = _limits(data)
    steps = range(int(low), int(high) + 1)
    return [(_PLOT * (step - low) / (high - low), f"{10.0**step:g}") for step in steps]


def _apart(at: Mapping[int, float]) -> dict[int, float]:
    """Return places of labels, top to bottom, that are a line apart."""
    found: dict[int, float] = {}
    free = -np.inf
    for row, y in sorted(at.items(), key=lambda item: item[1]):
        found[row] = max(y, free)
        free = found[row] + 12
    return found


def _tree(values: Floats) -> tuple[list[int], list[tuple[list[float], list[float]]]]:
    """Return the order of the leaves, and the links by places (leaves) and heights (0 to 1)."""
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import pdist

    if len(values) < 2:
        return list(range(len(values))), []
    # Rounded, so that the last bit of a product never turns a branch.
    linked = hierarchy.linkage(np.round(pdist(values), 9), "average", optimal_ordering=True)
    drawn = hierarchy.dendrogram(linked, no_plot=True)
    highest = max((max(heights) for heights in drawn["dcoord"]), default=1) or 1
    links = [
        # SciPy puts leaves ten units apart, the first at five.
        ([x / 10 for x in places], [height / highest for height in heights])
        for places, heights in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    ]
    return [int(i) for i in drawn["leaves"]], links


def _path(
    links: Sequence[tuple[list[float], list[float]]], first: float, cell: float, *, is_row: bool
) -> str:
    """Return a tree as an SVG path: of rows at the left edge, of columns at the top."""
    found = []
    for places, heights in links:
        corners = [
            (_TREE * (1 - height), first + place * cell)
            for place, height in zip(places, heights, strict=True)
        ]
        points = corners if is_row else [(b, a) for a, b in corners]
        found.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points))
    return "".join(found)


def _tracks(
    data: ComparisonData, order: Sequence[int], left: float, cell: float
) -> tuple[Track, ...]:
    known = {"group": {s: data.names[i] for s, i in zip(data.samples, data.side, strict=True)}}
    known |= {
        name: dict(of)
        for name, of in data.metadata.items()
        # The column that the groups are of says the same again.
        if name != "group" and any(of.get(s, "") != known["group"][s] for s in data.samples)
    }
    tracks: list[Track] = []
    for name, of in known.items():
        values = list(dict.fromkeys(of.get(sample, "") for sample in data.samples))
        if not 1 < len(values) <= len(_COLOURS):
            # One value says nothing; so many are names and not kinds.
            continue
        colour = dict(zip(values, _COLOURS, strict=False))
        bars = (
            (left + i * cell, colour[of.get(data.samples[row], "")], of.get(data.samples[row], ""))
            for i, row in enumerate(order)
        )
        tracks.append(
            Track(
                name,
                _TREE + _TRACK * len(tracks),
                tuple(bars),
                tuple((colour[value], value or "(none)") for value in values),
            )
        )
    return tuple(tracks)
