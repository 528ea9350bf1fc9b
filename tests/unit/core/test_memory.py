"""The arithmetic of batches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.config import SolverName
from finemo_dist.core.memory import MAX_BATCH_REGIONS, batch_regions, region_bytes

SIZES = {"n_motifs": 60, "region_width": 1000, "motif_width": 30, "is_hypothetical": False}


@given(per_region=st.integers(1, 10**10), budget=st.integers(0, 10**12))
def test_a_batch_is_the_largest_that_fits_but_never_empty(per_region, budget):
    size = batch_regions(per_region, budget)

    assert 1 <= size <= MAX_BATCH_REGIONS
    assert size == 1 or size * per_region <= budget
    assert size == MAX_BATCH_REGIONS or (size + 1) * per_region > budget


@pytest.mark.parametrize("solver", SolverName)
@pytest.mark.parametrize(
    "more", [{"region_width": 2000}, {"is_hypothetical": True}], ids=["wider", "hypothetical"]
)
def test_more_bases_and_channels_take_more(solver, more):
    assert region_bytes(solver, **SIZES | more) > region_bytes(solver, **SIZES)


def test_the_dense_solver_holds_every_motif_and_position():
    dense = region_bytes(SolverName.DENSE, **SIZES)

    assert dense - region_bytes(SolverName.WORKING_SET, **SIZES) == 12 * 4 * 60 * 971


def test_the_working_set_grows_with_groups_of_motifs_and_not_with_motifs():
    def bytes_with(n_motifs):
        return region_bytes(SolverName.WORKING_SET, **SIZES | {"n_motifs": n_motifs})

    assert bytes_with(1) == bytes_with(60) == bytes_with(127)
    assert bytes_with(128) - bytes_with(127) == bytes_with(192) - bytes_with(128) > 0
