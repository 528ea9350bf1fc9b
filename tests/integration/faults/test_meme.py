"""Motif databases as people put them together."""

import pytest

from tests.command import read_tsv
from tests.integration.faults.outcomes import everything_in, lines_with

HEAD = "MEME version 4\n\nALPHABET= ACGT\n\n"
AP1 = ["T", "G", "A", "C", "T", "C", "A"]


def matrix(bases, *, keys="alength= 4 w= {n} nsites= 20 E= 0", scale=1.0):
    rows = [[0.97 if base == letter else 0.01 for letter in "ACGT"] for base in bases]
    lines = ["letter-probability matrix: " + keys.format(n=len(rows))]
    lines += [" ".join(f"{scale * value:g}" for value in row) for row in rows]
    return "\n".join(lines) + "\n"


@pytest.fixture
def propose(works, plain, tmp_path):
    """Return a function that has a database compared with the motifs of a run."""
    pytest.importorskip("memelite")

    def run(text):
        (tmp_path / "db.meme").write_text(HEAD + text)
        out = tmp_path / "proposal.tsv"
        said = works("annotate", plain, "--database", tmp_path / "db.meme", "-o", out,
                     "--max-q", "1")  # fmt: skip
        return said, read_tsv(out)

    return run


def named(rows):
    return [(row["target"], row["p_value"], row["overlap"]) for row in rows]


def test_S32_motifs_of_one_name_are_all_compared(propose):
    right, wrong = matrix(AP1), matrix("AAAAAAA")
    alone = f"MOTIF one FOS\n{right}\nMOTIF two X\n{wrong}\n"

    _, first = propose(f"MOTIF x FOS\n{right}\nMOTIF x X\n{wrong}\n")
    _, last = propose(f"MOTIF x X\n{wrong}\nMOTIF x FOS\n{right}\n")
    _, apart = propose(alone)

    assert [row["p_value"] for row in first] == [row["p_value"] for row in apart]
    assert [row["tf"] for row in first] == [row["tf"] for row in last]
    assert {row["tf"] for row in first} == {"FOS", "X"}


def test_S32_counts_are_divided_by_their_sums_with_a_word(propose):
    text = f"MOTIF a FOS\n{{}}\nMOTIF b X\n{matrix('AAAAAAA')}\n"

    said, counts = propose(text.format(matrix(AP1, scale=100)))
    _, shares = propose(text.format(matrix(AP1)))

    assert named(counts) == named(shares)
    assert len(lines_with(said, "1 of 2 motifs are counts")) == 1


@pytest.mark.parametrize("keys", ["alength= 4", "", "alength=4 w={n}", "nsites= 7 w= {n} E= 1e-3"])
def test_S32_every_key_of_a_matrix_is_optional(propose, keys):
    text = f"MOTIF a FOS\n{{}}\nMOTIF b X\n{matrix('AAAAAAA')}\n"

    _, found = propose(text.format(matrix(AP1, keys=keys)))

    assert named(found) == named(propose(text.format(matrix(AP1)))[1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("MOTIF a\n" + matrix(AP1, keys="w= 9"), "has 7 rows, but says w= 9"),
        ("MOTIF a\n" + matrix(AP1, scale=0.5), "line 7: a row of motif 'a' sums to 0.5"),
        ("MOTIF a\nletter-probability matrix:\n0.5 0.5\n", "expected four frequencies"),
        ("MOTIF a\nletter-probability matrix:\n1 -1 0.5 0.5\n", "expected four frequencies"),
        ("MOTIF a\nletter-probability matrix:\n0 0 0 0\n", "expected four frequencies"),
        ("MOTIF a\n\nMOTIF b\n" + matrix(AP1), "motif 'a' has no matrix"),
        ("ALPHABET= ACDEFGHIKLMNPQRSTVWY\n", "alphabet 'ACDEFGHIKLMNPQRSTVWY', expected ACGT"),
        ("", "holds no motif"),
    ],
)
def test_S32_what_is_no_motif_is_refused_by_its_line(refused, plain, tmp_path, text, said):
    before = everything_in(plain)
    (tmp_path / "db.meme").write_text(HEAD + text)

    refused(
        "annotate", plain, "--database", tmp_path / "db.meme", "-o", tmp_path / "o.tsv",
        says=(tmp_path / "db.meme", said),
    )  # fmt: skip
    assert everything_in(plain) == before
