"""When motifs of several sets are one motif."""

import numpy as np

from finemo_dist.hits.run_motifs import MotifsOfSet, unite


def cwms(*values, width=5):
    """CWMs (2 * M, 4, W) of two strands each, with one value each in three columns."""
    found = np.zeros((2 * len(values), 4, width), np.float16)
    found[:, :, :3] = np.repeat(values, 2)[:, None, None]
    return found


def of_set(name, names, content, *, origin=None):
    return MotifsOfSet(
        name,
        tuple(name for name in names for _ in "+-"),
        tuple((origin, name) if origin else None for name in names for _ in "+-"),
        lambda: content,
    )


def test_a_digest_is_of_what_is_not_zero_however_wide_the_set():
    narrow = of_set("a", ["x", "y", "none"], cwms(1, 2, 0))
    wide = of_set("b", ["x", "y", "none"], cwms(1, 2, 0, width=9))

    digests = [narrow.digest(row) for row in (0, 2, 4)]

    assert len(set(digests)) == 3
    assert [wide.digest(row) for row in (0, 2, 4)] == digests


def test_motifs_of_one_name_are_one_where_their_cwms_or_their_origins_are():
    first = of_set("a", ["x", "y"], cwms(1, 2), origin="f")
    same = of_set("b", ["y", "z"], cwms(2, 3, width=9))
    hypothetical = of_set("c", ["y"], cwms(7), origin="f")

    found = unite([first, same, hypothetical])

    assert found.names == ("x", "x", "y", "y", "z", "z")
    assert found.homes == (("a", 0), ("a", 1), ("a", 2), ("a", 3), ("b", 2), ("b", 3))
    assert {name: ids.tolist() for name, ids in found.ids.items()} == {
        "a": [0, 1, 2, 3],
        "b": [2, 3, 4, 5],
        "c": [2, 3],
    }
    assert [found.is_own(name) for name in "abc"] == [True, False, False]


def test_motifs_of_one_name_with_other_cwms_are_led_by_their_sets():
    found = unite([of_set("a", ["x", "y"], cwms(1, 2)), of_set("b", ["x"], cwms(3))])

    assert found.names == ("a:x", "a:x", "a:y", "a:y", "b:x", "b:x")
    assert found.ids["b"].tolist() == [4, 5]


def test_the_motifs_of_a_lone_set_are_its_own():
    found = unite([of_set("a", ["x", "y"], cwms(1, 1))])

    assert found.names == ("x", "x", "y", "y")
    assert found.homes == (("a", 0), ("a", 1), ("a", 2), ("a", 3))
    assert found.is_own("a")
