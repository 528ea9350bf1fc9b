"""Mapping files: their lines, and what is wrong with one."""

import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.motifs.mappings import read_names, read_numbers, read_renames, read_windows

READERS = [read_names, read_renames, read_numbers, read_windows]


def write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "mapping.tsv"
    path.write_bytes(text.encode(encoding))
    return path


def test_each_reader_takes_its_columns(tmp_path):
    path = write(tmp_path, "a\t1\t7\nb\t2\t9\n")

    assert read_names(path) == ("a", "b")
    assert read_renames(path) == {"a": "1", "b": "2"}
    assert read_numbers(path) == {"a": 1.0, "b": 2.0}
    assert read_windows(path) == {"a": (1, 7), "b": (2, 9)}


def test_blank_lines_are_skipped(tmp_path):
    """C10."""
    path = write(tmp_path, "\na\t1\n\n \t \n\t\nb\t2\n\n")

    assert read_numbers(path) == {"a": 1.0, "b": 2.0}


@pytest.mark.parametrize("text", ["a\t1\r\nb\t2\r\n", "a\t1\nb\t2", " a \t 1\nb\t2\t\n"])
def test_line_ends_and_spaces_around_fields_do_not_matter(tmp_path, text):
    assert read_numbers(write(tmp_path, text)) == {"a": 1.0, "b": 2.0}


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    assert read_names(write(tmp_path, "a\nb\n", "utf-8-sig")) == ("a", "b")


def test_quotes_are_letters_like_others(tmp_path):
    assert read_renames(write(tmp_path, 'a\t"x\nb\ty"\n')) == {"a": '"x', "b": 'y"'}


@pytest.mark.parametrize(
    ("read", "text", "line"),
    [
        (read_renames, "a\tA\nb\n", 2),
        (read_renames, "a\tA\n\nb\t\n", 3),
        (read_renames, "a\tA\x07B\n", 1),
        (read_numbers, "a\t1\n\n\nb\thigh\n", 4),
        (read_numbers, "a 1\n", 1),
        (read_windows, "a\t1\t2\nb\t3\n", 2),
        (read_windows, "a\t1.5\t2\n", 1),
    ],
)
def test_a_malformed_line_is_named_by_its_number(tmp_path, read, text, line):
    path = write(tmp_path, text)

    with pytest.raises(InputError, match=rf"mapping\.tsv, line {line}: found .* expected"):
        read(path)


@pytest.mark.parametrize("read", READERS)
def test_a_motif_may_have_one_line(tmp_path, read):
    path = write(tmp_path, "a\t1\t2\n\nb\t1\t2\na\t1\t2\n")

    with pytest.raises(InputError, match=r"line 4: names 'a' a second time"):
        read(path)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("text", ["", "\n\n", " \t \n"])
def test_an_empty_file_is_refused(tmp_path, read, text):
    with pytest.raises(InputError, match="is empty, expected one motif per line"):
        read(write(tmp_path, text))


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-16", "is UTF-16 text"), ("latin-1", "line 1: not a text file")]
)
def test_another_encoding_is_refused(tmp_path, encoding, said):
    with pytest.raises(InputError, match=said):
        read_renames(write(tmp_path, "a\tné\n", encoding))


def test_binary_content_is_refused(tmp_path):
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n\x00\xff")

    with pytest.raises(InputError, match=r"m\.h5: is an H5 file"):
        read_names(tmp_path / "m.h5")


@pytest.mark.parametrize(("name", "said"), [("none.tsv", "no such file"), (".", "is a folder")])
def test_a_missing_file_and_a_folder_are_refused(tmp_path, name, said):
    with pytest.raises(InputError, match=said):
        read_names(tmp_path / name)
