"""Errors: they survive another process, carry an exit status, and know the nearest name."""

import pickle

import pytest

from finemo_dist.core import errors
from finemo_dist.core.errors import (
    CutShortError,
    FinemoDistError,
    IncompleteRunError,
    ServiceError,
    brief,
    nearest,
)

EVERY_ERROR = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, FinemoDistError)
]


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_an_error_survives_pickling(error):
    back = pickle.loads(pickle.dumps(error("a.bw: found 'x', expected 'y'.")))

    assert type(back) is error
    assert str(back) == "a.bw: found 'x', expected 'y'."
    assert back.exit_status == error.exit_status


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_what_a_rerun_can_go_on_with_exits_3(error):
    can_go_on = error in {IncompleteRunError, CutShortError, ServiceError}
    assert error.exit_status == (3 if can_go_on else 2)


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("chr1", ["1", "2"], "Did you mean '1'?"),
        ("1", ["chr1", "chr11"], "Did you mean 'chr1'?"),
        ("call_hits", ["call-hits", "status"], "Did you mean 'call-hits'?"),
    ],
)
def test_the_nearest_name_is_offered(name, known, hint):
    assert hint in nearest(name, known)


def test_the_prefix_of_chromosomes_is_named_as_the_difference():
    assert "'chr' prefix" in nearest("chr1", iter(["1"]))
    assert "'chr' prefix" not in nearest("chr1", ["chr2"])


@pytest.mark.parametrize("known", [[], ["mitochondrion"]])
def test_a_name_far_from_all_gets_no_hint(known):
    assert nearest("chr1", known) == ""


@pytest.mark.parametrize("said", ["short", "two\n  lines\tof text", "x" * 9000, "a b " * 9000])
def test_what_a_library_says_fits_on_one_line(said):
    text = brief(ValueError(said))

    assert len(text) <= 203
    assert text.isprintable()
    assert " ".join(said.split()).startswith(text.removesuffix("..."))
