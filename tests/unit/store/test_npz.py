"""finemo's regions file written from a store."""

import numpy as np
import pytest

from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import RegionTable
from finemo_dist.sources.arrays import ModiscoArraysSource
from finemo_dist.sources.bigwig import BigWigSource
from finemo_dist.sources.finemo_npz import FinemoRegionsSource
from finemo_dist.sources.h5 import BpnetSource, ChromBpnetSource
from finemo_dist.store import npz
from finemo_dist.store.npz import write_finemo_npz
from finemo_dist.store.read import open_store
from finemo_dist.store.staging import encode
from tests.unit.store.memory_source import MemorySource, make_source


def write(source, folder, name="regions.npz"):
    encode(source, folder / f"{name}.zarr")
    write_finemo_npz(open_store(folder / f"{name}.zarr"), folder / name)
    return folder / name


@pytest.mark.parametrize("hypothetical", [True, False])
def test_file_has_the_keys_types_and_values_of_finemo(tmp_path, monkeypatch, hypothetical):
    monkeypatch.setattr(npz, "_BLOCK_REGIONS", 32)
    source = make_source(100, hypothetical=hypothetical)
    with np.load(write(source, tmp_path), allow_pickle=False) as found:
        arrays = dict(found)
    table = source.regions

    expected = {
        "sequences": (source.sequence[:, None] == np.arange(4)[:, None]).astype(np.int8),
        "contributions": source.contributions.astype(np.float16),
        "chr": np.array([table.chrom_names[i] for i in table.chrom_id]),
        "chr_id": table.chrom_id.astype(np.int64),
        "start": table.start.astype(np.int32),
        "peak_id": table.peak_id,
        "peak_name": table.peak_name.astype(np.str_),
    }
    assert list(arrays) == list(expected)
    for key, values in expected.items():
        assert arrays[key].dtype == values.dtype, key
        assert np.array_equal(arrays[key], values), key


def test_coordinates_are_left_out_where_there_are_none(tmp_path):
    source = make_source(10)
    source = MemorySource(
        source.sequence, source.contributions, RegionTable.without_coordinates(10)
    )

    with np.load(write(source, tmp_path), allow_pickle=False) as found:
        assert found.files == ["sequences", "contributions"]


def test_store_without_regions_gives_empty_arrays(tmp_path):
    with np.load(write(make_source(0), tmp_path), allow_pickle=False) as found:
        assert found["sequences"].shape == (0, 4, 12)
        assert found["chr"].shape == (0,)


def test_same_store_gives_the_same_bytes(tmp_path):
    first = write(make_source(100), tmp_path, "a.npz")
    second = write(make_source(100), tmp_path, "b.npz")

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(("magnitude", "message"), [(1e6, "number is 65,504"), (1e-8, "coarsely")])
def test_contributions_that_float16_cannot_hold_refuse(tmp_path, magnitude, message):
    with pytest.raises(UsageError, match=message):
        write(make_source(10, magnitude=magnitude), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["regions.npz.zarr"]


def test_regions_of_zeros_are_written(tmp_path):
    source = make_source(10)
    source.contributions[:] = 0

    with np.load(write(source, tmp_path), allow_pickle=False) as found:
        assert not found["contributions"].any()


def sources_of(folder):
    peaks, fasta = folder / "peaks.narrowPeak", folder / "genome.fa"
    options = {"peaks": peaks, "fasta": fasta}
    return {
        "chrombpnet": ChromBpnetSource([folder / "chrombpnet_contribs.h5"], **options),
        "bpnet": BpnetSource([folder / "bpnet_contribs.h5"], **options),
        "npz": ModiscoArraysSource(folder / "ohe.npz", [folder / "attr.npz"], **options),
        "bigwig": BigWigSource(peaks, fasta, [folder / "contribs.bw"]),
    }


@pytest.mark.slow
def test_all_kinds_of_hypothetical_input_give_one_digest(real_data, tmp_path):
    sources = sources_of(real_data)
    digests = {k: encode(sources[k], tmp_path / k).digest for k in ("chrombpnet", "bpnet", "npz")}
    regions = write(sources["npz"], tmp_path)
    digests["finemo"] = encode(FinemoRegionsSource(regions), tmp_path / "finemo").digest

    assert len(set(digests.values())) == 1, digests


def test_reference_contributions_are_kept_exactly(real_data, tmp_path):
    encode(sources_of(real_data)["npz"], tmp_path / "s")
    store = open_store(tmp_path / "s")
    batch = store.read(0, store.n_regions)

    with np.load(real_data / "attr.npz") as scores, np.load(real_data / "ohe.npz") as one_hot:
        assert np.array_equal(batch.contributions, scores["arr_0"].astype(np.float32))
        assert np.array_equal(batch.sequence, one_hot["arr_0"].argmax(axis=1))


def test_bigwig_is_the_projection_of_the_hypothetical_scores(real_data, tmp_path):
    sources = sources_of(real_data)
    n_regions = len(sources["npz"].regions)
    projected = sources["bigwig"].read(0, n_regions)
    hypothetical = sources["npz"].read(0, n_regions)
    rows, columns = np.indices(projected.sequence.shape)
    expected = hypothetical.contributions[rows, projected.sequence, columns]
    starts = sources["npz"].regions
    is_alone = np.array(
        [
            np.sum(
                (np.abs(starts.start - starts.start[i]) < 1000)
                & (starts.chrom_id == starts.chrom_id[i])
            )
            == 1
            for i in range(n_regions)
        ]
    )

    assert is_alone.sum() > n_regions // 2
    assert np.array_equal(projected.sequence, hypothetical.sequence)
    # The arrays are float16, and the bigWig holds the average where regions overlap.
    assert np.allclose(
        projected.contributions[is_alone], expected[is_alone], rtol=2.0**-11, atol=2.0**-25
    )
