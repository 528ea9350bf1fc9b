"""Coordinates that H5 files name beside their scores."""

import h5py
import numpy as np
import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.sources._coordinates import coordinates_of

PLACES = {
    "coords_chrom": np.array([b"chr1", b"chr2"]),
    "coords_start": np.array([100, 7]),
    "coords_end": np.array([121, 17]),
}


@pytest.fixture
def write(tmp_path):
    def written(name="a.h5", **changes):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            for key, value in (PLACES | changes).items():
                if value is not None:
                    file[key] = value
        return str(path)

    return written


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"coords_chrom": np.array([1, 0], np.uint8), "chrom_names": np.array([b"chr2", b"chr1"])},
        {"coords_end": None, "coords_stop": PLACES["coords_end"]},
        {"coords_start": np.array([100, 7], np.uint8)},
    ],
    ids=["bpnet-refactor", "numbered chromosomes", "bpreveal's name", "bytes"],
)
def test_places_are_around_the_middle(write, changes):
    table = coordinates_of([write(**changes), write("b.h5")], 2).table(10, {"chr9": 0, "chr2": 1})

    assert table.chrom_names == ("chr9", "chr2", "chr1")
    assert table.chrom_id.tolist() == [2, 1]
    assert table.start.tolist() == [105, 7]


@pytest.mark.parametrize(
    "changes",
    [{"coords_end": None}, {"coords_chrom": None}, {"coords_start": None, "coords_start/x": 1}],
)
def test_a_file_without_places_names_none(write, changes):
    assert coordinates_of([write(**changes)], 2) is None
    # A file of another fold may name them.
    assert coordinates_of([write(**changes), write("b.h5")], 2).centre.tolist() == [110, 12]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"coords_chrom": np.array([b"chr1"])},
            "has 2 regions and coords_chrom of shape (1,). Expected one coordinate per",
        ),
        (
            {"coords_end": np.array([[121, 17]])},
            "has 2 regions and coords_end of shape (1, 2). Expected one coordinate per",
        ),
        (
            {"coords_start": np.array([[100], [7]])},
            "has 2 regions and coords_start of shape (2, 1). Expected one coordinate per",
        ),
        (
            {"coords_start": np.array([100.0, 7.0])},
            "its coordinates (coords_start, coords_end) are no ranges of whole numbers. Write it",
        ),
        (
            {"coords_end": np.array([121, 6])},
            "its coordinates (coords_start, coords_end) are no ranges of whole numbers. Write it",
        ),
        (
            {"coords_chrom": np.array([0, 2]), "chrom_names": np.array([b"chr1", b"chr2"])},
            "cannot be read as an H5 file (index 2 is out of bounds",
        ),
    ],
)
def test_places_that_are_none_refuse(write, changes, said):
    path = write(**changes)

    with pytest.raises(InputError) as caught:
        coordinates_of([path], 2)

    assert str(caught.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    "changes",
    [{"coords_chrom": np.array([b"chr1", b"chr3"])}, {"coords_end": np.array([121, 20])}],
)
def test_folds_that_name_other_places_refuse(write, changes):
    with pytest.raises(
        InputError, match=r"b\.h5: names other coordinates \(coords_\*\) than .*a\."
    ):
        coordinates_of([write(), write("b.h5", **changes)], 2)
