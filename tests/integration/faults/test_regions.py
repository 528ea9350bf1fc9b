"""Where regions lie: chromosome ends, arrays, genome, folds and peaks that must belong together."""

import numpy as np
import pytest

from finemo_dist.store.read import open_store
from tests.command import hit_keys, read_tsv
from tests.integration.faults.inputs import (
    KINDS,
    SCORES_FLAG,
    write_bigwig,
    write_fasta,
    write_h5,
)
from tests.integration.faults.outcomes import FILES, lines_with, warnings_of


def write_peaks(path, rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path


def narrow_peak(chrom, summit, name="edge"):
    return (chrom, summit, summit + 1, name, 0, ".", 0, -1, -1, 0)


def call(inputs, regions, run, *more):
    return ("call-hits", "-r", regions, "-m", inputs.modisco_h5, "-o", run, *more)


def edge_genome(inputs, *, n_lost):
    """Return genome and scores of the sample with ``n_lost`` bases cut off before region 0."""
    chrom, start = inputs.starts[0]
    first = start + n_lost
    genome = {"edge": inputs.genome[chrom][first : start + inputs.width + 200]}
    scores = np.zeros(len(genome["edge"]), np.float32)
    scores[: inputs.width - n_lost] = inputs.projected[0, n_lost:]
    return genome, scores


def test_S6_a_region_over_the_left_end_keeps_the_part_on_its_chromosome(works, inputs, tmp_path):
    genome, scores = edge_genome(inputs, n_lost=150)
    fasta = write_fasta(tmp_path / "genome.fa", genome)
    bigwig = write_bigwig(tmp_path / "b.bw", {"edge": len(scores)}, {"edge": scores})
    peaks = write_peaks(tmp_path / "p.bed", [narrow_peak("edge", inputs.width // 2 - 150)])

    said = works(
        *inputs.extract("bw", peaks=peaks, fasta=fasta, scores=bigwig), "-o", tmp_path / "s"
    )
    works(*call(inputs, tmp_path / "s", tmp_path / "run"))

    batch = open_store(tmp_path / "s").read(0, 1)
    assert (batch.sequence[0, :150] == 4).all()
    assert not batch.contributions[0, :150].any()
    np.testing.assert_allclose(batch.contributions[0, 150:], scores[:850], rtol=1e-3)
    assert lines_with(said, "1 region reaches beyond an end of its chromosome")
    assert warnings_of(tmp_path / "run")["clipped"] == 1
    assert hit_keys(tmp_path / "run/hits.tsv")


def test_S7_a_region_over_the_right_end_keeps_the_part_on_its_chromosome(works, inputs, tmp_path):
    chrom, start = inputs.starts[0]
    bases = inputs.genome[chrom][start : start + 700]
    fasta = write_fasta(tmp_path / "genome.fa", {"edge": bases})
    scores = inputs.projected[0, :700]
    bigwig = write_bigwig(tmp_path / "b.bw", {"edge": 700}, {"edge": scores})
    peaks = write_peaks(tmp_path / "p.bed", [narrow_peak("edge", inputs.width // 2)])

    works(*inputs.extract("bw", peaks=peaks, fasta=fasta, scores=bigwig), "-o", tmp_path / "s")
    works(*call(inputs, tmp_path / "s", tmp_path / "run"))

    batch = open_store(tmp_path / "s").read(0, 1)
    assert (batch.sequence[0, 700:] == 4).all()
    assert not batch.contributions[0, 700:].any()
    np.testing.assert_allclose(batch.contributions[0, :700], scores, rtol=1e-3)
    assert warnings_of(tmp_path / "run")["clipped"] == 1
    assert hit_keys(tmp_path / "run/hits.tsv")


@pytest.mark.parametrize("summit", [20_000, 14_200], ids=["far", "by a little"])
def test_C3_a_region_wholly_outside_its_chromosome_is_refused_by_name(
    refused, inputs, tmp_path, summit
):
    peaks = write_peaks(tmp_path / "p.bed", [narrow_peak("chr1", summit, "beyond")])
    length = inputs.chrom_lengths["chr1"]

    refused(
        *inputs.extract("bw", peaks=peaks), "-o", tmp_path / "s",
        says=(peaks, "'beyond'", "wholly outside", f"{length:,} bases", "same assembly"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS[1:])
def test_S8_a_width_beyond_the_arrays_is_refused(refused, inputs, tmp_path, kind):
    path = {
        "chrombpnet-h5": inputs.files.chrombpnet_h5,
        "bpnet-h5": inputs.files.bpnet_h5,
        "modisco-fmt": inputs.files.sequences_npz,
    }[kind]

    refused(
        *inputs.extract(kind, width=1002), "-o", tmp_path / "s",
        says=(path, "1,000 bases wide", "regions of 1,002", "(-w) of at most 1,000"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS[1:])
def test_S12_peaks_in_another_order_are_refused_where_the_genome_is_given(
    refused, works, inputs, tmp_path, kind
):
    rows = list(inputs.peak_rows)
    rows[3], rows[4] = rows[4], rows[3]
    peaks = write_peaks(tmp_path / "swapped.narrowPeak", rows)

    refused(
        *inputs.extract(kind, peaks=peaks, fasta=inputs.fasta), "-o", tmp_path / "s",
        says=(inputs.fasta, "other sequences", "first at region 3", "same order"),
    )  # fmt: skip
    works(*inputs.extract(kind, fasta=inputs.fasta), "-o", tmp_path / "s")


@pytest.mark.parametrize("kind", KINDS[1:])
def test_S12_another_number_of_peaks_than_of_arrays_is_refused(refused, inputs, tmp_path, kind):
    peaks = write_peaks(tmp_path / "short.narrowPeak", inputs.peak_rows[:-1])

    refused(
        *inputs.extract(kind, peaks=peaks), "-o", tmp_path / "s",
        says=(peaks, "11 peaks", "12 regions", "one peak for each region"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["chrombpnet-h5", "bpnet-h5"])
def test_S13_folds_with_regions_in_another_order_are_refused(refused, inputs, tmp_path, kind):
    order = np.arange(len(inputs.one_hot))
    order[[5, 6]] = 6, 5
    other = write_h5(
        tmp_path / "fold.h5", kind, one_hot=inputs.one_hot[order], scores=inputs.hypothetical[order]
    )
    first = inputs.extract(kind)[2]

    refused(
        *inputs.extract(kind, scores=[first, other]), "-o", tmp_path / "s",
        says=(other, first, "other sequences", "first at region 5", "same order"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS[1:])
def test_C13_folds_with_another_number_of_regions_are_refused(refused, inputs, tmp_path, kind):
    if kind == "modisco-fmt":
        other = tmp_path / "fold.npy"
        np.save(other, inputs.hypothetical[:-1])
    else:
        other = write_h5(
            tmp_path / "fold.h5", kind, one_hot=inputs.one_hot[:-1],
            scores=inputs.hypothetical[:-1],
        )  # fmt: skip
    words = inputs.extract(kind)
    first = words[words.index(SCORES_FLAG[kind]) + 1]

    refused(
        *inputs.extract(kind, scores=[first, other]), "-o", tmp_path / "s",
        says=(other, "(11, 4, 1000)", "(12, 4, 1000)", "same regions in every file"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("peak_id", "found"),
    [(12, "peak_id 12"), (-1, "peak_id -1"), (3, "peak_id 3, as an earlier region has")],
    ids=["beyond", "negative", "twice"],
)
def test_S14_a_regions_file_with_a_wrong_peak_id_is_refused(
    refused, inputs, tmp_path, peak_id, found
):
    arrays = inputs.finemo_arrays()
    arrays["peak_id"] = arrays["peak_id"].astype(np.int64)
    arrays["peak_id"][7] = peak_id
    np.savez(tmp_path / "regions.npz", **arrays)

    refused(
        *call(inputs, tmp_path / "regions.npz", tmp_path / "run"),
        says=(tmp_path / "regions.npz", "region 7", found, "xpected"),
    )


@pytest.mark.parametrize("summit", ["-1", "."])
def test_S15_without_a_summit_the_middle_of_the_peak_is_taken_and_counted(
    works, inputs, tmp_path, summit
):
    rows = [list(row) for row in inputs.peak_rows]
    start = int(rows[2][1]) + int(rows[2][9])
    rows[2][1:3], rows[2][9] = [start - 300, start + 300], summit
    peaks = write_peaks(tmp_path / "p.narrowPeak", rows)

    said = works(*inputs.extract("bw", peaks=peaks), "-o", tmp_path / "s")
    works(*inputs.extract("bw"), "-o", tmp_path / "whole")
    works(*call(inputs, tmp_path / "s", tmp_path / "run"))

    found, expected = (open_store(tmp_path / n).table(0, 12).start for n in ("s", "whole"))
    assert found.tolist() == expected.tolist()
    assert len(lines_with(said, "1 region has no summit, so the middle of its peak")) == 1
    assert warnings_of(tmp_path / "run")["no_summit"] == 1


def test_C4_a_chromosome_missing_from_the_genome_is_refused(refused, inputs, tmp_path):
    rows = [list(row) for row in inputs.peak_rows]
    rows[4][0] = "chr9"
    peaks = write_peaks(tmp_path / "p.narrowPeak", rows)

    refused(
        *inputs.extract("bw", peaks=peaks), "-o", tmp_path / "s",
        says=(inputs.fasta, "no chromosome 'chr9'", peaks, f"peak {rows[4][3]!r}", "Did you mean"),
    )  # fmt: skip


def test_C4_chr1_against_1_is_named_as_such_where_the_genome_lacks_it(refused, inputs, tmp_path):
    bare = {name.removeprefix("chr"): bases for name, bases in inputs.genome.items()}
    fasta = write_fasta(tmp_path / "ensembl.fa", bare)

    refused(
        *inputs.extract("bw", fasta=fasta), "-o", tmp_path / "s",
        says=(fasta, "'chr1'", "Did you mean '1'?", "differ by the 'chr' prefix"),
    )  # fmt: skip


def test_C4_a_chromosome_missing_from_the_bigwig_is_zero_and_counted(works, inputs, tmp_path):
    scores = {c: np.ones(n, np.float32) for c, n in inputs.chrom_lengths.items() if c != "chr2"}
    lengths = {c: inputs.chrom_lengths[c] for c in scores}
    bigwig = write_bigwig(tmp_path / "b.bw", lengths, scores)
    n_missing = sum(chrom == "chr2" for chrom, _ in inputs.starts)

    said = works(*inputs.extract("bw", scores=bigwig), "-o", tmp_path / "s")
    works(*call(inputs, tmp_path / "s", tmp_path / "run"))

    store = open_store(tmp_path / "s").read(0, 12)
    is_zero = ~store.contributions.any(axis=1)
    assert is_zero.tolist() == [chrom == "chr2" for chrom, _ in inputs.starts]
    expected = f"{n_missing} regions are on a chromosome that the bigWig lacks"
    assert len(lines_with(said, expected)) == 1
    assert warnings_of(tmp_path / "run")["missing_chrom"] == n_missing


def test_C4_a_bigwig_that_names_every_chromosome_otherwise_is_refused(refused, inputs, tmp_path):
    bare = {name.removeprefix("chr"): length for name, length in inputs.chrom_lengths.items()}
    bigwig = write_bigwig(
        tmp_path / "b.bw", bare, {c: np.ones(n, np.float32) for c, n in bare.items()}
    )

    refused(
        *inputs.extract("bw", scores=bigwig), "-o", tmp_path / "s",
        says=(bigwig, "'chr1'", "Did you mean '1'?", "differ by the 'chr' prefix"),
    )  # fmt: skip


def test_C7_an_empty_peaks_file_is_refused(refused, inputs, tmp_path):
    for content in ("", "\n\n", "# nothing\ntrack name=x\n"):
        (tmp_path / "p.bed").write_text(content)

        refused(
            *inputs.extract("bw", peaks=tmp_path / "p.bed"), "-o", tmp_path / "s",
            says=(tmp_path / "p.bed", "holds no peaks", "one peak per line"),
        )  # fmt: skip


@pytest.mark.parametrize("form", ["zarr", "npz"])
def test_C7_zero_regions_give_empty_well_formed_outputs(works, inputs, tmp_path, form):
    np.save(tmp_path / "ohe.npy", inputs.one_hot[:0])
    np.save(tmp_path / "attr.npy", inputs.hypothetical[:0])
    regions = tmp_path / f"s.{form}"

    works(
        *inputs.extract("modisco-fmt", sequences=tmp_path / "ohe.npy",
                        scores=tmp_path / "attr.npy", peaks=None), "-o", regions,
    )  # fmt: skip
    works(*call(inputs, regions, tmp_path / "run"))

    tables = {name: read_tsv(tmp_path / "run" / name) for name in ("hits.tsv", "peaks_qc.tsv")}
    assert tables == {"hits.tsv": [], "peaks_qc.tsv": []}
    header = (tmp_path / "run/hits.tsv").read_text().split("\t")
    assert (header[0], len(header)) == ("chr", 15)
    works("status", tmp_path / "run")
    works("sql", tmp_path / "run", "SELECT count(*) FROM hits", "--format", "tsv")


def test_C9_a_region_narrower_than_the_motif_is_refused(refused, works, inputs, tmp_path):
    works(*inputs.extract("bw", width=20), "-o", tmp_path / "s")

    refused(
        *call(inputs, tmp_path / "s", tmp_path / "run"),
        says=(tmp_path / "s", "20 bases wide", "narrower than the motifs", "(-w)"),
    )


def test_S4_S5_without_coordinates_there_is_no_unique_table_and_the_log_says_why(
    works, inputs, tmp_path
):
    works(*inputs.extract("modisco-fmt", peaks=None), "-o", tmp_path / "s")

    said = works(*call(inputs, tmp_path / "s", tmp_path / "run"))

    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert set(FILES) - names == {"hits_unique.tsv", "hits.bed"}
    assert len(lines_with(said, "hits_unique.tsv and hits.bed are not written")) == 1
    assert lines_with(said, "positions in different regions cannot be compared")
