"""Reading modisco files: which patterns, in which order, and what is refused."""

import h5py
import numpy as np
import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from tests.unit.motifs.files import FIELDS, cwm, pattern, write_h5

POS = "pos_patterns/pattern_0"


def test_positive_patterns_come_first_and_numbers_count_as_numbers(tmp_path):
    names = [f"{sign}_patterns/pattern_{i}" for sign in ("neg", "pos") for i in (0, 10, 2)]
    names += ["pos_patterns/CTCF", "pos_patterns/pattern_x"]
    path = write_h5(tmp_path / "m.h5", {k: v for n in names for k, v in pattern(n).items()})

    assert [p.name for p in read_patterns(path)] == [
        "pos_patterns.pattern_0",
        "pos_patterns.pattern_2",
        "pos_patterns.pattern_10",
        "pos_patterns.CTCF",
        "pos_patterns.pattern_x",
        "neg_patterns.pattern_0",
        "neg_patterns.pattern_2",
        "neg_patterns.pattern_10",
    ]


@pytest.mark.parametrize("sign", ["pos", "neg"])
def test_one_sign_is_enough(tmp_path, sign):
    path = write_h5(tmp_path / "m.h5", pattern(f"{sign}_patterns/pattern_0"))

    assert [p.name for p in read_patterns(path)] == [f"{sign}_patterns.pattern_0"]


def test_bases_become_rows_and_positions_columns(tmp_path):
    path = write_h5(tmp_path / "m.h5", pattern(POS, hypothetical_contribs=-cwm()))

    (found,) = read_patterns(path)

    assert found.contributions.dtype == np.float64
    np.testing.assert_array_equal(found.contributions, cwm().T)
    np.testing.assert_array_equal(found.hypothetical, -cwm().T)


def test_patterns_of_a_compendium_have_no_seqlets(tmp_path, rng):
    """C12: only the two CWMs are read, so nothing else needs to be there."""
    motifs = random_motifs(rng, 3, n_negative=1)
    write_modisco_h5(tmp_path / "with.h5", motifs)
    bare = {
        f"{name.replace('.', '/')}/{field}": values[i].T
        for i, name in enumerate(motifs.name)
        for field, values in zip(FIELDS, (motifs.cwm, motifs.hypothetical), strict=True)
    }
    write_h5(tmp_path / "bare.h5", bare)

    found = [read_patterns(tmp_path / name) for name in ("with.h5", "bare.h5")]

    for a, b in zip(*found, strict=True):
        assert a.name == b.name
        np.testing.assert_array_equal(a.contributions, b.contributions)


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ({"metacluster_0/x": 1}, r"`modisco convert`"),
        ({"metacluster_idx_to_submetacluster_results/x": 1}, r"`modisco convert`"),
        ({}, r"holds nothing, expected pos_patterns or neg_patterns"),
        ({"patterns/pattern_0/contrib_scores": cwm()}, r"holds \['patterns'\], expected"),
        ({"pos_patterns": cwm()}, r"pos_patterns is an array, expected a group"),
        ({POS: cwm()}, r"pattern_0 has no array contrib_scores"),
        (pattern(POS, contrib_scores=None), r"pattern_0 has no array contrib_scores"),
        (pattern(POS, hypothetical_contribs=None), r"has no array hypothetical_contribs"),
        ({f"{POS}/contrib_scores/x": 1}, r"pattern_0 has no array contrib_scores"),
        ({POS: h5py.SoftLink("/nowhere")}, r"pattern_0 has no array contrib_scores"),
        (pattern(POS, contrib_scores=cwm().T), r"has shape \(4, 5\), expected \(width, 4\)"),
        (pattern(POS, contrib_scores=cwm().ravel()), r"has shape \(20,\)"),
        (pattern(POS, contrib_scores=np.empty((0, 4))), r"has shape \(0, 4\)"),
        (pattern(POS, contrib_scores=3.0), r"has shape \(\)"),
        (pattern(POS, contrib_scores=h5py.Empty("f")), r"has shape None"),
        (pattern(POS, contrib_scores=[[b"A", b"C", b"G", b"T"]]), r"expected numbers"),
        (pattern(POS, contrib_scores=1j * cwm()), r"is of type complex64, expected numbers"),
        (pattern(POS, contrib_scores=np.nan * cwm()), r"contrib_scores holds NaN or infinity"),
        (pattern(POS, hypothetical_contribs=np.inf * cwm()), r"contribs holds NaN or infinity"),
        (pattern(POS, contrib_scores=np.full((9, 4), 1e200)), r"holds a value of magnitude 1e.200"),
        (pattern(POS, contrib_scores=cwm(4)), r"has 4 columns in contrib_scores and 5 in"),
    ],
)
def test_what_is_no_modisco_file_is_refused(tmp_path, datasets, message):
    path = write_h5(tmp_path / "m.h5", datasets)

    with pytest.raises(InputError, match=message) as caught:
        read_patterns(path)

    assert str(path) in str(caught.value)


def test_empty_groups_hold_no_patterns(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_group("pos_patterns")

    with pytest.raises(InputError, match="holds no patterns"):
        read_patterns(tmp_path / "m.h5")


def test_a_second_pattern_that_is_damaged_is_named(tmp_path):
    datasets = pattern(POS) | pattern("pos_patterns/pattern_1", contrib_scores=np.ones((5, 3)))

    with pytest.raises(InputError, match=r"pos_patterns\.pattern_1/contrib_scores has shape"):
        read_patterns(write_h5(tmp_path / "m.h5", datasets))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.h5: no such file"):
        read_patterns(tmp_path / "none.h5")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder, expected an H5 file"):
        read_patterns(tmp_path)


@pytest.mark.parametrize("content", [b"", b"motif\tname\n", b"\x89HDF\r\n\x1a\n"])
def test_a_file_of_another_format_is_refused(tmp_path, content):
    (tmp_path / "m.h5").write_bytes(content)

    with pytest.raises(InputError, match="cannot be read as an H5 file"):
        read_patterns(tmp_path / "m.h5")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path, rng, share):
    path = tmp_path / "m.h5"
    write_modisco_h5(path, random_motifs(rng, 2))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])

    with pytest.raises(InputError, match="truncated"):
        read_patterns(path)
