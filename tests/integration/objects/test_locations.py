"""Objects as paths: the interface of pathlib, against a server on this machine."""

import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finemo_dist.core.config import FrozenModel
from finemo_dist.core.errors import UsageError
from finemo_dist.storage.locations import Location, local_copy, location
from finemo_dist.storage.objects import ObjectPath
from tests.integration.objects.conftest import SECRET

NAMES = st.from_regex(r"[a-zA-Z0-9_=%-][a-zA-Z0-9._=% -]{0,12}", fullmatch=True)


PLACES = st.integers(0, 400)


class Settings(FrozenModel):
    places: tuple[Location, ...]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"hello world")
    return path


@given(folder=st.lists(NAMES, min_size=1, max_size=3), name=NAMES)
def test_a_path_is_the_url_whatever_is_done_to_it(folder, name):
    url = "s3://bucket/" + "/".join(folder)
    path = location(url)

    assert str(path) == url
    assert str(path / name) == f"{url}/{name}"
    assert str((path / name).parent) == url
    assert (path / name).name == name
    assert str((path / "x").with_name(name)) == f"{url}/{name}"
    assert pickle.loads(pickle.dumps(path)) == path
    assert location(str(path)) == path
    assert str(Path("/anywhere") / path) == url
    assert str(path.resolve()) == str(path.absolute()) == url
    assert (path / name).is_relative_to(path)


@pytest.mark.parametrize("url", ["s3://", "s3:///key", "s3://bucket/../other/key"])
def test_what_names_no_bucket_is_refused(url):
    with pytest.raises(UsageError, match="Expected s3://BUCKET/KEY"):
        location(url)


def test_local_paths_stay_what_they_are(tmp_path):
    assert type(location(str(tmp_path))) is type(tmp_path)
    assert local_copy(tmp_path / "x") == tmp_path / "x"


def test_a_library_that_opens_by_name_fails_loudly():
    path = location("s3://bucket/key")

    with pytest.raises(TypeError, match="no path on a local disk"):
        os.fspath(path)
    with pytest.raises(TypeError, match="no path on a local disk"):
        path.rename(path)


def test_configurations_keep_urls_whole():
    made = Settings(places=["s3://bucket/key", "a/b"])

    assert [type(p) for p in made.places] == [ObjectPath, type(Path())]
    assert made.model_dump(mode="json") == {"places": ["s3://bucket/key", "a/b"]}
    with pytest.raises(ValueError, match="s3://BUCKET/KEY"):
        Settings(places=["s3://"])


def test_what_is_there_is_there(bucket, file):
    path = bucket.path("a/b.txt")
    assert not path.exists()
    path.put_file(file)

    assert path.is_file()
    assert not path.is_dir()
    assert path.parent.is_dir()
    assert not path.parent.is_file()
    assert path.stat().st_size == 11
    assert path.read_bytes() == file.read_bytes()
    assert [str(p) for p in path.parent.iterdir()] == [str(path)]
    assert list(bucket.path("").glob("a/*.txt")) == [path]
    assert list(bucket.path("").glob("*.txt")) == []
    ((name, (size, _)),) = path.parent.versions().items()
    assert (name, size) == ("b.txt", 11)
    path.unlink()
    assert not path.parent.exists()


def test_a_prefix_is_removed_and_its_namesake_is_not(bucket, file):
    for key in ("run/x/1", "run/x/2", "run/xy/3"):
        bucket.put(key, file)
    bucket.path("run/x").remove_below()

    assert [p.name for p in bucket.path("run").iterdir()] == ["xy"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400), reads=st.lists(st.tuples(PLACES, PLACES), max_size=5))
def test_an_open_object_reads_as_the_file_does(bucket, tmp_path, content, reads):
    local = tmp_path / "content"
    local.write_bytes(content)
    remote = bucket.path("content")
    remote.put_file(local)

    with local.open("rb") as a, remote.open("rb") as b:
        for position, size in reads:
            assert a.seek(position) == b.seek(position)
            assert a.read(size) == b.read(size)
    with remote.open("rb") as handle:
        assert handle.read() == content


def test_an_object_that_changes_while_it_is_read_is_an_error(bucket, file):
    path = bucket.path("changes")
    path.put_file(file)
    with path.open("rb") as handle:
        file.write_bytes(b"other words")
        path.put_file(file)
        with pytest.raises(OSError, match="changed by another program"):
            handle.read()


def test_an_object_is_not_opened_to_write(bucket):
    with pytest.raises(io.UnsupportedOperation):
        bucket.path("x").open("wb")


def test_of_two_writers_of_one_version_one_is_refused(bucket):
    path = bucket.path("run.json")
    first = path.put_if(b"1", replaces=None)
    with pytest.raises(FileExistsError):
        path.put_if(b"2", replaces=None)
    second = path.put_if(b"3", replaces=first)
    with pytest.raises(FileExistsError):
        path.put_if(b"4", replaces=first)

    assert path.read_tagged() == (b"3", second)


def test_a_copy_is_made_once_a_version(bucket, file):
    path = bucket.path("copied.bin")
    path.put_file(file)
    first = local_copy(path)
    made = first.stat().st_mtime_ns

    assert first.name == "copied.bin"
    assert first.read_bytes() == b"hello world"
    assert local_copy(path) == first
    assert first.stat().st_mtime_ns == made
    file.write_bytes(b"other words")
    path.put_file(file)
    assert local_copy(path) != first
    assert local_copy(path).read_bytes() == b"other words"


def test_a_large_object_is_copied_in_pieces(bucket, tmp_path, monkeypatch, rng):
    monkeypatch.setattr("finemo_dist.storage.locations._PIECE_BYTES", 1000)
    file = tmp_path / "large"
    file.write_bytes(rng.bytes(10_500))
    path = bucket.path("large")
    path.put_file(file)

    assert local_copy(path).read_bytes() == file.read_bytes()


def test_a_copy_that_does_not_fit_is_refused_before_it_is_made(bucket, file, monkeypatch):
    path = bucket.path("big.bin")
    path.put_file(file)
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)

    with pytest.raises(UsageError, match=r"big\.bin: takes 11 bytes, and 10 are free"):
        local_copy(path)


def test_a_bucket_that_is_not_there_is_said(bucket):
    path = location("s3://no-such-bucket-here/key")

    for ask in (path.read_bytes, path.exists, lambda: list(path.iterdir())):
        with pytest.raises(FileNotFoundError, match="NoSuchBucket"):
            ask()


def test_a_key_that_is_denied_is_said_without_the_key(denied):
    with pytest.raises(PermissionError, match="check AWS_") as caught:
        denied.path("x").read_bytes()

    assert SECRET not in str(caught.value)


def test_an_endpoint_that_is_down_is_given_up(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="the object store failed"):
        bucket.path("x").exists()


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(UsageError, match=r"finemo-dist\[s3\]"):
        location("s3://bucket/key").exists()


def test_paths_alone_load_no_library_of_object_stores():
    code = (
        "import sys; from finemo_dist.storage.locations import location; location('s3://b/k');"
        "assert not {'obstore', 'fsspec', 'zarr'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
