"""Writing stores, at once and by partitions, and what stands there when it fails."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from finemo_dist.core.errors import InputError, StoreError, UsageError
from finemo_dist.core.events import ExtractionPlanned, ShardExtracted, StageEnded
from finemo_dist.core.records import InputCounts, InputFile, RegionTable, Unit
from finemo_dist.store import staging
from finemo_dist.store.encode import encode_partition, finalise, init
from finemo_dist.store.halves import to_stored
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from finemo_dist.store.verify import verify
from tests.command import wait_until
from tests.unit.store.memory_source import MemorySource, make_source, table_of

HALF_ROUND_OFF = 2.0**-11
"""Half a unit in the last of eleven significant bits."""


def files_of(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def same_table(a, b):
    columns = ("chrom_id", "start", "peak_id", "peak_name")
    return a.chrom_names == b.chrom_names and all(
        np.array_equal(getattr(a, c), getattr(b, c)) for c in columns
    )


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    n_regions=st.integers(0, 40),
    width=st.integers(1, 9),
    hypothetical=st.booleans(),
    exponent=st.integers(-30, 30),
    shard_regions=st.sampled_from([None, 7, 16, 64]),
)
def test_what_is_written_is_read(
    tmp_path_factory, n_regions, width, hypothetical, exponent, shard_regions
):
    source = make_source(
        n_regions, width=width, hypothetical=hypothetical, magnitude=10.0**exponent
    )
    path = tmp_path_factory.mktemp("store") / "s"

    meta = encode(source, path, shard_regions=shard_regions)
    store = open_store(path)
    batch = store.read(0, n_regions)

    assert store.meta == meta
    assert np.array_equal(batch.sequence, source.sequence)
    assert same_table(store.table(0, n_regions), source.regions)
    assert batch.contributions.dtype == np.float32
    assert np.allclose(batch.contributions, source.contributions, rtol=HALF_ROUND_OFF, atol=0) or (
        # What is 2^-28 of the largest of its region or less has fewer bits, as in any half.
        np.abs(batch.contributions - source.contributions).max()
        <= np.abs(source.contributions).max() * 2.0**-28
    )


@given(
    hnp.arrays(
        np.float16,
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=5),
        elements=st.floats(-32752, 32752, width=16),
    )
)
def test_halves_are_stored_exactly(values):
    stored, scale = to_stored(values.astype(np.float32))
    shape = (-1, *[1] * (values.ndim - 1))

    assert np.array_equal(stored.astype(np.float32) * scale.reshape(shape), values)


@given(st.floats(1e-30, 1e30), st.booleans())
def test_the_largest_of_a_region_is_stored_near_the_top_of_the_range(value, is_negative):
    stored, scale = to_stored(np.array([[0, -value if is_negative else value]], dtype=np.float32))

    assert 2**14 <= abs(stored[0, 1]) <= 2**15
    assert np.frexp(scale[0])[0] == 0.5  # a power of two


def test_each_region_has_its_own_scale():
    stored, scale = to_stored(np.array([[1e-30, 0], [1e30, 0], [0, 0]], dtype=np.float32))

    assert np.all(stored[:2, 0] >= 2**14)
    assert scale[0] < 1e-30
    assert scale[1] > 1e25
    assert scale[2] == 1


def test_smallest_float32_survives():
    smallest = np.float32(1e-45)
    stored, scale = to_stored(np.array([[smallest]]))

    assert stored.astype(np.float32) * scale == smallest


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_contribution_that_cannot_be_stored_refuses(tmp_path, value):
    source = make_source(70)
    source.contributions[66, 0, 0] = value

    with pytest.raises(InputError, match="finite"):
        encode(source, tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


def test_equal_content_gives_equal_bytes_wherever_it_is_written(tmp_path):
    first = encode(make_source(100), tmp_path / "a")
    second = encode(make_source(100), tmp_path / "deep" / "b")

    assert first.digest == second.digest
    assert files_of(tmp_path / "a") == files_of(tmp_path / "deep" / "b")


def test_negative_zero_is_zero(tmp_path):
    source = make_source(10)
    source.contributions[:] = 0
    digest = encode(source, tmp_path / "a").digest
    source.contributions[:] = -0.0

    assert encode(source, tmp_path / "b").digest == digest


def changed_table(source, **columns):
    names = ("chrom_names", "chrom_id", "start", "peak_id", "peak_name")
    values = {name: getattr(source.regions, name) for name in names}
    return replace(source, regions=RegionTable(**values | columns))


def with_one_more(values):
    return np.concatenate([values[:5], values[5:6] + 1, values[6:]]).astype(values.dtype)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: changed_table(s, chrom_names=("chrA", "chrB")),
        lambda s: changed_table(s, start=with_one_more(s.regions.start)),
        lambda s: changed_table(s, chrom_id=1 - s.regions.chrom_id),
        lambda s: changed_table(s, peak_id=with_one_more(s.regions.peak_id)),
        lambda s: changed_table(s, peak_name=s.regions.peak_name[::-1]),
        lambda s: replace(s, contributions=s.contributions * 2),
        lambda s: replace(s, contributions=s.contributions[:, :1].repeat(4, axis=1)),
        lambda s: replace(s, contributions=s.contributions[:, 0]),
        lambda s: replace(s, sequence=4 - s.sequence),
    ],
    ids=[
        "chromosome order", "start", "chromosome", "peak id", "peak name", "scale",
        "contributions", "score kind", "sequence",
    ],
)  # fmt: skip
def test_digest_depends_on(tmp_path, change):
    source = make_source(10)

    assert encode(source, tmp_path / "a").digest != encode(change(source), tmp_path / "b").digest


def test_digest_depends_on_shard_size(tmp_path):
    source = make_source(10)
    sizes = (2, 10, 20)

    digests = {encode(source, tmp_path / str(n), shard_regions=n).digest for n in sizes}

    assert len(digests) == 3


def test_digest_does_not_depend_on_input_names(tmp_path):
    source = make_source(10)
    renamed = replace(source, inputs=(InputFile("elsewhere", 1, "d"),))

    assert encode(source, tmp_path / "a").digest == encode(renamed, tmp_path / "b").digest


def test_source_is_read_in_blocks_of_at_most_a_chunk(tmp_path):
    source = make_source(2500, width=2)

    meta = encode(source, tmp_path / "s", shard_regions=2048)

    assert meta.counts.n_regions == 2500
    assert source.blocks == [(0, 1024), (1024, 2048), (2048, 2500)]


def test_the_next_blocks_are_read_while_a_shard_is_written(tmp_path):
    """By a thread: its third block is read though nobody has asked for more than the first."""
    source = make_source(300, width=2)
    seen = []

    def note(event):
        if isinstance(event, ShardExtracted):
            wait_until(lambda: len(source.blocks) == min(5, event.unit.shard + 3))
            seen.append(event.unit.shard)

    encode(source, tmp_path / "s", shard_regions=64, on_event=note)

    assert seen == [0, 1, 2, 3, 4]


def test_counts_of_all_blocks_are_added_up(tmp_path):
    meta = encode(make_source(150), tmp_path / "s", shard_regions=64)

    assert meta.counts == InputCounts(n_regions=150, n_clipped=1)
    assert open_store(tmp_path / "s").meta.counts == meta.counts


def test_every_shard_is_an_event(tmp_path):
    events = []
    encode(make_source(150), tmp_path / "s", shard_regions=64, on_event=events.append)

    shards = [ShardExtracted(Unit("s", shard)) for shard in range(3)]
    assert events == [ExtractionPlanned(3), *shards, StageEnded("extract")]


def test_an_interrupted_store_goes_on_where_it_stopped(tmp_path):
    source = make_source(150)
    encode(source, tmp_path / "whole", shard_regions=64)

    def interrupt(event):
        if isinstance(event, ShardExtracted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(source, tmp_path / "s", shard_regions=64, on_event=interrupt)
    assert not (tmp_path / "s").exists()
    events = []
    encode(source, tmp_path / "s", shard_regions=64, on_event=events.append)

    assert events[0] == ExtractionPlanned(2)
    assert files_of(tmp_path / "s") == files_of(tmp_path / "whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s", "whole"]


def test_an_interrupted_store_of_other_shards_begins_anew(tmp_path):
    source = make_source(150)

    def interrupt(event):
        if isinstance(event, ShardExtracted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(source, tmp_path / "s", shard_regions=64, on_event=interrupt)

    assert encode(source, tmp_path / "s", shard_regions=50).n_shards == 3


def test_partitions_in_any_order_make_the_same_store(tmp_path):
    source = make_source(150)
    expected = encode(source, tmp_path / "a", shard_regions=64)
    init(tmp_path / "b", source, shard_regions=64)
    for shard in (2, 0, 1):
        encode_partition(tmp_path / "b", source, shard)

    assert finalise(tmp_path / "b") == expected
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def test_partition_written_twice_replaces_itself(tmp_path):
    source = make_source(150)
    encode(source, tmp_path / "s", shard_regions=64)
    before = files_of(tmp_path / "s")

    encode_partition(tmp_path / "s", source, 1)

    assert verify(tmp_path / "s") == []
    finalise(tmp_path / "s")
    assert files_of(tmp_path / "s") == before


def test_partition_repairs_a_damaged_shard(tmp_path):
    source = make_source(150)
    encode(source, tmp_path / "s", shard_regions=64)
    before = files_of(tmp_path / "s")
    (tmp_path / "s/contributions/c.1.0.0").write_bytes(b"junk")

    encode_partition(tmp_path / "s", source, 1)

    assert verify(tmp_path / "s") == []
    finalise(tmp_path / "s")
    assert files_of(tmp_path / "s") == before


def test_a_record_that_is_newer_than_the_file_with_all_of_them_is_kept(tmp_path):
    """A stop may leave both: the file with all goes last when a shard is written again."""
    source = make_source(150)
    encode(source, tmp_path / "s", shard_regions=64)
    encode_partition(tmp_path / "s", source, 1)
    record = tmp_path / "s/partitions/00000.json"
    newer = record.read_text()
    older = {str(i): {**json.loads(newer), "shard": i, "digest": "older"} for i in range(3)}
    (tmp_path / "s/partitions.json").write_text(json.dumps(older))

    encode_partition(tmp_path / "s", source, 2)

    assert record.read_text() == newer
    assert not (tmp_path / "s/partitions.json").exists()


def test_a_store_is_begun_where_nothing_is(tmp_path):
    (tmp_path / "s").mkdir()

    with pytest.raises(UsageError, match=r"s: already exists\. Choose another output, or remove"):
        init(tmp_path / "s", make_source(9))
    assert list((tmp_path / "s").iterdir()) == []


def test_what_a_killed_writer_had_not_put_in_place_is_no_part_of_the_store(tmp_path):
    """Zarr writes files under a name of its own first."""
    source = make_source(150)
    expected = encode(source, tmp_path / "whole", shard_regions=64)
    staged = staging.claim(tmp_path / "s")
    staging.begin(staged, source, shard_regions=64)
    for shard in range(3):
        encode_partition(staged, source, shard)
    (staged / "sequence/c.0.0.1a2b.partial").write_bytes(b"half")

    assert staging.put_in_place(staged, tmp_path / "s") == expected
    assert files_of(tmp_path / "s") == files_of(tmp_path / "whole")


def test_finalising_with_partitions_missing_refuses_naming_them(tmp_path):
    source = make_source(150)
    init(tmp_path / "s", source, shard_regions=64)
    encode_partition(tmp_path / "s", source, 1)

    with pytest.raises(StoreError, match=r"2 of 3 partitions .*\(0, 2\)"):
        finalise(tmp_path / "s")
    with pytest.raises(StoreError, match="not complete"):
        open_store(tmp_path / "s")


def test_finalising_twice_changes_nothing(tmp_path):
    encode(make_source(10), tmp_path / "s")
    before = files_of(tmp_path / "s")

    finalise(tmp_path / "s")

    assert files_of(tmp_path / "s") == before


@pytest.mark.parametrize("shard", [-1, 3])
def test_partition_beyond_the_last_refuses(tmp_path, shard):
    init(tmp_path / "s", make_source(150), shard_regions=64)

    with pytest.raises(IndexError):
        encode_partition(tmp_path / "s", make_source(150), shard)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: make_source(149),
        lambda s: make_source(150, width=11),
        lambda s: make_source(150, hypothetical=False),
        lambda s: replace(s, inputs=(InputFile("memory", 1, "other"),)),
        lambda s: changed_table(s, start=with_one_more(s.regions.start)),
        lambda s: changed_table(s, chrom_names=("a", "b")),
    ],
    ids=["regions", "width", "kind", "input", "start", "chromosomes"],
)
def test_partition_of_another_source_refuses(tmp_path, change):
    source = make_source(150)
    init(tmp_path / "s", source, shard_regions=64)

    with pytest.raises(InputError, match="other inputs"):
        encode_partition(tmp_path / "s", change(source), 0)


def test_failed_extraction_leaves_nothing(tmp_path):
    def fail(start):
        if start:
            raise InputError("damaged")

    source = replace(make_source(150), on_read=fail)

    with pytest.raises(InputError, match="damaged"):
        encode(source, tmp_path / "s", shard_regions=64)
    assert list(tmp_path.iterdir()) == []


def test_interrupted_extraction_keeps_the_store_it_was_to_replace(tmp_path):
    encode(make_source(10), tmp_path / "s")
    before = files_of(tmp_path / "s")

    def fail(start):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(replace(make_source(20), on_read=fail), tmp_path / "s", overwrite=True)

    assert files_of(tmp_path / "s") == before
    encode(make_source(20), tmp_path / "s", overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_existing_store_refuses_and_is_replaced_when_allowed(tmp_path):
    encode(make_source(10), tmp_path / "s")

    with pytest.raises(UsageError, match="exists"):
        encode(make_source(20), tmp_path / "s")
    encode(make_source(20), tmp_path / "s", overwrite=True)

    assert open_store(tmp_path / "s").n_regions == 20
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_interruption_between_the_two_renames_keeps_the_old_store(tmp_path, monkeypatch):
    path = tmp_path / "s"
    encode(make_source(10), path)
    before = files_of(path)
    rename = type(path).rename

    def interrupted(self, target):
        if self.suffix == ".tmp":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        encode(make_source(20), path, overwrite=True)

    assert files_of(path) == before


def test_folder_that_is_no_store_is_never_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(UsageError, match="not a region store"):
        encode(make_source(10), tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_unwritable_output_refuses_before_reading(tmp_path):
    (tmp_path / "file").write_text("")
    source = make_source(10)

    with pytest.raises(StoreError, match="cannot be written"):
        encode(source, tmp_path / "file" / "s")
    assert source.blocks == []


def test_full_disk_is_a_clear_error(tmp_path):
    def fill_disk(start):
        raise OSError(28, os.strerror(28))

    with pytest.raises(StoreError, match="no space is left"):
        encode(replace(make_source(10), on_read=fill_disk), tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shard_regions", [0, -1, 1500])
def test_impossible_shard_size_refuses(tmp_path, shard_regions):
    with pytest.raises(UsageError, match="Shards of"):
        encode(make_source(10), tmp_path / "s", shard_regions=shard_regions)


@pytest.mark.parametrize("hypothetical", [True, False])
def test_store_without_regions_is_whole(tmp_path, hypothetical):
    encode(make_source(0, hypothetical=hypothetical), tmp_path / "s")
    store = open_store(tmp_path / "s")

    assert (store.n_regions, store.n_shards) == (0, 0)
    assert store.read(0, 0).contributions.shape == ((0, 4, 12) if hypothetical else (0, 12))
    assert len(store.table(0, 0)) == 0
    assert store.digest


def test_regions_without_coordinates_stay_so(tmp_path):
    source = make_source(10)
    source = MemorySource(
        source.sequence, source.contributions, RegionTable.without_coordinates(10)
    )
    encode(source, tmp_path / "s")
    table = open_store(tmp_path / "s").table(0, 10)

    assert not table.has_coordinates
    assert same_table(table, source.regions)


def test_regions_of_zeros_are_written(tmp_path):
    source = MemorySource(np.zeros((70, 6), np.uint8), np.zeros((70, 6), np.float32), table_of(70))
    encode(source, tmp_path / "s")

    assert not open_store(tmp_path / "s").read(0, 70).contributions.any()
