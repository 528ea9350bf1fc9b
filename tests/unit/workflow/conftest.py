"""Small runs of known hits whose region stores are there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from finemo_dist.store.staging import encode
from tests.unit.catalog import builder
from tests.unit.store.memory_source import make_source


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return what writes a run whose one sample, ``sample``, was called in a store of four regions.

    If ``is_rewritten``, another store is where that was.
    """

    def write(*hits: builder.Row, is_rewritten: bool = False) -> Path:
        meta = encode(make_source(4, width=100, hypothetical=False), tmp_path / "sample.zarr")
        monkeypatch.chdir(tmp_path)
        if not is_rewritten:
            monkeypatch.setattr(builder, "STORE_DIGEST", meta.digest)
        return builder.write_run(tmp_path / "run", {"sample": [hits or [builder.hit()]]})

    return write
