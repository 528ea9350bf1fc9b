"""finemo's regions file as a source."""

import numpy as np
import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import ScoreKind
from finemo_dist.sources.finemo_npz import FinemoRegionsSource
from tests.unit.sources.samples import N_REGIONS, WIDTH, finemo_arrays


@pytest.fixture
def edited(samples):
    """Return the source of a regions file with arrays replaced, or left out where None."""

    def make(**changes):
        arrays = finemo_arrays(samples) | changes
        path = samples / "edited.npz"
        np.savez_compressed(path, **{k: v for k, v in arrays.items() if v is not None})
        return FinemoRegionsSource(path)

    return make


def test_hypothetical_regions_are_read(samples):
    source = samples.make("finemo")
    batch = source.read(0, N_REGIONS)

    assert source.score_kind is ScoreKind.HYPOTHETICAL
    assert np.array_equal(batch.sequence, samples.codes)
    assert np.array_equal(batch.contributions, samples.hypothetical.astype(np.float32))
    assert source.regions.start.tolist() == samples.starts.tolist()
    assert [source.regions.chrom_names[i] for i in source.regions.chrom_id] == samples.chroms


def test_projected_regions_are_read(edited, samples):
    source = edited(contributions=samples.projected)
    batch = source.read(0, N_REGIONS)

    assert source.score_kind is ScoreKind.PROJECTED
    assert np.array_equal(batch.contributions, samples.projected.astype(np.float32))


def test_hypothetical_regions_are_projected_where_that_is_enough(samples):
    source = FinemoRegionsSource(samples / "regions.npz", kind=ScoreKind.PROJECTED)

    assert source.score_kind is ScoreKind.PROJECTED
    found = source.read(0, N_REGIONS).contributions
    assert np.array_equal(found, samples.projected.astype(np.float32))


def test_chr_id_ranks_the_chromosomes(edited, samples):
    source = edited(chr_id=np.array([{"chr1": 7, "chr2": 2}[c] for c in samples.chroms]))

    assert source.regions.chrom_names == ("chr2", "chr1")
    assert [source.regions.chrom_names[i] for i in source.regions.chrom_id] == samples.chroms


def test_file_without_coordinates_has_none(edited):
    source = edited(**dict.fromkeys(("chr", "chr_id", "start", "peak_id", "peak_name")))

    assert not source.regions.has_coordinates
    assert source.regions.peak_id.tolist() == list(range(N_REGIONS))


def test_some_of_the_coordinates_alone_refuse(edited):
    with pytest.raises(InputError, match="has coordinates, but not chr_id, peak_name"):
        edited(chr_id=None, peak_name=None)


@pytest.mark.parametrize("key", ["sequences", "contributions"])
def test_missing_arrays_refuse(edited, key):
    with pytest.raises(InputError, match=f"has no array '{key}'"):
        edited(**{key: None})


@pytest.mark.parametrize("key", ["chr", "chr_id", "start", "peak_id", "peak_name"])
def test_coordinates_of_another_length_refuse(edited, samples, key):
    with pytest.raises(InputError, match=f"array '{key}' has shape"):
        edited(**{key: finemo_arrays(samples)[key][1:]})


@pytest.mark.parametrize(
    ("key", "value"), [("start", 1.5), ("chr", 3), ("peak_id", "x"), ("peak_name", 2)]
)
def test_coordinates_of_another_type_refuse(edited, key, value):
    with pytest.raises(InputError, match=f"array '{key}' has type"):
        edited(**{key: np.full(N_REGIONS, value)})


@pytest.mark.parametrize("peak_id", [N_REGIONS, -1, 99_999])
def test_peak_id_out_of_range_refuses(edited, peak_id):
    ids = np.arange(N_REGIONS)
    ids[4] = peak_id

    with pytest.raises(InputError, match=f"region 4 has peak_id {peak_id}"):
        edited(peak_id=ids)


def test_peak_id_twice_refuses(edited):
    ids = np.arange(N_REGIONS)
    ids[4] = 2

    with pytest.raises(InputError, match="region 4 has peak_id 2, as an earlier"):
        edited(peak_id=ids)


def test_peak_ids_in_another_order_are_kept(edited):
    ids = np.arange(N_REGIONS)[::-1]

    assert edited(peak_id=ids).regions.peak_id.tolist() == ids.tolist()


def test_two_chromosomes_of_one_id_refuse(edited):
    with pytest.raises(InputError, match="chr_id 0 stands for"):
        edited(chr_id=np.zeros(N_REGIONS, dtype=np.int64))


def test_two_ids_of_one_chromosome_refuse(edited):
    with pytest.raises(InputError, match="several chr_id"):
        edited(chr_id=np.arange(N_REGIONS))


@pytest.mark.parametrize(
    "shape", [(N_REGIONS, 4, WIDTH - 1), (N_REGIONS - 1, 4, WIDTH), (N_REGIONS,), (N_REGIONS, 3)]
)
def test_contributions_of_another_shape_refuse(edited, shape):
    with pytest.raises(InputError, match="contributions of shape"):
        edited(contributions=np.zeros(shape))


def test_region_wholly_before_its_chromosome_refuses(edited, samples):
    starts = samples.starts.copy()
    starts[2] = -WIDTH

    with pytest.raises(InputError, match=r"region 2 .*wholly outside"):
        edited(start=starts)


def test_overflow_to_infinity_refuses(edited, samples):
    scores = samples.hypothetical.copy()
    scores[1, 0, 0] = np.inf

    with pytest.raises(InputError, match=r"region 1 .*infinite"):
        edited(contributions=scores).read(0, N_REGIONS)
