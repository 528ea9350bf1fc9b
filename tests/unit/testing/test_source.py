"""A simulated source gives the same regions in any order of reading, in any process."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import ScoreKind
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.testing.regions import SimulationSettings
from finemo_dist.testing.source import SimulatedSource

MOTIFS = random_motifs(np.random.default_rng(7), 4)
N_REGIONS = 23


def make_source(*, n_regions=N_REGIONS, seed=1, score_kind=ScoreKind.PROJECTED):
    return SimulatedSource(
        MOTIFS,
        n_regions,
        seed=seed,
        score_kind=score_kind,
        settings=SimulationSettings(width=150),
        block_regions=8,
    )


WHOLE = make_source().read(0, N_REGIONS)


@given(ranges=st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=6))
def test_any_read_order_gives_the_same_regions(ranges):
    source = make_source()
    for start, stop in ranges:
        batch = source.read(start, stop)

        np.testing.assert_array_equal(batch.sequence, WHOLE.sequence[start:stop])
        np.testing.assert_array_equal(batch.contributions, WHOLE.contributions[start:stop])
        assert batch.counts.n_regions == len(batch)


def test_projected_and_hypothetical_sources_hold_the_same_regions():
    hypothetical = make_source(score_kind=ScoreKind.HYPOTHETICAL).read(5, 20)
    of_base = np.take_along_axis(
        hypothetical.contributions, hypothetical.sequence[:, None].astype(int), axis=1
    )

    assert hypothetical.score_kind is ScoreKind.HYPOTHETICAL
    assert WHOLE.score_kind is ScoreKind.PROJECTED
    np.testing.assert_array_equal(of_base[:, 0], WHOLE.contributions[5:20])


def test_blocks_and_seeds_differ():
    other = make_source(seed=2).read(0, N_REGIONS)

    assert not np.array_equal(WHOLE.sequence[:8], WHOLE.sequence[8:16])
    assert not np.array_equal(WHOLE.sequence, other.sequence)


def test_a_source_survives_pickling_without_what_it_has_made():
    source = make_source()
    source.read(0, 8)
    carried = pickle.dumps(source)

    np.testing.assert_array_equal(
        pickle.loads(carried).read(0, 8).contributions, WHOLE.contributions[:8]
    )
    assert len(carried) < 20_000


def test_the_truth_of_a_range_is_the_truth_of_the_whole_cut_to_it():
    source = make_source()
    whole, part = source.sites(0, N_REGIONS), source.sites(6, 19)
    inside = whole[(whole.region >= 6) & (whole.region < 19)]

    assert len(part) > 10
    np.testing.assert_array_equal(part.region, inside.region)
    np.testing.assert_array_equal(part.position, inside.position)
    np.testing.assert_array_equal(part.strength, inside.strength)


def test_the_truth_agrees_with_the_scores():
    source = make_source(score_kind=ScoreKind.HYPOTHETICAL)
    sites = source.sites(0, N_REGIONS)
    scores = source.read(0, N_REGIONS).contributions
    energy = np.square(scores).sum(axis=1)
    column = sites.position[:, None] + np.arange(MOTIFS.width)
    at_site = energy[sites.region[:, None], column].sum(axis=1)
    share = at_site / energy.sum(axis=1)[sites.region]

    # A window of 30 bases in 150 without a site would have a fifth of the region's energy.
    assert share[sites.strength > 0.4].mean() > 2 * share[sites.is_decoy].mean()


def test_regions_lie_apart_on_chromosomes_of_a_hundred_thousand():
    table = SimulatedSource(MOTIFS, 200_001, stride=1200).regions

    assert table.chrom_names == ("chr1", "chr2", "chr3")
    assert np.bincount(table.chrom_id).tolist() == [100_000, 100_000, 1]
    assert np.diff(table.start[:100_000]).tolist() == [1200] * 99_999
    assert table.start[[0, 100_000]].tolist() == [1200, 1200]
    assert table.peak_name[-1] == "peak_200000"


def test_a_source_of_no_regions_reads_nothing():
    source = make_source(n_regions=0)

    assert source.read(0, 0).contributions.shape == (0, 150)
    assert len(source.sites(0, 0)) == 0
    assert source.inputs == ()


def test_impossible_sources_are_refused():
    with pytest.raises(UsageError, match="-1 regions"):
        SimulatedSource(MOTIFS, -1)
