import shutil

import h5py
import numpy as np
import pytest

from finemo_dist.testing.dataset import write_demo
from tests.command import answer_of, finemo_dist
from tests.unit.run.runs import write_inputs


@pytest.fixture
def command(capsys):
    """Return a function that runs a command as ``finemo-dist`` does, in this process."""
    return lambda *words: answer_of(capsys, *words)


@pytest.fixture
def refused(command):
    """Return a function that asserts that a command is refused, and gives its message."""

    def run(*words: object) -> str:
        answer = command(*words)
        assert answer.status == 2, answer.err
        assert answer.out == ""
        assert "Traceback" not in answer.err
        assert "Error: " in answer.err
        return " ".join(answer.err.split("Error: ", 1)[1].split())

    return run


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """Two samples of twelve regions, each in every format."""
    folder = tmp_path_factory.mktemp("demo")
    return write_demo(folder, n_regions=12, n_motifs=6, write_every_format=True)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """Four motifs, and one sample of 12 regions in three shards."""
    return write_inputs(tmp_path_factory.mktemp("inputs"), n_regions=12)


@pytest.fixture(scope="session")
def finished(inputs, tmp_path_factory):
    """A finished run; not to be changed."""
    run = tmp_path_factory.mktemp("finished") / "run"
    finemo_dist("call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o", run)
    return run


@pytest.fixture(scope="session")
def reported(finished, tmp_path_factory):
    """Its report; not to be changed."""
    report = tmp_path_factory.mktemp("reported") / "report"
    finemo_dist("report", "-H", finished, "-o", report)
    return report


@pytest.fixture
def with_seqlets(inputs, tmp_path):
    """The motif file of the run, with a seqlet a pattern."""
    path = tmp_path / "modisco.h5"
    shutil.copyfile(inputs.modisco_h5, path)
    with h5py.File(path, "a") as file:
        for patterns in file.values():
            for pattern in patterns.values():
                seqlets = pattern.require_group("seqlets")
                for name, value in (("example_idx", 1), ("start", 40), ("end", 60)):
                    seqlets[name] = np.array([value])
                seqlets["is_revcomp"] = np.array([False])
    return path
