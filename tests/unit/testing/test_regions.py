"""What is planted is in the sequences and in the scores, and nothing else is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.errors import UsageError
from finemo_dist.testing.motifs import random_motifs, reverse_complement
from finemo_dist.testing.regions import (
    ScoreSettings,
    SimulationSettings,
    draw_background,
    project,
    simulate,
    simulate_sites,
)
from finemo_dist.testing.sites import PlantedSites, SiteSettings, core_range, draw_sites

MOTIFS = random_motifs(np.random.default_rng(7), 8, n_negative=1, n_palindromes=1)


def make_sample(seed=0, n_regions=64, **options):
    rng = np.random.default_rng(seed)
    return simulate(rng, MOTIFS, n_regions=n_regions, settings=SimulationSettings(**options))


def windows(array, sites, width):
    """Return the (S, 4, W) or (S, W) columns under the untrimmed CWM of each site."""
    column = sites.position[:, None] + np.arange(width)
    if array.ndim == 2:
        return array[sites.region[:, None], column]
    return array[sites.region[:, None, None], np.arange(4)[:, None], column[:, None, :]]


def oriented(columns, sites):
    """Return the motif of each site as it lies on the forward strand."""
    forward = columns[sites.motif]
    return np.where(sites.is_reverse[:, None, None], reverse_complement(forward), forward)


def core_mask(sites):
    """Return (S, W) whether a column belongs to the core as it lies on the forward strand."""
    start, end = MOTIFS.core
    column = np.arange(MOTIFS.width)
    forward = (column >= start[:, None]) & (column < end[:, None])
    forward = forward[sites.motif]
    return np.where(sites.is_reverse[:, None], forward[:, ::-1], forward)


def test_the_core_range_of_a_site_is_its_core_on_its_strand():
    sites = make_sample().sites
    start, end = core_range(sites, MOTIFS)
    mask = core_mask(sites)

    np.testing.assert_array_equal(start - sites.position, mask.argmax(axis=1))
    np.testing.assert_array_equal(end - start, mask.sum(axis=1))


@given(seed=st.integers(0, 2**32), rate=st.floats(0, 40), width=st.integers(80, 400))
def test_sites_lie_inside_their_regions_and_cores_never_overlap(seed, rate, width):
    sites = draw_sites(
        np.random.default_rng(seed),
        MOTIFS,
        n_regions=5,
        width=width,
        settings=SiteSettings(sites_per_region=rate),
    )
    start, end = core_range(sites, MOTIFS)
    is_same_region = sites.region[1:] == sites.region[:-1]

    assert np.all(sites.position >= 0)
    assert np.all(sites.position + MOTIFS.width <= width)
    assert np.all(np.diff(sites.region) >= 0)
    assert np.all(start[1:][is_same_region] >= end[:-1][is_same_region] + 2)


def test_regions_too_narrow_for_a_site_are_refused():
    with pytest.raises(UsageError, match="30 bases are too few"):
        draw_sites(np.random.default_rng(0), MOTIFS, n_regions=5, width=30)


def test_sites_come_as_often_and_as_strong_as_asked():
    settings = SiteSettings(
        sites_per_region=3, decoys_per_region=1, weak_fraction=0.25, weak_strength=0.01
    )
    sites = draw_sites(
        np.random.default_rng(0), MOTIFS, n_regions=2000, width=1000, settings=settings
    )

    # Six standard deviations of the binomial and Poisson counts.
    assert len(sites) == pytest.approx(8000, abs=540)
    assert sites.is_decoy.mean() == pytest.approx(0.25, abs=0.03)
    strength = sites.strength[~sites.is_decoy]
    assert (strength < 0.1).mean() == pytest.approx(0.25, abs=0.035)
    assert np.median(strength[strength > 0.1]) == pytest.approx(1, abs=0.03)
    assert sites.is_reverse.mean() == pytest.approx(0.5, abs=0.035)


def test_neither_sites_nor_decoys_give_none():
    settings = SiteSettings(sites_per_region=0, decoys_per_region=0)
    sites = draw_sites(np.random.default_rng(0), MOTIFS, n_regions=9, width=500, settings=settings)

    assert len(sites) == 0


def test_the_same_seed_gives_the_same_sample_and_another_seed_another():
    first, again, other = make_sample(3), make_sample(3), make_sample(4)

    np.testing.assert_array_equal(first.sequence, again.sequence)
    np.testing.assert_array_equal(first.hypothetical, again.hypothetical)
    np.testing.assert_array_equal(first.sites.position, again.sites.position)
    assert not np.array_equal(first.sequence, other.sequence)


def test_sites_alone_are_the_sites_of_the_sample():
    sample = make_sample(3)
    alone = simulate_sites(np.random.default_rng(3), MOTIFS, n_regions=64)

    for name in PlantedSites.__slots__:
        np.testing.assert_array_equal(getattr(alone, name), getattr(sample.sites, name))


def test_shapes_and_types_are_those_of_a_region_batch():
    sample = make_sample(n_regions=5, width=300)

    assert (sample.sequence.shape, sample.sequence.dtype) == ((5, 300), np.uint8)
    assert (sample.hypothetical.shape, sample.hypothetical.dtype) == ((5, 4, 300), np.float32)
    assert (sample.projected.shape, sample.projected.dtype) == ((5, 300), np.float32)
    assert sample.sequence.max() == 3


def test_no_regions_give_an_empty_sample():
    sample = make_sample(n_regions=0)

    assert sample.hypothetical.shape == (0, 4, 1000)
    assert len(sample.sites) == 0


def test_projection_picks_the_score_of_the_base_that_is_there():
    hypothetical = np.arange(8, dtype=np.float32).reshape(1, 4, 2)

    assert project(hypothetical, np.array([[2, 1]], np.uint8)).tolist() == [[4, 3]]


def test_planted_cores_have_the_motif_s_bases_on_their_strand():
    sample = make_sample()
    base = windows(sample.sequence, sample.sites, MOTIFS.width)
    frequencies = oriented(MOTIFS.frequencies, sample.sites)
    of_base = np.take_along_axis(frequencies, base[:, None, :].astype(int), axis=1)[:, 0]
    mean = of_base[core_mask(sample.sites)].mean()

    # The expected frequency of a base drawn from its own column; uniform bases would give 0.25.
    expected = np.square(frequencies).sum(axis=1)[core_mask(sample.sites)].mean()
    assert mean == pytest.approx(expected, abs=0.03)
    assert mean > 0.6


def test_without_noise_the_scores_are_the_cwm_times_strength():
    scores = ScoreSettings(noise=0, jitter_sigma=0, region_sigma=0)
    settings = SiteSettings(sites_per_region=0.5, weak_fraction=0.5)
    sample = make_sample(sites=settings, scores=scores, n_regions=40)
    single = np.bincount(sample.sites.region, minlength=40)[sample.sites.region] == 1
    sites = sample.sites[single]
    expected = oriented(MOTIFS.hypothetical, sites) * sites.strength[:, None, None]

    assert np.count_nonzero((sites.strength > 0) & (sites.strength < 0.3)) > 2
    np.testing.assert_allclose(
        windows(sample.hypothetical, sites, MOTIFS.width), expected, rtol=1e-5, atol=1e-7
    )
    n_scored = np.count_nonzero(sample.hypothetical[sites.region])
    assert n_scored == 4 * MOTIFS.width * np.count_nonzero(~sites.is_decoy)


def test_projected_scores_resemble_the_cwm_at_sites_and_not_at_decoys():
    sample = make_sample(n_regions=200)
    cwm = np.abs(oriented(MOTIFS.cwm, sample.sites)).sum(axis=1) * core_mask(sample.sites)
    cwm *= np.sign(MOTIFS.cwm.sum(axis=(1, 2)))[sample.sites.motif][:, None]
    found = windows(sample.projected, sample.sites, MOTIFS.width) * core_mask(sample.sites)
    cosine = (cwm * found).sum(1) / np.linalg.norm(cwm, axis=1) / np.linalg.norm(found, axis=1)

    is_strong = sample.sites.strength > 0.4
    assert np.median(cosine[is_strong]) > 0.85
    assert np.mean(cosine[is_strong] > 0.7) > 0.9
    assert abs(np.median(cosine[sample.sites.is_decoy])) < 0.2


def test_background_has_the_asked_variance_and_heavy_tails():
    empty = SiteSettings(sites_per_region=0, decoys_per_region=0)
    scores = ScoreSettings(noise=0.2, tail_sigma=0.5, region_sigma=0)
    noise = make_sample(sites=empty, scores=scores, n_regions=300).hypothetical.astype(float)
    kurtosis = np.mean(noise**4) / np.mean(noise**2) ** 2

    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.2, rel=0.03)
    assert kurtosis == pytest.approx(3 * np.exp(4 * 0.5**2), rel=0.3)


def test_background_sequence_has_the_asked_gc_content():
    codes = draw_background(np.random.default_rng(0), (200, 1000), 0.3)

    assert np.isin(codes, (1, 2)).mean() == pytest.approx(0.3, abs=0.01)
    assert np.bincount(codes.ravel(), minlength=4).min() > 0.14 * codes.size
