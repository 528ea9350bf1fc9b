"""A store with coordinates of its own and the contributions of another."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from finemo_dist.core.errors import InputError, StoreError
from finemo_dist.core.records import InputCounts, InputFile, RegionTable
from finemo_dist.store.encode import unwritten_partitions
from finemo_dist.store.placed import PlacedRegions
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from finemo_dist.store.verify import verify
from tests.unit.store.memory_source import make_source, table_of

N = 70
PEAKS = InputFile("peaks.bed", 1, "p")


@pytest.fixture
def base(tmp_path):
    source = make_source(N)
    source.regions = RegionTable.without_coordinates(N)
    encode(source, tmp_path / "base.zarr")
    return open_store(tmp_path / "base.zarr")


def table(seed=1):
    found = table_of(N, seed=seed)
    return replace(found, start=np.abs(found.start))


def place(base, at=None):
    return PlacedRegions.at(
        base, table() if at is None else at, PEAKS, n_no_summit=3, n_summit_outside=1, n_duplicate=2
    )


def assert_tables_equal(a, b):
    assert a.chrom_names == b.chrom_names
    for name in ("chrom_id", "start", "peak_id", "peak_name"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_it_has_its_own_coordinates_and_the_rest_of_the_other(base, tmp_path):
    store = place(base).write(tmp_path / "placed.zarr")

    assert_tables_equal(store.table(0, N), table())
    for found, expected in zip(
        (store.read(3, 68).sequence, store.read(3, 68).contributions, store.sequences(3, 68)),
        (base.read(3, 68).sequence, base.read(3, 68).contributions, base.read(3, 68).sequence),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)
    assert store.n_shards == base.n_shards
    assert (store.score_kind, store.region_width) == (base.score_kind, base.region_width)
    assert store.meta.inputs == (*base.meta.inputs, PEAKS)
    counts = base.meta.counts
    assert store.meta.counts == replace(
        counts, n_clipped=0, n_no_summit=3, n_summit_outside=1, n_duplicate=2
    )
    assert verify(store.path) == []


def test_it_has_no_shards_that_could_be_missing(base, tmp_path):
    """They are those of the other store, and are written there."""
    store = place(base).write(tmp_path / "placed.zarr")

    assert store.n_shards > 0
    assert unwritten_partitions(store.path) == []


def test_it_takes_the_room_of_its_coordinates(base, tmp_path):
    store = place(base).write(tmp_path / "placed.zarr")

    names = {path.name for path in Path(store.path).iterdir()}
    assert names == {"zarr.json", "regions.npz"}


def test_the_digest_is_that_of_the_contributions_and_the_coordinates(base, tmp_path):
    digests = {place(base).digest, base.digest}
    moved = table()
    moved.start[5] += 1
    digests.add(place(base, moved).digest)
    digests.add(place(base, replace(table(), chrom_names=("chrB", "chrC"))).digest)
    other = make_source(N, seed=7)
    other.regions = RegionTable.without_coordinates(N)
    encode(other, tmp_path / "other.zarr")
    digests.add(place(open_store(tmp_path / "other.zarr")).digest)

    assert len(digests) == 5
    assert place(base).write(tmp_path / "a.zarr").digest == place(base).digest


def test_it_is_replaced_as_a_whole(base, tmp_path):
    place(base).write(tmp_path / "placed.zarr")
    again = place(base, table(seed=2)).write(tmp_path / "placed.zarr")

    assert_tables_equal(again.table(0, N), table(seed=2))
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_one_of_one_that_is_placed_has_the_same_contributions(base, tmp_path):
    first = place(base).write(tmp_path / "first.zarr")
    ranked = replace(table(), chrom_names=("chrA", "chrB"), chrom_id=1 - table().chrom_id)
    second = PlacedRegions.ranked(first, ranked).write(tmp_path / "second.zarr")

    assert second.meta.base == first.meta.base
    assert second.meta.counts == first.meta.counts
    assert_tables_equal(second.table(0, N), ranked)


def test_a_reader_of_whole_stores_is_told_by_the_version(base, tmp_path):
    store = place(base).write(tmp_path / "placed.zarr")

    attributes = json.loads((Path(store.path) / "zarr.json").read_text())["attributes"]
    assert attributes["format_version"] == 8
    attributes = json.loads((Path(base.path) / "zarr.json").read_text())["attributes"]
    assert attributes["format_version"] == 7
    assert "base" not in attributes


def test_contributions_that_are_gone_or_changed_are_named(base, tmp_path):
    place(base).write(tmp_path / "placed.zarr")
    other = make_source(N, seed=7)
    other.regions = RegionTable.without_coordinates(N)
    encode(other, tmp_path / "base.zarr", overwrite=True)

    with pytest.raises(StoreError, match=r"base.zarr: changed since .*placed.zarr was made"):
        open_store(tmp_path / "placed.zarr")

    (tmp_path / "base.zarr").rename(tmp_path / "gone.zarr")
    with pytest.raises(StoreError, match=r"placed.zarr: has the coordinates .*base.zarr: no reg"):
        open_store(tmp_path / "placed.zarr")


def test_verify_reads_both(base, tmp_path):
    store = place(base).write(tmp_path / "placed.zarr")
    chunk = next(p for p in (tmp_path / "base.zarr" / "sequence").rglob("c.*") if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-9] + bytes(9))
    assert any("base.zarr" in problem for problem in verify(store.path))


def test_verify_sees_other_coordinates(base, tmp_path):
    store = place(base).write(tmp_path / "placed.zarr")
    other = place(base, table(seed=2)).write(tmp_path / "other.zarr")
    shutil.copy(Path(other.path) / "regions.npz", Path(store.path) / "regions.npz")

    assert verify(store.path) == [
        f"{store.path}: the digest in the attributes is not that of the coordinates."
    ]


@pytest.fixture
def clipped(tmp_path):
    """A store whose second region has N, and nothing else, on its first three bases."""
    source = make_source(N)
    source.regions = RegionTable.without_coordinates(N)
    source.sequence[:] = np.where(source.sequence == 4, 0, source.sequence)
    source.sequence[1, :3] = 4
    source.contributions[1, :, :3] = 0
    at = table()
    at.start[1] = -3
    return source, at


def test_a_region_over_the_start_of_its_chromosome_is_counted(clipped, tmp_path):
    source, at = clipped
    encode(source, tmp_path / "base.zarr")
    base = open_store(tmp_path / "base.zarr")
    base.meta = replace(
        base.meta,
        report=replace(base.meta.report, counts=InputCounts(n_regions=N, n_unknown_bases=1)),
    )

    counts = place(base, at).report.counts

    assert (counts.n_clipped, counts.n_unknown_bases) == (1, 0)


@pytest.mark.parametrize("what", ["base", "contribution"])
def test_what_lies_before_the_first_base_is_refused(clipped, tmp_path, what):
    source, at = clipped
    if what == "base":
        source.sequence[1, 2] = 0
    else:
        source.contributions[1, 0, 2] = 1
    encode(source, tmp_path / "base.zarr")

    with pytest.raises(InputError, match=r"region 1 .* has bases or contributions before base 0"):
        place(open_store(tmp_path / "base.zarr"), at)
