"""Matrices of a page as figures: confusion, co-occurrence, motif by sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.reports.heatmap import Scale, data_uri, heatmap_png, packed

_PLOT_UNITS: Final = 760
_LARGEST_CELL: Final = 18.0
_FEW_COLUMNS: Final = 10
_LARGEST_OF_FEW: Final = 48.0
_LABELLED_CELL: Final = 11.0
_LABEL_CHARS: Final = 24
_FEWEST_TOGETHER: Final = 3
"""Regions that a pair shares, or would by chance, for its odds ratio to say something."""
_COLUMN_UNITS: Final = 500
"""What fits beside another figure."""


@dataclass(frozen=True, slots=True)
class Label:
    """A name beside a row or above a column."""

    text: str
    full: str
    at: float
    """Middle of its row or column, in the units of the drawing."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A heat map with its labels, legend and values."""

    key: str
    title: str
    description: str
    reading: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_noun: str
    column_noun: str
    unit: str
    image: str
    """The cells as the address of a PNG."""
    values: str
    """base64 of float32, rows first, for the reading under the pointer."""
    left: int
    top: int
    width: float
    height: float
    row_labels: tuple[Label, ...]
    column_labels: tuple[Label, ...]
    stops: tuple[str, ...]
    low: str
    high: str

    @property
    def total_width(self) -> float:
        """Of the drawing with its labels."""
        return self.left + self.width + 12

    @property
    def is_wide(self) -> bool:
        """Whether it takes the whole width of the page."""
        return self.total_width > _COLUMN_UNITS

    @property
    def total_height(self) -> float:
        """Of the drawing with its labels."""
        return self.top + self.height + 4


@dataclass(frozen=True, slots=True)
class MatrixText:
    """What is said about a matrix."""

    key: str
    title: str
    description: str
    reading: str
    row_noun: str
    column_noun: str
    unit: str


def short_name(name: str) -> str:
    """Return a motif name for a narrow place: ``pos_patterns.pattern_3`` is ``pos 3``."""
    for sign in ("pos", "neg"):
        name = name.replace(f"{sign}_patterns.pattern_", f"{sign} ")
    return name if len(name) <= _LABEL_CHARS else name[: _LABEL_CHARS - 1] + "…"


def matrix(
    text: MatrixText,
    values: NDArray[np.floating],
    names: tuple[Sequence[str], Sequence[str]],
    *,
    scale: Scale,
    shown: NDArray[np.floating] | None = None,
    ends: tuple[str, str] | None = None,
) -> Matrix:
    """Return a figure of (rows, columns) values named by ``names``.

    Parameters
    ----------
    shown
        What is coloured where that is not ``values``, as their logarithm.
    ends
        What the ends of the legend say; those of ``scale`` when None.
    """
    rows, columns = values.shape
    largest = _LARGEST_OF_FEW if columns <= _FEW_COLUMNS != rows else _LARGEST_CELL
    cell_width = min(largest, _PLOT_UNITS / max(columns, 1))
    cell_height = min(_LARGEST_CELL, max(_PLOT_UNITS / max(rows, 1), 1.6))
    row_labels = _labels(names[0], cell_height)
    column_labels = _labels(names[1], cell_width)
    return Matrix(
        key=text.key,
        title=text.title,
        description=text.description,
        reading=text.reading,
        rows=tuple(names[0]),
        columns=tuple(names[1]),
        row_noun=text.row_noun,
        column_noun=text.column_noun,
        unit=text.unit,
        image=data_uri(heatmap_png(values if shown is None else shown, scale)),
        values=packed(values),
        left=_margin(row_labels),
        top=_margin(column_labels),
        width=columns * cell_width,
        height=rows * cell_height,
        row_labels=row_labels,
        column_labels=column_labels,
        stops=scale.stops,
        low=ends[0] if ends else f"{scale.low:g}",
        high=ends[1] if ends else f"{scale.high:g}",
    )


def confusion_matrix(
    table: pa.Table, names: Sequence[str], shown: Sequence[str] | None = None
) -> Matrix:
    """Return which hits overlap the seqlets of each motif; ``shown`` are the names for people."""
    place = {name: i for i, name in enumerate(names)}
    values = np.zeros((len(names), len(names)), np.float32)
    for row in table.to_pylist():
        if row["motif_name_seqlets"] in place and row["motif_name_hits"] in place:
            at = place[row["motif_name_seqlets"]], place[row["motif_name_hits"]]
            values[at] = row["frac_overlap"]
    text = MatrixText(
        key="confusion",
        title="Which hits overlap which seqlets",
        description="Heat map of the share of the seqlets of each motif that hits of each motif "
        "overlap.",
        reading="Each row is the seqlets of a motif, and each column the unique hits of a motif. "
        "The diagonal should be bright. A bright cell off the diagonal marks two motifs that are "
        "called in place of each other: they are too similar, or one is part of the other.",
        row_noun="seqlets",
        column_noun="hits",
        unit="of the seqlets",
    )
    labels = shown or names
    return matrix(text, values, (labels, labels), scale=Scale(0, 1), ends=("none", "all"))


def cooccurrence_matrix(
    table: pa.Table, names: Sequence[str], shown: Sequence[str] | None = None
) -> Matrix | None:
    """Return the logarithm of the odds ratio of every pair; None where no pair says anything.

    Grey, NaN, are pairs of which too few shared regions are both seen and expected. A motif that is
    grey with all others is left out.
    """
    values = log_odds(table, names)
    kept = np.flatnonzero(np.isfinite(values).any(axis=1))
    if not len(kept):
        return None
    kept = kept[similar_order(np.nan_to_num(values[np.ix_(kept, kept)]))]
    ordered = [(shown or names)[int(i)] for i in kept]
    text = MatrixText(
        key="cooccurrence",
        title="Which motifs occur together",
        description="Heat map of the logarithm of the odds ratio that two motifs lie in the same "
        "region.",
        reading="Orange pairs share regions more often than expected by chance, blue pairs less "
        f"often. A grey pair has too little data: fewer than {_FEWEST_TOGETHER} shared regions, "
        "both observed and expected. One step is a doubling of the odds. Motifs with similar "
        "patterns are next to each other. Motifs that overlap compete for the same bases and look "
        "blue for that reason alone.",
        row_noun="",
        column_noun="",
        unit="log2 odds ratio",
    )
    scale = Scale(-4, 4, is_diverging=True)
    ends = ("16 times lower odds", "16 times higher odds")
    return matrix(text, values[np.ix_(kept, kept)], (ordered, ordered), scale=scale, ends=ends)


def log_odds(table: pa.Table, names: Sequence[str]) -> NDArray[np.float32]:
    """Return the log2 odds ratio of every pair of motifs, NaN where it says nothing."""
    place = {name: i for i, name in enumerate(names)}
    values = np.full((len(names), len(names)), np.nan, np.float32)
    for row in table.to_pylist():
        if max(row["n_both"], row["expected"] or 0) >= _FEWEST_TOGETHER:
            first, second = place[row["motif_1"]], place[row["motif_2"]]
            values[first, second] = values[second, first] = np.log2(row["odds_ratio"])
    return values


def atlas_matrix(
    rates: NDArray[np.floating],
    motif_names: Sequence[str],
    sample_names: Sequence[str],
    *,
    noun: str = "motif",
) -> Matrix:
    """Return hits per region, motifs by samples, both similar ones next to each other.

    Parameters
    ----------
    noun
        What a row is: ``motif``, or ``cluster`` of motifs.
    """
    shown = np.log10(rates + 1e-3)
    rows, columns = similar_order(shown), similar_order(shown.T)
    top = float(rates.max(initial=1e-2))
    text = MatrixText(
        key="atlas" if noun == "motif" else f"atlas-{noun}s",
        title=f"{noun.capitalize()}s by samples",
        description=f"Heat map of hits per region of {len(rows)} {noun}s in {len(columns)} "
        "samples, similar ones next to each other.",
        reading=f"Each row is a {noun}, and each column a sample. Brightness is hits per region, "
        f"on a logarithmic scale. A block is a group of {noun}s that a group of samples shares. A "
        "column unlike its neighbours is an outlier. Point at a cell, or use the arrow keys, to "
        "read it.",
        row_noun=noun,
        column_noun="sample",
        unit="hits per region",
    )
    names = [motif_names[i] for i in rows], [sample_names[i] for i in columns]
    grid = np.ix_(rows, columns)
    return matrix(
        text, rates[grid], names, scale=Scale(-3, float(np.log10(top + 1e-3))),
        shown=shown[grid], ends=("0", f"{top:.2g}"),
    )  # fmt: skip


def similar_order(values: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return an order of the rows of (rows, columns) values that puts similar rows together.

    Average linkage on the distance 1 - correlation, leaves turned so that neighbours are alike
    [1]_. Rows without variation have no correlation: they come last, in their own order.

    References
    ----------
    .. [1] Bar-Joseph et al., "Fast optimal leaf ordering for hierarchical clustering", 2001.
    """
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    values = np.asarray(values, np.float64)
    varied = np.flatnonzero(np.ptp(values, axis=1) > 0) if values.size else np.array([], np.intp)
    constant = np.setdiff1d(np.arange(len(values)), varied)
    if len(varied) > 2:
        # Rounded, so that the last bit of a product never turns a branch.
        distance = np.round(1 - np.corrcoef(values[varied]), 9)
        np.fill_diagonal(distance, 0)
        condensed = squareform(np.clip((distance + distance.T) / 2, 0, 2), checks=False)
        tree = hierarchy.linkage(condensed, "average", optimal_ordering=True)
        varied = varied[hierarchy.leaves_list(tree)]
    return np.concatenate([varied, constant]).astype(np.intp)


def _labels(names: Sequence[str], cell: float) -> tuple[Label, ...]:
    if cell < _LABELLED_CELL:
        return ()
    return tuple(
        Label(short_name(name), name, round((i + 0.5) * cell, 1)) for i, name in enumerate(names)
    )


def _margin(labels: Sequence[Label]) -> int:
    longest = max((len(label.text) for label in labels), default=0)
    return round(longest * 6.6) + 12 if labels else 12
