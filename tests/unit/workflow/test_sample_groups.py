"""Two groups of samples: by lists, or by a column of a sheet."""

from pathlib import Path

import pytest

from finemo_dist.core.errors import FinemoDistError, InputError, UsageError
from finemo_dist.workflow.sample_groups import read_groups

KNOWN = ("a", "b", "c", "d")
SHEET = (
    "# remark\nname\tstate\tage\tnote\na\told\t9\t\nb\tyoung\t\tx\nz\told\t3\t\nc\told\t7\ty\nd\n"
)
NOTHING = {"sheet": None, "column": None, "groups": (), "first": (), "second": ()}


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "sheet.tsv"
    path.write_text(SHEET)
    return path


def groups(**given):
    return read_groups(KNOWN, **NOTHING | given)


def test_a_column_groups_the_samples_that_have_a_value(sheet):
    found = groups(sheet=sheet, column="state")

    assert found.names == ("old", "young")
    assert found.side == {"a": 0, "c": 0, "b": 1}
    assert found.metadata["age"] == {"a": "9", "b": "", "c": "7", "d": ""}


def test_two_values_of_a_column_can_be_chosen(sheet):
    found = groups(sheet=sheet, column="age", groups=("7", "9"))

    assert (found.names, found.side) == (("7", "9"), {"c": 0, "a": 1})


def test_lists_are_groups_and_a_sheet_beside_them_is_shown(sheet):
    found = groups(sheet=sheet, first=("d",), second=("a", "b"))

    assert found.names == ("first", "second")
    assert found.side == {"d": 0, "a": 1, "b": 1}
    assert found.metadata["note"]["c"] == "y"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Nothing says what to compare. Give --sheet and --by, or -a and -b."),
        ({"first": ("a",)}, "Give either two lists of samples, or a sheet and a column."),
        ({"first": ("a",), "second": ("b",), "column": "state"},
         "Give either two lists of samples, or a sheet and a column."),
        ({"first": ("a",), "second": ("bb",)}, "The run has no sample 'bb'."),
        ({"first": ("a", "b"), "second": ("c", "b")},
         "Sample 'b' is in both groups. Give it to one."),
        ({"column": "state", "groups": ("old", "old")},
         "{sheet}: column 'state' has 2 values for samples of the run (old, young). Name two of "
         "them with --groups."),
        ({"column": "note", "groups": ("x",)}, "{sheet}: column 'note' has 2 values for samples"),
        ({"column": "state", "groups": ("old", "yong")},
         "{sheet}: no sample of the run has 'yong' in column 'state'. Did you mean 'young'?"),
        ({"column": "stat"}, "{sheet}: has no column 'stat'. Did you mean 'state'?"),
    ],
)  # fmt: skip
def test_what_makes_no_two_groups_is_refused(sheet, given, said):
    used = {"sheet": sheet} if "column" in given and "first" not in given else {}

    with pytest.raises(UsageError) as caught:
        groups(**used, **given)

    assert str(caught.value).startswith(said.format(sheet=sheet))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# x\nsampel\tstate\na\told\n",
         ", line 2: has no column 'name' or 'sample', found sampel, state. Name the columns in the "
         "first line, separated by tabs."),
        ("sample\tstate\nz\told\n", ": names no sample of the run. Expected a, b, c, ..."),
        ("", ": names no sample of the run. Expected a, b, c, ..."),
    ],
)  # fmt: skip
def test_a_sheet_that_is_none_is_refused(tmp_path, text, said):
    path: Path = tmp_path / "sheet.tsv"
    path.write_text(text)

    with pytest.raises(FinemoDistError) as caught:
        groups(sheet=path, column="state")

    assert type(caught.value) is InputError
    assert str(caught.value) == f"{path}{said}"
