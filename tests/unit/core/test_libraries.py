"""No garbage is looked for while libraries are loaded, and it is as before afterwards."""

import gc

import pytest

from finemo_dist.core.libraries import loading


@pytest.mark.parametrize("is_on", [True, False])
def test_garbage_is_looked_for_as_before_afterwards(is_on):
    (gc.enable if is_on else gc.disable)()
    try:
        with loading():
            assert not gc.isenabled()
        assert gc.isenabled() == is_on
        with pytest.raises(ImportError), loading():
            raise ImportError
        assert gc.isenabled() == is_on
    finally:
        gc.enable()
