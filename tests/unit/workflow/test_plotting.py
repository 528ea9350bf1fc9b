"""Figures of loci: what is drawn is what was called, and what cannot be drawn is said."""

import numpy as np
import pytest

import finemo_dist as fd
from finemo_dist.reports.locus_view import rebuilt
from tests.command import PROJECT

SLICE = PROJECT / "tests" / "data" / "yeast_slice"


@pytest.fixture(scope="module")
def arrays():
    return [np.load(SLICE / f"{name}.npz")["arr_0"] for name in ("ohe", "attr")]


@pytest.mark.parametrize(
    ("mode", "sqrt"), [("pp", False), ("ph", False), ("hh", False), ("pp", True)]
)
def test_the_reconstruction_and_the_residual_of_the_solver_add_up(arrays, mode, sqrt):
    one_hot, scores = arrays
    motifs = fd.read_motifs(SLICE / "modisco_results.h5")
    hits = fd.find_hits(one_hot, scores, motifs, mode=mode, sqrt_transform=sqrt)
    called = motifs.both_strands(fd.SolverConfig(mode=mode).mode)
    row = int(np.bincount(hits["peak_id"]).argmax())
    sequence = np.where(one_hot[row].any(axis=0), one_hot[row].argmax(axis=0), 4).astype(np.uint8)
    observed = (one_hot[row] * scores[row]).sum(axis=0)
    compared = scores[row] if mode[1] == "h" else observed
    placed = [
        (
            hit["start"],
            hit["hit_coefficient"],
            called.cwm[hit["motif_id"]][
                :, called.start[hit["motif_id"]] : called.end[hit["motif_id"]]
            ],
        )
        for hit in hits
        if hit["peak_id"] == row
    ]
    assert len(placed) > 3

    found = rebuilt(sequence, compared, placed, sqrt_transform=sqrt)

    residual = hits.residual(row)
    if mode[1] == "h":
        residual = (one_hot[row] * residual).sum(axis=0)
    target = np.sign(observed) * np.sqrt(np.abs(observed)) if sqrt else observed
    expected = target - residual
    expected = np.sign(expected) * expected**2 if sqrt else expected
    assert np.allclose(found, expected, rtol=1e-3, atol=2e-3 * np.abs(observed).max())
