"""Stores on object storage: made under their name, complete with their last attribute."""

import asyncio
import os
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from obstore.exceptions import GenericError
from zarr.storage import ObjectStore

from finemo_dist.core.errors import InputError, ServiceError, StoreError, UsageError
from finemo_dist.core.events import ExtractionPlanned, ShardExtracted
from finemo_dist.storage.objects import ObjectPath
from finemo_dist.store import staging
from finemo_dist.store.objects import ZarrObjects
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from finemo_dist.store.verify import verify
from tests.unit.store.memory_source import make_source


@pytest.fixture
def path(local_bucket):
    return local_bucket("folder/s.zarr")


@pytest.fixture
def write(path):
    return partial(encode, path=path, shard_regions=64)


def keys(path):
    return sorted(str(found.relative_to(path)) for found in path.below())


def interrupted(write, source, **options):
    def interrupt(event):
        if isinstance(event, ShardExtracted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(source, on_event=interrupt, **options)


def test_a_store_of_objects_is_that_of_files(write, path, tmp_path):
    source = make_source(150)
    expected = encode(source, tmp_path / "local.zarr", shard_regions=64)

    assert write(source) == expected
    assert keys(path) == sorted(
        str(p.relative_to(tmp_path / "local.zarr"))
        for p in (tmp_path / "local.zarr").rglob("*") if p.is_file()
    )  # fmt: skip
    assert verify(path) == []


def test_a_complete_store_is_replaced_whole_and_only_when_that_is_asked(write, path):
    write(make_source(150))
    with pytest.raises(UsageError, match=r"s\.zarr: exists\. Choose another output"):
        write(make_source(70, seed=1))
    assert open_store(path).n_regions == 150

    # A larger shard of the old one would be left among those of the new.
    interrupted(write, make_source(70, seed=1), overwrite=True)
    assert "contributions/c.2.0.0" not in keys(path)
    with pytest.raises(StoreError, match="is not complete"):
        open_store(path)

    events = []
    write(make_source(70, seed=1), on_event=events.append)
    assert events[0] == ExtractionPlanned(1), "the shard that was written is kept"
    assert open_store(path).n_regions == 70
    assert verify(path) == []


def test_a_damaged_store_is_replaced_by_one_of_the_same_source(write, path):
    """None of it is kept, though its records say that it is whole."""
    source = make_source(150)
    write(source)
    chunk = path / "contributions" / "c.1.0.0"
    chunk.unlink()
    chunk.put_if(b"junk", replaces=None)
    assert len(verify(path)) == 1

    events = []
    write(source, overwrite=True, on_event=events.append)

    assert events[0] == ExtractionPlanned(3)
    assert verify(path) == []


def test_what_is_removed_is_no_store_from_the_first_on(write, path, monkeypatch):
    """The attributes go last, so that nobody takes what is left for a store of fill values."""
    write(make_source(150))
    removed = []

    def stop(_path):
        raise KeyboardInterrupt

    monkeypatch.setattr(staging, "remove_tree", lambda entry: removed.append(entry.name))
    monkeypatch.setattr(ObjectPath, "remove_below", stop)
    with pytest.raises(KeyboardInterrupt):
        write(make_source(70), overwrite=True)

    assert set(removed) >= {"contributions", "partitions.json", "regions.npz", "sequence"}
    assert "zarr.json" not in removed
    with pytest.raises(StoreError, match="is not complete"):
        open_store(path)


@pytest.mark.parametrize("fault", [InputError("damaged"), OSError(28, os.strerror(28))])
def test_an_extraction_that_fails_leaves_no_object(write, path, fault):
    def fail(start):
        if start:
            raise fault

    with pytest.raises((InputError, StoreError), match=r"damaged|no space is left"):
        write(replace(make_source(150), on_read=fail))

    assert keys(path.parent) == []


def test_an_extraction_that_is_refused_at_once_leaves_what_others_have_there(write, path):
    path.parent.joinpath("other").put_if(b"x", replaces=None)

    with pytest.raises(UsageError, match="Shards of"):
        encode(make_source(9), path, shard_regions=-1)

    assert keys(path.parent) == ["other"]


def test_a_store_that_is_made_again_is_none_meanwhile_and_keeps_its_shards(write, path):
    source = make_source(150)
    meta = write(source)

    staging.reopen(path)

    assert staging.is_begun(path)
    events = []
    assert write(source, on_event=events.append) == meta
    assert events[0] == ExtractionPlanned(0)


@pytest.mark.parametrize("is_local", [True, False])
def test_where_a_service_ends_the_work_the_shards_are_kept_for_a_rerun(
    write, path, tmp_path, is_local
):
    """Nothing is wrong with the store, and none of the inputs is damaged."""
    place = tmp_path / "s.zarr" if is_local else path

    def fail(start):
        # Blocks are read ahead: all of the first shard is written by then.
        if start >= 128:
            raise ServiceError("s3://bucket/x.bw: the object store failed")

    with pytest.raises(ServiceError, match="the object store failed"):
        write(replace(make_source(150), on_read=fail), path=place)

    staged = staging.claim(place)
    assert staging.unwritten(staged)[-1] == 2
    events = []
    write(make_source(150), path=place, on_event=events.append)
    assert events[0].n_shards < 3
    assert verify(place) == []


def test_zarr_lists_objects(write, path):
    write(make_source(70))
    store = ZarrObjects.of(path)

    async def listed(names):
        return [name async for name in names]

    assert sorted(asyncio.run(listed(store.list_dir("sequence")))) == [
        "c.0.0", "c.1.0", "zarr.json",
    ]  # fmt: skip
    assert sorted(asyncio.run(listed(store.list()))) == keys(path)
    assert sorted(asyncio.run(listed(store.list_prefix("sequence/")))) == [
        "sequence/c.0.0", "sequence/c.1.0", "sequence/zarr.json",
    ]  # fmt: skip


@pytest.mark.parametrize(("method", "inherited"), [("list_dir", "list_dir"), ("list", "_list")])
def test_a_listing_that_fails_is_told_as_whatever_else_fails_there(
    path, monkeypatch, method, inherited
):
    """Zarr would raise the words of obstore, with the request in full."""

    async def fail(self, prefix=None):
        raise GenericError("PUT https://key@host status code: 503 Slow Down")
        yield

    monkeypatch.setattr(ObjectStore, inherited, fail)
    store = ZarrObjects.of(path)

    async def listed():
        found = store.list_dir("") if method == "list_dir" else store.list()
        return [name async for name in found]

    with pytest.raises(ServiceError) as caught:
        asyncio.run(listed())

    assert str(caught.value).startswith(f"{path}: the object store failed (503 Slow Down)")
    assert "key@host" not in str(caught.value)


def test_rows_of_objects_are_read(write, path):
    source = make_source(150)
    write(source)

    batch = open_store(path).read(60, 70)

    np.testing.assert_array_equal(batch.sequence, source.sequence[60:70])
