"""What a file of peaks may look like, and what is no peak."""

import gzip

import pytest

from finemo_dist.store.read import open_store


def starts(path):
    return open_store(path).table(0, 12).start.tolist()


@pytest.fixture
def centres(inputs):
    """Chromosome and middle of every region."""
    return [(chrom, start + inputs.width // 2) for chrom, start in inputs.starts]


def as_bed(centres, n_columns):
    rest = ["peak", "0", "."]
    rows = [[c, str(m - 50), str(m + 50), *rest][:n_columns] for c, m in centres]
    return "".join("\t".join(row) + "\n" for row in rows)


@pytest.mark.parametrize("n_columns", [3, 6])
def test_C5_BED_has_its_summit_in_the_middle(works, inputs, centres, tmp_path, n_columns):
    (tmp_path / "p.bed").write_text(as_bed(centres, n_columns))

    works(*inputs.extract("bw", peaks=tmp_path / "p.bed"), "-o", tmp_path / "s")

    assert starts(tmp_path / "s") == [start for _, start in inputs.starts]


def test_C6_comments_and_browser_lines_are_skipped(works, inputs, centres, tmp_path):
    lines = as_bed(centres, 3).splitlines(keepends=True)
    odd = ["#chrom start end\n", "track name=peaks\n", "browser position chr1:1-2\n", "\n"]
    (tmp_path / "p.bed").write_text("".join([*odd, *lines[:4], *odd, *lines[4:], *odd]))

    works(*inputs.extract("bw", peaks=tmp_path / "p.bed"), "-o", tmp_path / "s")

    assert starts(tmp_path / "s") == [start for _, start in inputs.starts]


def test_C6_gzipped_peaks_are_read(works, inputs, tmp_path):
    with gzip.open(tmp_path / "p.narrowPeak.gz", "wb") as handle:
        handle.write(inputs.peaks.read_bytes())

    works(*inputs.extract("bw", peaks=tmp_path / "p.narrowPeak.gz"), "-o", tmp_path / "s")

    assert starts(tmp_path / "s") == [start for _, start in inputs.starts]


@pytest.mark.parametrize(
    "line",
    ["chr1\t100", "chr1\tx\t200", "chr1\t300\t200", "chr1\t-5\t200", "chr1 100",
     "chr1\t1\t9\tn\t0\t.\t0\t-1\t-1\tsummit", "chr1\t1.5\t9"],
)  # fmt: skip
def test_C6_a_malformed_line_is_refused_by_its_number(refused, inputs, centres, tmp_path, line):
    lines = ["# peaks", *as_bed(centres, 3).splitlines()]
    lines[5] = line
    (tmp_path / "p.bed").write_text("\n".join(lines) + "\n")

    refused(
        *inputs.extract("bw", peaks=tmp_path / "p.bed"), "-o", tmp_path / "s",
        says=(f"{tmp_path / 'p.bed'}, line 6:", "Expected chromosome, start and end"),
    )  # fmt: skip


def test_C6_a_damaged_gzip_file_is_refused(refused, inputs, tmp_path):
    whole = gzip.compress(inputs.peaks.read_bytes())
    (tmp_path / "p.gz").write_bytes(whole[: len(whole) // 2])

    refused(
        *inputs.extract("bw", peaks=tmp_path / "p.gz"), "-o", tmp_path / "s",
        says=(tmp_path / "p.gz", "damaged gzip", "again"),
    )  # fmt: skip
