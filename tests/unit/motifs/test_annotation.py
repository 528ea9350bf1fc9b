"""The file that says what motifs are."""

import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.motifs.annotation import read_annotation

NAMES = ("pattern_0", "pattern_1", "pattern_2")


def read(folder, text):
    (folder / "a.tsv").write_text(text, "utf-8")
    return read_annotation(folder / "a.tsv", NAMES)


def test_columns_are_found_by_name_and_others_passed_over(tmp_path):
    found = read(
        tmp_path,
        "\ufeffq\tcluster\tmotif_name\ttf\n1\tc1\tpattern_1\tAP-1\n\n2\tc1\tpattern_0\tNA\r\n",
    )

    assert found == (
        MotifAnnotation("pattern_1", tf="AP-1", cluster="c1"),
        MotifAnnotation("pattern_0", cluster="c1"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: found .*expected a header"),
        ("pattern_0\tCTCF\n", "line 1: found .*expected a header"),
        ("motif_name\tfactor\npattern_0\tCTCF\n", "at least one of tf, family, cluster"),
        ("motif_name\ttf\ttf\npattern_0\tA\tB\n", "names the column tf twice"),
        ("motif_name\ttf\n", "annotates no motif"),
        ("motif_name\ttf\npattern_00\tCTCF\n", "line 2.*Did you mean 'pattern_0'"),
        ("motif_name\ttf\npattern_0\tA\npattern_0\tA\n", "line 3.*second time"),
        ("motif_name\ttf\npattern_0\tA\x1b[31m\n", "printable"),
    ],
)
def test_what_does_not_fit_is_refused_by_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.tsv").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InputError, match="is UTF-16 text"):
        read_annotation(tmp_path / "a.tsv", NAMES)
