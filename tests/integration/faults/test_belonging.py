"""Files that must belong together, and what is known of the genome afterwards."""

import os

import h5py
import numpy as np
import pytest
import yaml

from finemo_dist.core.records import Mode
from finemo_dist.record.run_record import RunRecord
from finemo_dist.store.read import open_store
from tests.command import finemo_dist, read_tsv
from tests.integration.faults.inputs import KINDS, write_bigwig, write_fasta, write_scores
from tests.integration.faults.outcomes import lines_with, tables_of, warnings_of


def bed_of(path):
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return [(chrom, int(start), int(end)) for chrom, start, end, *_ in lines]


def write_lines(path, rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def cut(inputs, plain, tmp_path_factory):
    """Return a run whose last hit reaches beyond the end of its chromosome, and that end."""
    folder = tmp_path_factory.mktemp("cut")
    chrom, start = inputs.starts[0]
    hits = [h for h in read_tsv(plain / "hits.tsv") if h["peak_id"] == "0"]
    # The chromosome ends two bases before the end of a hit.
    last = max(hits, key=lambda h: int(h["end"]))
    length = int(last["end"]) - 2 - start
    fasta = write_fasta(folder / "g.fa", {"cut": inputs.genome[chrom][start : start + length]})
    scores = inputs.projected[0, :length]
    bigwig = write_bigwig(folder / "b.bw", {"cut": length}, {"cut": scores})
    half = inputs.width // 2
    peaks = write_lines(folder / "p", [("cut", half, half + 1, "p", 0, ".", 0, -1, -1, 0)])
    words = inputs.extract("bw", peaks=peaks, fasta=fasta, scores=bigwig)
    finemo_dist(*words, "-o", folder / "s")
    finemo_dist("call-hits", "-r", folder / "s", "-m", inputs.modisco_h5, "-o", folder / "run",
          "-l", "0.5")  # fmt: skip
    called = [int(h["end"]) for h in read_tsv(folder / "run/hits.tsv")]
    assert max(called) > length
    return folder / "run", length


def test_S31_no_BED_reaches_beyond_its_chromosome(works, cut, tmp_path):
    run, length = cut
    pysam = pytest.importorskip("pysam")
    works("export", run, "--to", "bed", "-o", tmp_path / "hits.bed")
    works("export", run, "--to", "tabix", "-o", tmp_path / "hits.bed.gz")
    works("export", run, "--to", "tabix", "-o", tmp_path / "hits.tsv.gz")

    with pysam.TabixFile(str(tmp_path / "hits.bed.gz")) as file:
        indexed = [tuple(line.split("\t")[:3]) for line in file.fetch("cut")]
    with pysam.TabixFile(str(tmp_path / "hits.tsv.gz")) as file:
        table = [tuple(line.split("\t")[:3]) for line in file.fetch("cut")]
    for found in (
        bed_of(run / "hits.bed"),
        bed_of(tmp_path / "hits.bed"),
        [(chrom, int(start), int(end)) for chrom, start, end in indexed],
        [(chrom, int(start), int(end)) for chrom, start, end in table],
    ):
        assert found
        assert max(end for _, _, end in found) == length
        assert all(start < end for _, start, end in found)
    assert max(int(h["end"]) for h in read_tsv(run / "hits.tsv")) > length


def test_S31_a_bigBed_knows_how_long_its_chromosomes_are(works, cut, tmp_path):
    run, length = cut
    pybigtools = pytest.importorskip("pybigtools")
    works("export", run, "--to", "bigbed", "-o", tmp_path / "hits.bb")

    with pybigtools.open(str(tmp_path / "hits.bb")) as file:
        assert file.chroms() == {"cut": length}
        assert max(end for _, end, *_ in file.records("cut")) == length


def test_S31_lengths_are_in_the_store_and_in_the_record_of_the_run(cut):
    run, length = cut
    record = RunRecord.load(run)

    assert open_store(run.parent / "s").table(0, 1).chrom_lengths == (length,)
    assert record.chrom_lengths_of(record.samples[0]) == {"cut": length}


@pytest.mark.parametrize("kind", KINDS[1:])
def test_S31_arrays_have_the_lengths_from_a_file(works, refused, inputs, call, tmp_path, kind):
    sizes = write_lines(tmp_path / "g.sizes", inputs.chrom_lengths.items())

    works(*inputs.extract(kind), "--chrom-sizes", sizes, "-o", tmp_path / "s")

    table = open_store(tmp_path / "s").table(0, 1)
    assert dict(zip(table.chrom_names, table.chrom_lengths, strict=True)) == {
        name: inputs.chrom_lengths[name] for name in table.chrom_names
    }
    short = write_lines(tmp_path / "short.sizes", [(c, 10) for c in inputs.chrom_lengths])
    refused(
        *inputs.extract(kind), "--chrom-sizes", short, "-o", tmp_path / "t",
        says=(inputs.peaks, "wholly outside its chromosome", "10 bases"),
    )  # fmt: skip


def test_S31_sizes_given_to_an_export_go_before_those_of_the_run(works, refused, cut, tmp_path):
    run, length = cut
    sizes = write_lines(tmp_path / "sizes", [("cut", length - 1)])
    works("export", run, "--to", "bed", "--chrom-sizes", sizes, "-o", tmp_path / "b.bed")
    none = write_lines(tmp_path / "none", [("cut", 3)])

    assert max(end for _, _, end in bed_of(tmp_path / "b.bed")) == length - 1
    refused(
        "export", run, "--to", "bed", "--chrom-sizes", none, "-o", tmp_path / "c.bed",
        says=(none, "says that cut has 3 bases", "begins at"),
    )  # fmt: skip


def test_S33_a_report_is_the_same_from_any_folder(works, inputs, store, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "work/motifs.h5").write_bytes(inputs.modisco_h5.read_bytes())
    with h5py.File(tmp_path / "work/motifs.h5", "r+") as file:
        group = file["pos_patterns/pattern_0"].require_group("seqlets")
        group.clear()
        for name, value in (("example_idx", 0), ("start", 10), ("end", 30), ("is_revcomp", 0)):
            group[name] = np.array([value])
    monkeypatch.chdir(tmp_path / "work")
    works("call-hits", "-r", os.path.relpath(store), "-m", "motifs.h5", "-o", "run")
    works("report", "-H", "run", "-o", "here")
    monkeypatch.chdir("/")

    said = works("report", "-H", tmp_path / "work/run", "-o", tmp_path / "there")

    assert "seqlets are left out" not in said.err
    here, there = (p / "motif_report.tsv" for p in (tmp_path / "work/here", tmp_path / "there"))
    assert "seqlet_recall" in here.read_text()
    assert here.read_bytes() == there.read_bytes()


def test_S33_paths_stand_in_the_record_as_typed_and_resolved(
    works, inputs, store, tmp_path, monkeypatch
):
    (tmp_path / "link.h5").symlink_to(inputs.modisco_h5)
    monkeypatch.chdir(tmp_path)
    works("call-hits", "-r", os.path.relpath(store), "-m", "link.h5", "-o", "run")
    works(*inputs.extract("bw", peaks=os.path.relpath(inputs.peaks)), "-o", "s")

    record = RunRecord.load(tmp_path / "run")
    (modisco,) = record.inputs
    assert (modisco.path, modisco.resolved) == ("link.h5", str(inputs.modisco_h5.resolve()))
    (sample,) = record.samples
    assert (sample.store_given, sample.store) == (os.path.relpath(store), str(store.resolve()))
    peaks = open_store("s").meta.inputs[0]
    assert (peaks.path, peaks.resolved) == (
        os.path.relpath(inputs.peaks), str(inputs.peaks.resolve())
    )  # fmt: skip


def with_coordinates(inputs, path, *, order=None, names=("coords_chrom", "coords_end")):
    """Copy the BPNet file of the sample with the places of its arrays, as bpnet-refactor does."""
    with h5py.File(inputs.files.bpnet_h5) as old, h5py.File(path, "w") as new:
        for name in ("input_seqs", "hyp_scores"):
            new[name] = old[name][()]
        width = old["input_seqs"].shape[1]
        rows = inputs.starts if order is None else [inputs.starts[i] for i in order]
        centre = np.array([start + inputs.width // 2 for _, start in rows])
        if names[1] == "coords_stop":
            new["chrom_names"] = np.array(["chrX", "chr1", "chr2", "chr3", "chr4"], dtype="S")
            known = ["chrX", "chr1", "chr2", "chr3", "chr4"]
            new["coords_chrom"] = np.array([known.index(chrom) for chrom, _ in rows], np.uint8)
        else:
            new["coords_chrom"] = np.array([chrom for chrom, _ in rows], dtype="S")
        new["coords_start"], new[names[1]] = centre - width // 2, centre + width // 2
    return path


@pytest.fixture(scope="module")
def by_peaks(inputs, tmp_path_factory):
    """The tables of the BPNet file, with coordinates from the peaks."""
    folder = tmp_path_factory.mktemp("by-peaks")
    finemo_dist(*inputs.extract("bpnet-h5"), "-o", folder / "s")
    finemo_dist("call-hits", "-r", folder / "s", "-m", inputs.modisco_h5, "-o", folder / "run")
    return tables_of(folder / "run")


@pytest.mark.parametrize("end", ["coords_end", "coords_stop"])
def test_S34_coordinates_of_a_BPNet_file_are_used_without_peaks(
    works, inputs, call, by_peaks, tmp_path, end
):
    path = with_coordinates(inputs, tmp_path / "b.h5", names=("coords_chrom", end))

    works(*inputs.extract("bpnet-h5", scores=path, peaks=None), "-o", tmp_path / "s")
    works(*call(regions=tmp_path / "s"))

    found = tables_of(tmp_path / "run")
    assert found["hits.bed"] == by_peaks["hits.bed"]
    assert found["hits_unique.tsv"].count(b"\n") == by_peaks["hits_unique.tsv"].count(b"\n")


def test_S34_peaks_in_another_order_than_the_files_coordinates_are_refused(
    refused, works, inputs, tmp_path
):
    path = with_coordinates(inputs, tmp_path / "b.h5", order=[1, 0, *range(2, 12)])
    right = with_coordinates(inputs, tmp_path / "right.h5")

    works(*inputs.extract("bpnet-h5", scores=right), "-o", tmp_path / "s")
    refused(
        *inputs.extract("bpnet-h5", scores=path), "-o", tmp_path / "t",
        says=(inputs.peaks, "peak 0 is around", path, "in 2 of 12", "leave out -p"),
    )  # fmt: skip


def test_S34_folds_of_other_coordinates_are_refused(refused, inputs, tmp_path):
    paths = [
        with_coordinates(inputs, tmp_path / "a.h5"),
        with_coordinates(inputs, tmp_path / "b.h5", order=[1, 0, *range(2, 12)]),
    ]

    refused(
        *inputs.extract("bpnet-h5", scores=paths, peaks=None), "-o", tmp_path / "t",
        says=(paths[1], "other coordinates", paths[0]),
    )  # fmt: skip


def test_S35_a_bigwig_without_a_chromosome_of_the_peaks_is_refused(refused, inputs, tmp_path):
    bigwig = write_bigwig(tmp_path / "b.bw", {"scaffold_9": 900}, {"scaffold_9": np.ones(900)})

    refused(
        *inputs.extract("bw", scores=bigwig), "-o", tmp_path / "s",
        says=(bigwig, "nor any other chromosome of the peaks", "same assembly"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_S35_scores_that_are_nowhere_in_the_regions_are_refused(refused, inputs, tmp_path, kind):
    scores = write_scores(inputs, kind, tmp_path / "zero", lambda values: values * 0)

    refused(
        *inputs.extract(kind, scores=scores), "-o", tmp_path / "s",
        says=(scores, "none of the 12 regions has any contribution", "same sample and assembly"),
    )  # fmt: skip


def test_S35_a_large_share_without_contributions_is_a_warning(works, inputs, tmp_path):
    scores = inputs.hypothetical.copy()
    scores[:7] = 0
    np.save(tmp_path / "a.npy", scores)

    said = works(*inputs.extract("modisco-fmt", scores=tmp_path / "a.npy"), "-o", tmp_path / "s")

    assert len(lines_with(said, "7 of 12 regions have no contribution at all")) == 1


def test_S35_a_run_refuses_a_sample_whose_scores_are_nowhere_and_leaves_no_store(
    command, inputs, tmp_path
):
    np.save(tmp_path / "zero.npy", inputs.hypothetical * 0)
    config = tmp_path / "c.yaml"
    arrays = {"sequences": str(inputs.files.sequences_npz), "attributions": ["zero.npy"]}
    content = {
        "output": "run",
        "modisco_h5": str(inputs.modisco_h5),
        "samples": [{"name": "a", "modisco_arrays": arrays}],
        "resources": {"executor": "serial"},
    }
    config.write_text(yaml.dump(content))

    answer = command("run", config)

    assert answer.status == 2
    assert "Error: " + str(tmp_path / "zero.npy") in answer.err
    assert "none of the 12 regions has any contribution" in answer.err
    assert {p.name for p in tmp_path.rglob("*")} <= {"zero.npy", "c.yaml", "run.regions"}


@pytest.mark.parametrize("words", [("-l", "1"), ("-l", "1.5"), ("-L", "FILE")])
def test_S35_a_lambda_that_no_hit_can_pass_is_refused(refused, call, tmp_path, words):
    (tmp_path / "l.tsv").write_text("pos_patterns.pattern_1\t1\n")
    given = [tmp_path / "l.tsv" if word == "FILE" else word for word in words]

    refused(*call(*given), says=("has lambda 1", "no similarity exceeds 1", "--no-post-filter"))


def test_S35_without_the_filter_any_lambda_is_taken(works, call):
    works(*call("-l", "1", "--no-post-filter"))


def test_S35_no_hit_is_a_warning_with_the_likely_cause(works, inputs, call, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.normal(size=inputs.hypothetical.shape).astype(np.float32))
    works(*inputs.extract("modisco-fmt", scores=tmp_path / "a.npy"), "-o", tmp_path / "s")

    said = works(*call("-l", "0.95", regions=tmp_path / "s"))

    assert len(lines_with(said, ": no hits in 12 regions. Lambda is at least 0.95")) == 1


@pytest.fixture
def projected(inputs, tmp_path):
    """Return the words that extract scores that are zero off the observed base."""
    np.save(tmp_path / "p.npy", inputs.hypothetical * inputs.one_hot)
    return inputs.extract("modisco-fmt", scores=tmp_path / "p.npy")


@pytest.mark.parametrize("mode", [mode.value for mode in Mode])
def test_S39_projected_scores_given_as_hypothetical_are_counted_or_refused(
    works, refused, projected, call, tmp_path, mode
):
    said = works(*projected, "-o", tmp_path / "s")
    words = call("-M", mode, regions=tmp_path / "s")

    assert len(lines_with(said, "12 regions have hypothetical scores that are zero off")) == 1
    if Mode(mode).contributions_are_hypothetical:
        refused(*words, says=(tmp_path / "s", "zero off the observed base", "-M pp or -M hp"))
    else:
        works(*words)
        assert warnings_of(tmp_path / "run")["zero_off_base"] == 12


def test_S39_finemos_file_of_such_scores_is_refused_and_leaves_nothing(
    refused, inputs, call, tmp_path
):
    arrays = inputs.finemo_arrays()
    arrays["contributions"] = (inputs.hypothetical * inputs.one_hot).astype(np.float16)
    np.savez(tmp_path / "regions.npz", **arrays)

    refused(
        *call("-M", "hh", regions=tmp_path / "regions.npz"),
        says=(tmp_path / "regions.npz", "zero off the observed base"),
    )


@pytest.mark.parametrize("as_mask", [True, False])
def test_peaks_without_arrays_are_left_out_by_a_mask(works, refused, inputs, tmp_path, as_mask):
    rows = np.array([0, 2, 3, 7, 11])
    mask = np.zeros(12, bool)
    mask[rows] = True
    np.save(tmp_path / "keep.npy", mask if as_mask else rows)
    np.save(tmp_path / "o.npy", inputs.one_hot[rows])
    np.save(tmp_path / "a.npy", inputs.hypothetical[rows])
    words = inputs.extract("modisco-fmt", sequences=tmp_path / "o.npy", scores=tmp_path / "a.npy",
                           fasta=inputs.fasta)  # fmt: skip

    works(*words, "--keep", tmp_path / "keep.npy", "-o", tmp_path / "s")

    table = open_store(tmp_path / "s").table(0, 5)
    assert table.start.tolist() == [inputs.starts[i][1] for i in rows]
    assert table.peak_id.tolist() == list(range(5))
    refused(*words, "-o", tmp_path / "t", says=("12 peaks", "5 regions", "--keep"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.ones(11, bool), "a mask of 11 peaks"),
        (np.array([0, 12]), "names row 12"),
        (np.array([0, 0]), "names a row twice"),
        (np.array([0.0, 1.0]), "values of type float64"),
        (np.ones((2, 2), bool), "has shape (2, 2)"),
    ],
)
def test_a_mask_that_fits_no_peaks_is_refused(refused, inputs, tmp_path, values, said):
    np.save(tmp_path / "keep.npy", values)

    refused(
        *inputs.extract("modisco-fmt"), "--keep", tmp_path / "keep.npy", "-o", tmp_path / "s",
        says=(tmp_path / "keep.npy", said),
    )  # fmt: skip


def test_arrays_with_the_bases_on_the_last_axis_are_read_when_it_is_said(
    works, refused, inputs, tmp_path
):
    np.save(tmp_path / "o.npy", inputs.one_hot.swapaxes(1, 2))
    np.save(tmp_path / "a.npy", inputs.hypothetical.swapaxes(1, 2))
    words = inputs.extract("modisco-fmt", sequences=tmp_path / "o.npy", scores=tmp_path / "a.npy")

    works(*words, "--axis-order", "nla", "-o", tmp_path / "s")
    works(*inputs.extract("modisco-fmt"), "-o", tmp_path / "right")

    assert open_store(tmp_path / "s").digest == open_store(tmp_path / "right").digest
    refused(*words, "-o", tmp_path / "t", says=("(12, 1000, 4)", "--axis-order nla"))
    refused(
        *inputs.extract("modisco-fmt"), "--axis-order", "nla", "-o", tmp_path / "t",
        says=("(12, 4, 1000)", "--axis-order nal"),
    )  # fmt: skip


def test_an_H5_with_other_axes_than_its_format_is_read_when_it_is_said(
    works, refused, inputs, tmp_path
):
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["raw/seq"] = inputs.one_hot.swapaxes(1, 2)
        file["shap/seq"] = inputs.hypothetical.swapaxes(1, 2)
    words = inputs.extract("chrombpnet-h5", scores=tmp_path / "c.h5")

    works(*words, "--axis-order", "nla", "-o", tmp_path / "s")

    read = open_store(tmp_path / "s").read(0, 12)
    np.testing.assert_allclose(read.contributions, inputs.hypothetical, rtol=1e-3, atol=1e-6)
    refused(*words, "-o", tmp_path / "t", says=("(12, 1000, 4)", "--axis-order nla"))
