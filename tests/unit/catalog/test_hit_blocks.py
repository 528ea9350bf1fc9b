"""Rows of tables are those of their lines, wherever these are cut, and lines lie where told."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.catalog import hit_blocks
from finemo_dist.catalog.hit_blocks import file_records
from finemo_dist.catalog.hit_file import open_hit_file
from finemo_dist.catalog.hit_records import INTERSECT_RECORD, HitRecords, NameCodes
from finemo_dist.core.errors import InputError
from tests.hit_tables import hit_tables, tsv_hit, write_tsv

NUMBERS = ("start", "end", "start_untrimmed", "end_untrimmed", "peak_id", "hit_importance_sq")


def read(path, *, block_bytes=1 << 23, threads=None):
    """The records of a file, the names of their peaks, and the codes."""
    file, codes = open_hit_file(path), NameCodes()
    found, names = [np.empty(0, INTERSECT_RECORD)], []
    with pytest.MonkeyPatch.context() as patch, file.open() as source:
        patch.setattr(hit_blocks, "_BLOCK_BYTES", block_bytes)
        hits = HitRecords(INTERSECT_RECORD, codes)
        for records, block in file_records(
            file, source, hits, beside=["peak_name"], threads=threads
        ):
            records["line_start"], records["line_bytes"] = block.line_starts, block.line_bytes
            found.append(records)
            names += block.rows.column("peak_name").to_pylist()
    return np.concatenate(found), names, codes


@settings(max_examples=40)
@given(data=st.data(), rows=hit_tables(max_rows=12, has_coordinates=True))
def test_records_are_those_of_the_lines_wherever_these_are_cut(data, rows, tmp_path_factory):
    path = write_tsv(tmp_path_factory.mktemp("blocks") / "hits.tsv", rows)
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    path.write_bytes(path.read_bytes().replace(b"\n", end))
    block_bytes, threads = data.draw(st.integers(1, 400)), data.draw(st.integers(1, 3))

    found, names, codes = read(path, block_bytes=block_bytes, threads=threads)

    for name in NUMBERS:
        expected = np.array([row[name] for row in rows], INTERSECT_RECORD[name])
        assert np.array_equal(found[name], expected)
    assert names == [row["peak_name"] for row in rows]
    assert codes.chrom_names(found["chr_code"]).to_pylist() == [row["chr"] for row in rows]
    pairs = [codes.names(found["name_code"], which).to_pylist() for which in (0, 1)]
    assert list(zip(*pairs, strict=True)) == [(row["motif_name"], row["strand"]) for row in rows]
    content = path.read_bytes()
    spans = zip(found["line_start"], found["line_bytes"], strict=True)
    lines = [content[start : start + n_bytes] for start, n_bytes in spans]
    assert b"".join(line + b"\n" for line in lines) == content[content.index(b"\n") + 1 :]


@pytest.mark.parametrize(
    ("written", "value"), [("7.0", 7), ("+7", 7), ("7e0", 7), (str((1 << 31) + 1), (1 << 31) + 1)]
)
def test_a_whole_number_may_be_written_in_other_ways(written, value, tmp_path):
    rows = [tsv_hit(start=5), tsv_hit(start=written, end=value + 3)]

    found, _, _ = read(write_tsv(tmp_path / "hits.tsv", rows))

    assert found["start"].tolist() == [5, value]


def test_quotes_and_null_bytes_are_text(tmp_path):
    rows = [tsv_hit(motif_name=name, peak_name=name) for name in ('"a', "b\0", "'", 'c"')]

    found, names, codes = read(write_tsv(tmp_path / "hits.tsv", rows))

    assert names == codes.names(found["name_code"], 0).to_pylist() == ['"a', "b\0", "'", 'c"']


@pytest.mark.parametrize(
    "fault",
    [
        lambda line: b"\n" + line,
        lambda line: b"a\r" + line,
        lambda line: line.removesuffix(b"\n") + b"\r" + line,
        lambda line: b"\xff" + line,
        lambda line: b"x\t" + line,
        lambda line: line[line.index(b"\t") + 1 :],
    ],
    ids=["blank", "within a cell", "two in one", "no text", "more cells", "fewer cells"],
)
def test_what_is_no_line_of_the_table_is_refused(fault, tmp_path):
    path = write_tsv(tmp_path / "hits.tsv", [tsv_hit()])
    header, line = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + line + fault(line) + line)

    with pytest.raises(InputError, match=r"hits\.tsv: (line 3|cannot be read as a table of hits)"):
        read(path)


@pytest.mark.parametrize(
    "numbers", [{"start": 1 << 63}, {"start": -(1 << 70)}, {"peak_id": 1 << 32}], ids=str
)
def test_a_number_that_no_record_holds_is_refused(numbers, tmp_path):
    path = write_tsv(tmp_path / "hits.tsv", [tsv_hit(), tsv_hit(**numbers)])

    with pytest.raises(InputError, match=r"hits\.tsv: line 3"):
        read(path)


def test_the_last_line_of_a_gzipped_file_may_have_no_end(tmp_path):
    plain = write_tsv(tmp_path / "hits.tsv", [tsv_hit(), tsv_hit(start=12)])
    packed = tmp_path / "hits.tsv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes().removesuffix(b"\n")))

    (found, names, _), (expected, expected_names, _) = read(packed), read(plain)

    assert names == expected_names
    for name in (*NUMBERS, "line_start", "line_bytes"):
        assert found[name].tolist() == expected[name].tolist()
