"""MEME files and what is written to them."""

import numpy as np
import pytest
from Bio import motifs as bio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.motifs.files import read_motif_files
from finemo_dist.motifs.frequencies import base_frequencies, count_frequencies
from finemo_dist.motifs.jaspar import read_jaspar
from finemo_dist.motifs.match import false_discovery_rates
from finemo_dist.motifs.meme import MemeMotif, read_meme, write_meme

CWMS = arrays.arrays(np.float64, (4, 6), elements=st.floats(-100, 100))
NAMES = ("plain", "../../a b\tc", "100% <b>\n\"q\" 'x'", "a%20b", "ε")


def motif(rng, name="m", alternate="", width=7):
    return MemeMotif(name, alternate, rng.dirichlet(np.ones(4), width).T, 10**6)


def test_a_file_is_read_back_by_biopython(rng, tmp_path):
    written = [motif(rng, name, "alt") for name in NAMES]

    write_meme(tmp_path / "x.meme", written)

    with (tmp_path / "x.meme").open() as handle:
        found = bio.parse(handle, "minimal")
    assert len(found) == len({m.name for m in found}) == len(NAMES)
    assert found[0].name == "plain"
    for one, other in zip(found, written, strict=True):
        counts = np.array([one.pwm[base] for base in "ACGT"])
        assert counts == pytest.approx(other.frequencies, abs=1e-5)
        assert one.num_occurrences == 10**6


def test_a_file_is_read_back_by_memelite(rng, tmp_path):
    written = [motif(rng, name, alternate) for name, alternate in (("a", "x y"), ("b", ""))]

    write_meme(tmp_path / "x.meme", written)

    found = read_meme(tmp_path / "x.meme")
    assert [(m.name, m.alternate) for m in found] == [("a", "x%20y"), ("b", "")]
    for one, other in zip(found, written, strict=True):
        assert one.frequencies == pytest.approx(other.frequencies, abs=1e-5)


def test_every_line_is_one_that_was_meant(rng, tmp_path):
    write_meme(tmp_path / "x.meme", [motif(rng, name, name, width=2) for name in NAMES])

    lines = (tmp_path / "x.meme").read_text("ascii").splitlines()
    assert sum(line.startswith("MOTIF ") for line in lines) == len(NAMES)
    assert {len(line.split()) for line in lines if line.startswith("MOTIF")} == {3}


@pytest.mark.parametrize("content", ["", "not a motif file\n", "MEME version 4\n"])
def test_what_is_no_motif_file_is_refused(tmp_path, content):
    (tmp_path / "x.meme").write_text(content)

    with pytest.raises(InputError, match=r"x\.meme"):
        read_meme(tmp_path / "x.meme")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_meme(tmp_path / "x.meme")


@given(cwm=CWMS)
def test_frequencies_are_frequencies(cwm):
    found = base_frequencies(cwm)

    assert found.min() >= 0
    assert found.sum(axis=0) == pytest.approx(1)


@given(cwm=CWMS, scale=st.floats(0.01, 100))
def test_frequencies_depend_on_neither_scale_nor_sign(cwm, scale):
    if abs(cwm.sum()) < 1e-6:
        return
    assert base_frequencies(cwm * scale) == pytest.approx(base_frequencies(cwm), abs=1e-9)
    assert base_frequencies(-cwm) == pytest.approx(base_frequencies(cwm), abs=1e-9)


def test_a_column_that_contributes_little_is_near_the_background():
    cwm = np.array([[10.0, 0.01], [0, 0], [0, 0], [-1, 0]])

    found = base_frequencies(cwm)

    assert found[0, 0] > 0.9
    assert found[:, 1] == pytest.approx(0.25, abs=0.01)
    assert base_frequencies(np.zeros((4, 3))) == pytest.approx(0.25)


def test_counts_become_frequencies_and_none_the_background():
    counts = np.array([[3, 0], [1, 0], [0, 0], [0, 0]])

    assert count_frequencies(counts).T.tolist() == [[0.75, 0.25, 0, 0], [0.25] * 4]


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_q_values_are_those_of_the_definition(p):
    """The least rate at which a value is among those that the step-up procedure rejects."""
    n = len(p)
    expected = [min(1.0, *(n * x / sum(y <= x for y in p) for x in p if x >= value)) for value in p]

    assert false_discovery_rates(np.array(p)) == pytest.approx(expected)


MATRIX = "letter-probability matrix: alength= 4 w= 2\n 1 0 0 0\n 0 1 0 0\n"


def test_a_matrix_ends_with_its_last_row(tmp_path):
    text = "MEME version 4\n" + "".join(
        f"MOTIF {name}\n{MATRIX}URL http://x.org/1\n0.5 0.5 0 0\n" for name in "ab"
    )
    (tmp_path / "x.meme").write_text(text)

    found = read_meme(tmp_path / "x.meme")

    assert [(m.name, m.frequencies.T.tolist()) for m in found] == [
        (name, [[1, 0, 0, 0], [0, 1, 0, 0]]) for name in "ab"
    ]


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (read_meme, f"MEME version 4\n\nMOTIF\n{MATRIX}",
         ", line 3: a MOTIF without a name. Expected `MOTIF name`."),
        (read_meme, "MOTIF a\nURL x\n",
         ", line 1: motif 'a' has no matrix. Expected a line `letter-probability matrix:`"),
        (read_jaspar, "\n\n", ": holds no motif. Expected JASPAR's format, `>ID name` first."),
        (read_jaspar, "\nA [ 1 2 ]\n>a\n",
         ", line 2: found 'A [ 1 2 ]', expected `>ID name` before the counts of a motif."),
        (read_jaspar, "> \n1 2\n1 2\n1 2\n1 2\n",
         ", line 1: a motif without a name. Expected `>ID name`."),
        (lambda path: read_motif_files([path]), f"MOTIF a\x07b\n{MATRIX}",
         ": names a motif 'a\\x07b'. Expected printable characters."),
        (lambda path: read_motif_files([path]), f"MOTIF a\n{MATRIX}MOTIF a\n{MATRIX}",
         ": names motif 'a' twice. Expected different names; rename one."),
    ],
)  # fmt: skip
def test_a_motif_that_is_none_is_refused_with_its_place(tmp_path, read, text, said):
    path = tmp_path / "x"
    path.write_text(text)

    with pytest.raises(InputError) as caught:
        read(path)

    assert str(caught.value).startswith(f"{path}{said}")


def test_at_least_one_file_is_needed():
    with pytest.raises(UsageError) as caught:
        read_motif_files([])

    assert str(caught.value) == "No motif file was given. Expected at least one."
