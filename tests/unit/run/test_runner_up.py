"""What takes the place of a hit, on regions in a store: the rest is in ``integration``."""

from dataclasses import replace

import numpy as np
import pytest

from finemo_dist.core.config import CallConfig, Mode, SolverConfig
from finemo_dist.core.records import ScoreKind
from finemo_dist.run.runner_up import Site, _hits, _objective, _solve, _without, runners_up
from finemo_dist.store.read import open_store
from tests.unit.run.runs import write_inputs

ROWS = np.arange(4)


@pytest.mark.parametrize(
    ("mode", "kind", "with_roots"),
    [
        (Mode.PP, ScoreKind.PROJECTED, False),
        (Mode.PP, ScoreKind.PROJECTED, True),
        (Mode.HH, ScoreKind.HYPOTHETICAL, False),
    ],
)
def test_nothing_takes_the_place_of_the_only_motif_and_all_it_explains_is_lost(
    tmp_path, mode, kind, with_roots
):
    inputs = write_inputs(tmp_path, n_regions=4, score_kind=kind)
    solver = SolverConfig(mode=mode, use_sqrt_transform=with_roots)
    every = inputs.motifs(CallConfig(solver=solver))
    only = _without(every, np.arange(2))
    (store,) = map(open_store, inputs.stores.values())
    whole = _solve(store, only, solver, ROWS)
    # With such a penalty nothing is called: the objective is that of the contributions alone.
    none = replace(only, penalty=np.full(2, 1e6))
    alone = _objective(_solve(store, none, solver, ROWS), none, store)
    lost = alone - _objective(whole, only, store)
    sites = [Site(hit.region, hit.motif, hit.position) for hit in _hits(whole)]

    found = list(runners_up(store, only, solver, sites))

    assert len(found) == len(sites) > 0
    assert all((f.motif_id, f.position, f.coefficient) == (None, None, None) for f in found)
    np.testing.assert_allclose([f.margin for f in found], [lost[f.site.row] for f in found])
    assert min(lost[[site.row for site in sites]]) > 0
