"""Matrices of a page as figures: confusion, co-occurrence, motif by sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.reports.heatmap import Scale, data_uri, heatmap_png, packed
from finemo_dist.reports.ordering import similar_order

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


def confusion_matrix(table: pa.Table, names: Sequence[str]) -> Matrix:
    """Return which hits lie where the seqlets of each motif are."""
    place = {name: i for i, name in enumerate(names)}
    values = np.zeros((len(names), len(names)), np.float32)
    for row in table.to_pylist():
        if row["motif_name_seqlets"] in place and row["motif_name_hits"] in place:
            at = place[row["motif_name_seqlets"]], place[row["motif_name_hits"]]
            values[at] = row["frac_overlap"]
    text = MatrixText(
        key="confusion",
        title="Which hits lie on whose seqlets",
        description="Heat map of the share of the seqlets of each motif on which hits of each "
        "motif lie.",
        reading="A row is the seqlets of a motif, a column the hits of one. A bright diagonal is "
        "as it should be. A bright cell beside it marks two motifs that stand for one another: "
        "too alike, or parts of one.",
        row_noun="seqlets",
        column_noun="hits",
        unit="of seqlets",
    )
    return matrix(text, values, (names, names), scale=Scale(0, 1), ends=("0", "all"))


def cooccurrence_matrix(table: pa.Table) -> Matrix | None:
    """Return the logarithm of the odds ratio of every pair; None where no pair says anything.

    Grey, NaN, are pairs of which too few shared regions are both seen and expected, and motifs of
    which that holds with all others are left out.
    """
    names, values = log_odds(table)
    kept = np.flatnonzero(np.isfinite(values).any(axis=1))
    if not len(kept):
        return None
    kept = kept[similar_order(np.nan_to_num(values[np.ix_(kept, kept)]))]
    ordered = [names[i] for i in kept]
    text = MatrixText(
        key="cooccurrence",
        title="Which motifs occur together",
        description="Heat map of the logarithm of the odds ratio that two motifs lie in the same "
        "region.",
        reading="Orange pairs share regions more often than chance, blue ones less often; grey "
        f"ones have fewer than {_FEWEST_TOGETHER} regions in common, seen and expected, which says "
        "nothing. One step is a doubling of the odds. Motifs alike in this lie side by side. Pairs "
        "that overlap compete for the same bases and look blue for that reason alone.",
        row_noun="",
        column_noun="",
        unit="log2 odds ratio",
    )
    scale = Scale(-4, 4, is_diverging=True)
    ends = ("16 times rarer", "16 times more often")
    return matrix(text, values[np.ix_(kept, kept)], (ordered, ordered), scale=scale, ends=ends)


def log_odds(table: pa.Table) -> tuple[list[str], NDArray[np.float32]]:
    """Return motifs by name, and log2 odds ratios of all their pairs, NaN where they say nothing.

    The table lists pairs that meet; those that never do follow from the counts. Half a region is
    added to each cell.
    """
    rows = table.to_pylist()
    n_of = {row[f"motif_name_{k}"]: row[f"n_{k}"] for row in rows for k in "ab"}
    names = sorted(n_of)
    if not names:
        return [], np.zeros((0, 0), np.float32)
    place = {name: i for i, name in enumerate(names)}
    counts = np.array([n_of[name] for name in names], np.float64)
    both = np.zeros((len(names), len(names)))
    for row in rows:
        pair = place[row["motif_name_a"]], place[row["motif_name_b"]]
        both[pair] = both[pair[::-1]] = row["n_both"]
    # A motif meets itself wherever it is, so that no cell of its own table is negative.
    np.fill_diagonal(both, counts)
    only_row, only_column = counts[:, None] - both, counts[None, :] - both
    neither = rows[0]["n_regions"] - both - only_row - only_column
    odds = (both + 0.5) * (neither + 0.5) / ((only_row + 0.5) * (only_column + 0.5))
    expected = counts[:, None] * counts[None, :] / rows[0]["n_regions"]
    is_known = np.maximum(both, expected) >= _FEWEST_TOGETHER
    np.fill_diagonal(is_known, val=False)
    return names, np.where(is_known, np.log2(odds), np.nan).astype(np.float32)


def atlas_matrix(
    rates: NDArray[np.floating], motif_names: Sequence[str], sample_names: Sequence[str]
) -> Matrix:
    """Return hits per region, motifs by samples, both in an order of likeness."""
    shown = np.log10(rates + 1e-3)
    rows, columns = similar_order(shown), similar_order(shown.T)
    top = float(rates.max(initial=1e-2))
    text = MatrixText(
        key="atlas",
        title="Motifs by samples",
        description=f"Heat map of hits per region of {len(rows)} motifs in {len(columns)} "
        "samples, alike beside alike.",
        reading="A row is a motif, a column a sample; brightness is hits per region, on a "
        "logarithmic scale. Blocks are motifs that a group of samples shares; a column unlike its "
        "neighbours is an outlier. Point at a cell, or use the arrow keys, to read it.",
        row_noun="motif",
        column_noun="sample",
        unit="hits per region",
    )
    names = [motif_names[i] for i in rows], [sample_names[i] for i in columns]
    grid = np.ix_(rows, columns)
    return matrix(
        text, rates[grid], names, scale=Scale(-3, float(np.log10(top + 1e-3))),
        shown=shown[grid], ends=("0", f"{top:.2g}"),
    )  # fmt: skip


def _labels(names: Sequence[str], cell: float) -> tuple[Label, ...]:
    if cell < _LABELLED_CELL:
        return ()
    return tuple(
        Label(short_name(name), name, round((i + 0.5) * cell, 1)) for i, name in enumerate(names)
    )


def _margin(labels: Sequence[Label]) -> int:
    longest = max((len(label.text) for label in labels), default=0)
    return round(longest * 6.6) + 12 if labels else 12
