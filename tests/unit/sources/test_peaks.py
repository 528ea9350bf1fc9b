"""Peaks files, as they are and as they should not be."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.records import RegionTable
from finemo_dist.sources.peaks import find_duplicates, read_peaks


@pytest.fixture
def read(tmp_path):
    def read_text(text, *, region_width=10, chrom_order=None):
        path = tmp_path / "peaks.bed"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        order = None
        if chrom_order is not None:
            order = tmp_path / "order.txt"
            order.write_text(chrom_order)
        return read_peaks(path, region_width=region_width, chrom_order=order)

    return read_text


def narrow(summit, name="p", chrom="chr1", start=100, end=200):
    return f"{chrom}\t{start}\t{end}\t{name}\t0\t.\t1\t2\t3\t{summit}\n"


def test_region_is_centred_on_the_summit(read):
    peaks = read(narrow(30), region_width=20)

    assert peaks.table.start.tolist() == [120]
    assert not peaks.no_summit.any()


@pytest.mark.parametrize("summit", ["-1", ".", ""])
def test_missing_summit_is_the_middle_of_the_peak(read, summit):
    peaks = read(narrow(summit, end=203), region_width=20)

    assert peaks.table.start.tolist() == [151 - 10]
    assert peaks.no_summit.tolist() == [True]


@pytest.mark.parametrize("line", ["chr1\t100\t200\n", "chr1\t100\t200\tp\t0\t+\n"])
def test_bed_without_a_summit_column_takes_the_middle(read, line):
    peaks = read(line)

    assert peaks.table.start.tolist() == [145]
    assert peaks.no_summit.tolist() == [True]


def test_tenth_column_of_bed12_is_not_a_summit(read):
    peaks = read("chr1\t100\t200\tp\t0\t+\t100\t200\t0\t2\t10,20,\t0,80,\n")

    assert peaks.table.start.tolist() == [145]


def test_columns_after_the_summit_are_ignored(read):
    peaks = read(narrow(30).rstrip() + "\tmore\tcolumns\n")

    assert peaks.table.start.tolist() == [125]


def test_blanks_stand_in_for_tabs_where_there_are_none(read):
    assert read("chr1 100 200 p\n").table.peak_name.tolist() == ["p"]


def test_names_may_hold_blanks(read):
    assert read(narrow(5, name="my peak")).table.peak_name.tolist() == ["my peak"]


@pytest.mark.parametrize("name", [".", "NA", "a/b", "naïve"])
def test_name_stays_as_it_is(read, name):
    assert read(narrow(5, name=name)).table.peak_name.tolist() == [name]


def test_headers_comments_and_blank_lines_are_skipped(read):
    text = "track name=x\nbrowser position\n# c\n\n" + narrow(1) + "\r\n" + narrow(2) + "\n"

    assert read(text).table.peak_id.tolist() == [0, 1]


def test_chromosome_called_like_a_header_is_read(read):
    assert read("tracker\t1\t2\n").table.chrom_names == ("tracker",)


def test_gzipped_peaks_read_as_plain_ones(read):
    assert len(read(gzip.compress(narrow(3).encode() * 3)).table) == 3


def test_windows_line_ends_are_no_part_of_the_last_column(read):
    assert read(narrow(30).replace("\n", "\r\n")).table.start.tolist() == [125]


def test_chromosomes_rank_as_they_first_appear(read):
    text = "".join(narrow(1, chrom=c) for c in ("chrB", "chrA", "chrB"))

    table = read(text).table

    assert table.chrom_names == ("chrB", "chrA")
    assert table.chrom_id.tolist() == [0, 1, 0]


def test_named_order_comes_first_and_the_rest_after_it(read):
    text = "".join(narrow(1, chrom=c) for c in ("chrX", "chrA", "chrY"))

    table = read(text, chrom_order="chrZ\t7\nchrY\n\nchrA\nchrY\n").table

    assert table.chrom_names == ("chrZ", "chrY", "chrA", "chrX")
    assert table.chrom_id.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    "line",
    [
        "chr1\t100\n",
        "chr1\t200\t100\n",
        "chr1\t-5\t100\n",
        "chr1\ta\tb\n",
        "\t1\t2\n",
        narrow("x"),
        narrow(-7),
        narrow("1.5"),
    ],
)
def test_malformed_line_refuses_with_its_number(read, line):
    with pytest.raises(InputError, match="line 3: "):
        read("#\n" + narrow(1) + line)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_peaks_file_without_peaks_refuses(read, text):
    with pytest.raises(InputError, match="no peaks"):
        read(text)


@pytest.mark.parametrize("width", [7, 0, -2])
def test_width_without_a_middle_refuses(read, width):
    with pytest.raises(UsageError, match="even"):
        read(narrow(1), region_width=width)


def test_missing_file_refuses(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_peaks(tmp_path / "none.bed", region_width=10)


def test_truncated_gzip_refuses(read):
    with pytest.raises(InputError, match="damaged gzip"):
        read(gzip.compress(narrow(3).encode() * 99)[:-20])


def test_file_that_is_not_text_refuses(read):
    with pytest.raises(InputError, match="not a text file"):
        read(b"chr1\t\xff\xfe\n")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 3)), max_size=12))
def test_a_region_is_a_duplicate_when_an_earlier_one_is_the_same(regions):
    n = len(regions)
    chrom_id = np.array([r[0] for r in regions], dtype=np.int32)
    start = np.array([r[1] for r in regions], dtype=np.int64)
    table = RegionTable(
        ("a", "b", "c"), chrom_id, start, np.arange(n, dtype=np.uint32), np.full(n, ".", object)
    )

    expected = [r in regions[:i] for i, r in enumerate(regions)]

    assert find_duplicates(table).tolist() == expected
