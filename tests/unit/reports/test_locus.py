"""Figures of loci: what is drawn lies where it should, and what a page holds is what was given."""

import base64
import json
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest

from finemo_dist.reports.locus_figure import locus_png, locus_svg, nice_ticks
from finemo_dist.reports.locus_page import loci_payload, packed, render_loci
from finemo_dist.reports.locus_view import (
    Feature,
    FeatureTrack,
    LocusHit,
    LocusRow,
    LocusView,
    Mark,
    gaps,
    lanes,
)

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>&\x07\u202e"


def hit(start, label="CTCF", strand="+", width=10, **given):
    values = {"coefficient": 12.5, "similarity": 0.875, "motif_name": "pos_patterns.pattern_0"}
    return LocusHit(label=label, strand=strand, start=start, end=start + width, **values | given)


def view(rng, hits=(), *, length=80, n_rows=1, **given):
    rows = tuple(
        LocusRow(
            name=f"sample {i}",
            sequence=rng.integers(0, 5, length).astype(np.uint8),
            contributions=rng.normal(size=length),
            rebuilt=rng.normal(size=length) / 4,
            hits=tuple(hits),
        )
        for i in range(n_rows)
    )
    return LocusView(**{"name": "peak", "chrom": "chr1", "start": 1000, "end": 1000 + length,
                        "rows": rows} | given)  # fmt: skip


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def test_hits_are_drawn_over_their_bases_and_point_along_their_strand(rng):
    root = ET.fromstring(locus_svg(view(rng, [hit(1020), hit(1050, "JUN", "-")])))

    shapes = {
        group[0].text.split()[0]: group[1].get("d")
        for group in root.iter(f"{SVG}g")
        if len(group) and group[0].tag == f"{SVG}title"
    }
    per_base = 1080 / 80
    forward, reverse = shapes["CTCF"], shapes["JUN"]
    assert forward.startswith(f"M{84 + 20 * per_base:.1f} ")
    assert f"H{84 + 30 * per_base - 5:.1f}" in forward
    assert reverse.startswith(f"M{84 + 50 * per_base:.1f} ")
    assert f"H{84 + 60 * per_base:.1f}" in reverse


def test_labels_say_name_strand_and_scores_and_never_overlap(rng):
    svg = locus_svg(view(rng, [hit(1020 + i) for i in range(5)]))

    labels = [text for text in texts(svg) if text.startswith("CTCF")]
    assert labels == ["CTCF +12.5 / 0.88"] * 5
    heights = [
        node.get("y")
        for node in ET.fromstring(svg).iter(f"{SVG}text")
        if "".join(node.itertext()).startswith("CTCF")
    ]
    assert len(set(heights)) == 5


def test_panels_of_a_row_share_a_scale_and_rows_only_if_asked(rng):
    plain = view(rng, n_rows=2)
    small = LocusRow("small", plain.rows[1].sequence, plain.rows[1].contributions / 100)
    mixed = LocusView("peak", "chr1", 1000, 1080, (plain.rows[0], small))
    high = f"{small.contributions.max():.3g}"

    assert high in texts(locus_svg(mixed))
    assert high not in texts(locus_svg(mixed, same_scale=True))


def test_without_panels_only_contributions_are_drawn(rng):
    assert "residual" in texts(locus_svg(view(rng)))
    assert "residual" not in texts(locus_svg(view(rng), all_panels=False))


def test_tracks_marks_and_coordinates_are_shown(rng):
    gene = Feature("YAL001C", 900, 1040, "-", ((900, 950), (1010, 1040)))
    track, mark = FeatureTrack("genes.bed", (gene,)), Mark(1030, "A>G")
    shown = texts(locus_svg(view(rng, tracks=(track,), marks=(mark,))))

    assert {"genes.bed", "YAL001C -", "A>G", "chr1", "1,020"} <= set(shown)
    assert "nothing here" in texts(locus_svg(view(rng, tracks=(FeatureTrack("empty", ()),))))


def test_a_mark_without_a_label_is_a_line(rng):
    drawn = [locus_svg(view(rng, marks=marks)) for marks in ((), (Mark(1030, ""),))]

    n_lines = [svg.count('stroke="#b0261c"') for svg in drawn]
    n_texts = [len(texts(svg)) for svg in drawn]
    assert n_lines[1] == n_lines[0] + 1
    assert n_texts[1] == n_texts[0]


def test_odd_names_are_text_of_a_well_formed_document(rng):
    svg = locus_svg(view(rng, [hit(1020, HOSTILE, motif_name=HOSTILE)], name=HOSTILE))

    assert any("<script>&\N{REPLACEMENT CHARACTER}" in text for text in texts(svg))
    assert "<script>" not in svg


def test_a_png_has_the_pixels_of_the_figure(rng):
    image = locus_png(locus_svg(view(rng)), scale=1.0)

    assert image.startswith(b"\x89PNG")
    width = int.from_bytes(image[16:20])
    assert width == 84 + 1080 + 24


def test_bases_that_no_region_covers_are_grey(rng):
    shown = view(rng)
    shown.rows[0].contributions[:10] = np.nan

    assert gaps(shown.rows[0].contributions) == [(0, 10)]
    assert 'fill="#f0f1ee"' in locus_svg(shown)
    assert "nan" not in locus_svg(shown)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [([(0, 5), (5, 9), (6, 8)], [0, 0, 1]), ([], []), ([(0, 9), (1, 2), (3, 4)], [0, 1, 1])],
)
def test_lanes_are_the_first_with_room(spans, expected):
    assert lanes(spans) == expected


@pytest.mark.parametrize(("start", "end"), [(0, 10), (995, 1005), (1_000_000, 1_001_000)])
def test_ticks_are_round_and_have_room(start, end):
    ticks = nice_ticks(start, end, 1000)

    assert 3 <= len(ticks) <= 12
    assert all(start <= tick <= end for tick in ticks)
    assert len(set(np.diff(ticks).tolist())) == 1


def test_a_page_holds_the_numbers_of_its_loci(rng):
    shown = view(rng, [hit(1020)], marks=(Mark(1030, "A>G"),))
    shown.rows[0].contributions[:2] = np.nan

    held = json.loads(zlib.decompress(base64.b64decode(packed(loci_payload([shown])))))

    (locus,) = held["loci"]
    (row,) = locus["rows"]
    values = np.frombuffer(base64.b64decode(row["values"]), np.int8) * row["unit"]
    assert np.allclose(values, np.nan_to_num(shown.rows[0].contributions), atol=row["unit"])
    assert row["sequence"].startswith("--")
    assert row["sequence"][2:] == "".join("ACGTN"[code] for code in shown.rows[0].sequence[2:])
    assert row["hits"][0][:5] == ["CTCF", "pos_patterns.pattern_0", "+", 20, 30]
    assert "ctcf" in locus["search"]
    assert locus["marks"] == [[30, "A>G"]]


def test_a_page_is_the_same_for_the_same_loci_and_names_no_file(rng):
    shown = view(rng, [hit(1020, HOSTILE)], name=HOSTILE)

    page = render_loci([shown, shown])

    assert page == render_loci([shown, shown])
    assert HOSTILE not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
