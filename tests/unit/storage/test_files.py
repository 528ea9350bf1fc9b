"""Files that are seen whole or not at all, and what a file is known by."""

import os
import sys
import threading
from pathlib import Path

import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.storage import files
from finemo_dist.storage.files import committed, describe_input


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_under_its_name_when_it_is_whole(tmp_path):
    with committed(tmp_path / "a" / "b" / "f.txt") as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path / "a" / "b"
        assert temporary.name.startswith(".f.txt.")
        assert temporary.name.endswith(".tmp")
        assert not (tmp_path / "a" / "b" / "f.txt").exists()

    assert (tmp_path / "a" / "b" / "f.txt").read_text() == "new"
    assert names(tmp_path / "a" / "b") == ["f.txt"]


def write_half(path, error):
    with committed(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_crash_inside_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "f").write_text("old")

    with pytest.raises(error):
        write_half(tmp_path / "f", error)

    assert (tmp_path / "f").read_text() == "old"
    assert names(tmp_path) == ["f"]


def test_a_crash_before_anything_is_written_is_passed_on(tmp_path):
    with pytest.raises(ValueError, match="early"), committed(tmp_path / "f"):
        raise ValueError("early")

    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc: Linux only")
def test_a_write_that_fails_says_where(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(OSError, match="No space") as caught, committed(path):
        raise OSError(28, "No space left on device")

    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "filename"),
    [
        (OSError(2, "No such file", "/elsewhere/x"), "/elsewhere/x"),
        # Libraries raise it for what is damaged.
        (OSError("file signature not found"), None),
    ],
)
def test_an_error_that_says_where_or_is_of_no_disk_is_left_as_it_is(tmp_path, error, filename):
    with pytest.raises(OSError) as caught:  # noqa: PT011
        write_half(tmp_path / "f", error)

    assert caught.value is error
    assert caught.value.filename == filename
    assert list(tmp_path.iterdir()) == []


def test_content_is_on_disk_before_the_name_is_and_the_name_before_it_returns(
    tmp_path, monkeypatch
):
    seen = []
    fsync = os.fsync

    def note(descriptor):
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append((target == tmp_path, (tmp_path / "f").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with committed(tmp_path / "f") as temporary:
        temporary.write_text("x")

    assert seen == [(False, False), (True, True)]


def test_a_disk_that_cannot_flush_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "f").write_text("old")

    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"), committed(tmp_path / "f") as temporary:
        temporary.write_text("new")

    assert (tmp_path / "f").read_text() == "old"
    assert names(tmp_path) == ["f"]


def test_of_concurrent_writers_one_wins_whole(tmp_path):
    barrier = threading.Barrier(8)

    def write(letter):
        with committed(tmp_path / "f") as temporary:
            temporary.write_text(letter * 100_000)
            barrier.wait(timeout=30)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    content = (tmp_path / "f").read_text()
    assert len(content) == 100_000
    assert len(set(content)) == 1
    assert names(tmp_path) == ["f"]


def test_a_file_is_known_by_its_content_not_by_its_name(tmp_path):
    for name, content in (("a", b"abc"), ("b", b"abc"), ("c", b"abd"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
    a, b, c, empty = (describe_input(tmp_path / name) for name in ("a", "b", "c", "empty"))

    assert (a.path, a.size_bytes) == (str(tmp_path / "a"), 3)
    assert a.digest == b.digest
    assert len({a.digest, c.digest, empty.digest}) == 3


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A file that counts as large: 16 samples of 10 bytes of its 1,000."""
    monkeypatch.setattr(files, "_WHOLE_FILE_BYTES", 999)
    monkeypatch.setattr(files, "_SAMPLE_BYTES", 10)
    path = tmp_path / "large.bw"
    path.write_bytes(bytes(1000))
    return path


@pytest.mark.parametrize("at", [0, 9, 66, 990, 999])
def test_a_large_file_with_other_content_in_a_sample_differs(large, at):
    before = describe_input(large).digest
    content = bytearray(1000)
    content[at] = 1
    large.write_bytes(content)

    assert describe_input(large).digest != before


def test_a_large_file_is_only_sampled(large):
    before = describe_input(large).digest
    content = bytearray(1000)
    content[30] = 1
    large.write_bytes(content)

    assert describe_input(large).digest == before


def test_a_large_file_of_another_length_differs(large):
    before = describe_input(large).digest
    large.write_bytes(bytes(1001))

    assert describe_input(large).digest != before


def test_every_byte_of_a_file_of_the_limit_counts(large, monkeypatch):
    monkeypatch.setattr(files, "_WHOLE_FILE_BYTES", 1000)
    before = describe_input(large).digest
    content = bytearray(1000)
    content[30] = 1
    large.write_bytes(content)

    assert describe_input(large).digest != before


@pytest.mark.parametrize("name", ["none.bw", "."])
def test_what_cannot_be_read_is_refused_by_name(tmp_path, name):
    path = tmp_path / name

    with pytest.raises(InputError, match=r"cannot be read: .+\. Check the path") as caught:
        describe_input(path)

    assert str(path) in str(caught.value)
