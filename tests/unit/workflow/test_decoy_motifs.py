"""What decoys are trimmed by: contributions of a run, or of motif files that are still the same."""

from dataclasses import replace

import numpy as np
import pytest

from finemo_dist.core.config import CallConfig, MotifConfig, SolverConfig
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Mode
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.files import read_motif_files
from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage.files import describe_input
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.workflow.decoy_motifs import trim_source
from tests.unit.catalog.builder import write_record

SETTINGS = {
    "trim_threshold": 0.4,
    "trim_thresholds": {"pos_patterns.pattern_1": 0.2},
    "trim_coords": {"pos_patterns.pattern_2": (1, 6)},
}


@pytest.fixture
def called(tmp_path):
    """The motifs of a run in a mode, its settings, its record and its motif file."""

    def made(mode, seed=0):
        path = tmp_path / "motifs.h5"
        write_modisco_h5(path, random_motifs(np.random.default_rng(seed), 3))
        config = CallConfig(motifs=MotifConfig(**SETTINGS), solver=SolverConfig(mode=mode))
        motifs = build_motif_set(read_motif_files([path]), config.motifs, Mode(mode))
        write_record(tmp_path / "run", {"a": 1})
        record = RunRecord.load(tmp_path / "run")
        record = record.model_copy(update={"inputs": (describe_input(path),)})
        return motifs, config, record, path

    return made


@pytest.mark.parametrize("mode", ["pp", "hh"])
def test_windows_are_those_of_contributions(called, mode):
    motifs, config, record, path = called(mode)

    found = trim_source(motifs, config, record)

    for one, pattern in zip(found.contributions, read_motif_files([path]), strict=True):
        # In any units; a run has its CWMs in half precision.
        shares = [cwm / np.linalg.norm(cwm) for cwm in (one, pattern.contributions)]
        assert np.allclose(*shares, atol=1e-3)
    assert found.thresholds == [0.4, 0.2, None]


def test_a_run_of_contributions_needs_no_file(called):
    motifs, config, record, path = called("pp")
    path.unlink()

    found = trim_source(motifs, config, record)

    assert np.array_equal(found.contributions, motifs.cwm[::2])


@pytest.mark.parametrize("harm", ["gone", "changed", "unrecorded", "old", "renamed"])
def test_hypothetical_motifs_need_the_files_they_were_called_with(called, harm):
    motifs, config, record, path = called("hh")
    where = str(path)
    match harm:
        case "gone":
            path.unlink()
            what = "is missing since the hits were called"
        case "changed":
            called("hh", seed=1)
            what = "has changed since the hits were called"
        case "unrecorded":
            record = record.model_copy(update={"inputs": ()})
            what = "is missing since the hits were called"
        case "old":
            motifs = replace(motifs, source=())
            where, what = "the motif files", "are not recorded in runs of older releases"
        case "renamed":
            motifs = replace(motifs, name_orig=("x", *motifs.name_orig[1:]))
            where, what = "motif 'x'", "is missing in the motif files"

    with pytest.raises(RunError) as caught:
        trim_source(motifs, config, record)

    assert str(caught.value) == (
        f"{where}: {what}, and decoys of hypothetical CWMs are trimmed by the contributions in the "
        "motif file. Put the file back, or call the hits again."
    )
