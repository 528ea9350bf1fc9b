"""Loci of variants: each allele shows its own bases and hits, and the strongest come first."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pyarrow as pa

from finemo_dist.core.records import MotifSet, RegionBatch
from finemo_dist.core.variant_schema import VARIANT_CLASSES
from finemo_dist.reports.locus_figure import HIT_COLOURS, locus_svg
from finemo_dist.reports.locus_page import loci_payload
from finemo_dist.sources.variants import Variant
from finemo_dist.workflow.allele_pairs import AlleleHits, Pairs, Places, pair_hits
from finemo_dist.workflow.variant_loci import Block, StrongestLoci, allele_view

LENGTH, MIDDLE = 300, 150
SVG = "{http://www.w3.org/2000/svg}"


def motif_set():
    one = np.ones(2, np.int64)
    return MotifSet(
        ("CTCF", "JUN"), ("a", "b"), ("+", "-"), np.zeros((2, 4, 10), np.float16),
        0 * one, 10 * one, one.astype(float), one.astype(float),
    )  # fmt: skip


def allele_hits(*starts, passes=True):
    n = len(starts)
    ones = np.ones(n)
    return AlleleHits(
        np.zeros(n, np.int64), np.arange(n) % 2, np.array(starts, np.int64),
        np.array(starts, np.int64) + 10, ones, ones, ones, ones, np.full(n, passes),
    )  # fmt: skip


def block(ref="A", alt="G", *, hits=None, pairs=((0,), (-1,)), classes=("lost",), changes=(-1.0,)):
    """One variant in the middle of both regions; each base of a row has a height of its own."""
    codes = np.arange(LENGTH, dtype=np.uint8)[None] % 4
    contributions = np.arange(LENGTH, dtype=float)[None]
    width = np.array([[len(ref)], [len(alt)]])
    middle = np.array([MIDDLE])
    return Block(
        [Variant("rs1", "chr1", 1000 + MIDDLE, ref, alt, len(ref))],
        Places(middle, middle, *width),
        (RegionBatch(codes, contributions), RegionBatch(codes, contributions / 2)),
        hits or (allele_hits(MIDDLE - 5), allele_hits()),
        Pairs(*(np.array(rows, np.int64) for rows in pairs)),
        np.array([VARIANT_CLASSES.index(name) for name in classes]),
        pa.table(
            {
                "motif_name": ["CTCF"] * len(changes),
                "class": ["lost"] * len(changes),
                "score_change": pa.array(changes, pa.float64()),
            }
        ),
        np.zeros(len(changes), np.int64),
    )  # fmt: skip


def test_a_lost_hit_is_in_the_reference_row_alone_and_the_variant_is_marked():
    view = allele_view(block(), 0, motif_set())

    reference, alternative = view.rows
    (hit,) = reference.hits
    assert (hit.label, hit.state, hit.start, hit.end) == ("CTCF", "lost", 1145, 1155)
    assert alternative.hits == ()
    assert [(row.name, row.note) for row in view.rows] == [("reference", "A"), ("alternative", "G")]
    assert [(mark.position, mark.label) for mark in view.marks] == [(1150, "A>G")]
    assert (view.start, view.end) == (1050, 1251)
    # Bases 50 to 251 of the region, in the alternative half as high.
    assert np.array_equal(reference.contributions, np.arange(50, 251))
    assert np.array_equal(alternative.contributions, np.arange(50, 251) / 2)


def test_a_hit_that_the_filter_drops_is_in_no_row():
    held = block(hits=(allele_hits(MIDDLE - 5), allele_hits(MIDDLE - 5, passes=False)),
                 pairs=((0,), (0,)))  # fmt: skip

    assert [len(row.hits) for row in allele_view(held, 0, motif_set()).rows] == [1, 0]


def test_deleted_bases_are_a_gap_and_hits_behind_it_lie_over_their_bases():
    # The alternative lacks 3 of 4 bases: its hit at 160 lies at 163 of the reference.
    held = block("ACGT", "A", hits=(allele_hits(163), allele_hits(160)), pairs=((0,), (0,)),
                 classes=("unchanged",))  # fmt: skip

    reference, alternative = allele_view(held, 0, motif_set()).rows

    assert reference.hits == alternative.hits
    assert np.isnan(alternative.contributions).nonzero()[0].tolist() == [101, 102, 103]
    assert alternative.contributions[104] == (MIDDLE + 1) / 2
    assert not np.isnan(reference.contributions).any()


def test_a_hit_across_deleted_bases_is_wider_and_one_behind_inserted_bases_is_further_right():
    across = block("ACGT", "A", hits=(allele_hits(), allele_hits(145)), pairs=((-1,), (0,)),
                   classes=("gained",))  # fmt: skip
    (hit,) = allele_view(across, 0, motif_set()).rows[1].hits
    assert (hit.start, hit.end) == (1145, 1158)

    behind = block("A", "ACGT", hits=(allele_hits(160), allele_hits(163)), pairs=((0,), (0,)),
                   classes=("unchanged",))  # fmt: skip
    view = allele_view(behind, 0, motif_set())
    assert [row.hits[0].start for row in view.rows] == [1160, 1163]
    assert not any(np.isnan(row.contributions).any() for row in view.rows)


def test_the_strongest_of_all_blocks_are_kept_in_their_order():
    loci = StrongestLoci(motif_set(), 2)
    for change in (-1.0, 0.5, 3.0, -1.0):
        loci.add(block(changes=(0.1, change)))
    loci.add(block(changes=()))

    assert [view.why for view in loci.views] == [
        "+3: lost CTCF, lost CTCF",
        "-1: lost CTCF, lost CTCF",
    ]
    nothing = StrongestLoci(motif_set(), 0)
    nothing.add(block())
    assert nothing.views == ()


def test_hits_have_the_colour_of_their_class_and_rows_one_scale():
    held = block(hits=(allele_hits(145, 165), allele_hits(120)), pairs=((0, 1, -1), (-1, -1, 0)),
                 classes=("lost", "lost", "gained"))  # fmt: skip
    view = allele_view(held, 0, motif_set())

    payload = loci_payload([view])["loci"][0]
    assert payload["shared"]
    assert [[(hit[7], hit[9]) for hit in row["hits"]] for row in payload["rows"]] == [
        [(1, "lost"), (1, "lost")],
        [(2, "gained")],
    ]
    root = ET.fromstring(locus_svg(view))
    fills = [
        group[1].get("fill") for group in root.iter(f"{SVG}g") if group[0].tag.endswith("title")
    ]
    assert fills == [HIT_COLOURS[1], HIT_COLOURS[1], HIT_COLOURS[2]]
    # The largest value is that of the reference in both rows.
    texts = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    assert texts.count("250") == 2


def test_a_hit_beyond_what_is_shown_is_in_no_row():
    # Bases 50 to 251 of the region are shown.
    held = block(hits=(allele_hits(30, 39, 41), allele_hits(250, 251, 260)),
                 pairs=((0, 1, 2, -1, -1, -1), (-1, -1, -1, 0, 1, 2)),
                 classes=("lost",) * 3 + ("gained",) * 3)  # fmt: skip

    reference, alternative = allele_view(held, 0, motif_set()).rows

    assert [hit.start for hit in reference.hits] == [1041]
    assert [hit.start for hit in alternative.hits] == [1250]


def test_hits_that_could_be_paired_twice_are_paired_once_with_the_nearest():
    # One motif at 100 and 103 of the reference, and at 102 of the alternative.
    one = replace(allele_hits(100, 103), motif=np.zeros(2, np.int64))
    two = replace(allele_hits(102), motif=np.zeros(1, np.int64))
    middle = np.array([MIDDLE])

    found = pair_hits(one, two, Places(middle, middle, middle * 0 + 1, middle * 0 + 1), tolerance=5)

    assert list(zip(found.ref.tolist(), found.alt.tolist(), strict=True)) == [(1, 0), (0, -1)]
