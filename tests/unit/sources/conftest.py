"""The samples in every format."""

from pathlib import Path

import pytest

from tests.unit.sources.samples import Samples, make_samples


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    """Samples of this test's own, which it may damage."""
    return make_samples(tmp_path)
