"""Whether an index beside a FASTA file is of that file: any that would give other bases is not."""

import gzip
import logging
import os

import pyfaidx
import pytest
from Bio import bgzf

from finemo_dist.core.errors import InputError
from finemo_dist.sources._fasta_index import build_index, index_fits, text_of
from finemo_dist.sources.genome import Genome

BASES = {"chr1": "ACGT" * 20_000, "none": "", "chr2": "GATTACA" * 9, "chr3": "TTG" * 11_000}


def write(path, *, newline="\n", ends=True):
    text = "".join(
        f">{name} described{newline}"
        + "".join(bases[i : i + 60] + newline for i in range(0, len(bases), 60))
        for name, bases in BASES.items()
    )
    text = text if ends else text.rstrip()
    opener = bgzf.open if path.suffix == ".gz" else open
    with opener(path, "wb") as handle:
        handle.write(text.encode())
    pyfaidx.Faidx(str(path)).close()
    suffixes = (".fai", ".gzi") if path.suffix == ".gz" else (".fai",)
    return {suffix: path.with_name(path.name + suffix).read_bytes() for suffix in suffixes}


@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("ends", [True, False])
def test_its_own_index_fits(tmp_path, name, newline, ends):
    index = write(tmp_path / name, newline=newline, ends=ends)

    assert index_fits(tmp_path / name, index)


@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("ends", [True, False])
def test_an_index_is_that_of_pyfaidx(tmp_path, name, newline, ends):
    index = write(tmp_path / name, newline=newline, ends=ends)

    made = build_index(tmp_path / name, is_bgzf=name.endswith(".gz"))

    assert entries(made[".fai"]) == entries(index[".fai"])
    assert index_fits(tmp_path / name, made)


@pytest.mark.parametrize(
    ("content", "bases"),
    [
        (b">a\nACGT\nAC\n\n\n", {"a": 6}),
        (b"\n>a\nACGT\n\n>b x\nAC\n", {"a": 4, "b": 2}),
        (b"> a\nACGT\n", {"a": 4}),
        (b">a\n>b\nACGT", {"a": 0, "b": 4}),
    ],
    ids=["blank lines at the end", "blank lines between", "space before the name", "no bases"],
)
def test_what_samtools_takes_is_taken(tmp_path, content, bases):
    (tmp_path / "g.fa").write_bytes(content)

    genome = Genome(tmp_path / "g.fa")

    assert genome.lengths == bases
    assert all(len(genome.codes(name)) == length for name, length in bases.items())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b">a\nACGT\nAC\nACGT\n", "line 4: 'a' has lines of unequal length"),
        (b">a\nAC\nACGT\n", "line 3: 'a' has lines of unequal length"),
        (b">a\nACGT\n\nACGT\n", "line 4: 'a' has lines of unequal length"),
        (b"ACGT\n", "line 1: no '>' line before it"),
        (b">\nACGT\n", "line 1: a '>' without a name"),
        (b">a\nAC\n>a x\nAC\n", "line 3: the name 'a' appears twice"),
    ],
)
def test_what_is_no_genome_is_refused_by_its_line(tmp_path, content, said):
    (tmp_path / "g.fa").write_bytes(content)

    with pytest.raises(InputError, match=said):
        Genome(tmp_path / "g.fa")


def test_letters_that_are_no_bases_are_named(tmp_path):
    (tmp_path / "g.fa").write_bytes(b">a\nAC T\n")

    with pytest.raises(InputError, match="a holds b' ' where bases should be"):
        Genome(tmp_path / "g.fa").codes("a")


def entries(fai):
    lines = [line.split("\t") for line in fai.decode().splitlines()]
    return {name: tuple(numbers) for name, *numbers in lines if numbers[0] != "0"}


@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
@pytest.mark.parametrize("suffix", [".fai", ".gzi"])
def test_no_flipped_bit_that_moves_a_base_fits(tmp_path, name, suffix):
    index = write(tmp_path / name)
    if suffix not in index:
        return
    for place in range(len(index[suffix])):
        for bit in range(8):
            changed = bytearray(index[suffix])
            changed[place] ^= 1 << bit
            if index_fits(tmp_path / name, {**index, suffix: bytes(changed)}):
                assert entries(bytes(changed)) == entries(index[".fai"])


def test_an_index_of_another_genome_is_passed_over_with_a_word(tmp_path, caplog):
    path = tmp_path / "g.fa"
    write(path)
    fai = tmp_path / "g.fa.fai"
    wrong = fai.read_bytes().replace(b"80000\t16", b"80000\t17")
    fai.write_bytes(wrong)
    os.utime(fai)

    with caplog.at_level(logging.WARNING):
        codes = Genome(path).codes("chr1")

    assert codes[:4].tolist() == [0, 1, 2, 3]
    assert "does not describe g.fa" in caplog.text
    assert fai.read_bytes() == wrong


@pytest.mark.parametrize(
    "more",
    [
        # A block that says it is longer than the file, one of gzip, and one of 16 MiB.
        lambda content: content[:-29],
        lambda content: content + gzip.compress(b">b\nACGT\n" * 9),
        lambda content: content[:-29] + b"\x01" + content[-28:],
    ],
    ids=["cut", "gzip behind it", "a block that is too long"],
)
def test_blocks_that_are_none_are_no_text(tmp_path, more):
    path = tmp_path / "g.fa.gz"
    with bgzf.open(path, "wb") as handle:
        handle.write(b">a\nACGT\n")
    path.write_bytes(more(path.read_bytes()))

    with path.open("rb") as handle, pytest.raises(ValueError, match="not bgzipped"):
        text_of(handle, is_bgzf=True)
    with pytest.raises(InputError, match=r"g\.fa\.gz: cannot be read as FASTA"):
        Genome(path)
