"""Records: rows of tables, sums of counts, the other strand."""

import numpy as np
import pytest

from finemo_dist.core.records import (
    NO_CHROM,
    InputCounts,
    Mode,
    RegionBatch,
    RegionTable,
    ScoreKind,
    Unit,
)


def test_counts_add_up_field_by_field():
    total = InputCounts(n_regions=2, n_nan=1) + InputCounts(n_regions=3, n_clipped=4)

    assert total == InputCounts(n_regions=5, n_nan=1, n_clipped=4)


def test_regions_without_coordinates_are_known_by_their_row():
    table = RegionTable.without_coordinates(3)

    assert not table.has_coordinates
    assert table.chrom_id.tolist() == [NO_CHROM] * 3
    assert table[1:].peak_id.tolist() == [1, 2]
    assert table[np.array([2, 0])].peak_id.tolist() == [2, 0]


def test_an_empty_table_has_coordinates_when_it_has_chromosomes():
    table = RegionTable.without_coordinates(0)

    assert len(table) == 0
    assert RegionTable(("chr1",), *(getattr(table, f) for f in _COLUMNS)).has_coordinates


_COLUMNS = ("chrom_id", "start", "peak_id", "peak_name")


@pytest.mark.parametrize(
    ("shape", "kind"),
    [((2, 9), ScoreKind.PROJECTED), ((2, 4, 9), ScoreKind.HYPOTHETICAL)],
)
def test_the_kind_of_scores_shows_in_their_shape(shape, kind):
    batch = RegionBatch(np.zeros((2, 9), np.uint8), np.zeros(shape))

    assert batch.score_kind is kind


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_names_the_cwms_then_the_contributions(mode):
    assert mode.cwms_are_hypothetical == (mode.value in ("hp", "hh"))
    assert mode.contributions_are_hypothetical == (mode.value in ("ph", "hh"))


def test_a_unit_reads_as_sample_and_shard():
    assert str(Unit("liver", 7)) == "liver[7]"
