import numpy as np
import pytest

from tests.unit.catalog.builder import random_hits, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two samples of three shards each, with many hits at the same place."""
    rng = np.random.default_rng(3)
    shards = {name: [random_hits(rng, 200) for _ in range(3)] for name in ("liver", "heart")}
    return write_run(tmp_path_factory.mktemp("run"), shards)
