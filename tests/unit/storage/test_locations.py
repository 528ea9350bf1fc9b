"""Places in configurations, and local copies of objects."""

import os

import pytest
from pydantic import TypeAdapter, ValidationError

from finemo_dist.core.errors import UsageError
from finemo_dist.storage import locations
from finemo_dist.storage.locations import CACHE_VARIABLE, Location, local_copy


@pytest.mark.parametrize("value", ["", 3, None, b"a", ["a"]])
def test_what_is_no_place_is_refused_in_a_configuration(value):
    with pytest.raises(ValidationError, match="expected a path, or s3://BUCKET/KEY"):
        TypeAdapter(Location).validate_python(value)


@pytest.fixture
def put(local_bucket, tmp_path):
    """Return what puts an object of some text."""

    def make(key, text):
        file = tmp_path / "content"
        file.write_text(text)
        local_bucket(key).put_file(file)
        return local_bucket(key)

    return make


@pytest.mark.parametrize("suffixes", [(), (".fai",), (".fai", ".gzi")])
@pytest.mark.parametrize(("name", "has_indexes"), [("g.fa.gz", True), ("g.txt", False)])
def test_indexes_come_with_a_genome_and_are_no_older_than_it(put, name, has_indexes, suffixes):
    """Whoever reads it takes an older one for stale."""
    genome = put(name, ">chr1\nACGT\n")
    for suffix in suffixes:
        put(name + suffix, f"index {suffix}")

    copy = local_copy(genome)

    beside = {path.name: path.read_text() for path in copy.parent.iterdir()}
    expected = {name + suffix: f"index {suffix}" for suffix in suffixes if has_indexes}
    assert beside == {name: ">chr1\nACGT\n", **expected}
    times = {path.name: path.stat().st_mtime_ns for path in copy.parent.iterdir()}
    assert min(times, key=lambda each: (times[each], each != name)) == name


def test_no_copy_is_kept_in_a_folder_of_somebody_else(put, tmp_path, monkeypatch):
    path = put("x.h5", "content")
    other = os.getuid() + 1
    monkeypatch.setattr(locations.os, "getuid", lambda: other)

    with pytest.raises(UsageError) as caught:
        local_copy(path)

    assert str(caught.value) == (
        f"{tmp_path / 'cache'}: belongs to another user, so copies of objects are not kept there. "
        f"Name a directory of yours in {CACHE_VARIABLE}."
    )
    assert list((tmp_path / "cache").iterdir()) == []
