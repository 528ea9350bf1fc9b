"""Fixtures of the tests of single modules."""

from pathlib import Path

import pytest

from finemo_dist.storage import objects
from finemo_dist.storage.locations import CACHE_VARIABLE, location
from tests.conftest import skip_or_fail


@pytest.fixture
def local_bucket(tmp_path, monkeypatch):
    """Return what makes paths of objects: obstore keeps them in a folder, and no server is needed.

    All that S3 alone has is missing: puts on a condition, and refusals. ``integration/objects``
    has a server.
    """
    try:
        import obstore
        from obstore.store import LocalStore
    except ImportError as error:
        skip_or_fail("moto", f"obstore is not installed: {error}")

    def store(bucket, prefix, _environment):
        return LocalStore(tmp_path / "buckets" / bucket / (prefix or ""), mkdir=True)

    def delete(store, keys):
        # S3 does not mind what is not there, nor has it folders.
        keys = [keys] if isinstance(keys, str) else keys
        remove(store, [key for key in keys if Path(store.prefix, key).is_file()])

    remove = obstore.delete
    monkeypatch.setattr(obstore, "delete", delete)
    monkeypatch.setattr(objects, "_store", store)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return lambda key: location(f"s3://bucket/{key}")


@pytest.fixture(scope="module")
def catalog(run):
    """The catalog of a module's run, for tests that only ask it."""
    from finemo_dist.catalog.catalog import open_catalog

    with open_catalog(run) as opened:
        yield opened


@pytest.fixture(scope="module")
def on_threads(run):
    """The catalog of the run on one thread, and that on four."""
    from finemo_dist.catalog.catalog import open_catalog

    with open_catalog(run, threads=1) as one, open_catalog(run, threads=4) as four:
        yield one, four
