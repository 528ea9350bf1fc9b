"""Variants in every form that is read, and what is none."""

import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.sources.variants import Variant, read_pairs, read_variants

VCF = "##fileformat=VCFv4.5\n#CHROM\tPOS\tID\tREF\tALT\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            VCF + "1\t11\trs1\tac\tG\n", [Variant("rs1", "1", 10, "AC", "G", 2)], id="VCF"
        ),
        pytest.param(
            VCF + "1\t11\t.\tA\tC,GG\n",
            [
                Variant("1:11:A:C", "1", 10, "A", "C", 1),
                Variant("1:11:A:GG", "1", 10, "A", "GG", 1),
            ],
            id="VCF without a name, two ALT",
        ),
        pytest.param(
            VCF + "1\t11\trs1;rs2\tA\tC,G\n",
            [Variant("rs1", "1", 10, "A", "C", 1), Variant("rs2", "1", 10, "A", "G", 1)],
            id="VCF with a name for each ALT",
        ),
        pytest.param(
            VCF + "1\t11\trs1\tA\tC,G\n",
            [Variant("1:11:A:C", "1", 10, "A", "C", 1), Variant("1:11:A:G", "1", 10, "A", "G", 1)],
            id="VCF with one name for two ALT",
        ),
        pytest.param("chr1\t11\tA\tg\trs1\n", [Variant("rs1", "chr1", 10, "A", "G", 1)], id="list"),
        pytest.param(
            "chr1\t11\t-\tGT\trs1\tmore\nchr1\t21\tGT\t.\trs2\n",
            [Variant("rs1", "chr1", 10, "", "GT", 0), Variant("rs2", "chr1", 20, "GT", "", 2)],
            id="list with an insertion and a deletion",
        ),
        pytest.param(
            "track name=x\nbrowser position chr1\n# x\nchr1\t10\t12\tv\n",
            [Variant("v", "chr1", 10, None, None, 2)],
            id="BED",
        ),
        pytest.param(
            "chr1\t10\t12\nchr1\t15\t15\n",
            [
                Variant("chr1:10-12", "chr1", 10, None, None, 2),
                Variant("chr1:15-15", "chr1", 15, None, None, 0),
            ],
            id="BED without names",
        ),
        pytest.param(
            "chr1\t10\t12\tGT\t-\trs1\n",
            [Variant("rs1", "chr1", 10, "GT", "", 2)],
            id="BED with alleles",
        ),
        pytest.param(
            "chr1\t10\t12\tv\t0\t+\n",
            [Variant("v", "chr1", 10, None, None, 2)],
            id="BED6",
        ),
    ],
)
def test_variants_are_those_of_the_lines(tmp_path, text, expected):
    path = tmp_path / "v"
    path.write_text(text)

    assert read_variants(path) == expected


@pytest.mark.parametrize(
    "line",
    [
        VCF + "1\t0\trs1\tA\tC",
        VCF + "1\t11\trs1\t-\tC",
        VCF + "1\t11\trs1\tA\t<DEL>",
        VCF + "1\t11\trs1\tA\tC,*",
        VCF + "1\t11\trs1\tA",
        "chr1\t0\tA\tG\trs1",
        "chr1\t12\t10\tv",
        "chr1\t-1\t10\tv",
        "chr1\t10",
        "chr1\tx\t10\tv",
    ],
)
def test_a_line_that_is_no_variant_is_refused_with_its_number(tmp_path, line):
    path = tmp_path / "v"
    path.write_text(f"{line}\n")
    *before, last = line.split("\n")

    with pytest.raises(InputError) as caught:
        read_variants(path)

    assert str(caught.value).startswith(f"{path}, line {len(before) + 1}: found {last!r}, expected")
    assert str(caught.value).endswith("Correct the line, or leave it out.")


@pytest.mark.parametrize("text", ["", VCF, "track name=x\n"])
def test_a_file_without_a_variant_is_refused(tmp_path, text):
    path = tmp_path / "v"
    path.write_text(text)

    with pytest.raises(InputError, match=r"v: holds no variant\. Expected a VCF"):
        read_variants(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v1\t0\t3\nv2\t1\t2\n", [("v1", 0, 3), ("v2", 1, 2)]),
        ("name\treference\talternative\n# v0\t0\t0\nv1\t1e1\t3\n", [("v1", 10, 3)]),
        ("", []),
    ],
)
def test_pairs_are_names_and_rows(tmp_path, text, expected):
    path = tmp_path / "pairs"
    path.write_text(text)

    assert read_pairs(path) == expected


@pytest.mark.parametrize(
    "line", ["v1\t-1\t3", "v1\t0\t-3", "v1\t0", "v1\t0\t1\t2", "v1\t0\tx", "name\tref\talt"]
)
def test_a_line_that_is_no_pair_is_refused_with_its_number(tmp_path, line):
    path = tmp_path / "pairs"
    path.write_text(f"v0\t0\t1\n{line}\n")

    with pytest.raises(InputError) as caught:
        read_pairs(path)

    assert str(caught.value).startswith(f"{path}, line 2: found {line!r}, expected the name of")
