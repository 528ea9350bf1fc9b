"""Pieces of the genome hold everything once, in the order of the output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.intersect import pieces as module
from finemo_dist.catalog.intersect.pieces import Piece, natural, pieces


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "_PIECE_HITS", 10)


def test_numbers_within_names_sort_as_numbers():
    assert sorted(["chrX", "chr10", "chr2", "2"], key=natural) == ["2", "chr2", "chr10", "chrX"]


@pytest.mark.usefixtures("small_pieces")
def test_chromosomes_stay_together_until_there_are_too_many():
    counts = {("chr10", 0): 3, ("chr2", 0): 3, ("chr2", 5): 2, ("chr1", 0): 6, (None, 4): 5,
              (None, 1): 9}  # fmt: skip

    found = list(pieces([counts, dict.fromkeys(counts, 0)]))

    assert [piece.chromosomes for piece in found] == [(None,), ("chr1",), ("chr2", "chr10")]
    assert found[0].peaks == (8_192, 40_959)
    assert found[1].peaks == (0, -1)
    assert found[1].bases == (-(1 << 63), (1 << 63) - 1)


@pytest.mark.usefixtures("small_pieces")
def test_a_large_chromosome_is_cut_between_windows():
    counts = {("chr1", i): 4 for i in range(6)}

    found = list(pieces([counts, {("chr1", 0): 1}]))

    assert [(piece.first_window, piece.last_window) for piece in found] == [(0, 2), (3, 5)]
    assert found[1].bases == (3 << 24, (6 << 24) - 1)


windows = st.dictionaries(
    st.tuples(st.sampled_from([None, "chr1", "chr2", "chr3"]), st.integers(-1, 4)),
    st.integers(1, 8),
    max_size=12,
)


@given(counts=st.lists(windows, min_size=2, max_size=3), most=st.integers(1, 30))
def test_a_window_of_a_chromosome_that_all_have_lies_in_one_piece(counts, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PIECE_HITS", most)
        found = list(pieces(counts))

    shared = set.intersection(*({chrom for chrom, _ in one} for one in counts))
    for window in set().union(*counts):
        assert sum(piece.holds(window) for piece in found) == (window[0] in shared)
    assert len({piece.chromosomes[0] for piece in found}) <= len(shared)


def test_a_piece_holds_its_windows_alone():
    piece = Piece(("chr1",), 2, 3)

    assert [piece.holds(("chr1", i)) for i in range(1, 5)] == [False, True, True, False]
    assert not piece.holds(("chr2", 2))
