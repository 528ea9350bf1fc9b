"""Contributions from bigWigs over bases from a genome."""

import pickle

import numpy as np
import pyBigWig
import pytest

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.sources._bigwig_file import BigWigFile
from finemo_dist.sources.bigwig import BigWigSource
from tests.unit.sources.samples import (
    CHROM_LENGTHS,
    N_REGIONS,
    WIDTH,
    write_bigwig,
    write_peaks,
)

GENOME = {"chr1": "ACGTN" * 20, "chr2": "G" * 60}
LENGTHS = {name: len(bases) for name, bases in GENOME.items()}


@pytest.fixture
def place(tmp_path):
    """Return a source of regions of 10 at the given places of a small genome, scored 1, 2, 3..."""

    def make(*regions, values=None, lengths=None, n_folds=1):
        chroms, starts = zip(*regions, strict=True)
        write_peaks(tmp_path / "p.bed", list(chroms), np.array(starts), 10)
        (tmp_path / "g.fa").write_text("".join(f">{c}\n{b}\n" for c, b in GENOME.items()))
        lengths = LENGTHS if lengths is None else lengths
        if values is None:
            values = {c: np.arange(1.0, n + 1) for c, n in lengths.items()}
        write_bigwig(tmp_path / "s.bw", lengths, values)
        return BigWigSource(
            tmp_path / "p.bed", tmp_path / "g.fa", [tmp_path / "s.bw"] * n_folds, region_width=10
        )

    return make


def test_bases_and_scores_are_those_of_the_region(samples):
    batch = samples.make("bigwig").read(0, N_REGIONS)

    assert np.array_equal(batch.sequence, samples.codes)
    assert np.array_equal(batch.contributions, samples.projected.astype(np.float32))


def test_region_over_the_left_end_keeps_what_is_on_the_chromosome(place):
    batch = place(("chr2", -4)).read(0, 1)

    assert batch.sequence.tolist() == [[4] * 4 + [2] * 6]
    assert batch.contributions.tolist() == [[0] * 4 + [1, 2, 3, 4, 5, 6]]
    assert batch.counts.n_clipped == 1
    assert batch.counts.n_unknown_bases == 0


def test_region_over_the_right_end_keeps_what_is_on_the_chromosome(place):
    batch = place(("chr2", 57)).read(0, 1)

    assert batch.sequence.tolist() == [[2] * 3 + [4] * 7]
    assert batch.contributions.tolist() == [[58, 59, 60] + [0] * 7]
    assert batch.counts.n_clipped == 1


def test_region_that_just_fits_is_not_clipped(place):
    assert place(("chr2", 0), ("chr2", 50)).read(0, 2).counts.n_clipped == 0


@pytest.mark.parametrize("start", [60, 500])
def test_region_wholly_outside_refuses_by_name(place, start):
    with pytest.raises(InputError, match=r"region 1 \(peak 'peak_1'.*wholly outside"):
        place(("chr1", 5), ("chr2", start))


def test_unknown_base_has_no_contribution(place):
    batch = place(("chr1", 0)).read(0, 1)

    assert batch.sequence.tolist() == [[0, 1, 2, 3, 4] * 2]
    assert batch.contributions.tolist() == [[1, 2, 3, 4, 0, 6, 7, 8, 9, 0]]
    assert batch.counts.n_unknown_bases == 1


def test_base_without_a_value_is_zero(place):
    values = np.full(60, np.nan)
    values[3] = 5

    batch = place(("chr2", 0), ("chr2", 20), values={"chr2": values}).read(0, 2)

    assert batch.contributions.tolist() == [[0, 0, 0, 5, 0, 0, 0, 0, 0, 0], [0] * 10]
    assert (batch.counts.n_zero, batch.counts.n_nan) == (1, 0)


def test_chromosome_the_bigwig_lacks_is_zero_and_counted(place):
    batch = place(("chr1", 0), ("chr2", 0), lengths={"chr1": 100}).read(0, 2)

    assert not batch.contributions[1].any()
    assert batch.counts.n_missing_chrom == 1


def test_chromosome_of_another_length_refuses(place):
    with pytest.raises(InputError, match="chr2 has 61 bases, but 60"):
        place(("chr2", 0), lengths={"chr1": 100, "chr2": 61})


def test_chromosome_the_genome_lacks_refuses_with_the_nearest_name(samples):
    samples.peaks.write_text("1\t5\t30\tthis one\n")

    with pytest.raises(InputError, match=r"no chromosome '1'.*'this one'.*Did you mean 'chr1'"):
        samples.make("bigwig")


def test_values_are_those_that_the_writing_library_reads(tmp_path):
    """In every type of block: fixedStep, variableStep with a span, and bedGraph."""
    rng = np.random.default_rng(1)
    starts = np.cumsum(rng.integers(1, 4, 40)) + 700
    path = str(tmp_path / "s.bw")
    with pyBigWig.open(path, "w") as handle:
        handle.addHeader([("chr1", 1_000), ("chr2", 300)])
        handle.addEntries("chr1", 10, values=rng.normal(size=200).tolist(), span=1, step=1)
        handle.addEntries("chr1", [300, 320, 400], values=[1.5, np.nan, -2.5], span=7)
        chroms = ["chr1"] * len(starts)
        ends, values = (starts + 1).tolist(), rng.normal(size=40).tolist()
        handle.addEntries(chroms, starts.tolist(), ends=ends, values=values)
    file = BigWigFile(path)

    for chrom, start, end in [("chr1", 0, 1_000), ("chr1", 305, 405), ("chr2", 5, 300)]:
        found = np.full(end - start, -1.0)
        file.read_into(found, chrom, start, end)
        with pyBigWig.open(path) as handle:
            expected = handle.values(chrom, start, end, numpy=True)
        assert np.array_equal(np.nan_to_num(found), np.nan_to_num(expected))


def test_a_source_that_was_read_can_be_sent_to_another_process(samples):
    source = samples.make("bigwig")
    batch = source.read(0, N_REGIONS)

    again = pickle.loads(pickle.dumps(source)).read(0, N_REGIONS)

    assert np.array_equal(batch.contributions, again.contributions)


def test_folds_are_averaged(samples):
    scores = {c: np.arange(n, dtype=float) for c, n in CHROM_LENGTHS.items()}
    write_bigwig(samples / "a.bw", CHROM_LENGTHS, scores)
    write_bigwig(samples / "b.bw", CHROM_LENGTHS, {c: 3 * s for c, s in scores.items()})

    def read(*names):
        source = BigWigSource(
            samples.peaks, samples.fasta, [samples / n for n in names], region_width=WIDTH
        )
        return source.read(0, N_REGIONS).contributions

    assert np.array_equal(read("a.bw", "b.bw"), 2 * read("a.bw"))


def test_folds_are_summed_in_double_precision(samples):
    for name, value in (("a.bw", 1e8), ("b.bw", 1.0), ("c.bw", -1e8)):
        scores = {c: np.full(n, value) for c, n in CHROM_LENGTHS.items()}
        write_bigwig(samples / name, CHROM_LENGTHS, scores)
    folds = [samples / n for n in ("a.bw", "b.bw", "c.bw")]
    source = BigWigSource(samples.peaks, samples.fasta, folds, region_width=WIDTH)

    batch = source.read(0, 1)

    assert np.unique(batch.contributions[batch.sequence != 4]).tolist() == [np.float32(1 / 3)]


def test_infinite_score_refuses_naming_the_peak(samples):
    scores = {"chr1": np.full(CHROM_LENGTHS["chr1"], np.inf)}
    write_bigwig(samples / "scores.bw", CHROM_LENGTHS, scores)
    first = samples.chroms.index("chr1")

    with pytest.raises(InputError, match=f"peak_{first}'.*infinite"):
        samples.make("bigwig").read(0, N_REGIONS)


@pytest.mark.parametrize("n_bytes", [0, 3, 64, 77, 200, 400, 1000, 2000, 4000])
def test_truncated_bigwig_refuses(samples, n_bytes):
    path = samples / "scores.bw"
    content = path.read_bytes()
    path.write_bytes(content[: min(n_bytes, len(content) - 100)])

    with pytest.raises(InputError, match=r"scores\.bw"):
        samples.make("bigwig").read(0, N_REGIONS)


@pytest.mark.parametrize("place", [8, 24])
def test_a_tree_or_index_that_moved_refuses(samples, place):
    """libBigWig crashes on a chromosome tree that is not where the header says."""
    path = samples / "scores.bw"
    content = bytearray(path.read_bytes())
    content[place : place + 8] = (
        int.from_bytes(content[place : place + 8], "little") + 1
    ).to_bytes(8, "little")
    path.write_bytes(content)

    with pytest.raises(
        InputError, match=r"scores\.bw: damaged bigWig: its chromosomes or an index"
    ):
        samples.make("bigwig")


@pytest.mark.parametrize("n_chroms", [1, 5, 300, 2000])
def test_any_number_of_chromosomes_is_read(tmp_path, n_chroms):
    """More than a node of the tree holds, on several levels."""
    lengths = {f"scaffold_{i}": 100 + i for i in range(n_chroms)}
    write_bigwig(tmp_path / "s.bw", lengths, {"scaffold_0": np.ones(50)})

    assert BigWigFile(tmp_path / "s.bw").lengths == lengths


@pytest.mark.parametrize("number", [1, 2, 0x80, 2**31])
def test_a_chromosome_of_a_number_that_there_is_not_refuses(tmp_path, number):
    """libBigWig writes to the place of that number, wherever it is."""
    path = tmp_path / "s.bw"
    write_bigwig(path, {"chr1": 100, "chr2": 200}, {"chr1": np.ones(50)})
    content = bytearray(path.read_bytes())
    # The node of the tree follows its head of 32 bytes: four bytes, then names of four bytes each
    # with number and length.
    tree = int.from_bytes(content[8:16], "little")
    at = tree + 32 + 4 + 4
    assert content[at : at + 4] == bytes(4)
    content[at : at + 4] = number.to_bytes(4, "little")
    path.write_bytes(content)

    with pytest.raises(InputError, match="its list of chromosomes is not one"):
        BigWigFile(path)


def tree_of(path, content=None):
    """Return the bytes of a bigWig and where the head of its tree of chromosomes lies."""
    content = bytearray(path.read_bytes()) if content is None else content
    return content, int.from_bytes(content[8:16], "little")


def set_value_bytes(content, tree):
    content[tree + 12] = 4


def set_key_bytes(content, tree):
    content[tree + 8 : tree + 12] = b"\xff" * 4


def set_many_chromosomes(content, tree):
    content[tree + 16 : tree + 24] = (2**40).to_bytes(8, "little")


def set_too_few_chromosomes(content, tree):
    content[tree + 16] = 1


def set_more_entries_than_bytes(content, tree):
    content[tree + 34 : tree + 36] = b"\xff\xff"


def point_to_itself(content, tree):
    """As a node above others, whose only child is the node itself."""
    content[tree + 32], content[tree + 34] = 0, 1
    content[tree + 40 : tree + 48] = (tree + 32).to_bytes(8, "little")


def point_beyond_the_end(content, tree):
    content[tree + 32], content[tree + 34] = 0, 1
    content[tree + 40 : tree + 48] = len(content).to_bytes(8, "little")


def move_tree_to_the_end(content, _):
    """So that its magic is the last of the file, and its head is cut."""
    content[8:16] = len(content).to_bytes(8, "little")
    content += (0x78CA8C91).to_bytes(4, "little")


@pytest.mark.parametrize(
    "harm",
    [
        set_value_bytes,
        set_key_bytes,
        set_many_chromosomes,
        set_too_few_chromosomes,
        set_more_entries_than_bytes,
        point_to_itself,
        point_beyond_the_end,
        move_tree_to_the_end,
    ],
)
def test_a_tree_of_chromosomes_that_is_none_refuses(tmp_path, harm):
    """Each is read no further than it goes, and none without an end."""
    path = tmp_path / "s.bw"
    write_bigwig(path, {"chr1": 100, "chr2": 200}, {"chr1": np.ones(50)})
    content, tree = tree_of(path)
    harm(content, tree)
    path.write_bytes(content)

    with pytest.raises(InputError) as caught:
        BigWigFile(path)

    assert str(caught.value) == (
        f"{path}: damaged bigWig: its list of chromosomes is not one. Write or fetch it again."
    )


def test_damaged_values_refuse(samples):
    path = samples / "scores.bw"
    content = bytearray(path.read_bytes())
    with pyBigWig.open(str(path)) as handle:
        assert handle.isBigWig()
    data_offset = int.from_bytes(content[16:24], "little")
    content[data_offset + 20 : data_offset + 60] = b"\xff" * 40
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"scores\.bw: damaged"):
        samples.make("bigwig").read(0, N_REGIONS)


def test_an_interrupt_while_values_are_read_is_no_damage(samples):
    file = BigWigFile(samples / "scores.bw")

    class Interrupted:
        def values(self, *_, **__):
            raise KeyboardInterrupt

    file._handle = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        file.read_into(np.zeros(5), "chr1", 0, 5)


def test_file_of_another_kind_refuses(samples):
    (samples / "scores.bw").write_bytes((samples / "attr.npz").read_bytes())

    with pytest.raises(InputError, match="not a bigWig"):
        samples.make("bigwig")


def test_missing_bigwig_refuses(samples):
    (samples / "scores.bw").unlink()

    with pytest.raises(InputError, match="no such file"):
        samples.make("bigwig")


def test_no_bigwig_at_all_refuses(samples):
    with pytest.raises(UsageError, match="at least one"):
        BigWigSource(samples.peaks, samples.fasta, [], region_width=WIDTH)


def test_counts_tell_summits_and_duplicates_apart(place, tmp_path):
    source = place(("chr2", 0), ("chr2", 0), ("chr2", 8))
    lines = (tmp_path / "p.bed").read_text().splitlines()
    (tmp_path / "p.bed").write_text("\n".join([*lines[:2], "chr2\t8\t18"]))
    source = BigWigSource(
        tmp_path / "p.bed", tmp_path / "g.fa", [tmp_path / "s.bw"], region_width=10
    )

    counts = [source.read(i, i + 1).counts for i in range(3)]

    assert [c.n_duplicate for c in counts] == [0, 1, 0]
    assert [c.n_no_summit for c in counts] == [0, 0, 1]
