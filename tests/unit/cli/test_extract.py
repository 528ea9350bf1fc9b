"""The extract commands, on small simulated inputs in every format."""

import json

import numpy as np
import pytest

from finemo_dist.core.records import ScoreKind
from finemo_dist.store.read import open_store

KINDS = ["bw", "chrombpnet-h5", "bpnet-h5", "modisco-fmt"]


@pytest.fixture
def words(demo):
    """Return the words that extract a sample from one kind of input."""

    def of(kind, *, sample=0, n_folds=1):
        files = demo.samples[sample]
        inputs = {
            "bw": ["-f", demo.fasta, "-b", *[files.bigwig] * n_folds],
            "chrombpnet-h5": ["-c", *[files.chrombpnet_h5] * n_folds],
            "bpnet-h5": ["-c", *[files.bpnet_h5] * n_folds],
            "modisco-fmt": ["-s", files.sequences_npz, "-a", *[files.attributions_npz] * n_folds],
        }
        width = ["-w", demo.region_width]
        return [f"extract-regions-{kind}", *inputs[kind], "-p", files.peaks, *width]

    return of


def test_every_kind_of_input_gives_the_same_regions(command, words, tmp_path):
    stores = {}
    for kind in KINDS:
        assert command(*words(kind), "-o", tmp_path / kind).status == 0
        stores[kind] = open_store(tmp_path / kind)

    reference = stores["bw"].read(0, 12)
    assert stores["bw"].score_kind is ScoreKind.PROJECTED
    for kind in KINDS[1:]:
        batch, store = stores[kind].read(0, 12), stores[kind]
        np.testing.assert_array_equal(batch.sequence, reference.sequence)
        np.testing.assert_array_equal(store.table(0, 12).start, stores["bw"].table(0, 12).start)
        projected = np.take_along_axis(
            batch.contributions, batch.sequence[:, None].astype(int), axis=1
        )[:, 0]
        # Halves, and where regions overlap a bigWig has one value for both.
        assert np.corrcoef(projected.ravel(), reference.contributions.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_equal_folds_average_to_themselves(command, words, tmp_path, kind):
    for n_folds in (1, 2):
        out = tmp_path / str(n_folds)
        assert command(*words(kind, n_folds=n_folds), "-o", out).status == 0

    one, two = (open_store(tmp_path / name).read(0, 12) for name in ("1", "2"))
    np.testing.assert_array_equal(one.contributions, two.contributions)


def test_a_name_ending_in_npz_gets_finemos_file(command, words, tmp_path):
    assert command(*words("chrombpnet-h5"), "-o", tmp_path / "regions.npz").status == 0

    with np.load(tmp_path / "regions.npz", allow_pickle=False) as file:
        assert {"sequences", "contributions"} <= set(file.files)
        assert len(file["sequences"]) == 12
    assert [p.name for p in tmp_path.iterdir()] == ["regions.npz"]


def test_the_summary_says_how_many_and_what_was_irregular(command, words, demo, tmp_path):
    peaks = demo.samples[0].peaks.read_text().splitlines()
    fields = peaks[0].split("\t")
    fields[9] = "-1"
    (tmp_path / "peaks.bed").write_text("\n".join(["\t".join(fields), *peaks[1:]]) + "\n")

    answer = command(*words("bw"), "-p", tmp_path / "peaks.bed", "-o", tmp_path / "s")

    assert (answer.status, answer.out) == (0, "")
    assert "12 regions of" in answer.err
    assert "1 region has no summit" in answer.err


def test_the_summary_as_json(command, words, tmp_path):
    answer = command(*words("bw"), "-o", tmp_path / "s", "--shard-size", "5", "--json")

    content = json.loads(answer.out)
    assert (content["n_regions"], content["n_shards"]) == (12, 3)
    assert content["path"] == str(tmp_path / "s")
    assert content["counts"]["n_regions"] == 12


@pytest.mark.parametrize("name", ["regions.npz", "regions.zarr"])
def test_an_output_that_exists_is_refused_and_stays(refused, command, words, tmp_path, name):
    """S24."""
    (tmp_path / name).write_text("precious")

    assert "--force" in refused(*words("bw"), "-o", tmp_path / name)
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("name", ["regions.npz", "regions.zarr"])
def test_force_replaces_an_earlier_output(command, words, tmp_path, name):
    command(*words("bw", sample=1), "-o", tmp_path / name)

    assert command(*words("bw", sample=0), "-o", tmp_path / name, "--force").status == 0
    assert command(*words("bw", sample=0), "-o", tmp_path / f"other-{name}").status == 0
    if name.endswith("zarr"):
        digests = {open_store(p).digest for p in tmp_path.iterdir()}
        assert len(digests) == 1


def test_missing_folders_of_the_output_are_made(command, words, tmp_path):
    """C14."""
    for name in ("s.zarr", "s.npz"):
        assert command(*words("bw"), "-o", tmp_path / "a/b" / name).status == 0
        assert (tmp_path / "a/b" / name).exists()


@pytest.mark.parametrize("name", ["s.zarr", "s.npz"])
def test_an_output_below_a_file_is_refused(refused, words, tmp_path, name):
    (tmp_path / "file").write_text("x")

    assert "file" in refused(*words("bw"), "-o", tmp_path / "file" / name)


def corrupted(path, tmp_path):
    bad = tmp_path / f"bad{path.suffix}"
    bad.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return bad


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_input_is_refused_and_leaves_nothing(refused, words, tmp_path, kind):
    flag = {"bw": "-b", "modisco-fmt": "-a"}.get(kind, "-c")
    given = words(kind)
    at = given.index(flag) + 1
    bad = corrupted(given[at], tmp_path)
    given[at] = bad

    assert str(bad) in refused(*given, "-o", tmp_path / "s")
    assert [p.name for p in tmp_path.iterdir()] == [bad.name]


@pytest.mark.parametrize("flag", ["-f", "-b", "-p"])
def test_a_missing_input_is_refused_by_name(refused, words, tmp_path, flag):
    given = words("bw")
    given[given.index(flag) + 1] = tmp_path / "none"

    assert "none' does not exist" in refused(*given, "-o", tmp_path / "s")


@pytest.mark.parametrize("width", ["1", "0", "-5", "wide"])
def test_a_width_that_cannot_be_is_refused(refused, words, tmp_path, width):
    refused(*words("bw"), "-w", width, "-o", tmp_path / "s")
