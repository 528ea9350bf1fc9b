"""Motifs of databases: MEME and JASPAR files, alone and beside those of TF-MoDISco."""

import json

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

import finemo_dist as fd
from finemo_dist.core.errors import InputError
from finemo_dist.hits.seal import UNSEALED, seal
from tests.command import extract_words, finemo_dist, read_tsv

FREQUENCIES = np.array(
    [[0.97, 0.01, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01], [0.25, 0.25, 0.25, 0.25],
     [0.0, 0.5, 0.5, 0.0], [0.01, 0.97, 0.01, 0.01]]
).T  # fmt: skip
"""(4, W): A, G, anything, C or G, C."""


def jaspar(motifs, n_sites=1000, letters=True):
    lines = []
    for name, frequencies in motifs.items():
        lines.append(f">{name}\tOTHER")
        for base, row in zip("ACGT", np.round(frequencies * n_sites).astype(int), strict=True):
            cells = " ".join(map(str, row))
            lines.append(f"{base}  [ {cells} ]" if letters else cells)
    return "\n".join(lines) + "\n"


def meme(motifs):
    lines = ["MEME version 4", "", "ALPHABET= ACGT", ""]
    for name, frequencies in motifs.items():
        width = frequencies.shape[1]
        lines += [f"MOTIF {name} OTHER", f"letter-probability matrix: alength= 4 w= {width}"]
        lines += [" ".join(f"{value:.6f}" for value in column) for column in frequencies.T]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def database(yeast_slice, tmp_path_factory):
    """Base frequencies of two patterns of the slice, as a database would have them."""
    path = tmp_path_factory.mktemp("database") / "known.jaspar"
    with h5py.File(yeast_slice / "modisco_results.h5") as file:
        held = {f"MA000{i}.1": file[f"pos_patterns/pattern_{i}/sequence"][8:22].T for i in (0, 1)}
    path.write_text(jaspar(held))
    return path


@pytest.fixture(scope="module")
def store(yeast_slice, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "s.zarr"
    finemo_dist(*extract_words("modisco-fmt", yeast_slice), "-o", path)
    return path


@pytest.fixture(scope="module")
def both(store, yeast_slice, database, tmp_path_factory):
    """A run of TF-MoDISco's motifs and those of a database."""
    run = tmp_path_factory.mktemp("both") / "run"
    finemo_dist("call-hits", "-r", store, "-m", yeast_slice / "modisco_results.h5", database,
                "-o", run)  # fmt: skip
    return run


class TestMatrices:
    """What becomes of frequencies, by the formula of ``known_pattern`` written out."""

    @pytest.fixture
    def motifs(self, tmp_path):
        (tmp_path / "a.jaspar").write_text(jaspar({"A": FREQUENCIES}, n_sites=10_000))
        return fd.read_motifs(tmp_path / "a.jaspar")

    def test_each_base_has_its_information(self, motifs):
        found = motifs.cwm("A", hypothetical=True)

        for (base, column), p in np.ndenumerate(FREQUENCIES):
            p = (p + 1e-3) / (1 + 4e-3)
            assert found[base, column] == pytest.approx(p * np.log2(p / 0.25), abs=1e-12)

    def test_projected_matrices_are_the_heights_of_the_logo(self, motifs):
        found = motifs.cwm("A")

        information = motifs.cwm("A", hypothetical=True).sum(axis=0)
        np.testing.assert_allclose(found.sum(axis=0), information)
        assert (found >= 0).all()
        assert information[0] == pytest.approx(1.73, abs=0.01)
        assert information[2] == 0
        assert information[3] == pytest.approx(1, abs=0.03)

    def test_both_strands_are_called_and_names_are_the_databases(self, motifs):
        entries = motifs.both_strands("hh")

        assert (entries.name, entries.strand) == (("A", "A"), ("+", "-"))
        np.testing.assert_array_equal(entries.cwm[1], entries.cwm[0, ::-1, ::-1])
        assert np.square(entries.cwm[0].astype(float)).sum() == pytest.approx(1, abs=1e-3)
        assert entries.penalty.tolist() == [0.7, 0.7]

    def test_a_trim_threshold_is_a_share_of_the_information(self, tmp_path):
        weak = np.hstack([np.full((4, 2), 0.25), FREQUENCIES, np.full((4, 3), 0.25)])
        (tmp_path / "a.jaspar").write_text(jaspar({"A": weak}))

        entries = fd.read_motifs(tmp_path / "a.jaspar").both_strands()

        assert (entries.start.tolist(), entries.end.tolist()) == ([2, 3], [7, 8])

    def test_a_motif_without_information_is_refused(self, tmp_path):
        (tmp_path / "a.jaspar").write_text(jaspar({"A": np.full((4, 6), 0.25)}))

        with pytest.raises(InputError, match="all zero, so it matches nothing"):
            fd.read_motifs(tmp_path / "a.jaspar")


def test_motifs_of_few_bits_are_warned_of(tmp_path, caplog):
    strong = np.hstack([FREQUENCIES, FREQUENCIES])
    (tmp_path / "a.jaspar").write_text(jaspar({"weak": FREQUENCIES[:, 2:], "strong": strong}))

    fd.read_motifs(tmp_path / "a.jaspar")

    assert "1 of 2 motifs carry less than 6 bits" in caplog.text
    assert "weak" in caplog.text
    assert "strong" not in caplog.text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jaspar", jaspar({"A": FREQUENCIES, "B": FREQUENCIES[:, ::-1]}, n_sites=10_000)),
        ("a.pfm", jaspar({"A": FREQUENCIES, "B": FREQUENCIES[:, ::-1]}, 10_000, letters=False)),
        ("a.meme", meme({"A": FREQUENCIES, "B": FREQUENCIES[:, ::-1]})),
        ("a.txt", "\ufeff" + jaspar({"A": FREQUENCIES, "B": FREQUENCIES[:, ::-1]}, 10_000)),
    ],
)
def test_a_database_is_told_by_its_content(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "plain").write_text(meme({"A": FREQUENCIES, "B": FREQUENCIES[:, ::-1]}))

    motifs, plain = fd.read_motifs(tmp_path / name), fd.read_motifs(tmp_path / "plain")

    assert motifs.names == ("A", "B")
    assert motifs.sources == (str(tmp_path / name),) * 2
    for motif in motifs.names:
        np.testing.assert_allclose(motifs.cwm(motif), plain.cwm(motif), atol=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (jaspar({"A": FREQUENCIES}) + jaspar({"A": FREQUENCIES}), "names motif 'A' twice"),
        (">A\n1 2\n3 4\n5 6\n", "line 1: motif 'A' is not four rows"),
        (">A\n1 2\n3 4\n5 6\n7\n", "line 1: motif 'A' is not four rows"),
        (">A\n1 2\n3 4\n5 6\n7 x\n", "line 1: motif 'A' is not four rows"),
        (">A\n1 -2\n3 4\n5 6\n7 8\n", "line 1: motif 'A' is not four rows"),
        (">A\nA [1 0]\nC [1 0]\nG [1 0]\nT [1 0]\n", "column 2 of motif 'A' counts no base"),
        (">A\nA [1]\nG [1]\nC [1]\nT [1]\n", "has rows AGCT, expected A, C, G and T"),
        (">\nA [1]\nC [1]\nG [1]\nT [1]\n", "line 1: a motif without a name"),
        ("chr1\t5\t9\n", "cannot be read as an H5 file"),
    ],
)
def test_a_damaged_database_is_refused_by_its_line(tmp_path, text, message):
    (tmp_path / "a.jaspar").write_text(text)

    with pytest.raises(InputError, match=message):
        fd.read_motifs(tmp_path / "a.jaspar")


def test_names_that_two_files_share_are_refused(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(jaspar({"A": FREQUENCIES}))

    with pytest.raises(InputError, match=r"b: names motif 'A', as .*a does"):
        fd.read_motifs([tmp_path / "a", tmp_path / "b"])


def test_a_database_and_modisco_are_one_set_that_says_where_each_motif_is_from(
    both, yeast_slice, database
):
    with fd.open_run(both) as run:
        rows = run.sql("SELECT DISTINCT motif_name, source FROM motifs").to_arrow().to_pylist()
        n_sets = run.sql("SELECT count(DISTINCT motif_set) AS n FROM motifs")["n"]
        hits = run.sql(
            "SELECT source, count(*) AS n FROM hits JOIN motifs USING (motif_id) GROUP BY 1"
        ).to_arrow().to_pylist()  # fmt: skip

    source = {row["motif_name"]: row["source"] for row in rows}
    modisco = str(yeast_slice / "modisco_results.h5")
    assert n_sets == [1]
    assert len(source) == 26
    assert {source[name] for name in ("MA0000.1", "MA0001.1")} == {str(database)}
    assert list(source.values()).count(modisco) == 24
    assert {row["source"] for row in hits} == {modisco, str(database)}


def test_finemos_table_of_motifs_keeps_finemos_columns(both, yeast_slice):
    theirs = (yeast_slice / "finemo-0.41/default/motif_data.tsv").read_text().splitlines()[0]

    assert (both / "motif_data.tsv").read_text().splitlines()[0] == theirs


def test_all_files_are_in_the_record(both, yeast_slice, database):
    record = json.loads((both / "run.json").read_text())
    params = json.loads((both / "params.json").read_text())
    files = [str(yeast_slice / "modisco_results.h5"), str(database)]

    assert [file["path"] for file in record["inputs"]] == files
    assert params["modisco_h5_path"] == files


def test_hits_in_memory_are_those_of_the_run(both, yeast_slice, database):
    arrays = [np.load(yeast_slice / f"{name}.npz")["arr_0"] for name in ("ohe", "attr")]
    motifs = fd.read_motifs([yeast_slice / "modisco_results.h5", database])

    hits = fd.find_hits(*arrays, motifs, peaks=yeast_slice / "peaks.narrowPeak")

    with fd.open_run(both) as run:
        theirs = run.sql(
            'SELECT motif_id, start, hit_coefficient FROM hits ORDER BY chr_id, start, "end", '
            "motif_id, peak_id"
        ).to_arrow()  # fmt: skip
    for name in theirs.column_names:
        assert hits.to_arrow()[name].to_pylist() == theirs[name].to_pylist()


def test_motifs_of_modisco_lose_few_hits_to_a_database(both, store, yeast_slice, tmp_path):
    """Its two motifs are of like sites: they take some, and leave the rest where they were."""
    finemo_dist("call-hits", "-r", store, "-m", yeast_slice / "modisco_results.h5",
                "-o", tmp_path / "alone")  # fmt: skip

    def places(run):
        rows = read_tsv(run / "hits.tsv")
        return {
            (r["peak_id"], r["motif_name"], r["start"], r["strand"])
            for r in rows
            if r["motif_name"].startswith("pos_patterns")
        }

    alone, beside = places(tmp_path / "alone"), places(both)
    others = {p for p in alone if p[1] not in ("pos_patterns.pattern_0", "pos_patterns.pattern_1")}
    assert len(others & beside) / len(others) > 0.9
    assert len(beside) < len(alone) + 5


def test_a_configuration_names_several_files(store, yeast_slice, database, tmp_path, both):
    config = {
        "output": str(tmp_path / "run"),
        "modisco_h5": [str(yeast_slice / "modisco_results.h5"), str(database)],
        "samples": [{"name": "s", "regions": str(store)}],
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))

    finemo_dist("run", tmp_path / "config.yaml")

    assert (tmp_path / "run/hits.tsv").read_text() == (both / "hits.tsv").read_text()


def test_a_run_of_an_older_release_opens_without_sources(store, yeast_slice, tmp_path):
    run = tmp_path / "run"
    finemo_dist("call-hits", "-r", store, "-m", yeast_slice / "modisco_results.h5", "-o", run)
    path = run / "motifs/motif_data.parquet"
    table = pq.read_table(path)
    old = table.drop_columns(["source"])
    pq.write_table(
        old.replace_schema_metadata({**table.schema.metadata, **UNSEALED}), path, compression="zstd"
    )
    seal(path)

    with fd.open_run(run) as opened:
        assert set(opened.sql("SELECT source FROM motifs")["source"]) == {None}
        assert opened.sql("SELECT count(*) AS n FROM motif_counts")["n"][0] > 10
    # Nothing is left to do, and the tables are written anew.
    finemo_dist("call-hits", "-r", store, "-m", yeast_slice / "modisco_results.h5", "-o", run)
