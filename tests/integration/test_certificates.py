"""Every region of real data is certified, by a gap that the dense reference computes anew."""

import pytest
import torch

from finemo_dist.core.config import MotifConfig, SolverConfig
from finemo_dist.core.records import Mode
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.solver.cwms import build_cwms
from finemo_dist.solver.dense import build_dense_problem
from finemo_dist.solver.target import build_target
from finemo_dist.solver.working_set import WorkingSetSolver
from finemo_dist.store.read import open_store
from tests.command import extract_words, finemo_dist

pytestmark = pytest.mark.slow

_BLOCK = 16
"""Regions written out at once: a dense float64 problem of 48 motif-strands takes 0.4 MB each."""


@pytest.mark.parametrize(
    ("data", "n_regions"),
    [("yeast_slice", 24), pytest.param("yeast", 1034, marks=pytest.mark.shared_data)],
)
def test_every_region_of_yeast_is_within_tolerance_by_the_dense_float64_gap(
    request, tmp_path, data, n_regions
):
    yeast = request.getfixturevalue(data)
    finemo_dist(*extract_words("chrombpnet-h5", yeast), "-o", tmp_path / "regions.zarr")
    store = open_store(tmp_path / "regions.zarr")
    config = SolverConfig(use_post_filter=False)
    motifs = build_motif_set(read_patterns(yeast / "modisco_results.h5"), MotifConfig(), Mode.PP)
    cwms = build_cwms(motifs, torch.device("cpu"), use_sqrt_transform=False)
    solver = WorkingSetSolver(cwms, config)
    gaps = []
    for start in range(0, store.n_regions, _BLOCK):
        batch = store.read(start, min(start + _BLOCK, store.n_regions))
        sequence = torch.from_numpy(batch.sequence)
        contributions = torch.from_numpy(batch.contributions)
        hits = solver.solve(sequence, contributions).hits
        target = build_target(
            sequence, contributions, is_hypothetical=False, use_sqrt_transform=False
        )
        problem = build_dense_problem(target, cwms, torch.float64)
        coefficient = torch.zeros_like(problem.weight)
        coefficient[hits.region, hits.motif, hits.position] = hits.coefficient
        gaps.append(problem.gap(coefficient) / target.length)
    gap = torch.cat(gaps)

    assert len(gap) == n_regions
    assert gap.max() <= config.tolerance
    assert gap.min() >= -1e-12
