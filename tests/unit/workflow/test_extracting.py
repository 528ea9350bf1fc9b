"""finemo's regions file: written whole, from a store that an interrupt leaves beside it."""

import pytest

from finemo_dist.core.errors import UsageError
from finemo_dist.core.events import ShardExtracted
from finemo_dist.store.staging import encode
from finemo_dist.workflow.extracting import extract
from tests.unit.store.memory_source import make_source


@pytest.mark.parametrize(("seed", "n_written"), [(0, 0), (1, 2)])
def test_a_store_that_is_left_beside_the_file_is_used_if_it_is_of_the_same_inputs(
    tmp_path, seed, n_written
):
    source = make_source(6, hypothetical=False)
    first = tmp_path / "first.npz"
    extract(source, first, shard_regions=3)
    # What an interrupt leaves after the store was made, and before the file was.
    other = make_source(6, hypothetical=False, seed=seed)
    encode(other if seed else source, tmp_path / ".again.regions.zarr", shard_regions=3 - seed)
    events = []

    found = extract(source, tmp_path / "again.npz", shard_regions=3, on_event=events.append)

    assert sum(isinstance(event, ShardExtracted) for event in events) == n_written
    assert (found.n_regions, found.n_shards) == (6, 2)
    assert (tmp_path / "again.npz").read_bytes() == first.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.npz", "first.npz"]


@pytest.mark.parametrize("name", ["x.npz", "x.zarr"])
def test_an_output_is_replaced_with_force_alone(tmp_path, name):
    source = make_source(3, hypothetical=False)
    (tmp_path / name).write_text("mine")

    with pytest.raises(UsageError) as caught:
        extract(source, tmp_path / name)

    assert str(caught.value) == (
        f"{tmp_path / name}: exists. Choose another name, or replace it with --force."
    )
    assert (tmp_path / name).read_text() == "mine"
