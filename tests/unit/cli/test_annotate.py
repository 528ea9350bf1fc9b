"""``annotate``, ``export --to meme`` and exports that need what may not be installed."""

import importlib
import json
import shutil

import numpy as np
import pytest
from Bio import motifs as bio

from finemo_dist.hits.matches import read_matches
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.motifs.frequencies import base_frequencies
from finemo_dist.motifs.meme import MemeMotif, write_meme
from finemo_dist.record.run_record import RunRecord
from finemo_dist.store.read import open_store
from tests.command import read_tsv


@pytest.fixture
def run(finished, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    return copy


@pytest.fixture
def annotation(finished, tmp_path):
    names = list(dict.fromkeys(read_motifs(finished).name))
    path = tmp_path / "annotation.tsv"
    path.write_text(f"motif_name\ttf\tfamily\n{names[0]}\tCTCF\tZNF\n{names[1]}\tCTCFL\tZNF\n")
    return path


def motifs_of(command, run):
    answer = command("sql", run, "SELECT * FROM motifs ORDER BY motif_id", "--format", "json")
    return json.loads(answer.out)


def test_an_annotation_is_shown_by_the_table_of_motifs(command, run, annotation):
    before = [row["tf"] for row in motifs_of(command, run)]

    assert command("annotate", run, "-a", annotation).status == 0

    after = [(row["tf"], row["family"], row["cluster"]) for row in motifs_of(command, run)]
    assert set(before) == {None}
    assert after[:4] == [("CTCF", "ZNF", None)] * 2 + [("CTCFL", "ZNF", None)] * 2
    assert set(after[4:]) == {(None, None, None)}


def test_an_annotation_changes_no_digest_and_a_bed_can_carry_it(command, run, annotation, tmp_path):
    record = (run / "run.json").read_bytes()
    command("annotate", run, "-a", annotation)

    command("export", run, "--to", "bed", "--name", "family", "-o", tmp_path / "x.bed")

    assert (run / "run.json").read_bytes() == record
    assert command("verify", run).status == 0
    assert "ZNF" in {line.split("\t")[3] for line in (tmp_path / "x.bed").read_text().splitlines()}


def test_an_annotation_is_replaced_only_by_force(command, refused, run, annotation):
    command("annotate", run, "-a", annotation)

    assert "--force" in refused("annotate", run, "-a", annotation)
    assert command("annotate", run, "-a", annotation, "--force").status == 0


def test_an_annotation_of_no_motif_of_the_run_is_refused(refused, run, tmp_path):
    (tmp_path / "a.tsv").write_text("motif_name\ttf\nCTFC\tCTCF\n")

    assert "'CTFC'" in refused("annotate", run, "-a", tmp_path / "a.tsv")
    assert not (run / "motifs/annotation.parquet").exists()


@pytest.mark.parametrize(
    "words", [[], ["--database", "DB"], ["-a", "TSV", "--database", "DB", "-o", "x"]]
)
def test_half_a_question_is_refused(refused, run, annotation, tmp_path, words):
    (tmp_path / "db").write_text(
        "MEME version 4\n\nMOTIF a\nletter-probability matrix:\n0.7 0.1 0.1 0.1\n"
    )
    given = {"DB": tmp_path / "db", "TSV": annotation}

    refused("annotate", run, *(given.get(word, word) for word in words))


@pytest.mark.slow
def test_planted_motifs_are_found_in_a_database(command, run, rng, tmp_path):
    """Each motif of the run lies in the database, every second one turned round."""
    motifs = read_motifs(run)
    names = motifs.name[::2]
    decoys = [
        MemeMotif(f"D{i}", f"decoy{i}", rng.dirichlet(np.full(4, 0.3), 9).T, 0) for i in range(30)
    ]
    planted = []
    for i in range(len(names)):
        pwm = base_frequencies(motifs.cwm[2 * i])[:, motifs.start[2 * i] : motifs.end[2 * i]]
        planted.append(MemeMotif(f"P{i}", f"TF{i}", pwm[::-1, ::-1] if i % 2 else pwm, 0))
    write_meme(tmp_path / "db.meme", [*decoys[:15], *planted, *decoys[15:]])

    answer = command(
        "annotate", run, "--database", tmp_path / "db.meme", "-o", tmp_path / "proposal.tsv"
    )

    rows = read_tsv(tmp_path / "proposal.tsv")
    assert answer.status == 0, answer.err
    assert [row["motif_name"] for row in rows] == list(names)
    assert [row["tf"] for row in rows] == [f"TF{i}" for i in range(len(names))]
    assert [row["target"] for row in rows] == [f"P{i}" for i in range(len(names))]
    assert all(float(row["p_value"]) <= float(row["q_value"]) <= 0.05 for row in rows)
    assert all(row["others"].count("; ") == 3 for row in rows)
    stored = read_matches(run)
    for i, name in enumerate(names):
        best = stored[name][0]
        own = base_frequencies(motifs.cwm[2 * i])[:, motifs.start[2 * i] : motifs.end[2 * i]]
        turned = best.heights if best.strand == "+" else best.heights[::-1, ::-1]
        assert (best.factor, best.offset, best.database) == (f"TF{i}", 0, "db.meme")
        assert (turned.argmax(axis=0) == own.argmax(axis=0)).all()
    assert command("annotate", run, "-a", tmp_path / "proposal.tsv").status == 0
    assert motifs_of(command, run)[0]["tf"] == "TF0"


def test_motifs_as_meme_are_whole_or_trimmed(command, finished, tmp_path):
    widths = {}
    for kind in ("full", "trimmed"):
        out = tmp_path / f"{kind}.meme"
        command("export", finished, "--to", "meme", "--motifs", kind, "-o", out)
        with out.open() as handle:
            widths[kind] = [(m.name, m.length) for m in bio.parse(handle, "minimal")]

    motifs = read_motifs(finished)
    names = motifs.name[::2]
    assert widths["full"] == [(name, motifs.width) for name in names]
    trimmed = (motifs.end - motifs.start)[::2].tolist()
    assert widths["trimmed"] == list(zip(names, trimmed, strict=True))


def test_motifs_rebuilt_from_hits_are_those_of_their_sequences(command, finished, inputs, tmp_path):
    command("export", finished, "--to", "meme", "--motifs", "hits", "-o", tmp_path / "x.meme")

    store = open_store(inputs.stores["a"])
    table, sequence = store.table(0, 12), store.read(0, 12).sequence
    place = {int(p): (int(s), codes) for p, s, codes in
             zip(table.peak_id, table.start, sequence, strict=True)}  # fmt: skip
    with (tmp_path / "x.meme").open() as handle:
        found = {m.name: m for m in bio.parse(handle, "minimal")}
    hits = [h for h in read_tsv(finished / "hits.tsv") if h["strand"] == "+"]
    hits = [h for h in hits if h["motif_name"] == hits[0]["motif_name"]]
    motif = found[hits[0]["motif_name"]]
    for column in range(8, 12):
        for hit in hits:
            start, codes = place[int(hit["peak_id"])]
            code = codes[int(hit["start_untrimmed"]) - start + column]
            assert motif.pwm["ACGT"[code]][column] > 0
    n = sum(h["motif_name"] == motif.name for h in read_tsv(finished / "hits.tsv"))
    assert motif.num_occurrences == n


def test_motifs_cannot_be_rebuilt_without_their_store(refused, run, tmp_path):
    record = RunRecord.load(run)
    sample = record.samples[0].model_copy(update={"store": str(tmp_path / "gone.zarr")})
    record.model_copy(update={"samples": (sample, *record.samples[1:])}).save(run)

    message = refused("export", run, "--to", "meme", "--motifs", "hits", "-o", tmp_path / "x")

    assert "gone.zarr" in message
    assert not (tmp_path / "x").exists()


def test_a_store_of_other_content_is_refused(refused, run, tmp_path):
    # Without parts, whose footers name the store as well.
    record = RunRecord.load(run)
    sample = record.samples[0].model_copy(update={"store_digest": "another"})
    record.model_copy(update={"samples": (sample, *record.samples[1:])}).save(run)

    message = refused("export", run, "--to", "meme", "--motifs", "hits", "-o", tmp_path / "x")

    assert "is not the store" in message


@pytest.mark.parametrize(
    ("words", "module", "extra"),
    [
        (["export", "RUN", "--to", "tabix", "-o", "OUT.bed.gz"], "pysam", "exports"),
        (["export", "RUN", "--to", "h5ad", "-o", "OUT.h5ad"], "anndata.io", "exports"),
        (["annotate", "RUN", "--database", "DB", "-o", "OUT.tsv"], "memelite", "motifs"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(
    refused, finished, tmp_path, monkeypatch, words, module, extra
):
    (tmp_path / "db").write_text(
        "MEME version 4\n\nMOTIF a\nletter-probability matrix:\n0.7 0.1 0.1 0.1\n"
    )
    real = importlib.import_module

    def missing(name, package=None):
        if name == module:
            raise ImportError(f"No module named {name!r}")
        return real(name, package)

    monkeypatch.setattr("finemo_dist.core.optional.importlib.import_module", missing)
    given = {"RUN": finished, "DB": tmp_path / "db"}
    given |= {word: tmp_path / word for word in words if word.startswith("OUT")}

    message = refused(*(given.get(word, word) for word in words))

    assert f"pip install 'finemo-dist[{extra}]'" in message
    assert [p.name for p in tmp_path.iterdir()] == ["db"]
