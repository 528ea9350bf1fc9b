"""Scenarios of known truth: which motifs have sites, which are called, and how alike they are."""

import numpy as np
import pytest

from finemo_dist.core.errors import UsageError
from finemo_dist.core.similarity import SimilarityBank
from finemo_dist.testing.scenarios import SCENARIOS, make_scenario

N_REGIONS = 60


def highest_cosines(motifs, others):
    def trimmed(which):
        start, end = which.core
        return [cwm[:, a:b] for cwm, a, b in zip(which.cwm, start, end, strict=True)]

    bank = SimilarityBank(trimmed(others))
    return {
        name: bank.cosines(cwm).max()
        for name, cwm in zip(motifs.name, trimmed(motifs), strict=True)
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_sites_are_of_planted_motifs_and_all_of_these_have_some(name):
    scenario = make_scenario(name, seed=3, n_regions=N_REGIONS)

    sites = scenario.source.sites(0, N_REGIONS)
    assert set(sites.motif[~sites.is_decoy].tolist()) == set(range(len(scenario.planted)))
    assert set(scenario.family) == {*scenario.planted.name, *scenario.called.name}


@pytest.mark.parametrize("name", ["unknown", "kin"])
@pytest.mark.parametrize("seed", [1, 2, 101])
def test_six_motifs_with_sites_are_not_called(name, seed):
    scenario = make_scenario(name, seed=seed, n_regions=N_REGIONS)

    called = set(scenario.called.name)
    missing = [n for n in scenario.planted.name if n not in called]
    assert len(called) == 24
    assert len(missing) == 6
    cosines = highest_cosines(scenario.planted, scenario.called)
    if name == "unknown":
        assert max(cosines[n] for n in missing) <= 0.6
    else:
        assert max(cosines[n] for n in missing) > 0.6


def test_absent_motifs_are_called_and_have_no_site():
    scenario = make_scenario("absent", seed=3, n_regions=N_REGIONS)

    assert set(scenario.planted.name) < set(scenario.called.name)
    assert len(scenario.called) == 36
    np.testing.assert_array_equal(scenario.called.cwm[:24], scenario.planted.cwm)


def test_relatives_are_of_one_family():
    scenario = make_scenario("family", seed=3, n_regions=N_REGIONS)

    assert len(scenario.called) == 24
    assert sorted(scenario.family.values()) == sorted([*range(12), *range(12)])


def test_an_unknown_scenario_is_refused():
    with pytest.raises(UsageError, match="no scenario 'odd'"):
        make_scenario("odd", seed=1, n_regions=1)
