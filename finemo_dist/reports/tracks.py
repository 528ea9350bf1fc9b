"""Example regions drawn: contributions as a logo over the whole region, hits beneath in lanes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.words import count
from finemo_dist.reports.logo import COLUMN_UNITS, baseline, logo_paths
from finemo_dist.reports.matrices import short_name
from finemo_dist.reports.page_model import ExampleRegion, RegionHit

_LOGO_UNITS: Final = 420
_LANE_UNITS: Final = 84
_OVERVIEW_UNITS: Final = 60


@dataclass(frozen=True, slots=True)
class HitBox:
    """A hit as a box; x and width in bases, ``lane`` from the top."""

    hit: RegionHit
    lane: int
    colour: int
    """Which of eight colours, the same for one motif throughout a region."""
    x: int
    y: int
    width: int


@dataclass(frozen=True, slots=True)
class Track:
    """All that is needed to draw an example region."""

    title: str
    place: str
    description: str
    length: int
    width: int
    """Of the detailed drawing, in its units."""
    logo_height: int
    height: int
    zero: int
    lane_units: int
    paths: tuple[tuple[str, str], ...]
    overview: str
    """Path of the profile, one unit a base, ``overview_height`` high."""
    overview_height: int
    overview_zero: int
    boxes: tuple[HitBox, ...]
    focus: float
    """Where the strongest hit lies, as a share of the region."""


def track(region: ExampleRegion) -> Track:
    """Return the drawing of a region."""
    values = np.asarray(region.contributions, np.float64)
    letters = _one_hot(region.sequence) * values
    boxes = _boxes(region.hits)
    n_lanes = max((box.lane for box in boxes), default=-1) + 1
    strongest = max(region.hits, key=lambda hit: (hit.coefficient, -hit.start), default=None)
    names = sorted({hit.shown for hit in region.hits})
    listed = ", ".join(names[:6]) + (" and others" if len(names) > 6 else "")
    return Track(
        title=region.title,
        place=region.place,
        description=f"{region.title}: contributions over {region.place}, "
        f"{count(len(region.hits), 'hit')}{': ' if names else ''}{listed}.",
        length=len(values),
        width=len(values) * COLUMN_UNITS,
        logo_height=_LOGO_UNITS,
        height=_LOGO_UNITS + n_lanes * _LANE_UNITS + 12,
        zero=baseline(letters, height=_LOGO_UNITS),
        lane_units=_LANE_UNITS,
        paths=tuple(logo_paths(letters, height=_LOGO_UNITS).items()),
        overview=_profile(values),
        overview_height=_OVERVIEW_UNITS,
        overview_zero=_profile_zero(values),
        boxes=boxes,
        focus=(strongest.start + strongest.end) / 2 / len(values) if strongest else 0.5,
    )


def _one_hot(sequence: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(sequence[None, :] == np.arange(4)[:, None], np.float64)


def _boxes(hits: tuple[RegionHit, ...]) -> tuple[HitBox, ...]:
    """Return hits from left to right, each in the first lane with room for it and its label."""
    names = sorted({hit.motif_name for hit in hits})
    ends: list[int] = []
    boxes = []
    for hit in sorted(hits, key=lambda h: (h.start, h.end, h.motif_name, h.strand)):
        lane = next((i for i, end in enumerate(ends) if end <= hit.start), len(ends))
        room = max(hit.end - hit.start, round(0.75 * (len(short_name(hit.shown)) + 2)))
        ends[lane : lane + 1] = [hit.start + room + 1]
        boxes.append(
            HitBox(
                hit,
                lane,
                names.index(hit.motif_name) % 8,
                x=hit.start * COLUMN_UNITS,
                y=_LOGO_UNITS + lane * _LANE_UNITS + 10,
                width=(hit.end - hit.start) * COLUMN_UNITS,
            )
        )
    return tuple(boxes)


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    high = max(float(values.max(initial=0.0)), 0.0)
    low = min(float(values.min(initial=0.0)), 0.0)
    return high, (high - low) or 1.0


def _profile_zero(values: NDArray[np.float64]) -> int:
    high, span = _span(values)
    return round(_OVERVIEW_UNITS * high / span)


def _profile(values: NDArray[np.float64]) -> str:
    """Return bars, one a base, as one path."""
    zero, (_, span) = _profile_zero(values), _span(values)
    heights = np.round(values / span * _OVERVIEW_UNITS).astype(int)
    return "".join(f"M{x} {zero}v{-height}" for x, height in enumerate(heights.tolist()) if height)
