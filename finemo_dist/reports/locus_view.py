"""What a figure of a locus shows: rows of contributions with their hits, and tracks below them.

A view is a plain value, so that whatever has contributions can be drawn: the samples of a run, or
the two alleles of a variant as two rows, which may differ in sequence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import UNKNOWN_BASE

LABEL_CHARS: Final = 24
"""Of a hit in a figure; the whole name is in its tooltip."""
STATE_COLOURS: Final = {
    "lost": 1, "gained": 2, "strengthened": 5, "weakened": 4, "unchanged": 7,
}  # fmt: skip
"""State of a hit to one of the eight colours."""


@dataclass(frozen=True, slots=True)
class LocusHit:
    """A hit in a row."""

    label: str
    """The factor where that is known, else the motif."""
    motif_name: str
    strand: str
    start: int
    end: int
    """Of the trimmed motif, 0-based and half-open, in the coordinates of the view."""
    coefficient: float
    similarity: float
    state: str = ""
    """A word on the hit, such as ``gained`` or ``lost`` between alleles; empty for none."""

    @property
    def text(self) -> str:
        """Label and strand, shortened."""
        name = self.label
        name = name if len(name) <= LABEL_CHARS else name[: LABEL_CHARS - 1] + "…"
        return f"{name} {self.strand}"

    @property
    def group(self) -> str:
        """What hits of one colour have in common: the state where there is one, else the label."""
        return self.state or self.label

    @property
    def scores(self) -> str:
        """Coefficient and similarity, and the state where there is one."""
        return f"{self.coefficient:.3g} / {self.similarity:.2f} {self.state}".rstrip()

    @property
    def title(self) -> str:
        """All that is known of the hit, for a tooltip."""
        known = self.motif_name if self.label == self.motif_name else (
            f"{self.label} ({self.motif_name})"
        )  # fmt: skip
        state = f", {self.state}" if self.state else ""
        return (
            f"{known} {self.strand}, {self.start:,}-{self.end:,}, coefficient "
            f"{self.coefficient:.3g}, similarity {self.similarity:.2f}{state}"
        )


@dataclass(frozen=True, slots=True)
class LocusRow:
    """Contributions of one sample, or of one allele, over the bases of a view."""

    name: str
    sequence: NDArray[np.uint8]
    """(L,) codes 0-3 for A, C, G, T and 4 for any other base."""
    contributions: NDArray[np.floating]
    """(L,) of the observed bases; NaN where no region covers the base."""
    rebuilt: NDArray[np.floating] | None = None
    """(L,) what the hits explain; None where that is not known."""
    hits: tuple[LocusHit, ...] = ()
    note: str = ""
    """Shown beside the name, such as the name of the peak."""

    @property
    def residual(self) -> NDArray[np.float64] | None:
        """(L,) contributions minus what the hits explain."""
        if self.rebuilt is None:
            return None
        return np.asarray(self.contributions, np.float64) - self.rebuilt

    def letters(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return (L,) values at the bases of the row, (4, L); 0 elsewhere."""
        one_hot = np.arange(4)[:, None] == self.sequence[None, :]
        return np.where(one_hot, np.nan_to_num(np.asarray(values, np.float64)), 0.0)


@dataclass(frozen=True, slots=True)
class Feature:
    """A gene or interval on a track."""

    name: str
    start: int
    end: int
    strand: str = ""
    blocks: tuple[tuple[int, int], ...] = ()
    """Exons; the whole feature when empty."""


@dataclass(frozen=True, slots=True)
class FeatureTrack:
    """Features of one file."""

    name: str
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that all rows show by a line, such as a variant."""

    position: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class LocusView:
    """A locus with its rows and tracks."""

    name: str
    """What was asked for: a place or the name of a peak."""
    chrom: str | None
    """None where regions have no coordinates, and positions count from the start of the region."""
    start: int
    end: int
    rows: tuple[LocusRow, ...]
    tracks: tuple[FeatureTrack, ...] = ()
    marks: tuple[Mark, ...] = ()
    why: str = ""
    """Why it is in a list, such as ``strongest of REB1``."""
    is_of_alleles: bool = False
    """Whether rows are the alleles of a variant: one model scored them, so they have one scale."""

    @property
    def place(self) -> str:
        """The bases shown, 0-based and half-open."""
        return f"{self.chrom or 'region'}:{self.start:,}-{self.end:,}"

    @property
    def title(self) -> str:
        """The name, and the place where that is something else."""
        plain = self.name.replace(",", "")
        return self.place if plain == self.place.replace(",", "") else f"{self.name} · {self.place}"

    @property
    def colours(self) -> dict[str, int]:
        """Group of a hit to one of eight colours, the same in all rows."""
        hits = [hit for row in self.rows for hit in row.hits]
        labels = sorted({hit.label for hit in hits if not hit.state})
        states = {hit.state: STATE_COLOURS.get(hit.state, 6) for hit in hits if hit.state}
        return {label: i % 8 for i, label in enumerate(labels)} | states


def lanes(spans: Iterable[tuple[float, float]]) -> list[int]:
    """Return the first lane with room for each span, (from, to); spans come sorted by start."""
    ends: list[float] = []
    found = []
    for start, end in spans:
        lane = next((i for i, taken in enumerate(ends) if taken <= start), len(ends))
        ends[lane : lane + 1] = [end]
        found.append(lane)
    return found


def extent(curves: Sequence[NDArray[np.floating]]) -> tuple[float, float]:
    """Return the largest and the smallest value of some curves, with 0 between them."""
    known = np.concatenate([np.nan_to_num(np.asarray(c, np.float64)) for c in curves])
    return max(float(known.max(initial=0.0)), 0.0), min(float(known.min(initial=0.0)), 0.0)


def gaps(values: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Return the stretches that no region covers, half-open."""
    missing = np.concatenate([[False], np.isnan(values), [False]])
    edges = np.flatnonzero(missing[1:] != missing[:-1]).reshape(-1, 2)
    return [(int(first), int(last)) for first, last in edges]


def rebuilt(
    sequence: NDArray[np.uint8],
    contributions: NDArray[np.floating],
    placed: Sequence[tuple[int, float, NDArray[np.floating]]],
    *,
    sqrt_transform: bool = False,
) -> NDArray[np.float64]:
    """Return what hits explain of a region, (L,), in the unit of its contributions.

    Parameters
    ----------
    sequence
        (L,) codes 0 to 4.
    contributions
        What the call compared: (L,) projected, or (4, L) hypothetical.
    placed
        First base of the trimmed motif in the region, coefficient, and trimmed CWM (4, W) of each
        hit.
    sqrt_transform
        Whether the call took signed square roots; the result is squared again.

    Notes
    -----
    A hit adds ``c s w`` with ``s = (S + 1)^(-1/2)``, where ``S`` is the sum of the squared
    normalised contributions under the motif.
    """
    values = np.asarray(contributions, np.float64)
    if sqrt_transform:
        values = np.sign(values) * np.sqrt(np.abs(values))
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    squared = np.square(values / largest).reshape(-1, values.shape[-1]).sum(axis=0)
    mean_square = float(squared.mean()) or 1.0
    total = np.zeros(len(sequence))
    known = np.append(np.ones(4), 0.0)
    for first, coefficient, cwm in placed:
        weights = np.asarray(cwm, np.float64)
        if sqrt_transform:
            weights = np.sign(weights) * np.sqrt(np.abs(weights))
            weights /= np.sqrt(np.square(weights).sum())
        low, high = max(first, 0), min(first + weights.shape[1], len(sequence))
        bases = sequence[low:high]
        size = coefficient / np.sqrt(squared[low:high].sum() / mean_square + 1)
        columns = np.arange(low, high) - first
        at_bases = weights[np.minimum(bases, UNKNOWN_BASE - 1), columns] * known[bases]
        total[low:high] += size * at_bases
    total *= largest * np.sqrt(mean_square)
    return np.sign(total) * np.square(total) if sqrt_transform else total
