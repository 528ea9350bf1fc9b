"""Which seqlets a report compares hits with."""

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.records import InputFile
from finemo_dist.storage.files import describe_input
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.workflow.reporting import ReportRequest, _seqlets
from tests.unit.catalog.builder import hit, write_record, write_run

SAID = "is missing or has changed, so seqlets are left out. Give the file with -m."


@pytest.fixture
def seqlets(tmp_path):
    """Return the seqlets for a run whose modisco file is one or the other, or is asked for."""

    def of(recorded, asked=None):
        run = write_run(tmp_path / "run", {"a": [[hit()]]})
        record = write_record(run, {"a": 1}).model_copy(update={"inputs": recorded})
        record.save(run)
        with open_catalog(run) as catalog:
            return _seqlets(catalog, ReportRequest(run, tmp_path / "out", modisco_h5=asked))

    return of


@pytest.fixture
def modisco(tmp_path):
    path = tmp_path / "modisco.h5"
    write_modisco_h5(path, random_motifs(np.random.default_rng(0), 2))
    return path


def test_the_seqlets_of_the_run_are_those_of_its_file(seqlets, modisco, caplog):
    assert seqlets((InputFile("peaks.bed", 1, "d"), describe_input(modisco))) is not None
    assert caplog.text == ""


@pytest.mark.parametrize("path", ["gone.h5", "modisco.h5"])
def test_seqlets_of_a_file_that_is_gone_or_another_are_left_out(
    seqlets, modisco, tmp_path, caplog, path
):
    assert seqlets((InputFile(str(tmp_path / path), 1, "another"),)) is None
    assert f"{tmp_path / path}, the modisco file of the run, {SAID}" in caplog.text


def test_another_file_is_taken_with_a_word(seqlets, modisco, caplog):
    assert seqlets((InputFile("old.h5", 1, "another"),), modisco) is not None
    assert f"{modisco} is not the modisco file of the run (old.h5), so seqlets are matched" in (
        caplog.text
    )


def test_a_run_that_records_no_file_has_no_seqlets(seqlets, caplog):
    assert seqlets(()) is None
    assert caplog.text == ""
