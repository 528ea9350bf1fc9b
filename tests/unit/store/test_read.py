"""Reading stores, whole and damaged."""

import json
import pickle
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import StoreError
from finemo_dist.store import encode as encode_module
from finemo_dist.store.encode import encode_partition, finalise
from finemo_dist.store.layout import StoreMeta, choose_shard_regions
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from finemo_dist.store.verify import verify
from tests.unit.store.memory_source import make_source

FILES = {
    "sequence": "sequence/c.1.0",
    "contributions": "contributions/c.1.0.0",
    "columns": "regions.npz",
}
ARRAYS = {
    "sequence": "sequence/c.1.0",
    "contributions": "contributions/c.1.0.0",
    "scale": "scale/c.1",
    "chrom_id": "chrom_id/c.0",
    "start": "start/c.0",
    "peak_id": "peak_id/c.0",
    "peak_name": "peak_name/c.0",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "store"
    encode(make_source(150), path, shard_regions=64)
    return path


@pytest.fixture(scope="module")
def old_sound(tmp_path_factory):
    """A store as version 5 was: every array is one of Zarr."""
    path = tmp_path_factory.mktemp("sound") / "old"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode_module, "StoreMeta", partial(StoreMeta, has_columns=False))
        encode(make_source(150), path, shard_regions=64)
    assert json.loads((path / "zarr.json").read_text())["attributes"]["format_version"] == 5
    return path


@pytest.fixture
def path(sound, tmp_path):
    """A copy of a sound store, which a test may damage."""
    return shutil.copytree(sound, tmp_path / "store")


@pytest.fixture
def old_path(old_sound, tmp_path):
    """A copy of an older store, which a test may damage."""
    return shutil.copytree(old_sound, tmp_path / "old")


def read_all(path):
    store = open_store(path)
    return store.read(0, 150), store.table(0, 150)


def edit_attributes(path, *, with_checksum=False, without=(), **changes):
    file = path / "zarr.json"
    node = json.loads(file.read_text())
    node["attributes"] |= changes
    for key in without:
        del node["attributes"][key]
    if with_checksum:
        fields = dict(node["attributes"])
        for key in ("format", "format_version", "checksum"):
            del fields[key]
        node["attributes"]["checksum"] = digest_of(fields)
    file.write_text(json.dumps(node))


def test_any_range_is_the_same_as_in_the_whole(path):
    store = open_store(path)
    whole, table = read_all(path)

    for start, stop in ((0, 64), (60, 70), (149, 150), (5, 5), (0, 150)):
        batch = store.read(start, stop)

        assert np.array_equal(batch.sequence, whole.sequence[start:stop])
        assert np.array_equal(batch.contributions, whole.contributions[start:stop])
        assert np.array_equal(store.table(start, stop).start, table.start[start:stop])
        assert batch.counts.n_regions == stop - start


def test_shards_tile_the_regions(path):
    store = open_store(path)
    rows = [store.shard_rows(s) for s in range(store.n_shards)]

    assert rows == [range(64), range(64, 128), range(128, 150)]
    with pytest.raises(IndexError):
        store.shard_rows(3)


def test_store_survives_pickling(path):
    store = pickle.loads(pickle.dumps(open_store(path)))

    assert store.digest == open_store(path).digest
    assert store.read(0, 3).sequence.shape == (3, 12)


def test_one_file_holds_a_shard(path):
    assert (
        len(
            [
                p
                for p in (path / "contributions").rglob("*")
                if p.name != "zarr.json" and p.is_file()
            ]
        )
        == 3
    )


@pytest.mark.parametrize(
    ("n_regions", "expected"),
    [
        (0, 64), (1, 64), (2048, 64), (2049, 128), (4096, 128), (4097, 256),
        (40_000, 2048), (262_144, 8192), (300_000, 8192), (10**7, 8192),
    ],
)  # fmt: skip
def test_shard_size_follows_the_number_of_regions(n_regions, expected):
    assert choose_shard_regions(n_regions) == expected


def test_sound_store_has_no_problems(path):
    assert verify(path) == []


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "remove"])
def test_damaged_file_refuses_by_name(path, file, damage):
    check_damage(path, file, damage)


@pytest.mark.parametrize("file", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_damaged_file_of_an_older_store_refuses_by_name(old_path, file, damage):
    check_damage(old_path, file, damage)


def check_damage(path, file, damage):
    target = path / file
    content = bytearray(target.read_bytes())
    if damage == "flip":
        content[len(content) // 5] ^= 0x10
    target.write_bytes({"truncate": content[:-7], "empty": b""}.get(damage, content))
    if damage == "remove":
        target.unlink()

    with pytest.raises(StoreError, match=file):
        read_all(path)
    assert any(file in problem for problem in verify(path))


def test_flipping_any_bit_of_a_shard_is_noticed(path):
    target = path / ARRAYS["contributions"]
    content = target.read_bytes()
    rng = np.random.default_rng(0)
    # The shard holds one chunk at its beginning, then the index.
    for position in rng.integers(0, len(content), 40):
        flipped = bytearray(content)
        flipped[position] ^= 1 << int(rng.integers(8))
        target.write_bytes(flipped)

        with pytest.raises(StoreError):
            read_all(path)


def test_other_shards_of_a_damaged_store_are_read(path):
    (path / ARRAYS["contributions"]).write_bytes(b"")

    assert len(open_store(path).read(128, 150)) == 22


def test_shard_of_another_store_is_found_by_verifying(path, tmp_path):
    encode(make_source(150, seed=1), tmp_path / "other", shard_regions=64)
    shutil.copy(tmp_path / "other" / ARRAYS["sequence"], path / ARRAYS["sequence"])

    problems = verify(path)

    assert len(problems) == 1
    assert "shard 1 does not hold the data that were written" in problems[0]


def test_swapped_records_are_found_by_verifying(path):
    file = path / "partitions.json"
    records = json.loads(file.read_text())
    records["0"], records["1"] = records["1"], records["0"]
    file.write_text(json.dumps(records))

    assert any("another shard" in problem for problem in verify(path))


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "7", '{"1": {"shard": 1}}', '{"x": 1}'])
def test_missing_or_damaged_records_are_found_by_verifying(path, content):
    records = path / "partitions.json"
    records.unlink()
    if content is not None:
        records.write_text(content)

    assert any("partitions.json" in p or "00001.json" in p for p in verify(path))


@pytest.mark.parametrize("content", ["", "{}", '{"shard": 1}'])
def test_a_damaged_record_of_a_single_shard_is_found_by_verifying(old_path, content):
    path = old_path
    to_version_3(path)
    (path / "partitions" / "00001.json").write_text(content)

    assert any("00001.json" in problem for problem in verify(path))


def to_version_3(path):
    """Make a store what version 3 was: a folder and a record file for each shard."""
    for name in ARRAYS:
        file = path / name / "zarr.json"
        node = json.loads(file.read_text())
        assert node["chunk_key_encoding"]["configuration"] == {"separator": "."}
        node["chunk_key_encoding"]["configuration"] = {"separator": "/"}
        file.write_text(json.dumps(node))
        for chunk in list((path / name).glob("c.*")):
            moved = path / name / chunk.name.replace(".", "/")
            moved.parent.mkdir(parents=True, exist_ok=True)
            chunk.rename(moved)
    records = json.loads((path / "partitions.json").read_text())
    (path / "partitions.json").unlink()
    (path / "partitions").mkdir()
    for shard, record in records.items():
        (path / "partitions" / f"{int(shard):05d}.json").write_text(json.dumps(record))
    edit_attributes(path, format_version=3)


def test_a_store_of_folders_is_read_as_before(old_path):
    path = old_path
    expected, table = read_all(path)
    digest = open_store(path).digest

    to_version_3(path)

    found, found_table = read_all(path)
    assert np.array_equal(found.sequence, expected.sequence)
    assert np.array_equal(found.contributions, expected.contributions)
    assert np.array_equal(found_table.start, table.start)
    assert open_store(path).digest == digest
    assert verify(path) == []


def test_a_store_with_all_arrays_in_zarr_is_the_same_store(path, old_path):
    found, table = read_all(old_path)
    expected, expected_table = read_all(path)

    assert open_store(old_path).digest == open_store(path).digest
    assert found.contributions.tolist() == expected.contributions.tolist()
    assert table.peak_name.tolist() == expected_table.peak_name.tolist()
    assert table.start.tolist() == expected_table.start.tolist()
    assert verify(old_path) == []


def test_a_store_of_folders_that_was_interrupted_goes_on(old_path):
    path = old_path
    source = make_source(150)
    before = open_store(path).digest
    to_version_3(path)
    edit_attributes(path, with_checksum=True, is_complete=False)
    (path / "partitions/00001.json").unlink()
    (path / "contributions/c/1/0/0").write_bytes(b"half")

    encode_partition(path, source, 1)

    assert finalise(path).digest == before
    assert verify(path) == []
    assert not (path / "partitions").exists()


def test_a_store_takes_few_files_and_folders(tmp_path):
    """With the two parts of each shard a sample takes 4 for a shard and 10 beside."""
    n_shards = 25
    encode(make_source(n_shards * 4, width=4), tmp_path / "s", shard_regions=4)

    assert len([tmp_path / "s", *(tmp_path / "s").rglob("*")]) == 2 * n_shards + 8


def test_wrong_attributes_are_found_by_verifying(path):
    report = json.loads((path / "zarr.json").read_text())["attributes"]["report"]
    report["counts"]["n_nan"] = 5
    edit_attributes(path, with_checksum=True, digest="0", report=report)

    problems = "\n".join(verify(path))

    assert "digest in the attributes" in problems
    assert "attributes count" in problems


def test_another_chromosome_order_is_found_by_verifying(path):
    edit_attributes(path, with_checksum=True, chrom_names=["chrA", "chrB"])

    assert any("digest in the attributes" in problem for problem in verify(path))


def test_no_store_at_all_refuses(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path, tmp_path / "file"):
        with pytest.raises(StoreError, match="no region store here"):
            open_store(path)
        assert len(verify(path)) == 1


def test_group_of_something_else_refuses(path):
    edit_attributes(path, format="anndata")

    with pytest.raises(StoreError, match="not a region store"):
        open_store(path)


def test_newer_format_refuses_with_both_versions(path):
    edit_attributes(path, format_version=9)

    with pytest.raises(StoreError, match=r"format version 9, .* reads 1, 2, 3, 4"):
        open_store(path)


def test_a_store_of_the_first_version_is_read(old_path):
    """It knows neither how long chromosomes are nor what is counted since."""
    path = old_path
    expected = open_store(path).table(0, 3).start.tolist()
    counts = {"n_regions": 3, "n_zero": 1}
    edit_attributes(
        path, with_checksum=True, format_version=1, without=["chrom_lengths"],
        report={"counts": counts, "scores": {"largest": 1.0}},
    )  # fmt: skip

    store = open_store(path)

    assert store.table(0, 3).start.tolist() == expected
    assert store.table(0, 3).chrom_lengths == ()
    assert store.meta.counts.n_summit_outside == 0


@pytest.mark.parametrize("changes", [{"n_regions": None, "x": 1}, {"score_kind": "other"}])
def test_damaged_attributes_refuse(path, changes):
    edit_attributes(path, **changes)

    with pytest.raises(StoreError, match="damaged attributes"):
        open_store(path)


def test_attributes_changed_by_hand_refuse(path):
    edit_attributes(path, chrom_names=["chrA", "chrB"])

    with pytest.raises(StoreError, match="their checksum does not match"):
        open_store(path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"zarr_format": 3, "node_type": "array"}'])
def test_damaged_group_refuses(path, content):
    (path / "zarr.json").write_text(content)

    with pytest.raises(StoreError, match=str(path)):
        open_store(path)


def test_array_taken_away_refuses(path):
    shutil.rmtree(path / "contributions")

    with pytest.raises(StoreError, match="contributions"):
        read_all(path)


def rewritten(path, **changes):
    """Write the columns of a store with others in their place; None leaves one out."""
    with np.load(path / "regions.npz") as stored:
        columns = {name: stored[name] for name in stored.files} | changes
    np.savez_compressed(
        path / "regions.npz", **{name: v for name, v in columns.items() if v is not None}
    )


def test_columns_without_scales_refuse(path):
    rewritten(path, scale=None)

    with pytest.raises(StoreError, match=r"regions\.npz: has no scale"):
        read_all(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"start": np.zeros(149, np.int64)},
        {"start": np.zeros(150, np.int32)},
        {"chrom_id": None},
        {"peak_name_end": np.zeros(150, np.int64)},
        {"peak_name_end": np.arange(150)[::-1].copy()},
        {"scale": np.ones(3, np.float32)},
    ],
)
def test_columns_that_do_not_fit_refuse(path, changes):
    rewritten(path, **changes)

    with pytest.raises(StoreError, match=r"regions\.npz: damaged"):
        read_all(path)


def test_columns_that_hold_pickles_are_refused_and_never_loaded(path):
    rewritten(path, peak_name=np.array([Path("x")] * 150, dtype=object))

    with pytest.raises(StoreError, match=r"regions\.npz: damaged .*allow_pickle"):
        read_all(path)


def test_names_of_any_length_and_letters_are_kept(tmp_path):
    source = make_source(5)
    names = np.array(["", "a\nb", "é" * 40, "peak 4", "."], dtype=object)
    source = replace(source, regions=replace(source.regions, peak_name=names))
    encode(source, tmp_path / "s", shard_regions=2)

    store = open_store(tmp_path / "s")
    assert [store.table(i, i + 1).peak_name.tolist() for i in range(5)] == [[n] for n in names]
    assert store.table(1, 4).peak_name.tolist() == names[1:4].tolist()


def test_a_shard_that_is_written_again_keeps_the_scales_of_the_others(path):
    before = read_all(path)[0].contributions.tolist()

    encode_partition(path, make_source(150), 1)
    finalise(path)

    assert read_all(path)[0].contributions.tolist() == before
    assert verify(path) == []
