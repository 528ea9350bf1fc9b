"""Cells are those of the lines asked for, wherever these lie in the file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.intersect import file_lines
from finemo_dist.catalog.intersect.file_lines import CellReader
from finemo_dist.core.errors import InputError

cells = st.text(st.sampled_from("ab1.\u00e9"), max_size=4)
tables = st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=12)


def write(path, rows, end="\n"):
    path.write_bytes("".join("\t".join(row) + end for row in [("head",), *rows]).encode())
    return path


def spans_of(path):
    """Where lines start, and their bytes, the header left out."""
    _, *lines = path.read_bytes().splitlines(keepends=True)
    sizes = np.array([len(line) for line in lines])
    return path.stat().st_size - np.cumsum(sizes[::-1])[::-1], sizes - 1


@given(data=st.data(), rows=tables, end=st.sampled_from(["\n", "\r\n"]))
def test_cells_are_taken_as_they_stand_in_any_order(data, rows, end, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("lines") / "table", rows, end)
    starts, n_bytes = spans_of(path)
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=15))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_lines, "_GAP_BYTES", data.draw(st.sampled_from([0, 4, 1000])))
        patch.setattr(file_lines, "_READ_BYTES", data.draw(st.sampled_from([1, 30, 1000])))
        reader = CellReader(path, 4, ((0, 0), (1, 3), (2, 2)))
        found = reader.read(starts[chosen], n_bytes[chosen])

    texts = [["\t".join(rows[i][a : b + 1]) for i in chosen] for a, b in reader.wanted]
    assert [[cell.decode() for cell in column.to_pylist()] for column in found] == texts


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-9],
        lambda text: text[:-1],
        lambda text: text.replace(b"b", b"\t"),
        lambda text: text.replace(b"b\t", b"bb", 1),
        lambda text: text.replace(b"d\n", b"dd"),
        lambda text: b"a" + text,
    ],
    ids=["cut", "cut by a byte", "more cells", "fewer cells", "no ends", "moved"],
)
def test_a_file_that_was_changed_meanwhile_is_refused(change, tmp_path):
    path = write(tmp_path / "table", [("a", "b", "c", "d")] * 5)
    starts, n_bytes = spans_of(path)
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(InputError, match=r"table: was changed while it was read\. Run"):
        CellReader(path, 4, ((0, 0),)).read(starts, n_bytes)


def test_no_lines_have_no_cells(tmp_path):
    path = write(tmp_path / "table", [("a", "b")])

    (found,) = CellReader(path, 2, ((0, 1),)).read(np.empty(0, np.int64), np.empty(0, np.int64))

    assert len(found) == 0
