"""Hits and planted sites are matched by peak, motif, strand and position."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import RegionTable
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.testing.sites import core_range, draw_sites
from finemo_dist.testing.truth import (
    MotifSites,
    named_sites,
    read_sites,
    score,
    write_sites,
)


def make_sites(*rows):
    """Return sites from (peak, motif, strand, start) rows."""
    peak, motif, strand, start = zip(*rows, strict=True) if rows else ((), (), (), ())
    return MotifSites(
        np.array(peak, dtype=np.int64),
        np.array(motif, dtype=object),
        np.array(strand, dtype=object),
        np.array(start, dtype=np.int64),
    )


PLANTED = make_sites((0, "A", "+", 100), (0, "B", "-", 300), (1, "A", "+", 100))


@pytest.mark.parametrize(
    ("hit", "is_found"),
    [
        ((0, "A", "+", 100), True),
        ((0, "A", "+", 98), True),
        ((0, "A", "+", 102), True),
        ((0, "A", "+", 97), False),
        ((0, "A", "+", 103), False),
        ((0, "A", "-", 100), False),
        ((0, "B", "+", 100), False),
        ((2, "A", "+", 100), False),
        ((0, "C", "+", 100), False),
    ],
)
def test_a_hit_finds_a_site_of_the_same_peak_motif_strand_and_place(hit, is_found):
    recovery = score(make_sites(hit), PLANTED)

    assert recovery.n_found == is_found
    assert recovery.precision == is_found
    assert recovery.recall == pytest.approx(is_found / 3)


def test_tolerance_is_as_given():
    hits = make_sites((0, "A", "+", 105))

    assert score(hits, PLANTED, tolerance_bp=5).n_found == 1
    assert score(hits, PLANTED, tolerance_bp=4).n_found == 0


def test_a_palindrome_is_found_on_either_strand_and_counts_once():
    hits = make_sites((0, "A", "-", 100), (0, "A", "+", 100), (0, "B", "+", 300))
    recovery = score(hits, PLANTED, palindromes=["A"])

    assert recovery.n_found == 1
    assert recovery.precision == pytest.approx(2 / 3)


def test_nothing_called_and_nothing_planted_are_undefined_not_zero():
    assert math.isnan(score(make_sites(), PLANTED).precision)
    assert score(make_sites(), PLANTED).recall == 0
    assert math.isnan(score(PLANTED, make_sites()).recall)
    assert score(PLANTED, make_sites()).precision == 0
    assert math.isnan(score(make_sites(), make_sites()).recall)


site_rows = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("AB"), st.sampled_from("+-"), st.integers(-9, 30)),
    max_size=12,
)


@given(hits=site_rows, planted=site_rows, tolerance=st.integers(0, 4))
def test_the_score_is_that_of_comparing_every_pair(hits, planted, tolerance):
    def agree(one, other):
        return one[:3] == other[:3] and abs(one[3] - other[3]) <= tolerance

    recovery = score(make_sites(*hits), make_sites(*planted), tolerance_bp=tolerance)
    n_right = sum(any(agree(h, p) for p in planted) for h in hits)

    assert recovery.n_found == sum(any(agree(h, p) for h in hits) for p in planted)
    assert (recovery.n_hits, recovery.n_planted) == (len(hits), len(planted))
    if hits:
        assert recovery.precision == pytest.approx(n_right / len(hits))


@pytest.fixture
def planted():
    """Motifs, sites in five regions, and where those lie."""
    rng = np.random.default_rng(0)
    motifs = random_motifs(rng, 4)
    sites = draw_sites(rng, motifs, n_regions=5, width=500)
    regions = RegionTable(
        ("chrA", "chrB"),
        np.array([0, 0, 0, 1, 1], np.int32),
        np.array([0, 700, 1400, 50, 650]),
        np.arange(5, dtype=np.uint32),
        np.array(list("abcde"), dtype=object),
    )
    return motifs, sites, regions


def test_a_table_of_sites_reads_back(tmp_path, planted):
    motifs, sites, regions = planted
    write_sites(tmp_path / "sites.tsv", sites, motifs=motifs, regions=regions)
    read, strength = read_sites(tmp_path / "sites.tsv")
    named = named_sites(sites, motifs, regions=regions)

    assert score(read, named, tolerance_bp=0).n_found == len(sites) > 5
    np.testing.assert_array_equal(read.strand, named.strand)
    np.testing.assert_allclose(strength, sites.strength, atol=5e-5)


def test_a_table_gives_the_core_in_the_chromosome(tmp_path, planted):
    motifs, sites, regions = planted
    write_sites(tmp_path / "sites.tsv", sites, motifs=motifs, regions=regions)
    lines = [li.split("\t") for li in (tmp_path / "sites.tsv").read_text().splitlines()]
    start, end = core_range(sites, motifs)

    assert lines[0][:6] == ["chr", "start", "end", "strand", "motif_name", "peak_id"]
    last = lines[-1]
    row = int(sites.region[-1])
    assert last[0] == "chrB"
    assert int(last[1]) == regions.start[row] + start[-1]
    assert int(last[2]) == regions.start[row] + end[-1]


def test_a_table_of_something_else_is_refused(tmp_path):
    (tmp_path / "sites.tsv").write_text("chr\tstart\n")

    with pytest.raises(InputError, match=r"sites\.tsv: columns are \['chr', 'start'\]"):
        read_sites(tmp_path / "sites.tsv")
