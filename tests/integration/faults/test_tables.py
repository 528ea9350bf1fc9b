"""What stands in the tables of a call, and what becomes of a directory that holds another."""

import json

import numpy as np
import pytest

from finemo_dist import __version__
from finemo_dist.record.run_record import RunRecord
from tests.command import read_tsv
from tests.integration.faults.inputs import write_bigwig, write_fasta
from tests.integration.faults.outcomes import lines_with, tables_of, warnings_of

STOPPED_EARLY = ("--solver", "dense", "-S", "1", "-c", "1e-12", "-s", "0.1")


def test_S19_regions_that_have_not_converged_are_marked_and_counted(works, call, tmp_path):
    said = works(*call(*STOPPED_EARLY))

    rows = read_tsv(tmp_path / "run/peaks_qc.tsv")
    n_not = sum(row["converged"] == "false" for row in rows)
    assert n_not > 0
    assert len(lines_with(said, f"Warning: {n_not} regions have not converged")) == 1
    assert warnings_of(tmp_path / "run")["not_converged"] == n_not


def test_S19_strict_refuses_regions_that_have_not_converged(command, call, tmp_path):
    answer = command(*call(*STOPPED_EARLY, "--strict"))

    assert answer.status == 2
    assert "Traceback" not in answer.err
    (message,) = lines_with(answer, "Error: ")
    for text in (tmp_path / "run", "regions have not converged", "--max-steps", "peaks_qc.tsv"):
        assert str(text) in message


def write_overlapping(works, inputs, tmp_path):
    """Extract regions that overlap their neighbours by all but some bases, in a mixed order."""
    rng = np.random.default_rng(3)
    summits = [start + inputs.width // 2 + shift for _, start in inputs.starts[:6]
               for shift in (-200, -90, 0, 90, 200)]  # fmt: skip
    chroms = [chrom for chrom, _ in inputs.starts[:6] for _ in range(5)]
    peaks = tmp_path / "overlapping.narrowPeak"
    rows = [f"{chroms[i]}\t{summits[i]}\t{summits[i] + 1}\tp{i}\t0\t.\t0\t-1\t-1\t0\n"
            for i in rng.permutation(len(summits))]  # fmt: skip
    peaks.write_text("".join(rows))
    works(*inputs.extract("bw", peaks=peaks), "-o", tmp_path / "s", "--shard-size", "4")
    return tmp_path / "s"


def test_S20_where_peaks_overlap_the_largest_global_coefficient_survives(
    works, call, inputs, tmp_path
):
    regions = write_overlapping(works, inputs, tmp_path)

    works(*call("-b", "1", regions=regions, run="one"))
    works(*call("-b", "7", regions=regions, run="seven"))

    assert tables_of(tmp_path / "one") == tables_of(tmp_path / "seven")
    best = {}
    for row in read_tsv(tmp_path / "one/hits.tsv"):
        place = (row["chr"], row["start"], row["motif_name"], row["strand"])
        rank = (-np.float32(row["hit_coefficient_global"]), int(row["peak_id"]))
        best[place] = min(best.get(place, rank), rank)
    unique = read_tsv(tmp_path / "one/hits_unique.tsv")
    assert len(unique) == len(best) < len(read_tsv(tmp_path / "one/hits.tsv"))
    for row in unique:
        place = (row["chr"], row["start"], row["motif_name"], row["strand"])
        assert best[place][1] == int(row["peak_id"])


def test_S20_regions_at_the_place_of_an_earlier_one_are_counted(works, call, inputs, tmp_path):
    twice = tmp_path / "twice.narrowPeak"
    twice.write_text(inputs.peaks.read_text() * 2)

    said = works(*inputs.extract("bw", peaks=twice), "-o", tmp_path / "s")
    works(*call(regions=tmp_path / "s"))

    assert len(lines_with(said, "12 regions have the coordinates of an earlier region")) == 1
    assert warnings_of(tmp_path / "run")["duplicate"] == 12
    assert {int(r["peak_id"]) for r in read_tsv(tmp_path / "run/hits_unique.tsv")} <= set(range(12))


@pytest.fixture
def cut_motif(inputs, plain):
    """A chromosome that begins within the strongest motif of region 0, and its files."""
    chrom, start = inputs.starts[0]
    rows = [r for r in read_tsv(plain / "hits.tsv") if r["peak_id"] == "0"]
    return max(rows, key=lambda r: float(r["hit_coefficient"])), chrom, start


def test_S22_negative_BED_coordinates_are_never_written(works, call, inputs, cut_motif, tmp_path):
    hit, chrom, start = cut_motif
    first = int(hit["start"]) + 1
    bases = inputs.genome[chrom][first : start + inputs.width]
    scores = inputs.projected[0, first - start :]
    fasta = write_fasta(tmp_path / "g.fa", {"edge": bases})
    bigwig = write_bigwig(tmp_path / "b.bw", {"edge": len(scores)}, {"edge": scores})
    (tmp_path / "p.bed").write_text("edge\t0\t40\n")

    works(*inputs.extract("bw", peaks=tmp_path / "p.bed", fasta=fasta, scores=bigwig),
          "-o", tmp_path / "edge")  # fmt: skip
    works(*call("-f", "-l", "0.2", regions=tmp_path / "edge"))

    assert min(int(r["start"]) for r in read_tsv(tmp_path / "run/hits.tsv")) < 0
    rows = [line.split("\t") for line in (tmp_path / "run/hits.bed").read_text().splitlines()]
    assert any(row[1] == "0" for row in rows)
    assert all(0 <= int(row[1]) < int(row[2]) for row in rows)
    works("export", tmp_path / "run", "--to", "bed", "-o", tmp_path / "all.bed")
    exported = [line.split("\t") for line in (tmp_path / "all.bed").read_text().splitlines()]
    assert all(0 <= int(row[1]) < int(row[2]) for row in exported)


def test_S24_a_directory_of_another_run_is_refused_and_kept(refused, works, call, called, tmp_path):
    refused(
        *call("-l", "0.8"),
        says=(tmp_path / "run", "another run", "penalty was 0.7 and is now 0.8", "--force"),
    )
    works(*call("-l", "0.8", "--force"))
    assert RunRecord.load(tmp_path / "run").config["motifs"]["penalty"] == 0.8


def test_S24_the_same_run_resumes(works, call, called):
    before = tables_of(called)

    said = works(*call())

    assert lines_with(said, "1 of 1 shard was already committed")
    assert tables_of(called) == before


@pytest.mark.parametrize("name", ["s.zarr", "s.npz"])
def test_S24_regions_that_stand_are_refused_and_kept(refused, works, inputs, tmp_path, name):
    works(*inputs.extract("bw"), "-o", tmp_path / name)

    refused(
        *inputs.extract("chrombpnet-h5"), "-o", tmp_path / name,
        says=(tmp_path / name, "exists", "--force"),
    )  # fmt: skip


def test_S24_a_configuration_that_is_refused_keeps_the_stores_it_would_replace(
    refused, works, inputs, tmp_path
):
    peaks = tmp_path / "p.narrowPeak"
    peaks.write_text(inputs.peaks.read_text())
    sample = {"peaks": str(peaks), "fasta": str(inputs.fasta),
              "bigwigs": [str(inputs.files.bigwig)], "region_width": inputs.width}  # fmt: skip
    config = {"output": "run", "modisco_h5": str(inputs.modisco_h5),
              "samples": [{"name": "a", "bigwig": sample}]}  # fmt: skip
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    works("run", tmp_path / "run.yaml")
    peaks.write_text("".join(inputs.peaks.read_text().splitlines(keepends=True)[:4]))
    config["motifs"] = {"include": ["pattern_0"]}
    (tmp_path / "run.yaml").write_text(json.dumps(config))

    refused("run", tmp_path / "run.yaml", "--force", says=(inputs.modisco_h5, "'pattern_0'"))


def test_S25_a_peak_of_the_name_dot_keeps_it(works, call, inputs, tmp_path):
    rows = [[*row[:3], ".", *row[4:]] for row in inputs.peak_rows]
    peaks = tmp_path / "p.narrowPeak"
    peaks.write_text("".join("\t".join(row) + "\n" for row in rows))

    works(*inputs.extract("bw", peaks=peaks), "-o", tmp_path / "s")
    works(*inputs.extract("bw", peaks=peaks), "-o", tmp_path / "s.npz")
    for name in ("s", "s.npz"):
        works(*call(regions=tmp_path / name, run=f"run-{name}"))

        for table in ("hits.tsv", "hits_unique.tsv", "peaks_qc.tsv"):
            found = {row["peak_name"] for row in read_tsv(tmp_path / f"run-{name}" / table)}
            assert found == {"."}


def test_S26_the_BED_score_is_the_rank_of_the_hit(plain):
    unique = read_tsv(plain / "hits_unique.tsv")
    lines = (plain / "hits.bed").read_text().splitlines()
    found = [int(line.split("\t")[4]) for line in lines]
    products = [float(r["hit_coefficient"]) * float(r["hit_coefficient_global"]) for r in unique]
    below = [sum(other <= value for other in products) for value in products]
    shares = [1000 * n / len(products) for n in below]
    # Products of printed numbers may tie where scores do not.
    assert (
        max(abs(score - share) for score, share in zip(found, shares, strict=True))
        < 1000 / len(products) + 1
    )
    assert len(set(found)) > 5
    assert all(0 <= score <= 1000 for score in found)


@pytest.mark.parametrize("command_name", ["collapse-hits", "intersect-hits", "report", "call-hits"])
def test_C1_every_command_explains_itself(works, command_name):
    assert works(command_name, "-h").out.startswith("Usage: finemo-dist")


def test_C16_the_version_is_printed(works):
    assert works("--version").out.split() == ["finemo-dist,", "version", __version__]
