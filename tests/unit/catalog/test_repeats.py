"""Places that occur more than once, against a count."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.repeats import repeated_places

small = st.integers(-2, 3)
# The ranges of three such columns have no common number of 64 bits.
far = st.sampled_from([-(1 << 40), 0, 1, 1 << 40])


@given(rows=st.lists(st.tuples(small, small, small)) | st.lists(st.tuples(far, far, small)))
def test_places_that_occur_more_than_once_are_found_once(rows):
    columns = np.array(rows, np.int64).reshape(-1, 3).T

    found = repeated_places(*columns)

    places = list(
        zip(*(found[name].tolist() for name in ("chr_id", "start", "motif_id")), strict=True)
    )
    assert sorted(places) == sorted(row for row, n in Counter(rows).items() if n > 1)
