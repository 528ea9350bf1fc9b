"""What the rows of inputs at fault share: one sample in every format, and how commands end."""

import shutil

import pytest

from tests.command import Answer, answer_of, finemo_dist
from tests.integration.faults.inputs import Inputs, make_inputs
from tests.integration.faults.outcomes import everything_in

# Fixtures of object storage.
from tests.integration.objects.conftest import (  # noqa: F401
    bucket,
    s3_endpoint,
    s3_environment,
)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory) -> Inputs:
    """Twelve regions in every format; not to be changed."""
    return make_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def command(capsys):
    """Return a function that runs a command as ``finemo-dist`` does, in this process."""
    return lambda *words: answer_of(capsys, *words)


@pytest.fixture(scope="session")
def store(inputs, tmp_path_factory):
    """Return the store of the regions, from bigWig and genome."""
    path = tmp_path_factory.mktemp("faults") / "s.zarr"
    finemo_dist(*inputs.extract("bw"), "-o", path)
    return path


@pytest.fixture(scope="session")
def sharded(inputs, tmp_path_factory):
    """Return the store in twelve shards of one region; not to be changed."""
    path = tmp_path_factory.mktemp("sharded") / "s.zarr"
    finemo_dist(*inputs.extract("bw"), "-o", path, "--shard-size", "1")
    return path


@pytest.fixture(scope="session")
def run_of(inputs, tmp_path_factory):
    """Return a function that calls the hits of a store with no other option, and gives the run."""

    def run_of(store):
        run = tmp_path_factory.mktemp("run_of") / "run"
        finemo_dist("call-hits", "-r", store, "-m", inputs.modisco_h5, "-o", run)
        return run

    return run_of


@pytest.fixture(scope="session")
def whole(run_of, sharded):
    """Return the run of twelve shards that nothing disturbed; not to be changed."""
    return run_of(sharded)


@pytest.fixture(scope="session")
def plain(run_of, store):
    """Return the run of the store with no other option; not to be changed."""
    return run_of(store)


@pytest.fixture
def call(inputs, store, tmp_path):
    """Return a function that gives the words of a call into ``run``."""

    def words(*more, run="run", regions=store, motifs=inputs.modisco_h5):
        return ("call-hits", "-r", regions, "-m", motifs, "-o", tmp_path / run, *more)

    return words


@pytest.fixture
def called(plain, tmp_path):
    """Return a copy of the run with no other option, to be changed, where ``call`` writes."""
    return shutil.copytree(plain, tmp_path / "run")


@pytest.fixture
def works(command):
    """Return a function that asserts that a command ends well, and gives its answer."""

    def run(*words: object) -> Answer:
        answer = command(*words)
        assert answer.status == 0, answer.err
        assert "Traceback" not in answer.err
        return answer

    return run


@pytest.fixture
def refused(command, tmp_path):
    """Return a function that asserts that a command is refused by the book.

    Exit status 2, nothing on standard output, one message without a traceback, and in the folder
    of the test not a byte that was not there before. The message is returned, and must hold every
    text of ``says``.
    """

    def run(*words: object, says: tuple[object, ...]) -> str:
        before = everything_in(tmp_path)
        answer = command(*words)
        assert answer.status == 2, (answer.status, answer.err)
        assert answer.out == ""
        assert "Traceback" not in answer.err
        assert answer.err.count("Error: ") == 1
        usage, message = answer.err.split("Error: ")
        assert not usage or usage.startswith("Usage:"), usage
        assert message.count("\n") == 1, message
        for text in says:
            assert str(text) in message, message
        assert everything_in(tmp_path) == before
        return message

    return run
