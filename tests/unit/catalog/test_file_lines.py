"""Cells are those of the lines asked for, wherever these lie in the file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.intersect import file_lines
from finemo_dist.catalog.intersect.file_lines import CellReader, LineSpans
from finemo_dist.core.errors import InputError

cells = st.text(st.sampled_from("ab1.\u00e9"), max_size=4)
tables = st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=12)


def write(path, rows, end="\n"):
    path.write_bytes("".join("\t".join(row) + end for row in [("head",), *rows]).encode())
    return path


def spans_of(path, n_lines):
    with path.open("rb") as source:
        source.readline()
        return LineSpans(source).take(n_lines)


@given(data=st.data(), rows=tables, end=st.sampled_from(["\n", "\r\n"]))
def test_cells_are_taken_as_they_stand_in_any_order(data, rows, end, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("lines") / "table", rows, end)
    starts, n_bytes = spans_of(path, len(rows))
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=15))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_lines, "_GAP_BYTES", data.draw(st.sampled_from([0, 4, 1000])))
        patch.setattr(file_lines, "_READ_BYTES", data.draw(st.sampled_from([1, 30, 1000])))
        reader = CellReader(path, 4, ((0, 0), (1, 3), (2, 2)))
        found = reader.read(starts[chosen], n_bytes[chosen])

    texts = [["\t".join(rows[i][a : b + 1]) for i in chosen] for a, b in reader.wanted]
    assert [[cell.decode() for cell in column.to_pylist()] for column in found] == texts


@given(rows=tables, sizes=st.lists(st.integers(0, 5), max_size=6))
def test_lines_are_told_in_their_order_and_no_more_than_there_are(rows, sizes, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("lines") / "table", rows)
    content = path.read_bytes()

    with path.open("rb") as source, pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_lines, "_SCANNED_BYTES", 7)
        source.readline()
        spans = LineSpans(source)
        takes = [list(zip(*spans.take(n), strict=True)) for n in [*sizes, 100]]

    left = len(rows)
    for n, taken in zip(sizes, takes, strict=False):
        assert len(taken) == min(n, left)
        left -= len(taken)
    found = [line for taken in takes for line in taken]
    lines = [content[start : start + n_bytes].decode() for start, n_bytes in found]
    assert lines == ["\t".join(row) for row in rows]


@pytest.mark.parametrize(
    "change", [lambda text: text[:-9], lambda text: text.replace(b"b", b"\t")], ids=["cut", "cells"]
)
def test_a_file_that_was_changed_meanwhile_is_refused(change, tmp_path):
    path = write(tmp_path / "table", [("a", "b", "c", "d")] * 5)
    starts, n_bytes = spans_of(path, 5)
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(InputError, match=r"table: was changed while it was read\. Run"):
        CellReader(path, 4, ((0, 0),)).read(starts, n_bytes)


def test_no_lines_have_no_cells(tmp_path):
    path = write(tmp_path / "table", [("a", "b")])

    (found,) = CellReader(path, 2, ((0, 1),)).read(np.empty(0, np.int64), np.empty(0, np.int64))

    assert len(found) == 0
