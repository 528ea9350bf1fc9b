"""A short run of every kind of case, the same cases each time; ``make fuzz`` runs many."""

import pytest

from tests.fuzz.corpus import make_corpus
from tests.fuzz.damage import Damage
from tests.fuzz.driver import Cases
from tests.fuzz.kinds import KINDS

N_CASES = {"call": 4, "extract": 12}
_SLOW = {"mappings", "modisco h5", "finemo npz", "store", "parts", "resume", "run.json", "configs"}
SEED = 20260101


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Whole files of every kind."""
    return make_corpus(tmp_path_factory.mktemp("fuzz") / "corpus")


@pytest.mark.system
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_bad_input_is_refused_in_a_line_or_answered_right(kind, corpus, tmp_path):
    cases = Cases(KINDS[kind], corpus, tmp_path / "case", lambda: None)

    cases.run(N_CASES["call" if kind in _SLOW else "extract"], SEED)

    assert cases.n_run > 0


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("cut", b"abcdef", b"abc"),
        ("flip", b"abcdef", b"abc\x60ef"),
        ("zeros", b"abcdef", b"abc\0\0f"),
        ("drop", b"abcdef", b"abcf"),
        ("repeat", b"abcdef", b"abcdedef"),
        ("insert", b"abcdef", b"abc\x04\x04def"),
        ("flips", b"abcdef", b"abc\x60af"),
    ],
)
def test_damage_does_what_it_says(kind, before, after):
    assert Damage(kind, at=0.5, size=2, mask=4).apply(before) == after


def test_damage_fits_an_empty_file():
    assert [Damage(k, 0.5, 2, 4).apply(b"") for k in ("cut", "flip", "drop")] == [b"", b"", b""]
