"""Base frequencies at the seqlets of a TF-MoDISco file."""

import numpy as np
import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.motifs.site_frequencies import read_site_frequencies
from tests.unit.motifs.files import cwm, write_h5


def test_frequencies_have_a_row_for_each_base(tmp_path):
    path = write_h5(tmp_path / "m.h5", {"pos_patterns/pattern_0.5/sequence": cwm(3)})

    (found,) = read_site_frequencies(path, ["pos_patterns.pattern_0.5"])

    assert np.array_equal(found, cwm(3).T)
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    "datasets",
    [
        {"pos_patterns/a/contrib_scores": cwm()},
        {"pos_patterns/a/sequence": cwm().T},
        {"pos_patterns/a/sequence": cwm()[0]},
        {"pos_patterns/a/sequence/x": cwm()},
    ],
)
def test_a_pattern_without_them_is_refused_with_the_cure(tmp_path, datasets):
    path = write_h5(tmp_path / "m.h5", datasets)

    with pytest.raises(InputError) as caught:
        read_site_frequencies(path, ["pos_patterns.a"])

    assert str(caught.value) == (
        f"{path}: pos_patterns.a has no array sequence of shape (width, 4). Write the file again "
        "with `modisco motifs`, or use motif_type 'cwm'."
    )
