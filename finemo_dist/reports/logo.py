"""Sequence logos as SVG: letters as high as contributions, up if positive, down if negative.

Letters are one path for each base, in whole units, so that a page with a thousand logos stays light
and each is a vector. Colours are those of Okabe and Ito, told apart by colour-blind readers too.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

BASES: Final = "ACGT"
BASE_COLOURS: Final = {"A": "#009e73", "C": "#0072b2", "G": "#e69f00", "T": "#d55e00"}

COLUMN_UNITS: Final = 30
"""Width of a position in the units of the drawing."""
HEIGHT_UNITS: Final = 160
_LEAST_EXTENT: Final = 1e-300
"""From the tallest stack up to the tallest stack down."""
_GAP_UNITS: Final = 1
_LEAST_SHARE: Final = 0.012
"""Letters lower than this share of the height cannot be seen and are left out."""
_LETTER_SHARE: Final = 0.035
"""Letters lower than this share of the height cannot be read and are drawn as bars."""

Glyph = tuple[tuple[str, tuple[float, ...]], ...]

# In a unit square, y down; C and c take control points, everything is absolute.
GLYPHS: Final[dict[str, Glyph]] = {
    "A": (
        ("M", (0.0, 1.0)),
        ("L", (0.39, 0.0, 0.61, 0.0, 1.0, 1.0, 0.79, 1.0, 0.71, 0.77, 0.29, 0.77, 0.21, 1.0)),
        ("Z", ()),
        ("M", (0.35, 0.6)),
        ("L", (0.65, 0.6, 0.5, 0.2)),
        ("Z", ()),
    ),
    "C": (
        ("M", (0.99, 0.31)),
        ("C", (0.93, 0.11, 0.76, 0.0, 0.53, 0.0, 0.2, 0.0, 0.0, 0.2, 0.0, 0.5)),
        ("C", (0.0, 0.8, 0.2, 1.0, 0.53, 1.0, 0.77, 1.0, 0.94, 0.88, 1.0, 0.66)),
        ("L", (0.79, 0.62)),
        ("C", (0.75, 0.76, 0.66, 0.84, 0.53, 0.84, 0.33, 0.84, 0.21, 0.71, 0.21, 0.5)),
        ("C", (0.21, 0.29, 0.33, 0.16, 0.53, 0.16, 0.66, 0.16, 0.75, 0.23, 0.78, 0.35)),
        ("Z", ()),
    ),
    "G": (
        ("M", (0.97, 0.29)),
        ("C", (0.9, 0.1, 0.74, 0.0, 0.52, 0.0, 0.2, 0.0, 0.0, 0.2, 0.0, 0.5)),
        ("C", (0.0, 0.8, 0.2, 1.0, 0.52, 1.0, 0.72, 1.0, 0.88, 0.93, 1.0, 0.82)),
        ("L", (1.0, 0.47, 0.54, 0.47, 0.54, 0.62, 0.8, 0.62, 0.8, 0.74)),
        ("C", (0.73, 0.8, 0.64, 0.84, 0.53, 0.84, 0.33, 0.84, 0.21, 0.71, 0.21, 0.5)),
        ("C", (0.21, 0.29, 0.33, 0.16, 0.52, 0.16, 0.64, 0.16, 0.72, 0.22, 0.76, 0.33)),
        ("Z", ()),
    ),
    "T": (
        ("M", (0.0, 0.0)),
        ("L", (1.0, 0.0, 1.0, 0.17, 0.6, 0.17, 0.6, 1.0, 0.4, 1.0, 0.4, 0.17, 0.0, 0.17)),
        ("Z", ()),
    ),
}
_BAR: Final[Glyph] = (
    ("M", (0.0, 0.0)),
    ("L", (1.0, 0.0, 1.0, 1.0, 0.0, 1.0)),
    ("Z", ()),
)


def reverse_complement(cwm: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return a (4, W) matrix as read on the other strand."""
    return cwm[::-1, ::-1]


def logo_paths(
    values: NDArray[np.floating],
    *,
    height: int = HEIGHT_UNITS,
    extent: tuple[float, float] | None = None,
    least_letter: float = 0.0,
) -> dict[str, str]:
    """Return SVG path data by base, for (4, W) contributions; bases without a letter are left out.

    Position i takes ``COLUMN_UNITS`` from ``i * COLUMN_UNITS``; y runs from 0 at the tallest stack
    to ``height`` at the deepest. With ``extent`` it runs from the first of these values to the
    second, so that several drawings share a scale. Letters below ``least_letter``, a share of the
    height, are bars; so are those that no drawing is large enough to read.
    """
    if extent is None:
        top, total = _extent(values)
    else:
        top, total = extent[0], extent[0] - extent[1]
    # Contributions so small that their scale overflows show as none.
    if total < _LEAST_EXTENT:
        return {}
    scale = height / total
    zero = top * scale
    least = max(least_letter, _LETTER_SHARE) * height
    paths: dict[str, list[str]] = {}
    for base, column, low, high in _letters(values):
        if (high - low) * scale < _LEAST_SHARE * height:
            continue
        is_bar = (high - low) * scale < least
        paths.setdefault(BASES[base], []).append(
            _glyph_path(
                _BAR if is_bar else GLYPHS[BASES[base]],
                (column * COLUMN_UNITS + _GAP_UNITS, (column + 1) * COLUMN_UNITS - _GAP_UNITS),
                (zero - high * scale, zero - low * scale),
            )
        )
    return {base: "".join(paths[base]) for base in BASES if base in paths}


def baseline(values: NDArray[np.floating], *, height: int = HEIGHT_UNITS) -> int:
    """Return the y of zero in the drawing of ``logo_paths``."""
    top, total = _extent(values)
    return round(height * top / total) if total else height


def logo_svg(cwm: NDArray[np.floating]) -> str:
    """Return a standalone SVG document of a (4, W) CWM, positions from left to right."""
    width = cwm.shape[1] * COLUMN_UNITS
    zero = baseline(cwm)
    shapes = "".join(
        f'<path fill="{BASE_COLOURS[base]}" fill-rule="evenodd" d="{path}"/>'
        for base, path in logo_paths(cwm).items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT_UNITS}" '
        f'width="{width}" height="{HEIGHT_UNITS}" role="img">'
        f"<title>Sequence logo of {cwm.shape[1]} positions</title>{shapes}"
        f'<path stroke="#888" fill="none" d="M0 {zero}h{width}"/></svg>\n'
    )


def _extent(values: NDArray[np.floating]) -> tuple[float, float]:
    finite = np.nan_to_num(np.asarray(values, np.float64))
    up = np.clip(finite, 0, None).sum(axis=0).max(initial=0.0)
    down = np.clip(-finite, 0, None).sum(axis=0).max(initial=0.0)
    return float(up), float(up + down)


def _letters(values: NDArray[np.floating]) -> Iterator[tuple[int, int, float, float]]:
    """Yield base, column, lower and upper end of every letter, the tallest outermost."""
    finite = np.nan_to_num(np.asarray(values, np.float64))
    for column in np.flatnonzero(finite.any(axis=0)).tolist():
        up = down = 0.0
        for base in np.argsort(np.abs(finite[:, column]), kind="stable").tolist():
            value = float(finite[base, column])
            if value > 0:
                yield base, column, up, up + value
                up += value
            elif value < 0:
                yield base, column, down + value, down
                down += value


def _glyph_path(glyph: Glyph, across: tuple[float, float], along: tuple[float, float]) -> str:
    """Return a glyph stretched over a box, in whole units; relative, which is a third shorter."""
    (left, right), (top, bottom) = across, along
    x = y = 0
    parts: list[tuple[str, list[int]]] = []
    for command, points in glyph:
        if command == "Z":
            parts.append(("z", []))
        for index in range(0, len(points), 2):
            next_x = round(left + points[index] * (right - left))
            next_y = round(top + points[index + 1] * (bottom - top))
            if command == "M":
                parts.append(("M", [next_x, next_y]))
            elif command == "L":
                parts.append(_line(next_x - x, next_y - y))
            else:
                parts.append(("c", [next_x - x, next_y - y]))
            # The control points of a curve all count from where it begins.
            if command != "C" or index % 6 == 4:
                x, y = next_x, next_y
    return "".join(
        command + _joined([number for _, numbers in same for number in numbers])
        for command, same in groupby(parts, key=itemgetter(0))
    )


def _line(dx: int, dy: int) -> tuple[str, list[int]]:
    """Return a line; one along an axis has one number."""
    if dy == 0:
        return "h", [dx]
    return ("v", [dy]) if dx == 0 else ("l", [dx, dy])


def _joined(numbers: list[int]) -> str:
    text = ""
    for number in numbers:
        text += (" " if text and number >= 0 else "") + str(number)
    return text
