"""A locus drawn as one SVG document, for papers and slides: letters, hits and tracks to scale.

The document is complete: it has its own colours and names no file. ``locus_png`` turns it into
pixels. Pages draw the same views by ``templates/locus.js``, where they can be moved about.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

from finemo_dist.reports.locus_view import (
    FeatureTrack,
    LocusHit,
    LocusRow,
    LocusView,
    extent,
    gaps,
    lanes,
)
from finemo_dist.reports.logo import BASE_COLOURS, COLUMN_UNITS, logo_paths

HIT_COLOURS: Final = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#8a8f98",
)  # fmt: skip
_LEFT: Final = 84.0
_RIGHT: Final = 24.0
_WIDTH: Final = 1080.0
"""Of the bases, unless letters would be wider than ``_WIDEST``."""
_WIDEST: Final = 16.0
_FINE: Final = 10
"""Units of a logo to one of the figure, in height."""
_CHAR: Final = 5.9
"""Width of a character of a label; a little more than most have."""
_LANE: Final = 26.0
_INK: Final = "#1d2228"
_MUTE: Final = "#5c6570"
_LINE: Final = "#c9cdd1"
_FONT: Final = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class _Frame:
    """How bases become x: the left end, the pixels of a base, and the first and last base."""

    start: int
    end: int
    per_base: float

    def x(self, position: float) -> float:
        return _LEFT + (position - self.start) * self.per_base

    @property
    def right(self) -> float:
        return self.x(self.end)


def locus_svg(view: LocusView, *, all_panels: bool = True, same_scale: bool = False) -> str:
    """Return a view as a standalone SVG document.

    Parameters
    ----------
    all_panels
        Whether the reconstruction by the hits and the residual are drawn under the contributions.
    same_scale
        Whether all rows share one scale; otherwise each row has its own.
    """
    per_base = min(_WIDEST, _WIDTH / max(view.end - view.start, 1))
    frame = _Frame(view.start, view.end, per_base)
    width = max(frame.right + _RIGHT, 420.0)
    is_shared = (same_scale or view.is_of_alleles) and view.rows
    shared = extent([row.contributions for row in view.rows]) if is_shared else None
    parts = [_text(_LEFT, 20, view.title, size=14, weight="bold")]
    y = 34.0
    top = y
    for row in view.rows:
        drawn, y = _row(view, row, frame, y, all_panels=all_panels, shared=shared)
        parts += drawn
    for track in view.tracks:
        drawn, y = _track(track, frame, y)
        parts += drawn
    parts += _marks(view, frame, top, y)
    drawn, y = _axis(view, frame, y)
    parts += drawn
    if any(row.hits for row in view.rows):
        y += 14
        said = (
            "Hits: name, strand, coefficient / similarity. Lambda shrinks what they explain. "
            "Positions are 0-based."
        )
        parts.append(_text(_LEFT, y, said, size=10, fill=_MUTE))
    height = math.ceil(y + 12)
    label = escape(_clean(_description(view)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}" role="img" font-family="{_FONT}">'
        f'<title>{label}</title><rect width="100%" height="100%" fill="#ffffff"/>'
        f"{''.join(parts)}</svg>\n"
    )


def locus_png(svg: str, *, scale: float = 2.0) -> bytes:
    """Return an SVG document as a PNG image, ``scale`` pixels for each of its units."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=scale))


def _description(view: LocusView) -> str:
    n_hits = sum(len(row.hits) for row in view.rows)
    return (
        f"Contributions over {view.title} in {', '.join(row.name for row in view.rows)}, "
        f"with {n_hits:,} hits"
    )


def _row(
    view: LocusView,
    row: LocusRow,
    frame: _Frame,
    y: float,
    *,
    all_panels: bool,
    shared: tuple[float, float] | None,
) -> tuple[list[str], float]:
    """Return a row: its name, its panels on one scale, and its hits in lanes."""
    name = f"{row.name} · {row.note}" if row.note else row.name
    parts = [_text(_LEFT, y + 13, name, size=12, weight="bold")]
    y += 22
    panels = [("contributions", row.contributions, 92.0)]
    residual = row.residual
    if all_panels and row.rebuilt is not None and residual is not None:
        panels += [("hits explain", row.rebuilt, 60.0), ("residual", residual, 60.0)]
    span = shared or extent([values for _, values, _ in panels])
    for i, (label, values, height) in enumerate(panels):
        parts += _panel(row, frame, values, (y, height), label=label, span=span)
        y += height + 13
        if i == 0:
            drawn, y = _hits(view, row, frame, y)
            parts += drawn
    return parts, y + 8


def _panel(
    row: LocusRow,
    frame: _Frame,
    values: NDArray[np.floating],
    box: tuple[float, float],
    *,
    label: str,
    span: tuple[float, float],
) -> Iterator[str]:
    y, height = box
    high, low = span
    scale = height / ((high - low) or 1.0)
    zero = y + high * scale
    for first, last in gaps(row.contributions):
        x, far = frame.x(frame.start + first), frame.x(frame.start + last)
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{far - x:.1f}" height="{height:.1f}" '
            f'fill="#f0f1ee"/>'
        )
    paths = logo_paths(row.letters(values), height=round(height * _FINE), extent=span)
    # Letters are drawn in their own units and scaled as one group.
    yield (
        f'<g transform="translate({_LEFT:.1f} {y:.1f}) '
        f'scale({frame.per_base / COLUMN_UNITS:.6f} {1 / _FINE})">'
    )
    for base, path in paths.items():
        yield f'<path fill="{BASE_COLOURS[base]}" fill-rule="evenodd" d="{path}"/>'
    yield "</g>"
    yield _rule(_LEFT, zero, frame.right, zero)
    yield _rule(_LEFT, y, _LEFT, y + height)
    taken: list[float] = []
    for value in _y_ticks(high, low):
        at = zero - value * scale
        if any(abs(at - other) < 11 for other in taken):
            continue
        taken.append(at)
        yield _rule(_LEFT - 4, at, _LEFT, at)
        yield _text(_LEFT - 7, at + 3.5, f"{value:.3g}", size=10, anchor="end", fill=_MUTE)
    middle = y + height / 2
    yield (
        f'<text transform="translate(14 {middle:.1f}) rotate(-90)" text-anchor="middle" '
        f'font-size="10" fill="{_MUTE}">{escape(label)}</text>'
    )


def _hits(view: LocusView, row: LocusRow, frame: _Frame, y: float) -> tuple[list[str], float]:
    """Return the hits of a row, each in the first lane with room for it and its label."""
    shown = sorted(
        (hit for hit in row.hits if hit.end > frame.start and hit.start < frame.end),
        key=lambda hit: (hit.start, hit.end, hit.label, hit.strand),
    )
    colours = view.colours
    # A label that would leave the figure begins further left.
    spans = []
    for hit in shown:
        text = f"{hit.text} {hit.scores}"
        left, right = max(frame.x(hit.start), _LEFT), min(frame.x(hit.end), frame.right)
        begin = max(min(left, max(frame.right, 420.0 - _RIGHT) - len(text) * _CHAR), _LEFT)
        spans.append((begin, max(right, begin + len(text) * _CHAR) + 8))
    order = sorted(range(len(shown)), key=lambda i: spans[i])
    found = dict(zip(order, lanes(spans[i] for i in order), strict=True))
    parts = []
    for i, hit in enumerate(shown):
        at = y + found[i] * _LANE
        parts.append(_hit(hit, frame, at, spans[i][0], HIT_COLOURS[colours[hit.group]]))
    n_lanes = max(found.values(), default=-1) + 1
    return parts, y + n_lanes * _LANE + (4 if n_lanes else 0)


def _hit(hit: LocusHit, frame: _Frame, y: float, text_x: float, colour: str) -> str:
    """Return a hit as a box that points along its strand, with its label below."""
    left, right = max(frame.x(hit.start), _LEFT), min(frame.x(hit.end), frame.right)
    tip = min(5.0, (right - left) / 2)
    if hit.strand == "-":
        shape = f"M{left:.1f} {y + 4:.1f}l{tip:.1f} -4H{right:.1f}v8H{left + tip:.1f}z"
    else:
        shape = f"M{left:.1f} {y:.1f}H{right - tip:.1f}l{tip:.1f} 4l{-tip:.1f} 4H{left:.1f}z"
    dash = ' fill-opacity="0.35"' if hit.state == "lost" else ""
    return (
        f"<g><title>{escape(_clean(hit.title))}</title>"
        f'<path d="{shape}" fill="{colour}" stroke="{colour}"{dash}/>'
        f'<text x="{text_x:.1f}" y="{y + 19:.1f}" font-size="10.5" fill="{_INK}">'
        f'{escape(_clean(hit.text))}<tspan fill="{_MUTE}" font-size="9.5" dx="5">'
        f"{hit.scores}</tspan></text></g>"
    )


def _track(track: FeatureTrack, frame: _Frame, y: float) -> tuple[list[str], float]:
    shown = sorted(
        (f for f in track.features if f.end > frame.start and f.start < frame.end),
        key=lambda f: (f.start, f.end, f.name),
    )
    parts = [_text(_LEFT, y + 12, track.name, size=11, weight="bold")]
    y += 18
    if not shown:
        return [*parts, _text(_LEFT, y + 10, "nothing here", size=10, fill=_MUTE)], y + 20
    lefts = [max(frame.x(f.start), _LEFT) for f in shown]
    rights = [min(frame.x(f.end), frame.right) for f in shown]
    texts = [f"{f.name} {f.strand if f.strand in '+-' else ''}".strip() for f in shown]
    spans = [
        (left, max(right, left + len(text) * _CHAR) + 8)
        for left, right, text in zip(lefts, rights, texts, strict=True)
    ]
    found = lanes(spans)
    for feature, left, right, text, lane in zip(shown, lefts, rights, texts, found, strict=True):
        at = y + lane * 24
        parts.append(_rule(left, at + 4, right, at + 4, stroke="#46505a"))
        for first, last in feature.blocks or ((feature.start, feature.end),):
            x, far = max(frame.x(first), _LEFT), min(frame.x(last), frame.right)
            if far > x:
                parts.append(
                    f'<rect x="{x:.1f}" y="{at:.1f}" width="{max(far - x, 1):.1f}" height="8" '
                    'fill="#46505a"/>'
                )
        parts.append(_text(left, at + 18, text, size=10))
    return parts, y + (max(found) + 1) * 24 + 4


def _marks(view: LocusView, frame: _Frame, top: float, bottom: float) -> Iterator[str]:
    for mark in view.marks:
        x = frame.x(mark.position + 0.5)
        yield (
            f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="#b0261c" stroke-dasharray="3 3" '
            f'fill="none"/>'
        )
        if mark.label:
            yield _text(x + 4, top - 2, mark.label, size=10, fill="#b0261c")


def _axis(view: LocusView, frame: _Frame, y: float) -> tuple[list[str], float]:
    parts = [_rule(_LEFT, y, frame.right, y, stroke=_MUTE)]
    for position in nice_ticks(view.start, view.end, frame.right - _LEFT):
        x = frame.x(position)
        parts.append(_rule(x, y, x, y + 5, stroke=_MUTE))
        parts.append(_text(x, y + 17, f"{position:,}", size=10, anchor="middle", fill=_MUTE))
    parts.append(_text(8, y + 17, view.chrom or "in region", size=10, fill=_MUTE))
    return parts, y + 22


def nice_ticks(start: int, end: int, pixels: float) -> list[int]:
    """Return round positions from ``start`` to ``end``, with room for their labels."""
    n_most = max(1, int(pixels // 90))
    step = 1
    while (end - start) / step > n_most:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return list(range(-(-start // step) * step, end + 1, step))


def _y_ticks(high: float, low: float) -> list[float]:
    return list(dict.fromkeys((high, 0.0, low)))


def _rule(x: float, y: float, far: float, low: float, *, stroke: str = _LINE) -> str:
    return f'<path d="M{x:.1f} {y:.1f}L{far:.1f} {low:.1f}" stroke="{stroke}" fill="none"/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    anchor: str = "start",
    fill: str = _INK,
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" '
        f'fill="{fill}" font-weight="{weight}">{escape(_clean(text))}</text>'
    )


def _clean(text: str) -> str:
    """Return text without the characters that XML does not have."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
