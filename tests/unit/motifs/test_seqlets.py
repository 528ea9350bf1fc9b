import h5py
import numpy as np
import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.motifs.seqlets import read_seqlets


def write(path, patterns, window=None):
    """``patterns``: name to arrays of seqlets; None for a pattern without any."""
    with h5py.File(path, "w") as file:
        if window is not None:
            file.attrs["window_size"] = window
        for name, arrays in patterns.items():
            group, key = name.split(".")
            pattern = file.require_group(group).create_group(key)
            if arrays is not None:
                seqlets = pattern.create_group("seqlets")
                for field, values in arrays.items():
                    seqlets[field] = np.asarray(values)
    return path


def arrays(n, **other):
    first = np.arange(n)
    return {
        "example_idx": first,
        "start": 10 * first,
        "end": 10 * first + 30,
        "is_revcomp": first % 2 == 1,
        "n_seqlets": [n],
    } | other


def test_seqlets_are_read_with_the_name_of_their_pattern(tmp_path):
    path = write(
        tmp_path / "m.h5",
        {"pos_patterns.pattern_0": arrays(2), "neg_patterns.pattern_0": arrays(1)},
        window=500,
    )

    found = read_seqlets(path)

    assert found.pattern == ("pos_patterns.pattern_0",) * 2 + ("neg_patterns.pattern_0",)
    assert found.region.tolist() == [0, 1, 0]
    assert found.start.tolist() == [0, 10, 0]
    assert found.end.tolist() == [30, 40, 30]
    assert found.is_reverse.tolist() == [False, True, False]
    assert found.window_bp == 500


def test_a_file_without_seqlets_has_none(tmp_path):
    path = write(
        tmp_path / "m.h5",
        {"pos_patterns.pattern_0": None, "pos_patterns.pattern_1": {"n_seqlets": [9]}},
    )

    found = read_seqlets(path)

    assert len(found) == 0
    assert found.window_bp is None
    assert found.start.dtype == np.int64


@pytest.mark.parametrize(
    "broken", [{"start": [1, 2, 3]}, {"end": [0.5, 1.5]}, {"is_revcomp": [[True, False]] * 2}]
)
def test_arrays_that_disagree_are_refused(tmp_path, broken):
    path = write(tmp_path / "m.h5", {"pos_patterns.pattern_7": arrays(2, **broken)})

    with pytest.raises(InputError, match=r"seqlets of pos_patterns\.pattern_7"):
        read_seqlets(path)


def test_a_missing_array_is_refused(tmp_path):
    held = arrays(2)
    del held["is_revcomp"]
    path = write(tmp_path / "m.h5", {"pos_patterns.pattern_7": held})

    with pytest.raises(InputError, match="expected example_idx, start, end, is_revcomp"):
        read_seqlets(path)


def test_what_is_no_h5_file_is_refused(tmp_path):
    (tmp_path / "m.h5").write_text("no")

    with pytest.raises(InputError, match="cannot be read as an H5 file"):
        read_seqlets(tmp_path / "m.h5")
