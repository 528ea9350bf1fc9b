"""Which files of folders make the classes of a sample sheet."""

import csv

import numpy as np
import pytest

from finemo_dist.core.errors import FinemoDistError, InputError, UsageError
from finemo_dist.workflow.class_folders import make_sample_sheet


@pytest.fixture
def made(tmp_path):
    """Write files by name, and return the classes and the rows of the sheet made of them."""

    def make(*names, shape=(2, 4, 9), **options):
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        for name in names:
            if name.endswith("_oh.npz"):
                np.savez(folder / name, np.zeros(shape, np.int8))
            else:
                (folder / name).touch()
        classes = make_sample_sheet([folder], tmp_path / "sheet.tsv", **options)
        with (tmp_path / "sheet.tsv").open(newline="") as handle:
            return classes, list(csv.DictReader(handle, delimiter="\t"))

    return make


def test_bigwigs_and_their_peaks_are_a_class(made, tmp_path):
    names = ("B.bw", "B.narrowPeak", "readme.txt", ".B.bw", ".bw", "C.narrowPeak")

    classes, (row,) = made(*names, fasta=tmp_path / "g.fa")

    assert classes == ("B",)
    assert row == {
        "name": "B", "bigwigs": "in/B.bw", "peaks": "in/B.narrowPeak", "fasta": "g.fa",
        "sequences": "", "attributions": "", "modisco_h5": "", "axis_order": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "order"), [((2, 4, 9), ""), ((2, 9, 4), "nla"), ((2, 4, 4), ""), ((8, 9), "")]
)
def test_the_order_of_axes_is_seen_where_it_can_be(made, shape, order):
    _, (row,) = made("B_oh.npz", "B_contrib.npz", shape=shape)

    assert (row["axis_order"], row["fasta"]) == (order, "")


@pytest.mark.parametrize(
    ("names", "kind", "said"),
    [
        (["B.bw", "B.narrowPeak"], UsageError,
         "{folder}/B.bw: a bigWig needs its genome. Give it with -f."),
        (["B.bw"], InputError, "{folder}/B.bw: class 'B' has no peaks beside it. Expected B"),
        (["B_oh.npz"], InputError,
         "{folder}/B_oh.npz: class 'B' has no attributions beside it. Expected B_contrib.npz"),
        (["B_oh.npz", "B_contrib.npz", "B.bw"], InputError,
         "{folder}/B.bw: class 'B' also has arrays. Expected one or the other."),
        (["B.narrowPeak", "x.txt"], InputError, "{folder}: has no file of scores. Expected CLASS_"),
    ],
)  # fmt: skip
def test_a_class_that_lacks_a_file_is_refused(made, tmp_path, names, kind, said):
    with pytest.raises(FinemoDistError) as caught:
        made(*names)

    assert type(caught.value) is kind
    assert str(caught.value).startswith(said.format(folder=tmp_path / "in"))
    assert not (tmp_path / "sheet.tsv").exists()
