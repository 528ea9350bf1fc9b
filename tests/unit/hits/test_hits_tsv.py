"""Rows of tables are those of their lines, wherever these are cut; what is no hit is named."""

import gzip
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.core.errors import InputError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.hits import hits_tsv
from finemo_dist.hits.hits_tsv import open_hit_table, text_of
from tests.hit_tables import hit_tables, tsv_hit, write_tsv


def read(path, *, block_bytes=1 << 23, threads=None, groups=()):
    """The rows of a table, and some of the cells of each as text."""
    rows, texts = [], []
    with pytest.MonkeyPatch.context() as patch, open_hit_table(path) as table:
        patch.setattr(hits_tsv, "BLOCK_BYTES", block_bytes)
        for block in table.blocks(FINEMO_HIT_COLUMNS, threads=threads):
            assert block.first_row == len(rows)
            rows += block.rows.to_pylist()
            if groups:
                places = [place for a, b in groups for place in range(a, b + 1)]
                texts += text_of(block, len(table.columns), places).to_pylist()
    return rows, [text.decode() for text in texts]


groups_of_columns = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14)).map(lambda pair: tuple(sorted(pair))),
    min_size=1,
    max_size=3,
)


@settings(max_examples=40)
@given(data=st.data(), rows=hit_tables(max_rows=12, has_coordinates=True))
def test_rows_and_cells_are_those_of_the_lines_wherever_these_are_cut(data, rows, tmp_path_factory):
    path = write_tsv(tmp_path_factory.mktemp("blocks") / "hits.tsv", rows)
    lines = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    path.write_bytes(path.read_bytes().replace(b"\n", end))
    groups = data.draw(groups_of_columns | st.just([(0, 14)]))

    found, texts = read(
        path,
        block_bytes=data.draw(st.integers(1, 400)),
        threads=data.draw(st.integers(1, 3)),
        groups=groups,
    )

    assert found == rows
    cells = [[cell for a, b in groups for cell in line[a : b + 1]] for line in lines]
    assert texts == ["\t".join(line) for line in cells]


def test_a_pipe_is_read_once(tmp_path):
    rows = [tsv_hit(start=10 + i) for i in range(5)]
    plain = write_tsv(tmp_path / "hits.tsv.gz", rows).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(plain,))
    writer.start()

    found, _ = read(pipe, block_bytes=100)

    writer.join()
    assert found == rows


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = write_tsv(tmp_path / "hits.tsv", [tsv_hit()])
    path.write_bytes("\ufeff".encode() + path.read_bytes())

    assert read(path)[0] == [tsv_hit()]


def test_the_first_fault_is_named_where_numbers_are_written_with_a_point(tmp_path):
    rows = [tsv_hit(start=f"{10 + i}.0") for i in range(4)]
    rows[2]["hit_similarity"] = "nan"

    with pytest.raises(InputError, match=r"line 4, column hit_similarity is 'nan'"):
        read(write_tsv(tmp_path / "hits.tsv", rows))


@pytest.mark.parametrize(
    ("written", "value"), [("7.0", 7), ("+7", 7), ("7e0", 7), (str((1 << 31) + 1), (1 << 31) + 1)]
)
def test_a_whole_number_may_be_written_in_other_ways(written, value, tmp_path):
    rows = [tsv_hit(start=5), tsv_hit(start=written, end=value + 3)]

    found, _ = read(write_tsv(tmp_path / "hits.tsv", rows))

    assert [row["start"] for row in found] == [5, value]


def test_quotes_and_null_bytes_are_text(tmp_path):
    rows = [tsv_hit(motif_name=name, peak_name=name) for name in ('"a', "b\0", "'", 'c"')]

    found, _ = read(write_tsv(tmp_path / "hits.tsv", rows))

    assert [row["motif_name"] for row in found] == ['"a', "b\0", "'", 'c"']
    assert found == rows


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

    assert read(packed, groups=[(0, 14)]) == read(plain, groups=[(0, 14)])
