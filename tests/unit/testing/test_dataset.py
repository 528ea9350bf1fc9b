"""The demo's files agree with each other and with the truth beside them."""

import hashlib
import zipfile
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pyBigWig
import pytest

from finemo_dist.core.errors import UsageError
from finemo_dist.testing.dataset import write_demo
from finemo_dist.testing.genome import lay_out
from finemo_dist.testing.scenario import SEQLET_WINDOW
from finemo_dist.testing.truth import read_sites

N_REGIONS = 40


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo")
    return write_demo(path, seed=1, n_regions=N_REGIONS, n_motifs=8, write_every_format=True)


def digests(folder: Path):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def read_fasta(path):
    records = path.read_text().split(">")[1:]
    return {r.split("\n", 1)[0]: r.split("\n", 1)[1].replace("\n", "") for r in records}


def read_regions(sample, width=1000):
    """Return (chromosome, start) of each region, from summits."""
    rows = [line.split("\t") for line in sample.peaks.read_text().splitlines()]
    return [(r[0], int(r[1]) + int(r[9]) - width // 2) for r in rows]


def load(path):
    with np.load(path, allow_pickle=False) as archive:
        return archive["arr_0"]


@pytest.fixture(params=[0, 1], ids=["sample_a", "sample_b"])
def sample(request, demo):
    return demo.samples[request.param]


def test_the_same_arguments_give_the_same_bytes(demo, tmp_path):
    again = write_demo(tmp_path, seed=1, n_regions=N_REGIONS, n_motifs=8, write_every_format=True)

    assert digests(again.path) == digests(demo.path)
    assert len(digests(demo.path)) == 3 + 2 * 9


def test_array_files_do_not_hold_the_time_of_day(sample):
    with zipfile.ZipFile(sample.attributions_npz) as archive:
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


def test_another_seed_gives_other_files(demo, tmp_path):
    other = digests(write_demo(tmp_path, seed=2, n_regions=N_REGIONS, n_motifs=8).path)

    assert not set(other.values()) & set(digests(demo.path).values())


def test_by_default_one_sample_is_a_bigwig_and_the_other_an_h5(tmp_path):
    first, second = write_demo(tmp_path, n_regions=10, n_motifs=6).samples

    assert (first.bigwig is not None, first.chrombpnet_h5) == (True, None)
    assert (second.bigwig, second.chrombpnet_h5 is not None) == (None, True)
    assert (first.bpnet_h5, first.sequences_npz, second.attributions_npz) == (None, None, None)


def test_the_genome_holds_the_sequences_of_both_samples(demo, sample):
    genome = read_fasta(demo.fasta)
    sequence = load(sample.sequences_npz).argmax(axis=1)

    sizes = "".join(f"{name}\t{len(bases)}\n" for name, bases in genome.items())
    assert demo.chrom_sizes.read_text() == sizes
    for i, (chrom, start) in enumerate(read_regions(sample)):
        assert genome[chrom][start : start + 1000] == "".join("ACGT"[b] for b in sequence[i])


def test_bigwig_values_are_the_projected_contributions(sample):
    scores = load(sample.attributions_npz) * load(sample.sequences_npz)
    with pyBigWig.open(str(sample.bigwig)) as file:
        found = np.array(
            [file.values(c, s, s + 1000) for c, s in read_regions(sample)], dtype=np.float32
        )

    # The npz rounds to float16, the bigWig does not.
    np.testing.assert_allclose(found, scores.sum(axis=1), rtol=1e-3, atol=1e-7)


def test_bigwig_has_no_values_outside_regions(sample):
    with pyBigWig.open(str(sample.bigwig)) as file:
        n_covered = sum(
            np.count_nonzero(np.isfinite(file.values(chrom, 0, size)))
            for chrom, size in file.chroms().items()
        )

    assert n_covered == N_REGIONS * 1000


def test_h5_files_hold_the_same_numbers_as_the_arrays(sample):
    encoded, scores = load(sample.sequences_npz), load(sample.attributions_npz)

    assert (encoded.dtype, scores.dtype) == (np.int8, np.float16)
    assert encoded.shape == scores.shape == (N_REGIONS, 4, 1000)
    assert np.all(encoded.sum(axis=1) == 1)
    with h5py.File(sample.chrombpnet_h5) as file:
        np.testing.assert_array_equal(file["raw/seq"][:], encoded)
        np.testing.assert_array_equal(file["shap/seq"][:], scores)
        np.testing.assert_array_equal(file["projected_shap/seq"][:], scores * encoded)
        assert (file["raw/seq"].dtype, file["shap/seq"].dtype) == (np.int8, np.float16)
    with h5py.File(sample.bpnet_h5) as file:
        np.testing.assert_array_equal(file["input_seqs"][:].swapaxes(1, 2), encoded)
        np.testing.assert_array_equal(file["hyp_scores"][:].swapaxes(1, 2), scores)


def test_regions_do_not_overlap_and_peaks_are_sorted(sample):
    regions = read_regions(sample)

    assert regions == sorted(regions)
    for (chrom, start), (next_chrom, next_start) in pairwise(regions):
        assert chrom != next_chrom or next_start > start + 1000


def test_samples_share_forty_percent_of_their_peaks(demo):
    first, second = (set(read_regions(s)) for s in demo.samples)

    assert len(first & second) == 0.4 * N_REGIONS


def test_in_shared_peaks_the_samples_bind_other_sites_of_the_same_sequence(demo):
    shared = set.intersection(*(set(read_regions(s)) for s in demo.samples))

    def keys(sample, path):
        regions = read_regions(sample)
        sites, _ = read_sites(path)
        names = zip(sites.peak_id, sites.motif_name, sites.start_untrimmed, strict=True)
        return {(regions[p][0], n, s) for p, n, s in names if regions[p] in shared}

    first, second = demo.samples
    bound = keys(first, first.planted_sites), keys(second, second.planted_sites)
    everything = [b | keys(s, s.decoy_sites) for b, s in zip(bound, demo.samples, strict=True)]

    assert everything[0] == everything[1]
    assert bound[0] - bound[1]
    assert bound[1] - bound[0]
    assert bound[0] & bound[1]


def test_each_sample_hardly_binds_two_motifs_that_the_other_binds(demo):
    def count(sample, numbers):
        sites, _ = read_sites(sample.planted_sites)
        return np.isin(sites.motif_name, [f"pos_patterns.pattern_{i}" for i in numbers]).sum()

    first, second = demo.samples
    assert count(first, (0, 1)) > 3 * count(second, (0, 1))
    assert count(second, (2, 3)) > 3 * count(first, (2, 3))


def test_planted_sites_carry_more_of_the_scores_than_decoys(sample):
    energy = np.square((load(sample.attributions_npz) * load(sample.sequences_npz)).sum(axis=1))
    energy /= energy.mean(axis=1, keepdims=True)
    regions = read_regions(sample)

    def mean_energy(path):
        rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
        starts = [(int(r[5]), int(r[1]) - regions[int(r[5])][1]) for r in rows]
        ends = [int(r[2]) - int(r[1]) for r in rows]
        return np.mean(
            [energy[p, s : s + n].mean() for (p, s), n in zip(starts, ends, strict=True)]
        )

    assert mean_energy(sample.planted_sites) > 8 * mean_energy(sample.decoy_sites)


def test_seqlets_are_planted_sites_of_their_sample(demo, sample):
    sites, _ = read_sites(sample.planted_sites)
    starts = [start for _, start in read_regions(sample)]
    offset = (demo.region_width - SEQLET_WINDOW) // 2
    names = zip(sites.peak_id, sites.motif_name, sites.start_untrimmed, strict=True)
    known = {(int(p), n, int(s) - starts[p] - offset) for p, n, s in names}
    seqlets = set()
    with h5py.File(sample.modisco_h5) as file:
        for group in file:
            for name, pattern in file[group].items():
                found = pattern["seqlets"]
                pairs = zip(found["example_idx"][:], found["start"][:], strict=True)
                seqlets |= {(int(e), f"{group}.{name}", int(s)) for e, s in pairs}

    assert seqlets
    assert seqlets <= known


def test_the_palindrome_and_the_negative_motif_are_named(demo):
    with h5py.File(demo.modisco_h5) as file:
        assert len(file["pos_patterns"]) == 7
        assert list(file["neg_patterns"]) == ["pattern_0"]
    assert demo.palindromes == ("pos_patterns.pattern_6",)


def test_a_demo_too_small_is_refused_and_writes_nothing(tmp_path):
    with pytest.raises(UsageError, match="9 regions and 6 motifs"):
        write_demo(tmp_path / "demo", n_regions=9, n_motifs=6)
    assert not (tmp_path / "demo").exists()


def test_a_genome_with_more_chromosomes_than_regions_is_refused():
    with pytest.raises(UsageError, match="2 regions on 3 chromosomes"):
        lay_out(np.random.default_rng(0), 2, width=100)
