"""Some regions of a store, as a store of their own."""

import numpy as np
import pytest

from finemo_dist.store.memory import MemoryRegions
from finemo_dist.store.sampled import SelectedRegions, Share, sampled
from tests.unit.store.memory_source import make_source


@pytest.mark.parametrize(
    "rows", [[], [0], [3, 4, 9], [0, 255, 256, 600, 699]], ids=["none", "one", "few", "blocks"]
)
@pytest.mark.parametrize("start", [0, 1])
def test_rows_are_those_that_were_chosen(rows, start):
    source = make_source(700)
    chosen = SelectedRegions(MemoryRegions(source, is_rounded=False), np.array(rows, int), "k")

    batch, table = chosen.read(start, len(rows)), chosen.table(start, len(rows))

    wanted = rows[start:]
    np.testing.assert_array_equal(batch.sequence, source.sequence[wanted])
    np.testing.assert_array_equal(batch.contributions, source.contributions[wanted])
    np.testing.assert_array_equal(table.start, source.regions.start[wanted])
    assert chosen.n_regions == len(rows)


def test_a_share_of_no_regions_is_none():
    empty = MemoryRegions(make_source(0))

    share = sampled(empty, Share(0.5, seed=1))

    assert share.n_regions == 0
    assert share.read(0, 0).contributions.shape == (0, 4, 12)
