"""What every source promises, whatever it reads."""

import pickle

import numpy as np
import pytest

from finemo_dist.core.records import UNKNOWN_BASE, InputCounts, ScoreKind
from tests.unit.sources.samples import N_REGIONS, SOURCES, WIDTH, make_samples


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return make_samples(tmp_path_factory.mktemp("samples"), seed=1)


@pytest.fixture(params=SOURCES)
def source(request, samples):
    return samples.make(request.param)


def same(a, b):
    return (
        np.array_equal(a.sequence, b.sequence)
        and np.array_equal(a.contributions, b.contributions)
        and a.counts == b.counts
    )


def test_what_is_read_has_the_promised_shape_and_type(source):
    batch = source.read(2, 9)
    bases = () if source.score_kind is ScoreKind.PROJECTED else (4,)

    assert batch.score_kind is source.score_kind
    assert (batch.sequence.dtype, batch.sequence.shape) == (np.uint8, (7, WIDTH))
    assert (batch.contributions.dtype, batch.contributions.shape) == (
        np.float32,
        (7, *bases, WIDTH),
    )
    assert batch.sequence.max() <= UNKNOWN_BASE
    assert np.isfinite(batch.contributions).all()


def test_regions_are_the_samples_in_their_order(source, samples):
    assert len(source.regions) == N_REGIONS
    assert source.region_width == WIDTH
    assert np.array_equal(source.read(0, N_REGIONS).sequence, samples.codes)
    if source.regions.has_coordinates:
        assert source.regions.start.tolist() == samples.starts.tolist()
        assert source.regions.chrom_names == tuple(dict.fromkeys(samples.chroms))


def test_blocks_read_in_any_order_join_to_the_whole(source):
    whole = source.read(0, N_REGIONS)
    bounds = [(9, N_REGIONS), (0, 4), (4, 9)]
    blocks = {b: source.read(*b) for b in bounds}

    for (start, stop), block in blocks.items():
        assert np.array_equal(block.sequence, whole.sequence[start:stop])
        assert np.array_equal(block.contributions, whole.contributions[start:stop])
    assert sum((b.counts for b in blocks.values()), InputCounts()) == whole.counts


def test_counts_are_of_the_regions_read(source):
    counts = source.read(3, 8).counts

    assert counts.n_regions == 5
    assert counts.n_unknown_bases == (source.read(3, 8).sequence == UNKNOWN_BASE).any(axis=1).sum()


def test_empty_range_is_an_empty_batch(source):
    batch = source.read(5, 5)

    assert len(batch) == 0
    assert batch.counts == InputCounts()


def test_source_survives_pickling_before_and_after_reading(source):
    before = pickle.loads(pickle.dumps(source))
    whole = source.read(0, N_REGIONS)
    after = pickle.loads(pickle.dumps(source))

    assert same(before.read(0, N_REGIONS), whole)
    assert same(after.read(0, N_REGIONS), whole)


def test_inputs_name_existing_files_with_digests(source, samples):
    assert source.inputs
    for file in source.inputs:
        assert file.path.startswith(str(samples.folder))
        assert file.size_bytes > 0
        assert file.digest


def test_caller_may_change_what_it_was_given(source):
    first = source.read(0, 4)
    expected = first.sequence.copy(), first.contributions.copy()
    first.sequence[:] = 0
    first.contributions[:] = 7

    again = source.read(0, 4)

    assert np.array_equal(again.sequence, expected[0])
    assert np.array_equal(again.contributions, expected[1])
