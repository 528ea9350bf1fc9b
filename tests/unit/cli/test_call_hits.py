"""``call-hits``: its files, its refusals, and what it leaves alone."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from finemo_dist.record.run_record import RunRecord
from finemo_dist.store.read import open_store
from tests.command import read_tsv
from tests.unit.motifs.files import pattern, write_h5
from tests.unit.run.runs import corrupt_shard, parts, write_inputs, write_store

FILES = {
    "hits.tsv", "hits_unique.tsv", "hits.bed", "peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy",
    "params.json", "parameters.json",
}  # fmt: skip


def words(inputs, run, *more, regions=None):
    return ("call-hits", "-r", regions or inputs.stores["a"], "-m", inputs.modisco_h5,
            "-o", run, *more)  # fmt: skip


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_directory_holds_finemos_files(finished):
    assert {p.name for p in finished.iterdir()} == FILES | {
        "run.json", "motifs", "hits", "peaks_qc", "log", "outputs",
    }  # fmt: skip


def test_the_sample_is_named_after_the_regions(command, inputs, finished, tmp_path):
    assert [s.name for s in RunRecord.load(finished).samples] == ["a"]

    command(*words(inputs, tmp_path, "--sample", "liver <b>/.."))
    assert [s.name for s in RunRecord.load(tmp_path).samples] == ["liver <b>/.."]


def test_the_summary_goes_to_standard_error(command, inputs, tmp_path):
    answer = command(*words(inputs, tmp_path))

    n_hits = len(read_tsv(tmp_path / "hits.tsv"))
    assert (answer.status, answer.out) == (0, "")
    assert f"{tmp_path}: {n_hits} hits in 12 regions, largest duality gap" in answer.err


def test_the_summary_as_json(command, inputs, tmp_path):
    answer = command(*words(inputs, tmp_path, "--json"))

    summary = json.loads(answer.out)
    assert answer.status == 0
    assert summary["n_hits"] == len(read_tsv(tmp_path / "hits.tsv"))
    assert (summary["n_regions"], summary["n_shards"], summary["n_shards_done"]) == (12, 3, 3)
    assert {f.split("/")[-1] for f in summary["files"]} == FILES
    assert summary["executor"] == {"kind": "serial", "n_workers": 1, "device": "cpu"}


def test_the_same_command_again_does_nothing_and_says_so(command, inputs, tmp_path):
    command(*words(inputs, tmp_path))
    before = content(tmp_path)

    answer = command(*words(inputs, tmp_path))

    assert answer.status == 0
    assert "3 of 3 shards were already committed" in answer.err
    after = content(tmp_path)
    del before["run.json"], after["run.json"]
    assert after == before


def test_another_run_is_refused_and_untouched(refused, inputs, finished):
    """S24."""
    before = content(finished)

    said = refused(*words(inputs, finished, "-l", "0.8"))

    assert "motifs.penalty was 0.7 and is now 0.8" in said
    assert content(finished) == before


def test_force_replaces_another_run_and_leaves_foreign_files(command, inputs, tmp_path):
    command(*words(inputs, tmp_path))
    (tmp_path / "notes.txt").write_text("mine")

    answer = command(*words(inputs, tmp_path, "-l", "0.8", "--force"))

    assert answer.status == 0, answer.err
    assert RunRecord.load(tmp_path).config["motifs"]["penalty"] == 0.8
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(("-M", "ph"), id="scores of the wrong kind"),
        pytest.param(("--device", "cuda"), id="no GPU"),
        pytest.param(("-I", __file__), id="no such motif"),
    ],
)
def test_what_is_refused_with_force_leaves_the_earlier_run(
    refused, command, inputs, tmp_path, monkeypatch, more
):
    monkeypatch.setattr("finemo_dist.run.resources.count_gpus", lambda: 0)
    command(*words(inputs, tmp_path))
    before = content(tmp_path)

    refused(*words(inputs, tmp_path, "--force", *more))

    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "more", [("-M", "ph"), ("--device", "cuda"), ("-I", __file__)], ids=["kind", "GPU", "motif"]
)
def test_what_is_refused_leaves_nothing(refused, inputs, tmp_path, monkeypatch, more):
    monkeypatch.setattr("finemo_dist.run.resources.count_gpus", lambda: 0)

    refused(*words(inputs, tmp_path / "run", *more))

    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("place", ["regions", "samples/x"])
def test_force_does_not_remove_its_own_input(refused, inputs, tmp_path, place):
    store = tmp_path / place / "a.zarr"
    shutil.copytree(inputs.stores["a"], store)
    before = content(tmp_path)

    said = refused(*words(inputs, tmp_path, "--force", regions=store))

    assert "is among the files that --force removes" in said
    assert content(tmp_path) == before


@pytest.fixture
def npz(command, demo, tmp_path):
    """finemo's regions files of both samples."""
    paths = []
    for sample in demo.samples:
        paths.append(tmp_path / f"{sample.name}.npz")
        answer = command(
            "extract-regions-chrombpnet-h5", "-c", sample.chrombpnet_h5, "-p", sample.peaks,
            "-w", demo.region_width, "-o", paths[-1],
        )  # fmt: skip
        assert answer.status == 0, answer.err
    return paths


def test_finemos_regions_are_taken_as_a_store_is(command, demo, npz, tmp_path):
    files = demo.samples[0]
    command(
        "extract-regions-chrombpnet-h5", "-c", files.chrombpnet_h5, "-p", files.peaks,
        "-w", demo.region_width, "-o", tmp_path / "sample_a.zarr",
    )  # fmt: skip
    for regions in (npz[0], tmp_path / "sample_a.zarr"):
        answer = command(
            "call-hits", "-r", regions, "-m", demo.modisco_h5, "-o", tmp_path / regions.suffix[1:],
        )  # fmt: skip
        assert answer.status == 0, answer.err

    kept = open_store(tmp_path / "npz/regions/sample_a.zarr")
    assert kept.score_kind == "projected", "all that mode pp needs"
    for name in FILES - {"params.json", "parameters.json"}:
        assert (tmp_path / "npz" / name).read_bytes() == (tmp_path / "zarr" / name).read_bytes()


def test_other_regions_in_npz_are_refused_before_the_first_are_replaced(
    refused, command, demo, npz, tmp_path
):
    call = ["call-hits", "-m", demo.modisco_h5, "-o", tmp_path / "run"]
    assert command(*call, "-r", npz[0]).status == 0
    before = content(tmp_path / "run")

    for name in ("sample_a", "sample_b"):
        assert "holds another run" in refused(*call, "-r", npz[1], "--sample", name)

    assert content(tmp_path / "run") == before
    assert command(*call, "-r", npz[0]).status == 0


def test_npz_regions_beside_output_of_finemo_are_not_staged(refused, demo, npz, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/hits.tsv").write_text("precious")

    refused("call-hits", "-m", demo.modisco_h5, "-o", tmp_path / "run", "-r", npz[0])

    assert content(tmp_path / "run") == {"hits.tsv": b"precious"}


def test_counts_of_irregular_regions_are_kept_in_the_record(command, demo, tmp_path):
    """Warns means: one line, and the count in run.json."""
    files = demo.samples[0]
    with np.load(files.attributions_npz) as file:
        attributions = file["arr_0"].copy()
    attributions[3, :, 5] = np.nan
    attributions[7] = 0
    np.savez(tmp_path / "nan.npz", attributions)
    extraction = command(
        "extract-regions-modisco-fmt", "-s", files.sequences_npz, "-a", tmp_path / "nan.npz",
        "-w", demo.region_width, "-o", tmp_path / "store",
    )  # fmt: skip
    assert "1 region has NaN contributions" in extraction.err

    command("call-hits", "-r", tmp_path / "store", "-m", demo.modisco_h5, "-o", tmp_path / "run")

    assert RunRecord.load(tmp_path / "run").warnings == {"nan": 1, "zero": 1}


def test_a_store_without_regions_gives_empty_files(command, inputs, tmp_path):
    """C7."""
    store = write_store(tmp_path / "none.zarr", 0)

    answer = command(*words(inputs, tmp_path / "run", regions=store))

    assert answer.status == 0, answer.err
    run = tmp_path / "run"
    assert {p.name for p in run.iterdir()} >= FILES
    assert [read_tsv(run / n) for n in ("hits.tsv", "hits_unique.tsv", "peaks_qc.tsv")] == [[]] * 3
    header = (run / "hits.tsv").read_text().split("\t")
    assert (header[0], len(header)) == ("chr", 15)
    assert (run / "hits.bed").read_text() == ""
    assert len(read_tsv(run / "motif_data.tsv")) == 8
    assert RunRecord.load(run).status == "complete"
    assert command("status", run).status == 0


def test_regions_narrower_than_the_motifs_are_refused(refused, inputs, tmp_path):
    """C9."""
    store = write_store(tmp_path / "narrow.zarr", 4, width=150)
    cwm = np.ones((200, 4))
    fields = {"contrib_scores": cwm, "hypothetical_contribs": cwm}
    wide = write_h5(tmp_path / "wide.h5", pattern("pos_patterns/pattern_0", **fields))

    said = refused("call-hits", "-r", store, "-m", wide, "-o", tmp_path / "run")

    assert "150 bases wide, narrower than the motifs (200 columns)" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flag", ["-r", "-m"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"chr1\t1\t2\n"])
@pytest.mark.parametrize("suffix", [".npz", ".h5", ".zarr"])
def test_what_is_neither_regions_nor_motifs_is_refused(
    refused, inputs, tmp_path, flag, content, suffix
):
    path = tmp_path / f"odd{suffix}"
    path.write_bytes(content)
    given = list(words(inputs, tmp_path / "run"))
    given[given.index(flag) + 1] = path

    assert str(path) in refused(*given)
    assert not (tmp_path / "run").exists()


def test_an_output_that_is_a_file_is_refused(refused, inputs, tmp_path):
    (tmp_path / "file").write_text("precious")

    assert "file" in refused(*words(inputs, tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "precious"


def test_a_damaged_shard_leaves_the_others_and_exits_3(command, tmp_path):
    inputs = write_inputs(tmp_path, n_regions=12)
    path = corrupt_shard(inputs.stores["a"], 1)

    answer = command(*words(inputs, tmp_path / "run"))

    assert answer.status == 3
    assert "Traceback" not in answer.err
    assert "shard a[1] failed on serial and is set aside" in answer.err
    assert str(path) in answer.err
    assert "1 of 3 shards is missing" in answer.err
    assert len(parts(tmp_path / "run")) == 4
    assert not (tmp_path / "run/hits.tsv").exists()


def test_a_mended_store_fills_the_hole(command, tmp_path):
    inputs = write_inputs(tmp_path, n_regions=12)
    shutil.copytree(inputs.stores["a"], tmp_path / "whole.zarr")
    corrupt_shard(inputs.stores["a"], 1)
    command(*words(inputs, tmp_path / "run"))
    shutil.rmtree(inputs.stores["a"])
    (tmp_path / "whole.zarr").rename(inputs.stores["a"])

    answer = command(*words(inputs, tmp_path / "run"))

    assert answer.status == 0, answer.err
    assert "2 of 3 shards were already committed" in answer.err
    assert RunRecord.load(tmp_path / "run").failures == {}


def test_strict_refuses_regions_that_have_not_converged(command, inputs, tmp_path):
    """S19."""
    short = ("--solver", "dense", "-S", "1", "-c", "1e-12", "-s", "0.1")

    loose = command(*words(inputs, tmp_path / "loose", *short))
    strict = command(*words(inputs, tmp_path / "strict", *short, "--strict"))

    assert loose.status == 0
    assert "regions have not converged" in loose.err
    assert strict.status == 2
    assert "--strict requires all to converge" in strict.err
    converged = {row["converged"] for row in read_tsv(tmp_path / "strict/peaks_qc.tsv")}
    assert converged & {"false", "False", "0"}


def test_strict_is_content_when_all_have_converged(command, inputs, tmp_path):
    assert command(*words(inputs, tmp_path, "--strict")).status == 0


def test_renamed_motifs_are_renamed_everywhere(command, inputs, tmp_path):
    (tmp_path / "names.tsv").write_text("pos_patterns.pattern_0\t<script>'\"/.. x\n")

    answer = command(*words(inputs, tmp_path / "run", "-N", tmp_path / "names.tsv"))

    assert answer.status == 0, answer.err
    assert {r["motif_name"] for r in read_tsv(tmp_path / "run/motif_data.tsv")} >= {
        "<script>'\"/.. x"
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["names.tsv", "run"]


def test_the_record_names_the_line_that_was_typed(command, inputs, tmp_path):
    words = ("call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o", tmp_path / "a b")
    assert command(*words).status == 0

    (invocation,) = RunRecord.load(tmp_path / "a b").invocations
    assert shlex.split(invocation.command) == ["finemo-dist", *map(str, words)]
    assert invocation.directory == str(Path.cwd())
