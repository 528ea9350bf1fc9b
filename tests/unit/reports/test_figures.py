"""Heat maps, their order, and the tables behind figures."""

import base64
import struct
import zlib
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.reports.atlas import atlas_rows, outlying_samples
from finemo_dist.reports.charts import _middle, overall_charts, sharing_chart
from finemo_dist.reports.heatmap import Scale, heatmap_png, packed
from finemo_dist.reports.logo import COLUMN_UNITS
from finemo_dist.reports.matrices import (
    atlas_matrix,
    confusion_matrix,
    cooccurrence_matrix,
    log_odds,
    short_name,
    similar_order,
)
from finemo_dist.reports.motif_rows import motif_rows
from finemo_dist.reports.page_model import ExampleRegion, RegionHit
from finemo_dist.reports.tracks import track
from tests.unit.reports.page_data import atlas_data, report_data, rows_table, sample

PAIRS = ("motif_1", "motif_2", "n_both", "n_first", "n_second", "expected", "odds_ratio")


def pixels(png):
    """Colour of every cell, as PNG says: checked by its own checksums."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        body = png[at + 4 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(body)
        chunks[body[:4]] = body[4:]
        at += 12 + size
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    colours = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    return colours[lines[:, 1:]]


def test_a_heat_map_has_a_pixel_a_cell_and_its_colours_span_the_scale():
    values = np.array([[0.0, 0.5, 1.0], [-9.0, np.nan, 9.0]])

    found = pixels(heatmap_png(values, Scale(0, 1)))

    assert found.shape == (2, 3, 3)
    assert tuple(found[0, 0]) == (0x44, 0x01, 0x54)
    assert tuple(found[0, 2]) == (0xFD, 0xE7, 0x25)
    assert (found[1, 0] == found[0, 0]).all()
    assert (found[1, 2] == found[0, 2]).all()
    assert tuple(found[1, 1]) == (128, 128, 128)


def test_values_travel_as_single_precision():
    values = np.array([[0.25, np.nan], [3.0, -1.5]])

    back = np.frombuffer(base64.b64decode(packed(values)), "<f4").reshape(2, 2)

    np.testing.assert_array_equal(back, values.astype(np.float32))


@given(st.integers(0, 12), st.integers(1, 5), st.integers(0, 9))
def test_an_order_holds_every_row_once(n_rows, n_columns, seed):
    values = np.random.default_rng(seed).integers(0, 3, (n_rows, n_columns))

    assert sorted(similar_order(values)) == list(range(n_rows))


def test_rows_alike_come_together_whatever_their_order(rng):
    kind = rng.permutation(np.repeat([0, 1, 2], 6))
    values = np.eye(3)[kind] + rng.normal(0, 0.01, (18, 3))

    found = kind[similar_order(values)]

    assert np.count_nonzero(np.diff(found)) == 2


def test_odds_ratios_of_pairs_equal_a_count_region_by_region(rng):
    has = rng.random((4, 60)) < np.array([[0.5], [0.4], [0.6], [0.3]])
    has[3] &= ~has[0]
    names = ["a", "b", "c", "d"]
    n = has.sum(axis=1).tolist()
    pairs = []
    for i, j in combinations(range(4), 2):
        both, first, second = (int(n.sum()) for n in (
            has[i] & has[j], has[i] & ~has[j], ~has[i] & has[j]
        ))  # fmt: skip
        odds = (both + 0.5) * (60 - both - first - second + 0.5) / (first + 0.5) / (second + 0.5)
        pairs.append((names[i], names[j], both, first, second, n[i] * n[j] / 60, odds))

    values = log_odds(rows_table(PAIRS, pairs), names)

    for i in range(4):
        for j in range(4):
            cells = [(has[i] == p) & (has[j] == q) for p in (1, 0) for q in (1, 0)]
            n11, n10, n01, n00 = (cell.sum() + 0.5 for cell in cells)
            expected = np.nan if i == j else np.log2(n11 * n00 / (n10 * n01))
            assert values[i, j] == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_pairs_too_rare_to_say_anything_are_left_out():
    rare = rows_table(PAIRS, [("a", "b", 2, 1, 2, 0.12, 1.0)])

    assert cooccurrence_matrix(rare, ["a", "b"]) is None


def test_the_confusion_matrix_has_seqlets_as_rows():
    columns = ("motif_name_seqlets", "motif_name_hits", "frac_overlap")

    # Of a motif that is not shown there is no row.
    rows = [("a", "b", 0.5), ("c", "b", 0.25), ("a", "c", 0.75)]
    found = confusion_matrix(rows_table(columns, rows), ["a", "b"])

    values = np.frombuffer(base64.b64decode(found.values), "<f4").reshape(2, 2)
    np.testing.assert_array_equal(values, [[0, 0.5], [0, 0]])


@pytest.mark.parametrize(
    ("counts", "median"),
    [([5], 0), ([1, 1, 2], 1), ([0, 0, 4], 2), ([3, 1], 0), ([2, 1, 2], 1), ([0], 0)],
)
def test_the_median_of_a_histogram_is_the_first_bin_with_half_below(counts, median):
    assert _middle([(float(i), float(i), n) for i, n in enumerate(counts)]) == median


def test_groups_of_an_atlas_lie_side_by_side():
    data = atlas_data()

    found = atlas_matrix(data.rates, data.motifs.name[::2], [s.name for s in data.samples])

    parity = [int(name.split("_")[1]) % 2 for name in found.columns]
    assert np.count_nonzero(np.diff(parity)) == 1
    values = np.frombuffer(base64.b64decode(found.values), "<f4").reshape(6, 8)
    row, column = (int(name.split("_")[1]) for name in (found.rows[2], found.columns[3]))
    assert values[2, 3] == pytest.approx(data.rates[row, column])


def test_atlas_rows_name_the_sample_with_the_largest_share():
    data = atlas_data()

    for row in atlas_rows(data):
        index = int(row.name.split("_")[1])
        shares = data.n_hits[index] / data.n_hits.sum(axis=0)
        assert row.best_sample == data.samples[int(shares.argmax())].name
        assert row.n_hits == data.n_hits[index].sum()


def test_a_sample_far_from_the_others_is_an_outlier_with_a_reason():
    data = atlas_data(n_samples=12)
    samples = list(data.samples)
    samples[3] = sample("sample_3", n_hits=10)
    samples[5] = sample("sample_5", n_hits=samples[5].n_hits, n_without_hit=900)
    odd = type(data)(
        data.title, data.summary, data.provenance, data.motifs, tuple(samples), data.n_hits
    )

    assert outlying_samples(odd) == {
        "sample_3": "few hits",
        "sample_5": "many regions without a hit",
    }


def test_few_samples_have_no_outliers():
    data = atlas_data(n_samples=4)

    assert outlying_samples(data) == {}


def test_motif_rows_are_by_hits_and_carry_the_numbers_of_the_report():
    rows = motif_rows(report_data())

    assert [row.name for row in rows] == ["alpha", "beta", "gamma"]
    assert [row.n_unique for row in rows] == [30, 23, 16]
    assert [row.n_hits for row in rows] == [33, 26, 19]
    assert rows[1].n_regions == 23
    assert rows[0].recall == 0.75
    assert rows[0].hit_similarity == pytest.approx(0.8)
    assert rows[0].annotation == "a known factor"


def test_logos_of_both_strands_spell_the_reverse_complement():
    logos = motif_rows(report_data())[0].logos

    forward = logos.modisco_forward.label.split(": ")[1]
    reverse = logos.modisco_reverse.label.split(": ")[1]
    assert len(forward) == 8
    assert reverse == forward[::-1].translate(str.maketrans("ACGT", "TGCA"))
    # One flank of the forward logo ends at the CWM; reversed, it is the other.
    assert logos.modisco_forward.trim == (COLUMN_UNITS, 8 * COLUMN_UNITS)
    assert logos.modisco_reverse.trim == (2 * COLUMN_UNITS, 8 * COLUMN_UNITS)


def test_hits_that_would_collide_take_lanes_of_their_own():
    hits = [RegionHit("m", "+", 10, 20, 1.0, 0.9), RegionHit("m", "-", 12, 22, 2.0, 0.8)]
    region = ExampleRegion("t", "p", np.zeros(50, np.uint8), np.ones(50), tuple(hits))

    found = track(region)

    assert [box.lane for box in found.boxes] == [0, 1]
    assert found.focus == pytest.approx(17 / 50)


def test_bars_of_counts_stand_on_their_number():
    (first, *_) = overall_charts(report_data().distributions)

    assert first.rows == [{"start": -0.5, "end": 0.5, "n": 5, "label": "0"}]


def test_sharing_counts_motifs_by_their_samples():
    chart = sharing_chart([1, 3, 3, 0], 3)

    assert [(row["label"], row["n"]) for row in chart.rows] == [("0", 1), ("1", 1), ("3", 2)]


def test_many_samples_are_counted_in_bins():
    chart = sharing_chart(list(range(201)), 200)

    assert sum(row["n"] for row in chart.rows) == 201
    assert len(chart.rows) <= 41


@pytest.mark.parametrize(
    ("name", "short"),
    [("pos_patterns.pattern_3", "pos 3"), ("neg_patterns.pattern_0", "neg 0"), ("CTCF", "CTCF")],
)
def test_modisco_names_are_shortened_in_narrow_places(name, short):
    assert short_name(name) == short
