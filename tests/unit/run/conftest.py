import pytest

from tests.unit.run.runs import write_inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Four motifs, and one sample of 24 projected regions in six shards."""
    return write_inputs(tmp_path_factory.mktemp("inputs"))
