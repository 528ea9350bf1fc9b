"""Logos: letters as high as their contributions, on the right side of zero, inside the drawing."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finemo_dist.reports.logo import (
    BASES,
    COLUMN_UNITS,
    HEIGHT_UNITS,
    baseline,
    logo_paths,
    logo_svg,
    reverse_complement,
)


def boxes(path):
    """Left, top, right and bottom of every letter of a path, corners and control points."""
    x = y = 0
    shapes = []
    for command, text in re.findall(r"([MlhvczZ])([^MlhvczZ]*)", path):
        numbers = [int(n) for n in re.findall(r"-?\d+", text)]
        if command in "hv":
            points = [(n, 0) if command == "h" else (0, n) for n in numbers]
        else:
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if command == "M":
            x, y = points[0]
            shapes.append([(x, y)])
        for index, (dx, dy) in enumerate(points if command in "lhvc" else []):
            shapes[-1].append((x + dx, y + dy))
            if command != "c" or index % 3 == 2:
                x, y = x + dx, y + dy
    found = [(*np.min(s, axis=0), *np.max(s, axis=0)) for s in shapes]
    # The hole of an A lies inside it and is no letter of its own.
    return [b for b in found if not any(inside(b, other) for other in found)]


def inside(box, other):
    return (
        box != other
        and box[0] > other[0]
        and box[1] > other[1]
        and box[2] < other[2]
        and box[3] < other[3]
    )


def test_a_letter_is_as_high_as_its_contribution():
    cwm = np.zeros((4, 3))
    cwm[1, 0], cwm[3, 1], cwm[2, 2] = 4.0, 2.0, 1.0

    paths = logo_paths(cwm, height=400)

    heights = {base: box[3] - box[1] for base in paths for box in boxes(paths[base])}
    assert heights == {"C": 400, "T": 200, "G": 100}


def test_a_letter_too_low_to_read_is_a_bar_of_its_height():
    cwm = np.zeros((4, 2))
    cwm[1, 0], cwm[2, 0], cwm[2, 1] = 0.97, 0.03, 1.0

    paths = logo_paths(cwm, height=400)

    bar, letter = paths["G"].split("z", 1)
    ((_, top, _, bottom),) = boxes(bar + "z")
    assert (top, bottom) == (388, 400)
    assert "c" not in bar
    assert "c" in letter


def test_a_small_drawing_has_bars_for_more_letters():
    cwm = np.array([[1.0], [0.1], [0.0], [0.0]])

    large, small = logo_paths(cwm, height=400), logo_paths(cwm, height=400, least_letter=0.1)

    assert large["A"] == small["A"]
    assert "c" in large["C"]
    assert "c" not in small["C"]
    assert boxes(large["C"])[0][1::2] == boxes(small["C"])[0][1::2]


def test_a_letter_stands_in_its_column():
    cwm = np.zeros((4, 3))
    cwm[0, 2] = 1.0

    ((left, _, right, _),) = boxes(logo_paths(cwm)["A"])

    assert 2 * COLUMN_UNITS <= left < right <= 3 * COLUMN_UNITS


def test_negative_contributions_hang_below_zero():
    cwm = np.zeros((4, 1))
    cwm[0, 0], cwm[3, 0] = 3.0, -1.0

    paths = logo_paths(cwm, height=400)

    zero = baseline(cwm, height=400)
    assert boxes(paths["A"])[0][1::2] == (0, zero)
    assert boxes(paths["T"])[0][1::2] == (zero, 400)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_letter_is_outermost(sign):
    cwm = sign * np.array([[1.0], [2.0], [0.0], [5.0]])

    tops = {base: boxes(path)[0][1] for base, path in logo_paths(cwm).items()}

    assert sorted(tops, key=tops.get) == (["T", "C", "A"] if sign > 0 else ["A", "C", "T"])


@given(arrays(np.float64, st.tuples(st.just(4), st.integers(1, 12)), elements=st.floats(-9, 9)))
def test_every_letter_lies_inside_the_drawing(cwm):
    for path in logo_paths(cwm).values():
        for left, top, right, bottom in boxes(path):
            assert 0 <= left <= right <= cwm.shape[1] * COLUMN_UNITS
            assert 0 <= top <= bottom <= HEIGHT_UNITS


def test_missing_numbers_draw_nothing():
    assert logo_paths(np.full((4, 3), np.nan)) == {}
    assert logo_paths(np.zeros((4, 0))) == {}


def test_the_reverse_complement_swaps_bases_and_direction():
    cwm = np.zeros((4, 2))
    cwm[BASES.index("A"), 0] = 1.0

    other = reverse_complement(cwm)

    assert other[BASES.index("T"), 1] == 1.0
    assert other.sum() == 1.0


@given(arrays(np.float16, (4, 5), elements=st.floats(-4, 4, width=16)))
def test_a_logo_is_a_well_formed_document(cwm):
    root = ElementTree.fromstring(logo_svg(cwm))

    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") == f"0 0 {5 * COLUMN_UNITS} {HEIGHT_UNITS}"
